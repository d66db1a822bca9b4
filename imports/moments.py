"""Dates and times in the words of an English office: pure, and always by Europe/London's clock."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

LONDON = ZoneInfo("Europe/London")


def local(moment: dt.datetime) -> dt.datetime:
    """Return the moment as London's clocks show it."""
    return moment.astimezone(LONDON)


def clock(at: dt.time | dt.datetime) -> str:
    """Return `02:04`."""
    return f"{at:%H:%M}"


def day(date: dt.date, *, now: dt.datetime | None = None) -> str:
    """Return `Mon 23 Nov`, with the year where it is not this year."""
    year = f" {date.year}" if now is not None and local(now).year != date.year else ""
    return f"{date:%a} {date.day} {date:%b}{year}"


def long_day(date: dt.date) -> str:
    """Return `Monday 23 November 2026`."""
    return f"{date:%A} {date.day} {date:%B} {date.year}"


def short_date(date: dt.date) -> str:
    """Return `3 Nov 2026`, for a date that a record holds."""
    return f"{date.day} {date:%b} {date.year}"


def stamp(moment: dt.datetime, *, now: dt.datetime | None = None) -> str:
    """Return `Mon 23 Nov, 02:04`."""
    here = local(moment)
    return f"{day(here.date(), now=now)}, {clock(here)}"


def near(moment: dt.datetime, *, now: dt.datetime) -> str:
    """Return `Today, 02:04`, `Yesterday, 02:04` or the full stamp."""
    here, today = local(moment), local(now).date()
    name = {0: "Today", 1: "Yesterday"}.get((today - here.date()).days)
    return f"{name}, {clock(here)}" if name else stamp(moment, now=now)


def ago(moment: dt.datetime, *, now: dt.datetime) -> str:
    """Return `6 hours ago`; the largest unit that is at least one, and never more than one unit."""
    seconds = int((now - moment).total_seconds())
    if seconds < 60:
        return "just now"
    for size, name in ((86_400, "day"), (3600, "hour"), (60, "minute")):
        if (count := seconds // size) >= 1:
            return f"{count} {name}{'' if count == 1 else 's'} ago"
    raise AssertionError("a minute or more was shown to be there")


def took(start: dt.datetime, end: dt.datetime) -> str:
    """Return `3 s`, `2 min 5 s` or `1 h 4 min`."""
    seconds = max(0, round((end - start).total_seconds()))
    if seconds < 60:
        return f"{max(1, seconds)} s"
    if seconds < 3600:
        minutes, rest = divmod(seconds, 60)
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    return f"{seconds // 3600} h {seconds % 3600 // 60} min"


def coming(moment: dt.datetime, *, now: dt.datetime) -> str:
    """Return `tonight at 02:00`, `today at 14:00` or `Thu 26 Nov at 02:00`.

    Tonight is the night that begins this evening: until 06:00 tomorrow.
    """
    here, there = local(now), local(moment)
    if there.date() == here.date():
        name = "tonight" if there.hour >= 18 or there.hour < 6 else "today"
    elif there.date() == here.date() + dt.timedelta(days=1):
        name = "tonight" if there.hour < 6 else "tomorrow"
    else:
        name = day(there.date(), now=now)
    return f"{name} at {clock(there)}"
