"""An MIS and a hub in memory, to plan and apply without a database.

`Mis` holds canonical records by external id; `Hub` applies plans as PostgreSQL would. `night` lets
the one bring the other up to date, opening only what is new, as `imports.reading` does.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from imports.planning.plan import build_plan
from imports.types import (
    CONTACT,
    CONTACT_FIELDS,
    EMAIL,
    FIELDS,
    KINDS,
    LINK,
    MOBILE,
    PUPIL,
    PUPIL_FIELDS,
    STAFF,
    STAFF_FIELDS,
    AccessRule,
    Detail,
    Facts,
    Identity,
    Key,
    LinkFacts,
    Owner,
    Plan,
    Reading,
    State,
    Values,
)

MONDAY = dt.datetime(2026, 11, 23, 2, 4)  # noqa: DTZ001  (local time, as plans take it)
DFE = "8233001"
_NULL = frozenset({"date_of_birth", "admission_date", "leaving_date", "pre_admission"})


def blank(names: Iterable[str]) -> Values:
    return {name: None if name in _NULL else "" for name in names}


def a_pupil(external_id: str, forename: str = "Millie", surname: str = "Okafor", **values: Any) -> Facts:
    values = {"forename": forename, "surname": surname, "legal_surname": surname, "year_group": "6"} | values
    return _facts((PUPIL, external_id, 0), blank(PUPIL_FIELDS) | values, forename + " " + surname)


def a_member_of_staff(
    external_id: str, forename: str = "Tom", surname: str = "Marsh", *, email: str = "", mobile: str = "", **values: Any
) -> Facts:
    columns = blank(STAFF_FIELDS) | {"forename": forename, "surname": surname} | values
    return _facts((STAFF, external_id, 0), columns, surname, _some(email), _some(mobile))


def a_link(pupil: str, *, rule: AccessRule = AccessRule(), **values: Any) -> LinkFacts:  # noqa: B008  (frozen)
    columns: Values = {
        "relationship": "Mother", "priority": 1, "parental_responsibility": True, "court_order": None,
        "lives_with": None, "correspondence": None,
    } | values  # fmt: skip
    return LinkFacts(pupil, columns | {"access": rule.admits(columns), "ended_on": None})


def a_contact(
    external_id: str,
    forename: str = "Ngozi",
    surname: str = "Okafor",
    *links: str | LinkFacts,
    email: str | tuple[str, ...] = (),
    mobile: str | tuple[str, ...] = (),
    part: int = 0,
    **values: Any,
) -> Facts:
    """A contact's record, linked to pupils by external id or as a `a_link` says."""
    columns = blank(CONTACT_FIELDS) | {"forename": forename, "surname": surname} | values
    said = tuple(a_link(link) if isinstance(link, str) else link for link in links)
    return _facts(
        (CONTACT, external_id, part), columns, f"{forename} {surname}", _some(email), _some(mobile), said
    )  # fmt: skip


def _some(values: str | tuple[str, ...]) -> tuple[str, ...]:
    return tuple(filter(None, (values,))) if isinstance(values, str) else values


def _facts(
    key: Key,
    values: Values,
    label: str,
    emails: tuple[str, ...] = (),
    mobiles: tuple[str, ...] = (),
    links: tuple[LinkFacts, ...] = (),
) -> Facts:
    said = repr((sorted(values.items(), key=str), emails, mobiles, [(x.pupil_external_id, x.values) for x in links]))
    return Facts(key, hashlib.blake2b(said.encode(), digest_size=16).digest(), values, emails, mobiles, links, label)


def a_reading(*facts: Facts, complete: Iterable[str] = KINDS, **more: Any) -> Reading:
    """A snapshot of which every record was opened."""
    present = frozenset(fact.key[:2] for fact in facts)
    more = {"present": present, "opened": present, "dfe_numbers": frozenset({DFE})} | more
    return Reading(facts=facts, complete=frozenset(complete), **more)


