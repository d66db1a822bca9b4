"""Who a new record of the MIS is, among the people already known. Pure.

A pupil is known by UPN, or by admission number (zeros aside) with date of birth and surname. A
contact needs two agreeing signals, the name and an email or mobile, within a family it already
touches: a shared pupil or a shared postcode. Name and relationship alone never make two people
one (SIMS's own CTF import once did, and overwrote parents' details: `docs/mis-assumptions.md`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Set

from imports.types import CONTACT, EMAIL, PUPIL, STAFF, Facts, Key, State, Values


class Matcher:
    """Finds known people for new records; people added by this import are told to it as they come."""

    def __init__(self, state: State, present: Set[tuple[str, str]]) -> None:
        self._state = state
        self._present = present
        self._taken: set[tuple[str, int]] = set()
        self._keys_of: dict[tuple[str, int], list[Key]] = defaultdict(list)
        for key, identity in state.identities.items():
            self._keys_of[(key[0], identity.person_id)].append(key)
        self._by_upn: dict[str, set[int]] = defaultdict(set)
        self._by_admission: dict[tuple[str, object, str], set[int]] = defaultdict(set)
        self._staff_by_name: dict[tuple[str, str], set[int]] = defaultdict(set)
        self._by_name: dict[tuple[str, str], set[int]] = defaultdict(set)
        self._pupils_of: dict[int, set[int]] = defaultdict(set)
        self._reached_by: dict[int, set[str]] = defaultdict(set)
        self._postcode: dict[int, str] = {}
        self._index()

    def _index(self) -> None:
        state = self._state
        for pupil_id, values in state.people[PUPIL].items():
            self._index_pupil(pupil_id, values)
        for staff_id, values in state.people[STAFF].items():
            self._staff_by_name[_name(values)].add(staff_id)
        for contact_id, values in state.people[CONTACT].items():
            if (CONTACT, contact_id) not in state.by_hand:
                self._index_contact(contact_id, values)
        for pupil_id, contact_id in state.links:
            self._pupils_of[contact_id].add(pupil_id)
        for (owner, _kind), detail in state.details.items():
            if owner[0] == CONTACT:
                self._reached_by[owner[1]].update(filter(None, (detail.value, detail.mis_value)))
        for key, identity in state.identities.items():
            if key[0] == CONTACT:
                self._reached_by[identity.person_id].update((*identity.emails, *identity.mobiles))

    def _index_pupil(self, pupil_id: int, values: Values) -> None:
        if values["upn"]:
            self._by_upn[values["upn"]].add(pupil_id)
        for key in _admission_keys(values):
            self._by_admission[key].add(pupil_id)

    def _index_contact(self, contact_id: int, values: Values) -> None:
        self._by_name[_name(values)].add(contact_id)
        self._postcode[contact_id] = _postcode(values)

    def is_vacant(self, kind: str, person_id: int) -> bool:
        """Say whether no record in this snapshot is this person already."""
        return not any(key[:2] in self._present for key in self._keys_of[(kind, person_id)])

    def take(self, kind: str, person_id: int) -> None:
        """Tell of a person whom a new record has turned out to be: no other new record is the same one."""
        self._taken.add((kind, person_id))

    def pupil(self, facts: Facts) -> int | None:
        """Return the one known pupil that a new record is, or None."""
        values = facts.values
        upns = filter(None, (values.get("upn"), values.get("former_upn")))
        for upn in upns:
            if found := self._only(PUPIL, self._by_upn.get(upn, set())):
                return found
        numbered = [self._by_admission.get(key, set()) for key in _admission_keys(values)]
        return self._only(PUPIL, set().union(*numbered))

    def staff(self, facts: Facts) -> int | None:
        """Return the one known member of staff with the same name and email, or None."""
        same_name = self._staff_by_name.get(_name(facts.values), set())
        agreeing = {
            staff_id
            for staff_id in same_name
            if (detail := self._state.details.get(((STAFF, staff_id), EMAIL))) and detail.mis_value in facts.emails
        }
        return self._only(STAFF, agreeing)

    def _only(self, kind: str, found: Iterable[int]) -> int | None:
        vacant = [
            person_id for person_id in found if (kind, person_id) not in self._taken and self.is_vacant(kind, person_id)
        ]
        return vacant[0] if len(vacant) == 1 else None

    def contact(self, facts: Facts, pupil_ids: Set[int]) -> tuple[int | None, int | None]:
        """Return `(same, doubtful)`: the known contact a record is, or one it may be."""
        if not facts.values.get("forename"):
            return None, None
        family = [
            contact_id
            for contact_id in self._by_name.get(_name(facts.values), ())
            if self._is_family(contact_id, pupil_ids, facts.values)
        ]
        reached_by = {*facts.emails, *facts.mobiles}
        agreeing = [contact_id for contact_id in family if reached_by & self._reached_by[contact_id]]
        if len(agreeing) > 1:  # two of the hub are one record now: the Connected's, else the one known longest
            connected = [contact_id for contact_id in agreeing if (CONTACT, contact_id) in self._state.connected]
            agreeing = connected or [min(agreeing, key=lambda contact_id: (contact_id < 0, abs(contact_id)))]
        if len(agreeing) == 1:
            return agreeing[0], None
        return None, family[0] if family else None

    def _is_family(self, contact_id: int, pupil_ids: Set[int], values: Values) -> bool:
        postcode = _postcode(values)
        return bool(self._pupils_of[contact_id] & pupil_ids) or bool(
            postcode and self._postcode[contact_id] == postcode
        )

    def add_contact(self, contact_id: int, facts: Facts, pupil_ids: Iterable[int]) -> None:
        """Tell of a contact that this import adds, so that a second record of the same person finds it."""
        self._index_contact(contact_id, facts.values)
        self._pupils_of[contact_id].update(pupil_ids)
        self._reached_by[contact_id].update((*facts.emails, *facts.mobiles))


class Likeness:
    """Says which known contacts are the same person as another: two agreeing signals within a family."""

    def __init__(self, state: State, facts: Iterable[Facts], person_of: Mapping[Key, int]) -> None:
        self._state = state
        self._reached_by: dict[int, set[str]] = defaultdict(set)
        self._pupils_of: dict[int, set[int]] = defaultdict(set)
        self._by_name: dict[tuple[str, str], set[int]] = defaultdict(set)
        for contact_id, values in state.people[CONTACT].items():
            if values["forename"] and (CONTACT, contact_id) not in state.by_hand:
                self._by_name[_name(values)].add(contact_id)
        for (pupil_id, contact_id), link in state.links.items():
            if link["ended_on"] is None:
                self._pupils_of[contact_id].add(pupil_id)
        for (owner, _kind), detail in state.details.items():
            if owner[0] == CONTACT:
                self._reached_by[owner[1]].update(filter(None, (detail.value, detail.mis_value)))
        for identity in state.identities.values():
            if identity.key[0] == CONTACT:
                self._reached_by[identity.person_id].update((*identity.emails, *identity.mobiles))
        for fact in facts:
            self._hear(fact, person_of)

    def _hear(self, fact: Facts, person_of: Mapping[Key, int]) -> None:
        """Add what a record says tonight."""
        if contact_id := person_of.get(fact.key):
            self._reached_by[contact_id].update((*fact.emails, *fact.mobiles))
            pupils = (person_of.get((PUPIL, link.pupil_external_id, 0)) for link in fact.links)
            self._pupils_of[contact_id].update(pupil for pupil in pupils if pupil is not None)

    def same_as(self, contact_id: int) -> list[int]:
        """Return the other known contacts who are the same person."""
        values = self._state.people[CONTACT].get(contact_id)
        if values is None:
            return []
        return [
            other
            for other in sorted(self._by_name.get(_name(values), ()))
            if other != contact_id
            and self._reached_by[other] & self._reached_by[contact_id]
            and self._is_family(other, contact_id)
        ]

    def _is_family(self, one: int, other: int) -> bool:
        people = self._state.people[CONTACT]
        postcode = _postcode(people[one])
        return bool(self._pupils_of[one] & self._pupils_of[other]) or bool(
            postcode and postcode == _postcode(people[other])
        )


def _admission_keys(values: Values) -> set[tuple[str, object, str]]:
    """Return number and date of birth with each surname by which a pupil goes."""
    number, born = (values.get("admission_number") or "").lstrip("0"), values.get("date_of_birth")
    surnames = {(values.get(name) or "").casefold() for name in ("legal_surname", "surname")} - {""}
    return {(number, born, surname) for surname in surnames} if number and born else set()


def _name(values: Values) -> tuple[str, str]:
    return (values.get("forename") or "").casefold(), (values.get("surname") or "").casefold()


def _postcode(values: Values) -> str:
    return (values.get("postcode") or "").replace(" ", "").upper()
