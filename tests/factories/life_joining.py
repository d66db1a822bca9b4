"""What makes people Connected, as a life has it happen: invitations, letters, their use, and “not my child”."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from imports.types import CONTACT, EMAIL, MOBILE
from tests.factories import front
from tests.factories.desk import Record, Row, Slot
from tests.factories.front import Pair, Sent

if TYPE_CHECKING:
    from tests.factories.desk import Desk
    from tests.factories.life_places import Deeds, Place

ADDRESSES = {
    EMAIL: ("own@example.org", "shared@example.org", "a@example.org", "new@example.org"),
    MOBILE: ("+447700900777", "+447700900001", "+447700900002", "+447700900888"),
}


def agreed(expected: bool, answer: bool | None, what: object = "") -> bool:
    """Return what the oracle expects; the hub, where it answers, must take or refuse the same."""
    assert answer is None or answer is expected, f"the hub {'took' if answer else 'refused'} {what}"
    return expected


class Joining:
    deeds: Deeds
    desk: Desk
    places: list[Place]
    logins: int

    # Inviting.

    def _shut(self, record: Record) -> bool:
        """Whether nobody is asked to connect this record: it is Connected, or sees no pupil."""
        if record in self.desk.logins or record in self.desk.away:
            return True
        return record[1][0] == CONTACT and not self.places[record[0]].seen(record[1])

    def _way(self, record: Record) -> tuple[str, str] | None:
        email, mobile = (self.desk.value((*record, kind)).value for kind in (EMAIL, MOBILE))
        return None if self._shut(record) else self.desk.front.way(record, email, mobile, self.desk.now)

    def invite(self, place: int, which: int, how: int) -> None:
        """Invite, or invite again; also somebody who may not be."""
        found = self._records(connected=how % 9 == 0)
        if found:
            self._invite(found[which % len(found)])

    def _invite(self, record: Record) -> Sent | None:
        way = self._way(record)
        if not agreed(way is not None, self.deeds.invite(record), f"to invite {record} at {way}"):
            return None
        assert way is not None
        return self.desk.front.send(record, *way, self.desk.now)

    def letter(self, place: int, which: int, how: int) -> None:
        if found := self._records(connected=how % 9 == 0):
            self._letter(found[which % len(found)])

    def _letter(self, record: Record) -> Sent | None:
        if not agreed(not self._shut(record), self.deeds.letter(record), f"to print a letter for {record}"):
            return None
        return self.desk.front.send(record, front.LETTER, "", self.desk.now)

    def invite_all(self, place: int, which: int, how: int) -> None:
        """Every parent of one school who may be asked."""
        self.deeds.invite_all(place)
        for record in self._records(connected=False):
            if record[0] != place or record[1][0] != CONTACT or self.desk.front.has_letter(record, self.desk.now):
                continue
            if way := self._way(record):
                self.desk.front.send(record, *way, self.desk.now)

    def take_back(self, place: int, which: int, how: int) -> None:
        if found := sorted(self.desk.front.invited):
            record = found[which % len(found)]
            answer = self.deeds.take_back(record)
            agreed(self.desk.front.take_back(record), answer, f"to take back an invitation of {record}")

    def knock(self, place: int, which: int, how: int) -> None:
        """Open any invitation there ever was: it changes nothing, and one that is over opens nothing."""
        if found := self.desk.front.sent:
            self._knock(found[which % len(found)])

    def _knock(self, sent: Sent) -> None:
        if not agreed(self._opens(sent), self.deeds.look(sent), f"to open {sent}"):
            held = self.desk.value((*sent.record, EMAIL)).value or ADDRESSES[EMAIL][0]
            agreed(False, self.deeds.join(sent, self.logins + 1, {EMAIL: held}, []), f"to use {sent}")

    def to_the_second(self, place: int, which: int, how: int) -> None:
        """A week after an invitation went its record is asked again, and at its end it opens nothing."""
        moments = [
            (sent, sent.at + after - dt.timedelta(seconds=how % 2), after == front.AGAIN_AFTER)
            for sent in self.desk.front.sent if not sent.used and not sent.voided
            for after in (front.GOOD_FOR[sent.channel], *((front.AGAIN_AFTER,) * (sent.channel != front.LETTER)))
        ]  # fmt: skip
        if moments := [one for one in moments if one[1] > self.desk.now and one[0].record not in self.desk.away]:
            sent, self.desk.now, is_week = moments[which % len(moments)]
            if is_week:
                self._invite(sent.record)
            else:
                self._knock(sent)

    def _opens(self, sent: Sent) -> bool:
        return sent.opens(self.desk.now) and not self._shut(sent.record)

    # Joining.

    def join(self, place: int, which: int, how: int) -> None:
        """Somebody connects: `how` says which details are proved, left or corrected, and with whose login."""
        found = [record for record in self._records(connected=False) if record[0] == place]
        if found:
            self._join(found[which % len(found)], which, how)

    def two_of_a_mailbox(self, place: int, which: int, how: int) -> None:
        """A link to an email that two have does not say which of them opens it; a mobile of one's own does."""
        found = [record for record in self._records(connected=False) if record[0] == place and record[1][0] == CONTACT]
        if len(found) > 1:
            record, other = found[which % len(found)], found[which % len(found) - 1]
            for one in (record, other):
                self.places[place].say(one[1], EMAIL, ADDRESSES[EMAIL][1])
            self.places[place].say(record[1], MOBILE, "+447700900555")
            self.at("night", place, 0, 0)
            self.done()
            self._invite(record)
            self._join(record, which, how)

    def _join(self, record: Record, which: int, how: int) -> None:
        place = record[0]
        sent = self.desk.front.open(record, self.desk.now)
        sent = sent or (self._invite(record) if how % 2 else None) or self._letter(record)
        if sent is None or not agreed(self._opens(sent), self.deeds.look(sent), f"to open {sent}"):
            return
        login = self._login_for(record, which) if how % 3 else None
        if login is None:
            self.logins += 1
            login = self.logins
        proved, second = self._proved(record, which, how), self._second(sent)
        if second and proved.get(second[2]) != self.desk.value(second).value:
            agreed(False, self.deeds.join(sent, login, proved, []), f"{sent} without a second proof")
            proved[second[2]] = self.desk.value(second).value
        seen = self.places[place].seen(record[1]) if record[1][0] == CONTACT else []
        strangers = [seen[which % len(seen)]] if seen and how % 5 == 4 else []
        agreed(True, self.deeds.join(sent, login, proved, strangers), f"{record} to join by {sent}")
        self.desk.front.connected(sent)
        for pair in strangers:
            self.desk.front.deny(place, pair, self.desk.now)
        self.desk.connect(record, login, proved)

    def _proved(self, record: Record, which: int, how: int) -> dict[str, str]:
        proved = {}
        for at, kind in enumerate((EMAIL, MOBILE)):
            choice, held = (how + 2 * at) % 4, self.desk.value((*record, kind)).value
            if choice == 2 and held:
                proved[kind] = held
            elif choice == 3:
                proved[kind] = ADDRESSES[kind][which % 4]
        return proved or {EMAIL: self.desk.value((*record, EMAIL)).value or ADDRESSES[EMAIL][which % 4]}

    def _second(self, sent: Sent) -> Slot | None:
        """Return what must be proved beside a link that went to an address of two people."""
        kind = {front.EMAIL: EMAIL, front.TEXT: MOBILE}.get(sent.channel)
        if kind is None:
            return None
        went, other = (*sent.record, kind), (*sent.record, MOBILE if kind == EMAIL else EMAIL)
        if self.desk.value(went).value != sent.to or not self._is_shared(went):
            return None
        return other if self.desk.value(other).value and not self._is_shared(other) else None

    def _is_shared(self, slot: Slot) -> bool:
        value = self.desk.value(slot).value
        others = {one for one in (*self.desk.values, *self.desk.mis) if one[2] == slot[2]}
        others = {one for one in others if one[:2] != slot[:2] and one[:2] not in self.desk.away}
        others = {one for one in others if one[0] == slot[0] or not self._may_be_one(slot[:2], one[:2])}
        return any(value in (self.desk.value(one).value, self.desk.mis.get(one, "")) for one in others)

    def _login_for(self, record: Record, which: int) -> int | None:
        """Return a login to connect: one that is of another school, or of somebody of this name."""
        found = sorted(
            login
            for login in set(self.desk.logins.values())
            if all(one[0] != record[0] or self._may_be_one(one, record) for one in self.desk.records(login))
            and not self.desk.is_frozen(login)
        )
        alike = [one for one in found if any(other[0] == record[0] for other in self.desk.records(one))]
        found = alike or found
        return found[which % len(found)] if found else None

    def _may_be_one(self, record: Record, other: Record) -> bool:
        (title, forename, surname), there = self.deeds.name(record), self.deeds.name(other)
        if forename and there[1]:
            return forename == there[1]
        return (title, surname) == (there[0], there[2])

    # Children.

    def deny(self, place: int, which: int, how: int) -> None:
        pairs = [
            pair for at, owner in sorted(self.desk.logins) if at == place and self._acts((at, owner))
            for pair in (self.places[place].seen(owner) if owner[0] == CONTACT else ())
        ]  # fmt: skip
        if pairs:
            self._deny(place, pairs[which % len(pairs)])

    def _deny(self, place: int, pair: Pair) -> None:
        login = self.desk.logins[(place, (CONTACT, pair[1]))]
        agreed(True, self.deeds.deny(login, place, pair), f"{pair} is not my child")
        self.desk.front.deny(place, pair, self.desk.now)

    def give_back(self, place: int, which: int, how: int) -> None:
        found = [one for one in sorted(self.desk.front.denied) if (one[0], (CONTACT, one[1][1])) not in self.desk.away]
        if found:
            one = found[which % len(found)]
            agreed(True, self.deeds.give_back(*one), f"to give back {one}")
            self.desk.front.give_back(*one)

    def mark_child_done(self, place: int, which: int, how: int) -> None:
        rows = [row for row in self.desk.front.children if row.mis_state in (front.TO_UPDATE, front.DIFFERS)]
        if rows:
            row = rows[which % len(rows)]
            self.deeds.mark_child_done(row)
            row.mis_state, row.done_at = front.DONE, self.desk.now

    # As a life has them.

    def at(self, name: str, place: int, which: int, how: int) -> None: ...
    def done(self) -> None: ...
    def _records(self, connected: bool) -> list[Record]: ...
    def _acts(self, record: Record) -> bool: ...
    def _rows(self, *statuses: str) -> list[Row]: ...


__all__ = ["ADDRESSES", "Joining", "Pair", "agreed"]
