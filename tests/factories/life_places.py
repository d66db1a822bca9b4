"""What a life needs: `Deeds`, which carry out at a hub what people do, and `Place`, a school with its MIS."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from imports.types import EMAIL, KINDS, MOBILE, PUPIL, Facts, Owner
from tests.factories.desk import BEGAN, Desk, Record, Row, Slot, Value
from tests.factories.front import Child, Pair, Sent
from tests.factories.histories import MOBILES, History
from tests.factories.planning import a_member_of_staff

NEW_IN_THE_MIS = ("mis_new_pupil", "mis_new_pupil", "mis_new_staff")
MOST_NEW = 6
POSSIBLE_FOR = dt.timedelta(days=14)
"""So long an import can be undone."""


class Deeds(Protocol):
    """What people do, as a hub carries it out; False is what it refuses.

    `login` is a number; rows are the oracle's, as they were before.
    """

    desk: Desk

    def hub(self, place: int) -> Any: ...
    def invite(self, record: Record) -> bool | None: ...
    def invite_all(self, place: int) -> bool | None: ...
    def letter(self, record: Record) -> bool | None: ...
    def take_back(self, record: Record) -> bool | None: ...
    def look(self, sent: Sent) -> bool | None:
        """Open the link, or type the code of the letter."""

    def join(self, sent: Sent, login: int, proved: dict[str, str], strangers: list[Pair]) -> bool | None:
        """Use the link, with what was proved and the pupils who are not theirs."""

    def disconnect(self, record: Record) -> bool | None: ...
    def start(self, login: int, records: list[Record], kind: str, new: str) -> bool | None: ...
    def prove(self, login: int, rows: list[Row]) -> bool | None: ...
    def cancel(self, login: int, rows: list[Row]) -> bool | None: ...
    def take_out(self, login: int, slot: Slot) -> bool | None: ...
    def edit(self, slot: Slot, new: str) -> bool | None: ...
    def approve(self, login: int, row: Row, *, everywhere: bool) -> bool | None: ...
    def reject(self, login: int, row: Row) -> bool | None: ...
    def ask_again(self, row: Row) -> bool | None: ...
    def withdraw(self, row: Row) -> bool | None: ...
    def decline(self, login: int, row: Row) -> bool | None: ...
    def not_me(self, login: int, rows: list[Row], *, by_link: bool) -> bool | None: ...
    def lift(self, rows: list[Row]) -> bool | None: ...
    def mark_done(self, row: Row) -> bool | None: ...
    def edit_many(self, place: int, typed: dict[Slot, str]) -> list[str] | None:
        """Save a page of edits; returns what came of each."""

    def leavers(self) -> None:
        """Do what is done every day about parents without a child here."""

    def propose_drift(self, place: int, *, on: bool) -> bool | None: ...
    def deny(self, login: int, place: int, pair: tuple[int, int]) -> bool | None: ...
    def give_back(self, place: int, pair: tuple[int, int]) -> bool | None: ...
    def mark_child_done(self, row: Child) -> bool | None: ...
    def merge(self, login: int, place: int, kept: Owner, gone: Owner) -> bool | None: ...
    def undo_merge(self, place: int, kept: Owner, gone: Owner) -> bool | None: ...
    def name(self, record: Record) -> tuple[str, str, str]:
        """Return title, forename and surname, by which two records of a school may be one person."""

    def refused(self, login: int, row: Row) -> bool | None:
        """Try to answer or prove what may be neither any more."""

    def sweep(self) -> None: ...
    def done(self, desk: Desk) -> None:
        """Bring the hub to what the oracle says, or compare the two."""


@dataclass
class Place(History):
    desk: Desk = field(default_factory=Desk)
    number: int = 0
    came_at: dt.datetime = BEGAN
    is_night: bool = False
    """An import has come since rows were compared last."""
    staff: dict[str, str] = field(default_factory=dict)
    """Who has joined the school's staff, and their mobile."""

    def connect(self, which: int, how: int) -> None:
        """`Life` connects people, disconnects them and edits."""

    disconnect = office_edit = connect

    def slot(self, owner: Owner, kind: str) -> Slot:
        return (self.number, owner, kind)

    # What else the MIS may have: whom an undo takes away again.

    def facts(self, only: Callable[[str], bool] = lambda _: True) -> list[Facts]:
        joined = [a_member_of_staff(one, mobile=mobile) for one, mobile in self.staff.items() if only(one)]
        return super().facts(only) + joined

    def mis_new_pupil(self, which: int, how: int) -> None:
        """A child joins, a parent's next or, often, one of two parents at once."""
        if len(self.pupils) < MOST_NEW:
            joined = str(len(self.pupils) + 1)
            self.pupils[joined] = True
            for record in (self._record(which), *((self._record(how),) if how % 3 else ())):
                if record:
                    record.links[joined] = False

    def mis_new_staff(self, which: int, how: int) -> None:
        if len(self.staff) < MOST_NEW:
            self.staff[str(901 + len(self.staff))] = MOBILES[how % 5]

    def _check_on_roll(self, complete: bool) -> None:
        here = self.hub.here()
        for (kind, external_id, _part), known in self.hub.identities.items():
            if kind == PUPIL and complete:
                on_roll = self.pupils.get(external_id, False)
                assert (known.person_id in here) is on_roll, f"{external_id} is {'here' if on_roll else 'gone'}"

    def _import(self, facts: list[Facts], **how: Any) -> None:
        self.confirmed = {
            (owner, kind): self.desk.value((at, owner, kind)).value
            for at, owner in self.desk.logins
            if at == self.number
            for kind in (EMAIL, MOBILE)
        }
        super()._import(facts, **how)
        self.is_night = True
        self.came_at = self.desk.now
        self._check_on_roll(how.get("complete", KINDS) == KINDS)
        self.hear()
        self.desk.settle(self.number, night=True)
        self.after = dict(self.hub.details)

    def undo(self, which: int, how: int) -> None:
        """Undo the last import: what anybody confirmed or typed meanwhile stays, the rest is as it was before it."""
        before, now = self.before_last, dict(self.hub.details)
        if before is None or self.desk.now - self.came_at > POSSIBLE_FOR or not self.hub.undo():
            return
        self.before_last = None
        for (owner, kind), held in self.hub.details.items():
            was, left, then = before.get((owner, kind)), self.after.get((owner, kind)), now[(owner, kind)]
            touched = left is None or (then.value, then.source) != (left.value, left.source)
            if touched or (self.number, owner) in self.desk.logins:
                assert held.value == then.value, "an undo took what somebody confirmed or typed"
            elif was is not None and left.mis_value == then.mis_value:
                assert (held.value, held.mis_value) == (was.value, was.mis_value), "an undo left what an import said"
        self._forget_the_gone()
        self.hear(anew=False)
        self.desk.settle(self.number, night=False)

    def _forget_the_gone(self) -> None:
        """Those whom the import had brought are no more, but for whoever has a word of their own in the hub."""
        here = {owner for owner, _kind in self.hub.details} | set(self.owners())
        for at, owner in {one[:2] for one in (*self.desk.values, *self.desk.mis)} - set(self.desk.away):
            if at == self.number and owner not in here:
                assert (at, owner) not in self.desk.logins, "an undo took a Connected person away"
                self.desk.forget((at, owner))
        for at, owner, kind in set(self.desk.mis) - {self.slot(*known) for known in self.hub.details}:
            # An email or mobile that the import had brought.
            if at == self.number and (at, owner) not in self.desk.away:
                self.desk.hear((at, owner, kind), "", anew=False)
                if (at, owner) not in self.desk.logins:
                    self.desk.values.pop((at, owner, kind), None)

    def seen(self, owner: Owner) -> list[Pair]:
        """Return a parent's pupils whom they see: who are here, with access, and not denied."""
        here = self.hub.here()
        return [
            pair for pair in sorted(self.hub.links)
            if pair[1] == owner[1] and pair[0] in here and self.allows(pair)
            and (self.number, pair) not in self.desk.front.denied
        ]  # fmt: skip

    def allows(self, pair: Pair) -> bool:
        """Whether the MIS gives this parent access to this pupil."""
        link = self.hub.links.get(pair)
        return link is not None and link["ended_on"] is None and bool(link["access"])

    def hear(self, *, anew: bool = True) -> None:
        """Take from the hub, which `History` has checked, what the MIS says and what it gave the others."""
        there = {(key[0], known.person_id) for key, known in self.hub.identities.items() if not known.gone}
        self.desk.dropped = {one for one in self.desk.dropped if one[0] != self.number}
        self.desk.dropped |= {(self.number, owner) for owner in self.owners() if owner not in there}
        for (owner, kind), held in self.hub.details.items():
            slot = self.slot(owner, kind)
            if slot[:2] in self.desk.away:
                continue
            self.desk.hear(slot, held.mis_value, anew=anew)
            known = self.desk.value(slot)
            if slot[:2] not in self.desk.logins and (known.value, known.source) != (held.value, held.source):
                self.desk.values[slot] = Value(held.value, held.source)

    def owners(self) -> list[Owner]:
        return sorted({(key[0], one.person_id) for key, one in self.hub.identities.items() if key[0] != "pupil"})

    def say(self, owner: Owner, kind: str, value: str) -> None:
        """The MIS has this value and no other in all of a person's records."""
        for key, known in self.hub.identities.items():
            if (key[0], known.person_id) == owner and (record := self.records.get(key[1])):
                if kind == EMAIL:
                    record.emails = (value,)
                else:
                    record.mobiles = (value,)
