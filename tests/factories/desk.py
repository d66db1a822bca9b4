"""What people confirm, written again from the design in plain Python: the oracle of the histories.

It knows nothing of `verification`: a change has a status and a state in the MIS, by the table of events below.
Values are in use (`values`), the MIS's stand beside them (`mis`); a slot is one email or mobile of one record.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field

from imports.types import EMAIL, MOBILE
from tests.factories.desk_rows import (
    APPROVED,
    BEGAN,
    DIFFERS,
    DONE,
    EXPIRED,
    FROZEN,
    IMPORT,
    KEPT,
    MIS,
    NONE,
    OFFER,
    OFFICE,
    OPEN,
    PENDING,
    PERSON,
    REJECTED,
    REPLACED,
    STANDING,
    TO_UPDATE,
    UPDATED,
    WAITING,
    WEEK,
    WITHDRAWN,
    Record,
    Row,
    Slot,
    Value,
)  # fmt: skip
from tests.factories.front import Front
from tests.factories.leavers import Leavers


@dataclass
class Desk:
    now: dt.datetime = BEGAN
    rows: list[Row] = field(default_factory=list)
    values: dict[Slot, Value] = field(default_factory=dict)
    mis: dict[Slot, str] = field(default_factory=dict)
    mis_since: dict[Slot, dt.datetime] = field(default_factory=dict)
    logins: dict[Record, int] = field(default_factory=dict)
    """Whose login each is."""
    front: Front = field(default_factory=Front)
    leavers: Leavers = field(default_factory=Leavers)
    away: dict[Record, Record] = field(default_factory=dict)
    """Records that are one with another of the same person, and which."""
    dropped: set[Record] = field(default_factory=set)
    """Of whom the MIS has no record any more."""
    proposes: set[int] = field(default_factory=set)
    """The schools that turn drift into a proposal."""

    # Reading it.

    def value(self, slot: Slot) -> Value:
        return self.values.get(slot, NONE)

    def records(self, login: int) -> list[Record]:
        return [record for record, whose in self.logins.items() if whose == login]

    def is_frozen(self, login: int) -> bool:
        theirs = set(self.records(login))
        return any(row.status == FROZEN and not row.lifted and row.record in theirs for row in self.rows)

    def which(self, *statuses: str, slot: Slot | None = None) -> list[Row]:
        return [row for row in self.rows if row.status in statuses and slot in (None, row.slot)]

    def standing(self, slot: Slot) -> Row | None:
        found = [row for row in self.rows if row.slot == slot and row.stands]
        assert len(found) <= 1, f"{found} both stand"
        return found[0] if found else None

    def is_proved_by(self, login: int, kind: str, value: str) -> bool:
        mine = (self.value((*record, kind)) for record in self.records(login))
        return any(held.value == value and held.proved for held in mine)

    # The person.

    def connect(self, record: Record, login: int, proved: dict[str, str]) -> None:
        """Become Connected, with what was proved on the way; what is new to the hub is a change."""
        self.logins[record] = login
        self.leavers.forget(record)
        for kind, value in proved.items():
            slot = (*record, kind)
            was = self.value(slot)
            if was.value != value:
                row = self._row(slot, value, PERSON, APPROVED)
                self._take(row, proved=True)
            self.values[slot] = Value(value, PERSON, True)
        self.settle_record(record)

    def disconnect(self, record: Record) -> None:
        del self.logins[record]
        for row in self.which(*OPEN):
            if row.record == record:
                row.status = WITHDRAWN
        for row in self.rows:
            if row.record == record and row.status == FROZEN:
                row.lifted = True
        self.settle_record(record)

    def start(self, login: int, records: Iterable[Record], kind: str, new: str) -> uuid.UUID:
        """Ask for another address at these records; it waits for its proof."""
        batch = uuid.uuid4()
        proved = self.is_proved_by(login, kind, new)
        for record in records:
            slot = (*record, kind)
            self._stop(self.which(WAITING, slot=slot))
            row = self._row(slot, new, PERSON, WAITING, batch)
            if proved:
                self._make(row)
        return batch

    def prove(self, rows: Iterable[Row]) -> None:
        for row in rows:
            if row.status == WAITING and self.now < row.deadline:
                self._make(row)

    def take_out(self, slot: Slot) -> None:
        self._make(self._row(slot, "", PERSON, WAITING))

    def cancel(self, rows: Iterable[Row]) -> None:
        self._stop([row for row in rows if row.status == WAITING])

    def _stop(self, rows: Iterable[Row]) -> None:
        """Wait no longer: what the school had asked is a question again."""
        for row in rows:
            row.status = WITHDRAWN
            if row.origin != PERSON and self.now < row.deadline and not self.which(PENDING, slot=row.slot):
                row.status = PENDING
            elif row.origin != PERSON:
                self._settle(row.slot)

    def _make(self, row: Row) -> None:
        """The value comes into use, proved; whatever else was open is over."""
        self._withdraw([other for other in self.which(*OPEN, slot=row.slot) if other is not row])
        self._take(row, proved=True)

    def approve(self, row: Row, login: int, *, everywhere: bool) -> list[Row]:
        """Say yes; returns the rows that wait for a proof now."""
        rows = [row]
        row.answered = True
        if everywhere:
            rows += self._siblings(row, login)
        proved = self.is_proved_by(login, row.slot[2], row.new)
        for one in rows:
            if proved:
                self._make(one)
            else:
                self._stop([other for other in self.which(WAITING, slot=one.slot) if other is not one])
                one.status = WAITING
            self._settle(one.slot)
        return [] if proved else rows

    def _siblings(self, row: Row, login: int) -> list[Row]:
        found = []
        for record in self.records(login):
            slot = (*record, row.slot[2])
            held = self.value(slot)
            if slot != row.slot and not (held.value == row.new and held.proved):
                self._withdraw(self.which(*OPEN, slot=slot))
                found.append(self._row(slot, row.new, PERSON, WAITING, row.batch))
                found[-1].as_asked_at = row.made_at
        return found

    def reject(self, row: Row) -> None:
        row.status = REJECTED
        self.settle_record(row.record)

    def not_me(self, login: int, disputed: Iterable[Row]) -> None:
        """Go back to what was before these and all that came after; nothing changes until the office says so."""
        made = [row for row in self.rows if row in disputed]
        since = self.rows[self.rows.index(made[0]) :]
        theirs = [row for row in since if self.logins.get(row.record) == login and row.slot[2] == made[0].slot[2]]
        made += [row for row in theirs if row.status == APPROVED and row not in made]
        for slot in dict.fromkeys(row.slot for row in made):
            self._go_back(slot, [row for row in self.rows if row in made and row.slot == slot])
        self._stop(row for row in self.which(WAITING) if self.logins.get(row.record) == login)

    def _go_back(self, slot: Slot, rows: list[Row]) -> None:
        in_use = self.value(slot).value in {row.new for row in rows}
        for row in rows:
            row.status, row.mis_state = FROZEN, ""
        if in_use:
            self.values[slot] = rows[0].previous
            self._stand_again(slot)
        self._settle(slot)

    def _stand_again(self, slot: Slot) -> None:
        """What was changed away from stands as it stood."""
        now = self.value(slot).value
        earlier = [row for row in self.which(APPROVED, slot=slot) if row.mis_state == REPLACED and row.new == now]
        if earlier:
            earlier[-1].mis_state = UPDATED if self.mis.get(slot, "") == now else TO_UPDATE

    def merge(self, kept: Record, gone: Record) -> None:
        """One record is another one: what was open there is over, what was kept there waits for an undo."""
        self.away[gone] = kept
        del self.logins[gone]
        self._withdraw(row for row in self.which(*OPEN) if row.record == gone)
        for kind in (EMAIL, MOBILE):
            theirs, slot = self.value((*gone, kind)), (*kept, kind)
            if theirs.proved and not self.value(slot).value:
                self._make(self._row(slot, theirs.value, PERSON, WAITING))
        self.settle_record(kept)

    def undo_merge(self, gone: Record) -> None:
        kept = self.away.pop(gone)
        if kept in self.logins and gone not in self.logins:
            self.logins[gone] = self.logins[kept]
        self.settle_record(kept)
        self.settle_record(gone)

    # The office.

    def edit(self, slot: Slot, new: str) -> None:
        if self.value(slot).value == new:
            return
        if any(row.new == new and self.now < row.deadline for row in self.which(PENDING, slot=slot)):
            return  # it is asked already
        if slot[:2] in self.logins:
            self._propose(slot, new, OFFICE)
            self._settle(slot)
        else:
            self._take(self._row(slot, new, OFFICE, APPROVED), proved=False)

    def withdraw(self, row: Row) -> None:
        row.status = WITHDRAWN
        self.settle_record(row.record)

    def ask_again(self, row: Row) -> None:
        self._propose(row.slot, row.new, OFFICE)
        self._settle(row.slot)

    def lift(self, rows: Iterable[Row]) -> None:
        for row in rows:
            row.lifted = True

    def mark_done(self, row: Row) -> None:
        row.mis_state, row.done_at = DONE, self.now

    def _propose(self, slot: Slot, new: str, origin: str) -> None:
        self._withdraw(self.which(PENDING, slot=slot))
        self._row(slot, new, origin, PENDING)

    # Time and the MIS.

    def sweep(self) -> None:
        for row in self.which(*OPEN):
            if row.deadline <= self.now:
                row.status = EXPIRED
                self.settle_record(row.record)

    def settle(self, school: int, *, night: bool) -> None:
        """Compare every row of a school with what the MIS says now, and list what is not listed yet."""
        for slot in sorted({slot for slot in (*self.values, *self.mis) if slot[0] == school}):
            self._settle(slot, night=night)

    def settle_record(self, record: Record) -> None:
        for kind in (EMAIL, MOBILE):
            self._settle((*record, kind))

    def _settle(self, slot: Slot, *, night: bool = False) -> None:
        if slot[:2] in self.away:
            return
        now, mis = self.value(slot).value, self.mis.get(slot, "")
        if row := self.standing(slot):
            self._judge(row, now, mis, night)
        asked = self.which(PENDING, slot=slot)
        self._withdraw(row for row in asked if row.origin == IMPORT and row.new != mis)
        asked = self._questions(slot)
        if not self._may_drift(slot, mis) or mis == now or any(row.new == mis for row in asked):
            return
        standing = self.standing(slot)
        if self._may_propose(slot, mis):
            if standing is None or standing.status == OFFER or standing.came_at < self.mis_since[slot]:
                self._propose(slot, mis, IMPORT)
        elif standing is None:
            self._list(slot, now, mis)

    def _questions(self, slot: Slot) -> list[Row]:
        """What the school or the MIS asks, also where the answer yes waits for its proof."""
        return [row for row in self.which(*OPEN, slot=slot) if row.status == PENDING or row.origin != PERSON]

    def _may_drift(self, slot: Slot, mis: str) -> bool:
        """Whether the MIS may differ: from the Connected, and from what somebody else than the MIS has said."""
        return slot[:2] in self.logins or (self.value(slot).source != MIS and mis != "")

    def _list(self, slot: Slot, now: str, mis: str) -> None:
        if now or slot[:2] not in self.logins or self._declined(slot, mis, self.mis_since[slot]):
            self._row(slot, now, IMPORT, KEPT).mis_state = TO_UPDATE
        else:
            self._row(slot, mis, IMPORT, OFFER)

    def _declined(self, slot: Slot, mis: str, since: dt.datetime) -> bool:
        """Whether the person has said no to it: it is not offered then, but to be taken out of the MIS."""
        return any(row.new == mis and row.made_at >= since for row in self.which(REJECTED, slot=slot))

    def _may_propose(self, slot: Slot, mis: str) -> bool:
        """A school may ask about what the MIS began to say: once, and not somebody who is frozen."""
        if not mis or slot[0] not in self.proposes or self._questions(slot):
            return False
        if slot[:2] not in self.logins:
            return False
        frozen = any(row.status == FROZEN and not row.lifted and row.record == slot[:2] for row in self.rows)
        asked = self.which(REJECTED, EXPIRED, WITHDRAWN, slot=slot)
        return not frozen and not any(row.new == mis and row.made_at >= self.mis_since[slot] for row in asked)

    def _judge(self, row: Row, now: str, mis: str, night: bool) -> None:
        if row.status == OFFER:
            if now or mis != row.new or self._declined(row.slot, mis, row.made_at):
                row.mis_state = REPLACED
        elif now != row.new:
            row.mis_state = REPLACED
        elif mis == row.new:
            row.mis_state = UPDATED
        elif row.mis_state == UPDATED or (row.mis_state == DONE and self._is_late(row, night)):
            row.mis_state = DIFFERS

    def _is_late(self, row: Row, night: bool) -> bool:
        """Say whether two nights have not shown what was marked done."""
        done_at = None if row.record in self.dropped else row.done_at
        return night and done_at is not None and self.now - done_at >= dt.timedelta(hours=48)

    def hear(self, slot: Slot, mis: str, *, anew: bool = True) -> None:
        """The MIS says this now, or is taken to say it again, as an import was undone."""
        if self.mis.get(slot, "") != mis:
            self.mis[slot] = mis
            if anew or slot not in self.mis_since:
                self.mis_since[slot] = self.now

    def forget(self, record: Record) -> None:
        """The record is no more: an import that had brought it was undone."""
        for kind in (EMAIL, MOBILE):
            self.values.pop((*record, kind), None)
            self.mis.pop((*record, kind), None)
        self.front.forget(record)

    # Making rows.

    def _row(self, slot: Slot, new: str, origin: str, status: str, batch: uuid.UUID | None = None) -> Row:
        row = Row(slot, new, origin, status, self.now, self.now, batch or uuid.uuid4())
        self.rows.append(row)
        return row

    def _take(self, row: Row, *, proved: bool) -> None:
        """Let the row's value come into use; what stood before is replaced."""
        for old in self.which(*STANDING, slot=row.slot):
            if old is not row:
                old.mis_state = REPLACED
        self.rows.remove(row)
        self.rows.append(row)  # in the order in which they came into use
        row.status, row.came_at, row.previous = APPROVED, self.now, self.value(row.slot)
        row.mis_state = UPDATED if self.mis.get(row.slot, "") == row.new else TO_UPDATE
        self.values[row.slot] = Value(row.new, PERSON if proved else OFFICE, proved and bool(row.new))

    @staticmethod
    def _withdraw(rows: Iterable[Row]) -> None:
        for row in rows:
            row.status = WITHDRAWN


def check(desk: Desk) -> None:
    """What must be true at every moment."""
    found: dict[Slot, list[Row]] = {slot: [] for slot in desk.values}
    for row in desk.rows:
        found.setdefault(row.slot, []).append(row)
    for slot, rows in found.items():
        if slot[:2] in desk.away:
            continue
        now, mis = desk.value(slot).value, desk.mis.get(slot, "")
        for status in OPEN:
            assert sum(row.status == status for row in rows) <= 1, f"two rows are {status} at {slot}"
        for row in rows:
            if row.mis_state == UPDATED:
                assert row.new == now == mis, "a settled row does not agree with the MIS"
            if row.stands and row.status != OFFER:
                assert row.new == now, "a standing row has another value than the one in use"
        if slot[:2] in desk.logins and mis != now:
            assert _is_listed(rows, mis), f"nothing tells that the MIS says {mis} where {now} is in use"


def _is_listed(rows: list[Row], mis: str) -> bool:
    return any(row.stands or (row.status in OPEN and row.new == mis) for row in rows)


__all__ = ["BEGAN", "IMPORT", "MIS", "OFFICE", "WEEK", "Desk", "Record", "Row", "Slot", "Value", "check"]
