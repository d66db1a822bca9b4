"""Every night of twenty years is run exactly once, whatever the clocks and the beat do."""

from __future__ import annotations

import datetime as dt
import random

import pytest

from imports.link import schedule

EVERY = schedule.EVERY_NIGHT
TIMES = [dt.time(0, 0), dt.time(0, 30), dt.time(1, 0), dt.time(1, 30), dt.time(1, 59), dt.time(2, 0), dt.time(23, 45)]
START = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
END = dt.datetime(2041, 1, 1, tzinfo=dt.UTC)


def utc(*parts: int) -> dt.datetime:
    return dt.datetime(*parts, tzinfo=dt.UTC)  # type: ignore[misc,arg-type]


@pytest.mark.parametrize("run_at", TIMES)
def test_every_night_from_2020_to_2040_is_due_once_on_its_own_date_and_in_order(run_at: dt.time) -> None:
    nights = schedule.nights_due(weekdays=EVERY, run_at=run_at, since=utc(2019, 12, 31, 23, 59), until=END)

    every_date = [dt.date(2020, 1, 1) + dt.timedelta(days=n) for n in range((dt.date(2041, 1, 1) - START.date()).days)]
    assert [night for night, _ in nights if night.year < 2041] == every_date
    instants = [due_at for _, due_at in nights]
    assert instants == sorted(set(instants))
    for night, due_at in nights:
        local = due_at.astimezone(schedule.LONDON)
        assert local.date() == night
        if local.time() != run_at:  # only ever the hour that spring skips
            assert (local.time(), local.month, local.isoweekday()) == (dt.time(2, 0), 3, 7)


@pytest.mark.parametrize("year", range(2020, 2041))
def test_the_skipped_hour_runs_when_the_clocks_have_gone_forward(year: int) -> None:
    sunday = max(day for d in range(25, 32) if (day := dt.date(year, 3, d)).isoweekday() == 7)
    forward = dt.datetime.combine(sunday, dt.time(1, 0), tzinfo=dt.UTC)

    assert schedule.night_due(sunday, dt.time(1, 0)) == forward
    assert schedule.night_due(sunday, dt.time(1, 30)) == forward
    assert schedule.night_due(sunday, dt.time(1, 59, 59)) == forward
    assert schedule.night_due(sunday, dt.time(2, 0)) == forward
    assert schedule.night_due(sunday, dt.time(0, 59)) == forward - dt.timedelta(minutes=1)


@pytest.mark.parametrize("year", range(2020, 2041))
def test_the_hour_that_comes_twice_runs_the_first_time(year: int) -> None:
    sunday = max(day for d in range(25, 32) if (day := dt.date(year, 10, d)).isoweekday() == 7)

    assert schedule.night_due(sunday, dt.time(1, 30)) == dt.datetime.combine(sunday, dt.time(0, 30), tzinfo=dt.UTC)
    assert schedule.night_due(sunday, dt.time(2, 0)) == dt.datetime.combine(sunday, dt.time(2, 0), tzinfo=dt.UTC)


def test_only_the_chosen_weekdays_are_due() -> None:
    nights = schedule.nights_due(
        weekdays=[1, 5], run_at=dt.time(2), since=utc(2026, 11, 1), until=utc(2026, 11, 30, 12)
    )

    assert [night.day for night, _ in nights] == [2, 6, 9, 13, 16, 20, 23, 27, 30]


def test_a_pause_until_a_date_skips_the_nights_before_it_and_ends_by_itself() -> None:
    nights = schedule.nights_due(
        weekdays=EVERY,
        run_at=dt.time(2),
        since=utc(2026, 11, 20),
        until=utc(2026, 11, 25, 12),
        paused_until=dt.date(2026, 11, 24),
    )

    assert [night.day for night, _ in nights] == [24, 25]


def test_a_pause_after_an_undo_lasts_until_somebody_resumes() -> None:
    nights = schedule.nights_due(
        weekdays=EVERY,
        run_at=dt.time(2),
        since=utc(2026, 11, 20),
        until=utc(2027, 1, 1),
        paused_at=utc(2026, 11, 22, 9),
    )

    assert [night.day for night, _ in nights] == [20, 21, 22]


def test_a_night_that_was_due_when_the_link_was_enabled_was_never_expected() -> None:
    due_at = schedule.night_due(dt.date(2026, 11, 23), dt.time(2))

    assert schedule.nights_due(weekdays=EVERY, run_at=dt.time(2), since=due_at, until=due_at) == []
    just_before = due_at - dt.timedelta(microseconds=1)
    assert len(schedule.nights_due(weekdays=EVERY, run_at=dt.time(2), since=just_before, until=due_at)) == 1


def test_the_next_night_is_told_while_paused_until_a_date_and_not_after_an_undo() -> None:
    timetable = schedule.Timetable(weekdays=[1], run_at=dt.time(2), since=utc(2026, 1, 1))
    paused = schedule.Timetable(
        weekdays=[1], run_at=dt.time(2), since=utc(2026, 1, 1), paused_until=dt.date(2027, 1, 1)
    )
    undone = schedule.Timetable(weekdays=[1], run_at=dt.time(2), since=utc(2026, 1, 1), paused_at=utc(2026, 11, 1))
    now = utc(2026, 11, 23, 8)

    assert timetable.next_after(now) == schedule.Due(dt.date(2026, 11, 30), utc(2026, 11, 30, 2))
    assert paused.next_after(now) == schedule.Due(dt.date(2027, 1, 4), utc(2027, 1, 4, 2))
    assert undone.next_after(now) is None


def ticks(start: dt.datetime, end: dt.datetime, step: int) -> list[dt.datetime]:
    return [start + dt.timedelta(seconds=step * n) for n in range(int((end - start).total_seconds()) // step + 1)]


@pytest.mark.parametrize("run_at", [dt.time(0, 30), dt.time(1, 0), dt.time(1, 30), dt.time(2, 0), dt.time(3, 0)])
@pytest.mark.parametrize(
    ("first", "last"),
    [(utc(2026, 10, 24), utc(2026, 10, 27)), (utc(2027, 3, 27), utc(2027, 3, 30))],
    ids=["autumn", "spring"],
)
def test_a_ticking_clock_with_restarts_and_outages_runs_each_night_once(
    run_at: dt.time, first: dt.datetime, last: dt.datetime
) -> None:
    """What is remembered is only the set of nights claimed, as in the database."""
    for seed in range(4):
        chance = random.Random(seed)
        down_from = first + dt.timedelta(minutes=chance.randrange(3 * 24 * 60))
        down_to = down_from + dt.timedelta(minutes=chance.choice([0, 5, 61, 24 * 60]))
        claimed: list[dt.date] = []
        end = last + dt.timedelta(days=2)
        for now in [*ticks(first, end, 60 * chance.choice([3, 7, 20])), end]:
            if down_from <= now < down_to:
                continue
            back = 0 if now == end else chance.choice([0, 0, 0, 60, 1440])
            jumped = now - dt.timedelta(minutes=back)  # a clock put back, and right again
            for night, due_at in schedule.nights_due(weekdays=EVERY, run_at=run_at, since=first, until=jumped):
                if night not in claimed:
                    assert due_at <= now
                    claimed.append(night)
        expected = [n for n, _ in schedule.nights_due(weekdays=EVERY, run_at=run_at, since=first, until=end)]
        assert claimed == expected
