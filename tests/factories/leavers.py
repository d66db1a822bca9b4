"""Parents without a child at the school, written again from the design: sight goes at once, the login in time."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

Record = tuple[int, tuple[str, int]]
LONDON = ZoneInfo("Europe/London")
LOGIN_LASTS, FORTNIGHT = dt.timedelta(days=90), dt.timedelta(days=14)


@dataclass
class Clock:
    """Since when a Connected parent sees no child here, and when they were told that their login ends."""

    since: dt.date
    told: dt.datetime | None = None


@dataclass
class Leavers:
    clocks: dict[Record, Clock] = field(default_factory=dict)
    seen: dict[Record, set[int]] = field(default_factory=dict)
    """The pupils whom each Connected parent sees now."""

    def forget(self, record: Record) -> None:
        """Whoever connects anew has no clock, whatever ran before."""
        self.clocks.pop(record, None)

    def sweep(self, parents: Iterable[Record], sees: Callable[[Record], bool], now: dt.datetime) -> list[Record]:
        """Start and stop the clocks of these parents, tell whose end is near, and return whose has come."""
        ended = []
        for record in parents:
            if sees(record):
                self.forget(record)
                continue
            clock = self.clocks.setdefault(record, Clock(today(now)))
            if clock.told is None and clock.since <= today(now) - LOGIN_LASTS + FORTNIGHT:
                clock.told = now
            if clock.since <= today(now) - LOGIN_LASTS and clock.told and clock.told <= now - FORTNIGHT:
                ended.append(record)
        return ended


def today(now: dt.datetime) -> dt.date:
    """Return the day it is in London."""
    return now.astimezone(LONDON).date()
