"""Loading what the hub holds of the people a snapshot touches, as plain types; constant queries."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Set
from typing import Any

from django.db.models import CharField, F, Func, Q, QuerySet, Value

from hub.people.models import Connection, Contact, ContactDetail, MisIdentity, MisSource, Pupil, PupilContact, Staff
from imports.models import PassedRecord
from imports.types import (
    CONTACT,
    CONTACT_FIELDS,
    LINK_FIELDS,
    PUPIL,
    PUPIL_FIELDS,
    STAFF,
    STAFF_FIELDS,
    Detail,
    Facts,
    Identity,
    Key,
    State,
)


def load_identities(source: MisSource) -> dict[Key, Identity]:
    """Return every identity of a source, without its emails and mobiles: one query."""
    rows = MisIdentity.objects.filter(school_id=source.school_id, source=source).values_list(
        "pk", "kind", "external_id", "part", "pupil_id", "contact_id", "staff_id", "digest", "gone_on"
    )
    return {
        (kind, external_id, part): Identity(
            pk, (kind, external_id, part), pupil or contact or staff, bytes(digest), gone_on is not None
        )
        for pk, kind, external_id, part, pupil, contact, staff, digest, gone_on in rows.iterator(chunk_size=10_000)
    }


def load_passed(source: MisSource) -> dict[tuple[str, str], bytes]:
    """Return the digests of the records that made nobody a person: one query."""
    rows = PassedRecord.objects.filter(school_id=source.school_id, source=source)
    return {(kind, key): bytes(digest) for kind, key, digest in rows.values_list("kind", "external_id", "digest")}


def load(
    source: MisSource,
    identities: dict[Key, Identity],
    *,
    facts: Collection[Facts],
    absent: Iterable[Identity],
    unsaid: Set[str] = frozenset(),
    ids_by_hand: bool = False,
) -> State:
    """Return the state that planning needs: people behind the facts and the absent, and possible matches.

    Where the MIS does not tell of staff's details (`unsaid`), also what it said of them last. Where ids are typed in,
    also pupils with the same admission number, zeros aside.
    """
    state = State(identities=identities)
    if not identities and not Pupil.objects.filter(school_id=source.school_id).exists():
        return state
    loader = _Loader(source.school_id, state)
    known: dict[str, set[int]] = {PUPIL: set(), CONTACT: set(), STAFF: set()}
    fresh: list[Facts] = []
    numbered = ids_by_hand or f"{PUPIL}.upn" in unsaid
    for fact in facts:
        if identity := identities.get(fact.key):
            known[fact.key[0]].add(identity.person_id)
        else:
            fresh.append(fact)
    for identity in absent:
        known[identity.key[0]].add(identity.person_id)
    doubted = facts if numbered else fresh  # a known id may have been given to another child
    loader.pupils(known[PUPIL], [fact for fact in doubted if fact.key[0] == PUPIL], by_number=numbered)
    loader.contacts(known[CONTACT], [fact for fact in fresh if fact.key[0] == CONTACT])
    loader.staff(known[STAFF], fresh=any(fact.key[0] == STAFF for fact in fresh))
    if not unsaid.isdisjoint(("staff.emails", "staff.telephones")):
        loader.identity_details(staff_id__in=known[STAFF])
    return state


class _Loader:
    """Fills a State; every method costs the same number of queries however many people there are."""

    def __init__(self, school_id: int, state: State) -> None:
        self.school_id = school_id
        self.state = state

    def _people(self, model: Any, kind: str, fields: tuple[str, ...], where: Q) -> None:
        asked = fields if kind == PUPIL else (*fields, "made_by_hand")  # pupils come from an MIS alone
        rows = model.objects.filter(where, school_id=self.school_id).values_list("pk", *asked)
        people = self.state.people[kind]
        for row in rows.iterator(chunk_size=10_000):
            people[row[0]] = said = dict(zip(asked, row[1:], strict=True))
            if said.pop("made_by_hand", False):
                self.state.by_hand.add((kind, row[0]))

    def pupils(self, ids: set[int], fresh: list[Facts], *, by_number: bool) -> None:
        where = Q(pk__in=ids)
        if fresh:
            upns = {fact.values.get(name) for fact in fresh for name in ("upn", "former_upn")} - {"", None}
            born = {fact.values.get("date_of_birth") for fact in fresh} - {None}
            where |= Q(upn__in=upns) | Q(date_of_birth__in=born)
        if fresh and by_number:
            where |= Q(pk__in=self._with_numbers(fresh))
        self._people(Pupil, PUPIL, PUPIL_FIELDS, where)
        years = Pupil.objects.filter(school_id=self.school_id, leaving_date=None).values_list("year_group", flat=True)
        numbered = [year for year in years.distinct() if year.isdecimal()]
        self.state.top_year = max(numbered, key=int, default="")

    def _with_numbers(self, fresh: list[Facts]) -> QuerySet[Pupil, int]:
        numbers = {(fact.values.get("admission_number") or "").lstrip("0") for fact in fresh} - {""}
        bare = Func(F("admission_number"), Value("0"), function="LTRIM", output_field=CharField())
        pupils = Pupil.objects.filter(school_id=self.school_id).alias(bare=bare)
        return pupils.filter(bare__in=numbers).values_list("pk", flat=True)

    def contacts(self, ids: set[int], fresh: list[Facts]) -> None:
        wanted = ids | self._candidates(fresh)
        if not wanted:
            return
        self._people(Contact, CONTACT, CONTACT_FIELDS, Q(pk__in=wanted))
        links = PupilContact.objects.filter(school_id=self.school_id, contact_id__in=wanted)
        for pk, pupil, contact, *values in links.values_list("pk", "pupil_id", "contact_id", *LINK_FIELDS):
            self.state.links[(pupil, contact)] = {
                "id": pk, "pupil_id": pupil, "contact_id": contact, **dict(zip(LINK_FIELDS, values, strict=True)),
            }  # fmt: skip
        self._details(CONTACT, wanted)
        self.identity_details(contact_id__in=wanted)

    def _candidates(self, fresh: list[Facts]) -> set[int]:
        """Return contacts that a new record may be: of the same pupils, or with the same email or mobile."""
        if not fresh:
            return set()
        identities = self.state.identities
        pupils = {
            identity.person_id
            for fact in fresh
            for link in fact.links
            if (identity := identities.get((PUPIL, link.pupil_external_id, 0)))
        }
        linked = PupilContact.objects.filter(school_id=self.school_id, pupil_id__in=pupils)
        values = {value for fact in fresh for value in (*fact.emails, *fact.mobiles)}
        same = ContactDetail.objects.filter(school_id=self.school_id, value__in=values, staff=None)
        same = same.filter(contact__merged_into=None)  # whoever was merged away is nobody to find
        return set(linked.values_list("contact_id", flat=True)) | set(same.values_list("contact_id", flat=True))

    def staff(self, ids: set[int], *, fresh: bool) -> None:
        if not ids and not fresh:
            return
        self._people(Staff, STAFF, STAFF_FIELDS, Q() if fresh else Q(pk__in=ids))
        everyone = set(self.state.people[STAFF])
        self._details(STAFF, everyone)

    def _details(self, kind: str, ids: set[int]) -> None:
        column = f"{kind}_id"
        details = ContactDetail.objects.filter(school_id=self.school_id, **{f"{column}__in": ids})
        for owner, pk, *values in details.values_list(column, "pk", "kind", "value", "mis_value", "source"):
            detail_kind, value, mis_value, source = values
            self.state.details[((kind, owner), detail_kind)] = Detail(pk, value, mis_value, source)
        connected = Connection.objects.filter(
            school_id=self.school_id, ended_at=None, connected_at__isnull=False, **{f"{column}__in": ids}
        )
        self.state.logins |= {(kind, owner): login for owner, login in connected.values_list(column, "account_id")}
        self.state.connected |= self.state.logins.keys()

    def identity_details(self, **whose: set[int]) -> None:
        rows = MisIdentity.objects.filter(school_id=self.school_id, **whose).values_list(
            "kind", "external_id", "part", "emails", "mobiles"
        )
        for kind, external_id, part, emails, mobiles in rows:
            key = (kind, external_id, part)
            if known := self.state.identities.get(key):
                self.state.identities[key] = Identity(
                    known.id, key, known.person_id, known.digest, known.gone, tuple(emails), tuple(mobiles)
                )
