"""Two schools and the people who belong to both: a history of imports *and* of what people confirm.

A `Place` is a school with its MIS (`History`). `Life` makes things happen at the places and at the `Desk`, which is
the oracle; `Deeds` do the same to a hub: in memory by writing down what the oracle says, in PostgreSQL by the services.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, field

from hypothesis import strategies as st

from imports.types import CONTACT, EMAIL, MOBILE
from tests.factories import desk as oracle
from tests.factories.desk import PENDING, STANDING, WAITING, Desk, Record, Row, Value
from tests.factories.histories import IN_THE_MIS, NIGHTS
from tests.factories.life_joining import ADDRESSES, Joining, agreed
from tests.factories.life_leaving import Leaving
from tests.factories.life_places import NEW_IN_THE_MIS, Deeds, Place

HOURS = (1, 24, 71, 72, 100, 144, 167, 168)


@dataclass(repr=False)
class Life(Joining, Leaving):
    deeds: Deeds
    desk: Desk = field(init=False)
    places: list[Place] = field(default_factory=list)
    logins: int = 0

    def __post_init__(self) -> None:
        self.desk = self.deeds.desk
        self.places = [Place(self.deeds.hub(number), desk=self.desk, number=number) for number in (0, 1)]
        for number in (0, 1):
            self.join(number, 0, 2 + 3 * number)
            self.join(number, 1, 8)  # two of one name, by one login
            self.join(number, 1, 8)
        self.done()

    # Choosing.

    def _records(self, connected: bool) -> list[Record]:
        if connected:
            return sorted(self.desk.logins)
        return [
            (place.number, owner)
            for place in self.places
            for owner in place.owners()
            if (place.number, owner) not in self.desk.logins
        ]

    def _kind(self, how: int) -> str:
        return (EMAIL, MOBILE)[how % 2]

    def _rows(self, *statuses: str) -> list[Row]:
        """Rows that wait for somebody who is still connected and may act."""
        return [row for row in self.desk.which(*statuses) if self._acts(row.record)]

    def _acts(self, record: Record) -> bool:
        login = self.desk.logins.get(record)
        return login is not None and not self.desk.is_frozen(login)

    def _login(self, which: int) -> int | None:
        found = sorted({login for login in self.desk.logins.values() if not self.desk.is_frozen(login)})
        return found[which % len(found)] if found else None

    def _of_batch(self, row: Row) -> list[Row]:
        return [other for other in self.desk.which(row.status) if other.batch == row.batch]

    # Nights, and what the MIS does.

    def at(self, name: str, place: int, which: int, how: int) -> None:
        """A night, or something in the MIS of one of the places."""
        self.desk.now += dt.timedelta(days=name in NIGHTS)
        getattr(self.places[place], name)(which, how)

    def mis_follows(self, which: int, how: int) -> None:
        """The office types into the MIS what a row asks for, or what a parent has not answered yet."""
        rows = [row for row in self.desk.rows if row.stands or row.status in oracle.OPEN]
        if rows:
            row = rows[which % len(rows)]
            self.places[row.slot[0]].say(row.slot[1], row.slot[2], row.new)

    def overtaken(self, place: int, which: int, how: int) -> None:
        """The MIS has by itself what somebody is asked, and then they say no, or are disconnected."""
        if rows := self._rows(PENDING):
            row = rows[which % len(rows)]
            self.places[row.slot[0]].say(row.slot[1], row.slot[2], row.new)
            self.at("night", row.slot[0], 0, 0)
            self.done()
            if how % 3 == 0:
                self.reject(place, which, how)
            elif how % 3 == 1 and row.record in self.desk.logins:
                agreed(True, self.deeds.disconnect(row.record), "disconnect")
                self.desk.disconnect(row.record)

    def offered(self, place: int, which: int, how: int) -> None:
        """Somebody connects of whom the MIS has no mobile, and then it has one: it is offered, and they may say no."""
        found = [record for record in self._records(connected=False) if record[0] == place]
        if found:
            owner = found[which % len(found)][1]
            for mobile in ("", ADDRESSES[MOBILE][how % 4]):
                self.places[place].say(owner, MOBILE, mobile)
                self.at("night", place, 0, 0)
                self.done()
                if not mobile:
                    self.join(place, which, 12)  # with a login of their own, by an email alone
                    self.done()
            if how % 3:
                self.decline(place, which, how)

    # No longer connected.

    def disconnect(self, place: int, which: int, how: int) -> None:
        if found := self._records(connected=True):
            record = found[which % len(found)]
            agreed(True, self.deeds.disconnect(record), "disconnect")
            self.desk.disconnect(record)

    # Changes of one's own.

    def start(self, place: int, which: int, how: int) -> None:
        login = self._login(which)
        if login is None:
            return
        kind, new = self._kind(how), ADDRESSES[self._kind(how)][how // 2 % 4]
        records = [
            one for one in self.desk.records(login) if self.desk.value((*one, kind)) != Value(new, "person", True)
        ]
        if how % 5 == 0:
            records = records[:1]
        if records:
            agreed(True, self.deeds.start(login, records, kind, new), "start")
            self.desk.start(login, records, kind, new)

    def prove(self, place: int, which: int, how: int) -> None:
        if rows := self._rows(WAITING):
            row = rows[which % len(rows)]
            login = self.desk.logins[row.record]
            batch = [one for one in self._of_batch(row) if self.desk.logins.get(one.record) == login]
            if row.deadline <= self.desk.now:
                self.deeds.refused(login, row)
                return
            agreed(True, self.deeds.prove(login, batch), "prove")
            self.desk.prove(batch)

    def cancel(self, place: int, which: int, how: int) -> None:
        if rows := [row for row in self._rows(WAITING) if row.origin == oracle.PERSON and row.deadline > self.desk.now]:
            row = rows[which % len(rows)]
            agreed(True, self.deeds.cancel(self.desk.logins[row.record], self._of_batch(row)), "cancel")
            self.desk.cancel(self._of_batch(row))

    def take_out(self, place: int, which: int, how: int) -> None:
        """Never the last proved one."""
        found = [
            (*record, kind)
            for record in self.desk.logins
            for kind, other in ((EMAIL, MOBILE), (MOBILE, EMAIL))
            if self._acts(record) and self.desk.value((*record, kind)).value
            and self.desk.value((*record, other)).proved
        ]  # fmt: skip
        if found:
            slot = found[which % len(found)]
            agreed(True, self.deeds.take_out(self.desk.logins[slot[:2]], slot), "take_out")
            self.desk.take_out(slot)

    # Answers.

    def approve(self, place: int, which: int, how: int) -> None:
        if rows := self._rows(PENDING):
            row = rows[which % len(rows)]
            login = self.desk.logins[row.record]
            if row.deadline <= self.desk.now:
                self.deeds.refused(login, row)
                return
            agreed(True, self.deeds.approve(login, row, everywhere=how % 2 == 0), "approve")
            self.desk.approve(row, login, everywhere=how % 2 == 0)

    def reject(self, place: int, which: int, how: int) -> None:
        if rows := [row for row in self._rows(PENDING) if row.deadline > self.desk.now]:
            row = rows[which % len(rows)]
            agreed(True, self.deeds.reject(self.desk.logins[row.record], row), "reject")
            self.desk.reject(row)

    def decline(self, place: int, which: int, how: int) -> None:
        """What the MIS has where they have nothing is not theirs."""
        if rows := [row for row in self._rows(oracle.OFFER) if row.stands]:
            row = rows[which % len(rows)]
            agreed(True, self.deeds.decline(self.desk.logins[row.record], row), "decline")
            self.desk.reject(row)

    def meddle(self, place: int, which: int, how: int) -> None:
        """Whoever is frozen changes and answers nothing, and nobody answers for somebody else."""
        logins = sorted(set(self.desk.logins.values()))
        frozen = [login for login in logins if self.desk.is_frozen(login)]
        if frozen:
            login, kind = frozen[which % len(frozen)], self._kind(how)
            agreed(False, self.deeds.start(login, self.desk.records(login), kind, ADDRESSES[kind][3]), "a frozen login")
        if not self._rows(PENDING):
            self.edit(place, which, how)
        for row in self.desk.which(PENDING):
            others = [one for one in logins if one != self.desk.logins.get(row.record) or one in frozen]
            if others and row.record not in self.desk.away:
                other = others[which % len(others)]
                answer = self.deeds.approve(other, row, everywhere=how % 2 == 0)
                agreed(False, answer, f"{other} to say yes to {row}")
                agreed(False, self.deeds.reject(other, row), f"{other} to say no to {row}")
                for offer in [one for one in self.desk.which(oracle.OFFER) if one.stands and one.record == row.record]:
                    agreed(False, self.deeds.decline(other, offer), f"{other} to decline {offer}")

    def not_me(self, place: int, which: int, how: int) -> None:
        """The link in the notice to the old address says so, or the person who is signed in."""
        if rows := [row for row in self._rows("approved") if row.origin == oracle.PERSON]:
            row = rows[which % len(rows)]
            login = self.desk.logins[row.record]
            batch = [one for one in self._of_batch(row) if one.origin != oracle.IMPORT]
            if self.desk.now >= row.came_at + oracle.WEEK:
                agreed(False, self.deeds.not_me(login, [row], by_link=how % 2 == 0), "an old change back")
                return
            agreed(True, self.deeds.not_me(login, batch, by_link=how % 2 == 0), "not_me")
            self.desk.not_me(login, batch)

    # The office.

    def edit(self, place: int, which: int, how: int) -> None:
        """Of anybody: in use at once, or a proposal."""
        owners = self.places[place].owners()
        if how % 3:
            owners = [owner for at, owner in self._records(connected=True) if at == place] or owners
        if owners:
            slot = (place, owners[which % len(owners)], self._kind(how))
            values = ADDRESSES[slot[2]] if slot[:2] in self.desk.logins else ("", *ADDRESSES[slot[2]])
            agreed(True, self.deeds.edit(slot, values[how // 2 % len(values)]), "edit")
            self.desk.edit(slot, values[how // 2 % len(values)])

    def withdraw(self, place: int, which: int, how: int) -> None:
        """Take back what the school, or an import on its behalf, has asked."""
        if rows := self.desk.which(PENDING):
            row = rows[which % len(rows)]
            agreed(True, self.deeds.withdraw(row), "withdraw")
            self.desk.withdraw(row)

    def ask_again(self, place: int, which: int, how: int) -> None:
        rows = [
            row for row in self.desk.which("expired", "rejected")
            if row.record in self.desk.logins and row.origin == oracle.OFFICE
            and row.new != self.desk.value(row.slot).value and not self._was_asked_today(row)
        ]  # fmt: skip
        if rows:
            row = rows[which % len(rows)]
            agreed(True, self.deeds.ask_again(row), "ask_again")
            self.desk.ask_again(row)

    def _was_asked_today(self, row: Row) -> bool:
        asked = self.desk.which(PENDING, slot=row.slot)
        return any(one.made_at > self.desk.now - dt.timedelta(hours=24) for one in asked)

    def lift(self, place: int, which: int, how: int) -> None:
        if rows := [row for row in self.desk.which("frozen") if not row.lifted]:
            row = rows[which % len(rows)]
            agreed(True, self.deeds.lift([row]), "lift")
            self.desk.lift(one for one in self.desk.which("frozen") if one.record == row.record)

    def mark_done(self, place: int, which: int, how: int) -> None:
        rows = [row for row in self.desk.which(*STANDING) if row.record not in self.desk.away]
        if rows := [row for row in rows if row.mis_state in (oracle.TO_UPDATE, oracle.DIFFERS)]:
            agreed(True, self.deeds.mark_done(rows[which % len(rows)]), "mark_done")
            self.desk.mark_done(rows[which % len(rows)])

    def propose_drift(self, place: int, which: int, how: int) -> None:
        self.desk.proposes ^= {place}
        self.deeds.propose_drift(place, on=place in self.desk.proposes)

    # Children, and records that are one person.

    def merge(self, place: int, which: int, how: int) -> None:
        """Two records of one login at one school become one."""
        pairs = [
            (kept, gone)
            for kept, login in sorted(self.desk.logins.items())
            for gone, other in sorted(self.desk.logins.items())
            if login == other and kept != gone and kept[0] == gone[0] and kept[1][0] == gone[1][0] == CONTACT
            and self._acts(kept) and not set(self.desk.away.values()) & {kept, gone}
        ]  # fmt: skip
        if pairs:
            kept, gone = pairs[which % len(pairs)]
            pairs_of = set(self.places[kept[0]].hub.links)
            pupils = lambda contact: {pupil for pupil, whose in pairs_of if whose == contact}  # noqa: E731
            agreed(True, self.deeds.merge(self.desk.logins[kept], kept[0], kept[1], gone[1]), "merge")
            self.desk.merge(kept, gone)
            self.desk.front.merge(kept[0], kept[1][1], gone[1][1], pupils)
            self.places[kept[0]].hear()

    def undo_merge(self, place: int, which: int, how: int) -> None:
        if self.desk.away:
            gone = sorted(self.desk.away)[which % len(self.desk.away)]
            kept = self.desk.away[gone][1]
            agreed(True, self.deeds.undo_merge(gone[0], kept, gone[1]), "undo_merge")
            self.desk.undo_merge(gone)
            self.desk.front.undo_merge(gone[0], kept[1], gone[1][1])
            self.places[gone[0]].hear()

    # Time.

    def hours(self, place: int, which: int, how: int) -> None:
        self.desk.now += dt.timedelta(hours=HOURS[how % len(HOURS)])
        if which % 4:
            self.sweep()

    def to_a_deadline(self, place: int, which: int, how: int) -> None:
        """To the second: one before it, or exactly at it."""
        if rows := [row for row in self.desk.which(*oracle.OPEN) if row.deadline > self.desk.now]:
            self.desk.now = rows[which % len(rows)].deadline - dt.timedelta(seconds=how % 2)
            if how % 4 < 2:
                self.approve(place, which, how)
                self.prove(place, which, how)
            else:
                self.sweep()

    def sweep(self) -> None:
        self.deeds.sweep()
        self.desk.sweep()

    def done(self) -> None:
        for place in self.places:
            self.desk.front.settle(place.number, place.allows, night=place.is_night, now=self.desk.now)
            place.is_night = False
        self.desk.leavers.seen = {
            (at, owner): {pair[0] for pair in self.places[at].seen(owner)}
            for at, owner in self.desk.logins if owner[0] == CONTACT
        }  # fmt: skip
        self.desk.front.outdated(lambda record, kind: self.desk.value((*record, kind)).value)
        self.deeds.done(self.desk)
        oracle.check(self.desk)


AT_THE_DESK = (
    "invite", "letter", "invite_all", "take_back", "knock", "to_the_second", "to_the_second",
    "two_of_a_mailbox", "two_of_a_mailbox",
    "join", "join", "join", "disconnect", "start", "start", "prove", "prove", "prove", "cancel", "take_out",
    "approve", "approve", "approve", "approve", "reject", "reject",
    "not_me", "not_me", "decline", "offered", "withdraw", "edit", "edit", "edit", "edit",
    "edit_many", "edit_many", "ask_again", "ask_again",
    "lift", "mark_done", "propose_drift",
    "deny", "deny", "give_back", "mark_child_done", "merge", "merge", "undo_merge", "hours", "to_a_deadline",
    "to_a_deadline", "to_a_deadline", "leavers", "days", "all_leave", "all_leave", "brought", "brought",
    "said_and_undone", "said_and_undone", "hijacked",
    "mis_follows", "mis_follows", "overtaken", "overtaken", "meddle",
)  # fmt: skip
AT_A_PLACE = (*IN_THE_MIS, *NEW_IN_THE_MIS, "mis_mobile", "mis_email", *NIGHTS, *NIGHTS, "undo", "undo")
Event = tuple[str, int, int, int]


def events() -> st.SearchStrategy[list[Event]]:
    """What happens, where (more often at the first school), to whom and how; one number says the last three."""
    names = st.sampled_from((*AT_A_PLACE, *AT_THE_DESK))
    numbers = st.integers(0, 3 * 21 * 30 - 1)
    return st.lists(st.builds(_event, names, numbers), min_size=12, max_size=45)


def _event(name: str, number: int) -> Event:
    return name, number // 630 // 2, number // 30 % 21, number % 30


def live(life: Life, happened: Iterable[Event]) -> None:
    """Let it happen, then everything that is due, and an ordinary night at both schools."""
    for name, place, which, how in happened:
        life.desk.now += dt.timedelta(seconds=61)
        if name == "mis_follows":
            life.mis_follows(which, how)
        elif name in AT_A_PLACE:
            life.at(name, place, which, how)
        else:
            getattr(life, name)(place, which, how)
        if not name.startswith("mis_"):  # what an MIS has shows in a night only
            life.done()
    life.sweep()
    for place in (0, 1):
        life.at("night", place, 0, 0)
        life.done()
