"""Who was invited, and of whom a parent says “not my child”, written again from the design: the desk's other half."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, field

Record = tuple[int, tuple[str, int]]
Pair = tuple[int, int]
"""A pupil and a contact of one school."""
Denied = dict[tuple[int, Pair], dt.datetime]

EMAIL, TEXT, LETTER = "email", "text", "letter"
GOOD_FOR = dict.fromkeys((EMAIL, TEXT, LETTER), dt.timedelta(days=10))
AGAIN_AFTER, MOST = dt.timedelta(days=7), 10
TO_UPDATE, UPDATED, DONE, DIFFERS = "to_update", "updated", "done", "differs"


@dataclass
class Sent:
    """An invitation: the link or letter that one record was sent."""

    record: Record
    channel: str
    to: str
    at: dt.datetime
    used: bool = False
    voided: bool = False

    def opens(self, now: dt.datetime) -> bool:
        return not self.used and not self.voided and now < self.at + GOOD_FOR[self.channel]


@dataclass
class Child:
    """A row of the report: a parent says that a pupil is not theirs."""

    place: int
    pair: Pair
    status: str = "approved"
    mis_state: str = TO_UPDATE
    done_at: dt.datetime | None = None


@dataclass
class Merged:
    """What a merge moved from one record to another, to go back to."""

    rows: list[Child]
    made_before: int
    whole: set[int]
    """Pupils whom only the gone record was linked to."""
    both: set[int]
    before: Denied
    after: Denied


@dataclass
class Front:
    sent: list[Sent] = field(default_factory=list)
    invited: set[Record] = field(default_factory=set)
    children: list[Child] = field(default_factory=list)
    denied: Denied = field(default_factory=dict)
    merged: dict[Record, Merged] = field(default_factory=dict)

    # Invitations.

    def way(self, record: Record, email: str, mobile: str, now: dt.datetime) -> tuple[str, str] | None:
        """Return where an invitation goes now: a record is asked once a week and ten times in all, at what it has."""
        channel, to = (EMAIL, email) if email else (TEXT, mobile)
        theirs = [one for one in self.sent if one.record == record and one.channel != LETTER]
        asked = [one.at for one in theirs if one.to in (email, mobile)]
        if not to or len(asked) >= MOST or (asked and now < max(asked) + AGAIN_AFTER):
            return None
        return channel, to

    def send(self, record: Record, channel: str, to: str, now: dt.datetime) -> Sent:
        self._void(record)
        self.sent.append(Sent(record, channel, to, now))
        self.invited.add(record)
        return self.sent[-1]

    def take_back(self, record: Record) -> bool:
        """Return whether there was one to take back."""
        self.invited.discard(record)
        return self._void(record)

    def outdated(self, value: Callable[[Record, str], str]) -> None:
        """A link to an address that is not the record's any more opens nothing, and never will again."""
        for one in self.sent:
            kind = {EMAIL: "email", TEXT: "mobile"}.get(one.channel)
            if kind and not one.used and one.to != value(one.record, kind):
                one.voided = True

    def has_letter(self, record: Record, now: dt.datetime) -> bool:
        return any(one.record == record and one.channel == LETTER and one.opens(now) for one in self.sent)

    def _void(self, record: Record) -> bool:
        waiting = [one for one in self.sent if one.record == record and not one.used and not one.voided]
        for one in waiting:
            one.voided = True
        return bool(waiting)

    def open(self, record: Record, now: dt.datetime) -> Sent | None:
        found = [one for one in self.sent if one.record == record and one.opens(now)]
        assert len(found) <= 1, f"{found} are both open"
        return found[0] if found else None

    def connected(self, sent: Sent) -> None:
        sent.used = True
        self.invited.discard(sent.record)

    def forget(self, record: Record) -> None:
        """The record is no more: an import that had brought it was undone."""
        self.sent = [one for one in self.sent if one.record != record]
        self.invited.discard(record)

    # Children.

    def deny(self, place: int, pair: Pair, now: dt.datetime) -> None:
        self.denied[(place, pair)] = now
        self.children.append(Child(place, pair))

    def give_back(self, place: int, pair: Pair) -> None:
        del self.denied[(place, pair)]
        for row in self.children:
            if (row.place, row.pair, row.status) == (place, pair, "approved"):
                row.status, row.mis_state = "rejected", ""

    def settle(self, place: int, allows: Callable[[Pair], bool], *, night: bool, now: dt.datetime) -> None:
        """Compare with what the MIS says: it agrees where the link is gone, has ended, or lost its access."""
        for row in self.children:
            if row.place != place or row.status != "approved":
                continue
            late = night and row.done_at is not None and now - row.done_at >= dt.timedelta(hours=48)
            if not allows(row.pair):
                row.mis_state = UPDATED
            elif row.mis_state == UPDATED or (row.mis_state == DONE and late):
                row.mis_state = DIFFERS

    def merge(self, place: int, kept: int, gone: int, pupils_of: Callable[[int], set[int]]) -> None:
        """“Not my child” goes with its link; of two links of one pupil it holds, whichever it was said of."""
        theirs, own = pupils_of(gone), pupils_of(kept)
        before = {key: at for key, at in self.denied.items() if key[0] == place and key[1][1] in (kept, gone)}
        moved = [row for row in self.children if row.place == place and row.pair[1] == gone]
        for row in moved:
            row.pair = (row.pair[0], kept)
        for (_place, (pupil, contact)), at in before.items():
            if contact == gone:
                del self.denied[(place, (pupil, gone))]
                known = self.denied.get((place, (pupil, kept)), at)
                self.denied[(place, (pupil, kept))] = min(known, at)
        after = {key: at for key, at in self.denied.items() if key[0] == place and key[1][1] == kept}
        self.merged[(place, ("contact", gone))] = Merged(
            moved, len(self.children), theirs - own, theirs & own, before, after
        )

    def undo_merge(self, place: int, kept: int, gone: int) -> None:
        """As it was; what was said, or given back, meanwhile of a pupil of both holds at both."""
        was = self.merged.pop((place, ("contact", gone)))
        since = self.children[was.made_before :]
        for row in [*was.rows, *(one for one in since if one.place == place and one.pair[0] in was.whole)]:
            if row.pair[1] == kept:
                row.pair = (row.pair[0], gone)
        pupils = {key[1][0] for source in (was.before, was.after, self.denied) for key in source
                  if key[0] == place and key[1][1] in (kept, gone)}  # fmt: skip
        for pupil in pupils:
            now = self.denied.pop((place, (pupil, kept)), None)
            for contact in (gone,) if pupil in was.whole else (kept, gone) if pupil in was.both else (kept,):
                moved_on = pupil in was.whole or now != was.after.get((place, (pupil, kept)))
                at = now if moved_on else was.before.get((place, (pupil, contact)))
                if at is not None:
                    self.denied[(place, (pupil, contact))] = at
