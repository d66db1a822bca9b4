"""Dates and times read as an English office says them, by London's clock."""

from __future__ import annotations

import datetime as dt

import pytest

from imports import moments

NOW = dt.datetime(2026, 11, 23, 8, 0, tzinfo=dt.UTC)


def test_a_stamp_is_by_londons_clock_also_in_summer() -> None:
    assert moments.stamp(dt.datetime(2026, 11, 23, 2, 4, tzinfo=dt.UTC)) == "Mon 23 Nov, 02:04"
    assert moments.stamp(dt.datetime(2026, 7, 1, 23, 30, tzinfo=dt.UTC)) == "Thu 2 Jul, 00:30"


def test_another_year_is_named() -> None:
    assert moments.stamp(dt.datetime(2025, 12, 31, 2, 4, tzinfo=dt.UTC), now=NOW) == "Wed 31 Dec 2025, 02:04"


@pytest.mark.parametrize(("hours", "said"), [(6, "Today, 02:00"), (20, "Yesterday, 12:00"), (48, "Sat 21 Nov, 08:00")])
def test_what_is_near_is_called_so(hours: int, said: str) -> None:
    assert moments.near(NOW - dt.timedelta(hours=hours), now=NOW) == said


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(5, "just now"), (60, "1 minute ago"), (6 * 60, "6 minutes ago"), (3600, "1 hour ago"), (200_000, "2 days ago")],
)
def test_ago_is_told_in_one_unit(seconds: int, said: str) -> None:
    assert moments.ago(NOW - dt.timedelta(seconds=seconds), now=NOW) == said


@pytest.mark.parametrize(
    ("seconds", "said"), [(0, "1 s"), (3, "3 s"), (60, "1 min"), (125, "2 min 5 s"), (3840, "1 h 4 min")]
)
def test_how_long_it_took(seconds: int, said: str) -> None:
    assert moments.took(NOW, NOW + dt.timedelta(seconds=seconds)) == said


@pytest.mark.parametrize(
    ("day", "hour", "said"),
    [
        (23, 20, "tonight at 20:00"),
        (24, 2, "tonight at 02:00"),
        (24, 14, "tomorrow at 14:00"),
        (23, 14, "today at 14:00"),
        (26, 2, "Thu 26 Nov at 02:00"),
    ],
)
def test_what_is_due_is_said_by_the_night(day: int, hour: int, said: str) -> None:
    assert moments.coming(dt.datetime(2026, 11, day, hour, tzinfo=dt.UTC), now=NOW) == said