@dataclass
class Hub:
    """What the hub holds, and what applying a plan makes of it."""

    identities: dict[Key, Identity] = field(default_factory=dict)
    people: dict[str, dict[int, Values]] = field(default_factory=lambda: {kind: {} for kind in KINDS})
    links: dict[tuple[int, int], Values] = field(default_factory=dict)
    details: dict[tuple[Owner, str], Detail] = field(default_factory=dict)
    connected: set[Owner] = field(default_factory=set)
    by_hand: set[Owner] = field(default_factory=set)
    passed: dict[tuple[str, str], bytes] = field(default_factory=dict)
    last_id: int = 0

    def new_id(self) -> int:
        self.last_id += 1
        return self.last_id

    def state(self) -> State:
        years = [
            values["year_group"]
            for values in self.people[PUPIL].values()
            if values["leaving_date"] is None and values["year_group"].isdecimal()
        ]
        return State(
            identities=dict(self.identities),
            people={kind: {pk: dict(values) for pk, values in rows.items()} for kind, rows in self.people.items()},
            links={pair: dict(values) for pair, values in self.links.items()},
            details=dict(self.details),
            connected=set(self.connected),
            by_hand=set(self.by_hand),
            top_year=max(years, key=int, default=""),
        )

    def opened(self, *facts: Facts, complete: Iterable[str] = KINDS, **more: Any) -> Reading:
        """Return the reading of a snapshot of which only what is new was opened, as `imports.reading` does."""
        present = {fact.key[:2] for fact in facts}
        new = {fact.key[:2] for fact in facts if not self._is_same(fact)}
        touched = {(key[0], known.person_id) for key, known in self.identities.items() if key[:2] in new} | {
            (key[0], known.person_id)
            for key, known in self.identities.items()
            if not known.gone and key[0] in complete and key[:2] not in present
        }
        back = {
            known.person_id
            for key, known in self.identities.items()
            if known.gone and key[0] == PUPIL and key[:2] in present
        }
        touched |= {(CONTACT, contact) for pupil, contact in self.open_links() if pupil in back}
        dropped = {pupil for pupil, contact in self.open_links() if (CONTACT, contact) in touched & self.connected}
        reached_by = {held.value for (who, _), held in self.details.items() if who in touched & self.connected} - {""}
        touched |= {who for (who, _), held in self.details.items() if held.value in reached_by and who[0] == CONTACT}
        touched |= {(CONTACT, contact) for pupil, contact in self.open_links() if pupil in dropped}
        for key, known in self.identities.items():
            if (key[0], known.person_id) in touched and key[:2] in present:
                new.add(key[:2])
        read = tuple(fact for fact in facts if fact.key[:2] in new)
        more = {"present": frozenset(present), "opened": frozenset(new)} | more
        return Reading(facts=read, complete=frozenset(complete), dfe_numbers=frozenset({DFE}), **more)

    def _is_same(self, fact: Facts) -> bool:
        known = self.identities.get((*fact.key[:2], 0))
        if known is None:
            return self.passed.get(fact.key[:2]) == fact.digest
        return not known.gone and known.digest == fact.digest

    def night(self, *facts: Facts, now: dt.datetime = MONDAY, everything: bool = False, **more: Any) -> Plan:
        """Import a snapshot and return the plan that was applied."""
        hold, keep = more.pop("hold", frozenset()), more.pop("keep", frozenset())
        reading = a_reading(*facts, **more) if everything else self.opened(*facts, **more)
        plan = build_plan(self.state(), reading, now=now, hold=hold, keep=keep)
        self.apply(plan, today=now.date())
        return plan

    def apply(self, plan: Plan, *, today: dt.date) -> None:
        """Write a plan as `imports.apply` does."""
        real: dict[int, int] = {}

        def id_of(provisional: int) -> int:
            return real[provisional] if provisional < 0 else provisional

        for inserts in plan.inserts.values():
            real.update((provisional, self.new_id()) for provisional, _ in inserts)
        for kind in KINDS:
            for pk, values in plan.inserts[kind]:
                assert set(values) <= set(FIELDS[kind])
                self.people[kind][id_of(pk)] = blank(FIELDS[kind]) | values
            written = [pk for pk, _ in plan.updates[kind]]
            assert len(written) == len(set(written)), "a row is written once"
            for pk, values in plan.updates[kind]:
                self.people[kind][pk] = dict(values)
        self._apply_links(plan, id_of)
        self._apply_details(plan, id_of)
        self._apply_identities(plan, id_of)
        self.passed |= plan.passed

    def _apply_identities(self, plan: Plan, id_of: Any) -> None:
        for new in plan.new_identities:
            assert new.key not in self.identities
            pk = self.new_id()
            self.identities[new.key] = Identity(
                pk, new.key, id_of(new.person_id), new.digest, False, new.emails, new.mobiles
            )
        moved = dict(plan.moved_identities)
        for key, known in self.identities.items():
            if known.id in moved:
                self.identities[key] = replace(known, person_id=moved[known.id], digest=b"")
        by_id = {known.id: key for key, known in self.identities.items()}
        for pk, digest, emails, mobiles in plan.seen_identities:
            key = by_id[pk]
            self.identities[key] = replace(
                self.identities[key], digest=digest, gone=False, emails=emails, mobiles=mobiles
            )
        for ids in plan.gone_identities.values():
            for pk in ids:
                self.identities[by_id[pk]] = replace(self.identities[by_id[pk]], gone=True)

    def _apply_links(self, plan: Plan, id_of: Any) -> None:
        for pk, values in plan.inserts[LINK]:
            pair = (id_of(values["pupil_id"]), id_of(values["contact_id"]))
            assert pair not in self.links, "one link between two people"
            self.links[pair] = {**values, "id": id_of(pk), "pupil_id": pair[0], "contact_id": pair[1]}
        written = [pk for pk, _ in plan.updates[LINK]]
        assert len(written) == len(set(written)), "a row is written once"
        for _pk, values in plan.updates[LINK]:
            self.links[(values["pupil_id"], values["contact_id"])] = dict(values)

    def _apply_details(self, plan: Plan, id_of: Any) -> None:
        for write in plan.details:
            owner = (write.owner[0], id_of(write.owner[1]))
            held = self.details.get((owner, write.kind))
            if write.takes_value:
                assert owner not in self.connected, "no import writes the detail of a Connected person"
            if held:
                assert (held.id, held.value) == (write.id, write.before_value)
            self.details[(owner, write.kind)] = Detail(
                write.id or self.new_id(), write.value, write.mis_value, write.source
            )

    # Reading it, by the MIS's ids.

    def person(self, kind: str, external_id: str, part: int = 0) -> int:
        return self.identities[(kind, external_id, part)].person_id

    def contact(self, external_id: str, part: int = 0) -> int:
        return self.person(CONTACT, external_id, part)

    def pupil(self, external_id: str) -> Values:
        return self.people[PUPIL][self.person(PUPIL, external_id)]

    def link(self, pupil: str, contact: str, part: int = 0) -> Values:
        return self.links[(self.person(PUPIL, pupil), self.contact(contact, part))]

    def open_links(self) -> set[tuple[int, int]]:
        return {pair for pair, values in self.links.items() if values["ended_on"] is None}

    def value(self, contact: str, kind: str = MOBILE) -> str | None:
        held = self.details.get(((CONTACT, self.contact(contact)), kind))
        return held.value if held else None

    # What people do meanwhile.

    def connect(self, external_id: str, **verified: str) -> Owner:
        owner = (CONTACT, self.contact(external_id))
        self.connected.add(owner)
        for kind, value in verified.items():
            self.set_value(owner, kind, value, "person")
        return owner

    def edit(self, external_id: str, kind: str, value: str) -> None:
        self.set_value((CONTACT, self.contact(external_id)), kind, value, "organisation")

    def set_value(self, owner: Owner, kind: str, value: str, source: str) -> None:
        held = self.details.get((owner, kind))
        self.details[(owner, kind)] = (
            replace(held, value=value, source=source) if held else Detail(self.new_id(), value, "", source)
        )

    # As `tests.factories.histories` asks.

    def connect_owner(self, owner: Owner, verified: dict[str, str]) -> None:
        self.connected.add(owner)
        for kind, value in verified.items():
            self.set_value(owner, kind, value, "person")

    def disconnect(self, owner: Owner) -> None:
        self.connected.remove(owner)

    def edit_owner(self, owner: Owner, kind: str, value: str) -> None:
        held = self.details.get((owner, kind))
        if (held.value if held else "") != value:
            self.set_value(owner, kind, value, "organisation")

    def here(self) -> set[int]:
        return {pk for pk, values in self.people[PUPIL].items() if values["leaving_date"] is None}

    def undo(self) -> bool:
        return False  # only the database keeps what an undo needs

    def add_by_hand(self, forename: str, surname: str, **details: str) -> int:
        pk = self.new_id()
        self.people[CONTACT][pk] = blank(CONTACT_FIELDS) | {"forename": forename, "surname": surname}
        self.by_hand.add((CONTACT, pk))
        for kind, value in details.items():
            self.set_value((CONTACT, pk), kind, value, "organisation")
        return pk


__all__ = [
    "CONTACT", "DFE", "EMAIL", "LINK", "MOBILE", "MONDAY", "PUPIL", "STAFF", "Hub", "a_contact", "a_link",
    "a_member_of_staff", "a_pupil", "a_reading",
]  # fmt: skip
