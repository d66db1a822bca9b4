"""What a life needs: `Deeds`, which carry out at a hub what people do, and `Place`, a school with its MIS."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Protocol

from imports.types import EMAIL, MOBILE, Facts, Owner
from tests.factories.desk import Desk, Record, Row, Slot, Value
from tests.factories.histories import History


class Deeds(Protocol):
    """What people do, as a hub carries it out; False is what it refuses.

    `login` is a number; rows are the oracle's, as they were before.
    """

    desk: Desk

    def hub(self, place: int) -> Any: ...
    def invite(self, record: Record) -> bool | None: ...
    def connect(self, record: Record, login: int, proved: dict[str, str]) -> bool | None: ...
    def disconnect(self, record: Record) -> bool | None: ...
    def start(self, login: int, records: list[Record], kind: str, new: str) -> bool | None: ...
    def prove(self, login: int, rows: list[Row]) -> bool | None: ...
    def cancel(self, login: int, rows: list[Row]) -> bool | None: ...
    def take_out(self, login: int, slot: Slot) -> bool | None: ...
    def edit(self, slot: Slot, new: str) -> bool | None: ...
    def approve(self, login: int, row: Row, *, everywhere: bool) -> bool | None: ...
    def reject(self, login: int, row: Row) -> bool | None: ...
    def ask_again(self, row: Row) -> bool | None: ...
    def not_me(self, login: int, rows: list[Row], *, by_link: bool) -> bool | None: ...
    def lift(self, rows: list[Row]) -> bool | None: ...
    def mark_done(self, row: Row) -> bool | None: ...
    def propose_drift(self, place: int, *, on: bool) -> bool | None: ...
    def deny(self, login: int, place: int, pair: tuple[int, int]) -> bool | None: ...
    def give_back(self, place: int, pair: tuple[int, int]) -> bool | None: ...
    def merge(self, login: int, place: int, kept: Owner, gone: Owner) -> bool | None: ...
    def undo_merge(self, place: int, kept: Owner, gone: Owner) -> bool | None: ...
    def name(self, record: Record) -> str:
        """Return the forename, by which two records of a school may be one person."""

    def refused(self, login: int, row: Row) -> bool | None:
        """Try to answer or prove what may be neither any more."""

    def sweep(self) -> None: ...
    def done(self, desk: Desk) -> None:
        """Bring the hub to what the oracle says, or compare the two."""


@dataclass
class Place(History):
    desk: Desk = field(default_factory=Desk)
    number: int = 0

    def connect(self, which: int, how: int) -> None:
        """`Life` connects people, disconnects them and edits."""

    disconnect = office_edit = connect

    def slot(self, owner: Owner, kind: str) -> Slot:
        return (self.number, owner, kind)

    def _import(self, facts: list[Facts], **how: Any) -> None:
        self.confirmed = {
            (owner, kind): self.desk.value((at, owner, kind)).value
            for at, owner in self.desk.logins
            if at == self.number
            for kind in (EMAIL, MOBILE)
        }
        super()._import(facts, **how)
        self.hear()
        self.desk.settle(self.number, night=True)

    def hear(self) -> None:
        """Take from the hub, which `History` has checked, what the MIS says and what it gave the others."""
        for (owner, kind), held in self.hub.details.items():
            slot = self.slot(owner, kind)
            if slot[:2] in self.desk.away:
                continue
            self.desk.hear(slot, held.mis_value)
            if slot[:2] not in self.desk.logins and self.desk.value(slot).value != held.value:
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
