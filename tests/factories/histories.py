"""Histories of a school that hypothesis makes up, and what must be true after every night of them.

`History` drives an MIS (records by id) and a hub, in memory or in PostgreSQL, and keeps a model of
its own: what each Connected person confirmed, and, by the table of `imports.planning.who_wins` written again
from the design, what every email and mobile and link must be.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from hypothesis import strategies as st

from imports.types import CONTACT, KINDS, PUPIL, Detail, Facts, Identity, Key, Owner, Values
from tests.factories.planning import EMAIL, MOBILE, a_contact, a_link, a_member_of_staff, a_pupil

MOBILES = ("", "+447700900001", "+447700900002", "+447700900003", "+447700900004")
EMAILS = ("", "a@example.org", "b@example.org", "shared@example.org")
OWN = {EMAIL: ("own@example.org", "shared@example.org"), MOBILE: ("+447700900777", "+447700900001")}
NAMES = (("Ngozi", "Okafor"), ("Chidi", "Okafor"), ("Wendy", "Bradshaw"), ("Wendy", "Bradshaw"), ("", "Bloggs"))
POSTCODES = ("", "LS1 1AA", "LS2 2BB")

DetailKey = tuple[Owner, str]


class AnyHub(Protocol):
    """What a history asks of a hub."""

    identities: dict[Key, Identity]
    links: dict[tuple[int, int], Values]
    details: dict[DetailKey, Detail]
    connected: set[Owner]

    def night(self, *facts: Facts, everything: bool = ..., complete: Any = ...) -> Any: ...
    def connect_owner(self, owner: Owner, verified: dict[str, str]) -> None: ...
    def disconnect(self, owner: Owner) -> None: ...
    def edit_owner(self, owner: Owner, kind: str, value: str) -> None: ...
    def undo(self) -> bool: ...


@dataclass
class Record:
    """A contact as the MIS has it."""

    forename: str
    surname: str
    postcode: str
    mobiles: tuple[str, ...]
    emails: tuple[str, ...]
    links: dict[str, bool]
    """Pupil to whether a court order stands."""
    joint: bool = False


@dataclass
class History:
    hub: AnyHub
    pupils: dict[str, bool] = field(default_factory=dict)
    """External id to whether the MIS has the pupil tonight."""
    records: dict[str, Record] = field(default_factory=dict)
    dropped: dict[str, Record] = field(default_factory=dict)
    staff_mobile: str = MOBILES[1]
    confirmed: dict[DetailKey, str] = field(default_factory=dict)
    before_last: dict[DetailKey, Detail] | None = None
    touched_since: set[DetailKey] = field(default_factory=set)
    serial: int = 100

    def __post_init__(self) -> None:
        self.pupils = dict.fromkeys(("1", "2", "3"), True)
        for number, (forename, surname) in enumerate(NAMES):
            links = {str(number % 3 + 1): False, **({"2": False} if number % 2 else {})}
            self.records[str(50 + number)] = Record(
                forename, surname, POSTCODES[number % 3], (MOBILES[number],), (EMAILS[number % 4],), links
            )  # fmt: skip
        self.night()
        self.connect(0, 6)
        self.connect(2, 0)
        self.office_edit(3, 3)

    # The MIS.

    def facts(self, only: Callable[[str], bool] = lambda _: True) -> list[Facts]:
        said = [a_pupil(pupil) for pupil, here in self.pupils.items() if here and only(pupil)]
        said.append(a_member_of_staff("900", mobile=self.staff_mobile))
        for external_id, record in self.records.items():
            if only(external_id):
                said += self._of(external_id, record)
        return said

    def _of(self, external_id: str, record: Record) -> list[Facts]:
        links = [
            a_link(pupil, court_order=True if ordered else None)
            for pupil, ordered in record.links.items()
            if self.pupils[pupil]  # SIMS writes a contact's rows pupil by pupil
        ]
        return [
            a_contact(
                external_id, record.forename, record.surname, *links, mobile=tuple(filter(None, record.mobiles)),
                email=tuple(filter(None, record.emails)), postcode=record.postcode, part=part,
                title=("Mr", "Mrs")[part] if record.joint else "",
            )
            for part in range(2 if record.joint else 1)
        ]  # fmt: skip

    def _record(self, which: int) -> Record | None:
        return list(self.records.values())[which % len(self.records)] if self.records else None

    def _owner(self, which: int) -> Owner | None:
        owners = sorted({(key[0], one.person_id) for key, one in self.hub.identities.items() if key[0] != PUPIL})
        return owners[which % len(owners)] if owners else None

    # What may happen.

    def night(self, which: int = 0, how: int = 0) -> None:
        self._import(self.facts(), everything=False)

    def full_night(self, which: int, how: int) -> None:
        self._import(self.facts(), everything=True)

    def some_night(self, which: int, how: int) -> None:
        """An upload of some: nobody is absent from it."""
        self._import(self.facts(lambda one: (int(one) + which) % 3 != 0), everything=False, complete=frozenset())

    def mis_mobile(self, which: int, how: int) -> None:
        if record := self._record(which):
            record.mobiles = (MOBILES[how % 5], MOBILES[(how // 5) % 5])

    def mis_email(self, which: int, how: int) -> None:
        if record := self._record(which):
            record.emails = (EMAILS[how % 4],)

    def mis_staff(self, which: int, how: int) -> None:
        self.staff_mobile = MOBILES[how % 5]

    def mis_name(self, which: int, how: int) -> None:
        if record := self._record(which):
            record.surname = ("Okafor", "Bradshaw", "Adeyemi")[how % 3]

    def mis_link(self, which: int, how: int) -> None:
        if record := self._record(which):
            pupil = str(how % 3 + 1)
            if pupil in record.links:
                del record.links[pupil]
            else:
                record.links[pupil] = False

    def mis_court_order(self, which: int, how: int) -> None:
        record = self._record(which)
        if record and record.links:
            pupil = sorted(record.links)[how % len(record.links)]
            record.links[pupil] = not record.links[pupil]

    def mis_joint(self, which: int, how: int) -> None:
        if record := self._record(which):
            record.joint = not record.joint

    def mis_drop(self, which: int, how: int) -> None:
        if self.records:
            external_id = list(self.records)[which % len(self.records)]
            self.dropped[external_id] = self.records.pop(external_id)

    def mis_return(self, which: int, how: int) -> None:
        if self.dropped:
            external_id = list(self.dropped)[which % len(self.dropped)]
            self.records[external_id] = self.dropped.pop(external_id)

    def mis_pupil(self, which: int, how: int) -> None:
        pupil = str(which % 3 + 1)
        self.pupils[pupil] = not self.pupils[pupil]

    def mis_merge(self, which: int, how: int) -> None:
        """One id vanishes and another gains its links."""
        if len(self.records) > 1:
            gone, kept = list(self.records)[which % len(self.records)], list(self.records)[how % len(self.records)]
            if gone != kept:
                self.records[kept].links |= self.records.pop(gone).links

    def mis_split(self, which: int, how: int) -> None:
        """One record per sibling: a second record of the same parent, for one pupil."""
        if record := self._record(which):
            self.serial += 1
            self.records[str(self.serial)] = Record(
                record.forename, record.surname, record.postcode, record.mobiles, record.emails,
                {str(how % 3 + 1): how % 7 == 0},
            )  # fmt: skip

    def mis_rekey(self, which: int, how: int) -> None:
        """The same record under a new id."""
        if self.records:
            self.serial += 1
            self.records[str(self.serial)] = self.records.pop(list(self.records)[which % len(self.records)])

    def connect(self, which: int, how: int) -> None:
        owner = self._owner(which)
        if owner is None or owner in self.hub.connected:
            return
        verified = {kind: OWN[kind][how % 2] for at, kind in enumerate((EMAIL, MOBILE)) if (how >> at) & 2}
        self.hub.connect_owner(owner, verified)
        self.touched_since |= {(owner, kind) for kind in verified}
        for kind in (EMAIL, MOBILE):
            held = self.hub.details.get((owner, kind))
            self.confirmed[(owner, kind)] = held.value if held else ""

    def disconnect(self, which: int, how: int) -> None:
        if self.hub.connected:
            owner = sorted(self.hub.connected)[which % len(self.hub.connected)]
            self.hub.disconnect(owner)
            for kind in (EMAIL, MOBILE):
                del self.confirmed[(owner, kind)]

    def office_edit(self, which: int, how: int) -> None:
        owner, kind = self._owner(which), (EMAIL, MOBILE)[how % 2]
        if owner and owner not in self.hub.connected:
            self.hub.edit_owner(owner, kind, ("", *OWN[kind])[how // 2 % 3])
            self.touched_since.add((owner, kind))

    def undo(self, which: int, how: int) -> None:
        """Undo the last import; what nobody has touched since is as it was before it."""
        before, now = self.before_last, dict(self.hub.details)
        if before is None or not self.hub.undo():
            return
        self.before_last = None
        known = {(key[0], one.person_id) for key, one in self.hub.identities.items()}
        for key, held in self.hub.details.items():
            if key[0] in self.hub.connected:
                assert held.value == self.confirmed[key], "an undo took what a person confirmed"
            elif key in self.touched_since:
                assert held.value == now[key].value, "an undo took what the office typed"
            elif key in before:
                assert (held.value, held.mis_value) == (before[key].value, before[key].mis_value)
            else:
                assert key[0] not in known or held.value == "" or key in now
        for key in before:
            if before[key].value and key[0] not in self.hub.connected and key not in self.touched_since:
                assert key in self.hub.details

    # What must be true.

    def _import(self, facts: list[Facts], *, everything: bool, complete: frozenset[str] = frozenset(KINDS)) -> None:
        details, connected = dict(self.hub.details), set(self.hub.connected)
        links = {pair: dict(values) for pair, values in self.hub.links.items()}
        self.hub.night(*facts, everything=everything, complete=complete)
        self.before_last, self.touched_since = details, set()
        said = {fact.key: fact for fact in facts}
        self._check_confirmed(connected)
        self._check_details(said, details, connected, complete)
        self._check_links(said, links, complete)

    def _check_confirmed(self, connected: set[Owner]) -> None:
        assert self.hub.connected == connected
        for (owner, kind), value in self.confirmed.items():
            held = self.hub.details.get((owner, kind))
            assert (held.value if held else "") == value, "an import wrote what a Connected person confirmed"

    def _records_of(self, said: dict[Key, Facts], complete: frozenset[str]) -> dict[Owner, list[Facts | Identity]]:
        """Return what speaks for each person with details: the oldest identity first."""
        found: dict[Owner, list[Facts | Identity]] = {}
        for key, known in sorted(self.hub.identities.items(), key=lambda item: item[1].id):
            if key[0] != PUPIL and (key in said or (key[0] not in complete and not known.gone)):
                found.setdefault((key[0], known.person_id), []).append(said.get(key, known))
        return found

    def _check_details(
        self, said: dict[Key, Facts], before: dict[DetailKey, Detail], connected: set[Owner], complete: frozenset[str]
    ) -> None:
        heard = self._records_of(said, complete)
        for owner in {one for one, _kind in before} | set(heard):
            for kind in (EMAIL, MOBILE):
                was = before.get((owner, kind), Detail(0, "", "", "mis"))
                expected = (was.value, was.mis_value)
                if any(isinstance(record, Facts) for record in heard.get(owner, ())):
                    values = [v for r in heard[owner] for v in (r.emails if kind == EMAIL else r.mobiles)]
                    mis = values[0] if values else ""
                    expected = (_effective(was, mis, connected=owner in connected), mis)
                held = self.hub.details.get((owner, kind), Detail(0, "", "", "mis"))
                assert (held.value, held.mis_value) == expected, (owner, kind, was)

    def _check_links(
        self, said: dict[Key, Facts], before: dict[tuple[int, int], Values], complete: frozenset[str]
    ) -> None:
        people = {key: known.person_id for key, known in self.hub.identities.items()}
        told = self._told(said, people)
        for pair, admitted in told.items():
            assert self.hub.links[pair]["ended_on"] is None
            if complete or not all(admitted):
                assert self.hub.links[pair]["access"] is all(admitted)
        pupils = {people[key] for key in said if key[0] == PUPIL}
        contacts = {people[key] for key in said if key[0] == CONTACT and key in people}
        for pair, link in self.hub.links.items():
            if pair in told:
                continue
            if complete and pair[0] in pupils:
                assert link["ended_on"] is not None, "the MIS no longer tells of this link"
            elif pair[0] not in pupils and pair[1] in contacts and pair in before:
                assert link["ended_on"] == before[pair]["ended_on"], "the pupil is away; the link is as it was"

    def _told(self, said: dict[Key, Facts], people: dict[Key, int]) -> dict[tuple[int, int], list[bool]]:
        """Return, per pupil and contact of whom the snapshot tells, whether each record admits the contact."""
        told: dict[tuple[int, int], list[bool]] = {}
        for key, fact in said.items():
            for link in fact.links if key in people else ():
                pupil = people.get((PUPIL, link.pupil_external_id, 0))
                if pupil is not None:
                    told.setdefault((pupil, people[key]), []).append(link.values["access"])
        return told


def _effective(was: Detail, mis: str, *, connected: bool) -> str:
    """The table of design.md §3, written again."""
    changed = mis != was.mis_value
    edited = was.source != "mis"
    if connected or not changed:
        return was.value
    if edited and not mis:
        return was.value
    return mis


IN_THE_MIS = tuple(sorted(name for name in vars(History) if name.startswith("mis_")))
NIGHTS = ("night", "night", "night", "full_night", "some_night")
PEOPLE = ("connect", "disconnect", "office_edit", "office_edit")


def events(*more: str) -> st.SearchStrategy[list[tuple[str, int, int]]]:
    names = st.sampled_from((*IN_THE_MIS, "mis_mobile", "mis_email", "mis_pupil", *NIGHTS, *PEOPLE, *more))
    return st.lists(st.tuples(names, st.integers(0, 20), st.integers(0, 29)), min_size=6, max_size=30)


def live(history: History, happened: list[tuple[str, int, int]]) -> None:
    """Let it happen, and an ordinary night at the end."""
    for name, which, how in happened:
        getattr(history, name)(which, how)
    history.night()
