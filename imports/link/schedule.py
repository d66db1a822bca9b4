"""Which local nights a link is run on, and the instant each is due. Pure: no clock, no database.

A night is a local date in Europe/London. However the clocks change it is due exactly once: at its
local time, at the first of two such times, or, where that time is skipped, the instant after the gap.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import lru_cache
from zoneinfo import ZoneInfo

LONDON = ZoneInfo("Europe/London")
EVERY_NIGHT = (1, 2, 3, 4, 5, 6, 7)
GRACE = dt.timedelta(hours=2)
"""So long after it was due a night counts as missed: reports of a large school take a while."""
EARLY = dt.timedelta(hours=1)
"""A run this much before its time belongs to the coming night: a computer's clock may be fast."""
CATCH_UP = dt.timedelta(hours=24)
"""So long a missed night is still asked for; then the next one is near."""
_DAY = dt.timedelta(days=1)
_MINUTE = dt.timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Due:
    """A night on which a link is run, and when, in UTC."""

    night: dt.date
    due_at: dt.datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Timetable:
    """What a school chose, and since when it holds."""

    weekdays: Collection[int]
    """1 Monday … 7 Sunday."""
    run_at: dt.time
    since: dt.datetime | None
    """Nights due at or before this were never expected; None: none is."""
    paused_until: dt.date | None = None
    """Nights before this date are not run."""
    paused_at: dt.datetime | None = None
    """Nights due from here on are not run, until somebody resumes."""

    def due_on(self, night: dt.date) -> dt.datetime | None:
        """Return when `night` is due, or None if it is not a night of this timetable."""
        if self.since is None or night.isoweekday() not in self.weekdays:
            return None
        due_at = night_due(night, self.run_at)
        return None if due_at <= self.since or self.pauses(night, due_at) else due_at

    def pauses(self, night: dt.date, due_at: dt.datetime) -> bool:
        """Whether `night` falls into the pause."""
        by_date = self.paused_until is not None and night < self.paused_until
        return by_date or (self.paused_at is not None and due_at >= self.paused_at)

    def between(self, after: dt.datetime, until: dt.datetime) -> Iterator[Due]:
        """Yield the nights due after `after` and up to `until`, in order."""
        night = local_date(after)
        while night <= local_date(until):
            due_at = self.due_on(night)
            if due_at is not None and after < due_at <= until:
                yield Due(night, due_at)
            night += _DAY

    def next_after(self, now: dt.datetime) -> Due | None:
        """Return the next night due after `now`; None while nothing is expected."""
        if self.since is None or self.paused_at is not None:
            return None
        first = max(local_date(now), self.paused_until or dt.date.min)
        for night in (first + offset * _DAY for offset in range(8)):
            due_at = self.due_on(night)
            if due_at is not None and due_at > now:
                return Due(night, due_at)
        return None


def local_date(instant: dt.datetime) -> dt.date:
    """Return the date in London at `instant`."""
    return instant.astimezone(LONDON).date()


@lru_cache(maxsize=2048)
def night_due(night: dt.date, run_at: dt.time) -> dt.datetime:
    """Return the one instant, in UTC, at which `night` is due."""
    wall = dt.datetime.combine(night, run_at)
    while not _exists(wall):  # the hour that spring skips: on to the first minute there is
        wall = wall.replace(second=0, microsecond=0) + _MINUTE
    return wall.replace(tzinfo=LONDON, fold=0).astimezone(dt.UTC)


def nights_due(
    *,
    weekdays: Collection[int],
    run_at: dt.time,
    since: dt.datetime,
    until: dt.datetime,
    paused_until: dt.date | None = None,
    paused_at: dt.datetime | None = None,
) -> list[tuple[dt.date, dt.datetime]]:
    """Return every `(night, due_at)` due after `since` and up to `until`, in order."""
    timetable = Timetable(weekdays=weekdays, run_at=run_at, since=since, paused_until=paused_until, paused_at=paused_at)
    return [(due.night, due.due_at) for due in timetable.between(since, until)]


def is_missed(due_at: dt.datetime, *, now: dt.datetime) -> bool:
    """Whether something that was due and has not come is late enough to be called missed."""
    return now >= due_at + GRACE


def _exists(wall: dt.datetime) -> bool:
    there = wall.replace(tzinfo=LONDON).astimezone(dt.UTC)
    return there.astimezone(LONDON).replace(tzinfo=None) == wall
