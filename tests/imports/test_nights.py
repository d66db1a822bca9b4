"""Which nights were due, what came for them, and what stayed away."""

from __future__ import annotations

import datetime as dt

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from hub.accounts.models import Account
from hub.core import scope
from hub.core.models import School
from imports.link import links, nights, schedule
from imports.models import ImportKind, ImportState, MisLink, ScheduledRun
from tests.factories.links import an_import, enabled_link

DAY = dt.timedelta(days=1)
HOUR = dt.timedelta(hours=1)
TONIGHT = dt.date(2026, 11, 23)
DUE = dt.datetime(2026, 11, 23, 2, tzinfo=dt.UTC)


@pytest.fixture
def link(school: School, administrator: Account, now: dt.datetime) -> MisLink:
    """Enabled since Friday morning: Saturday, Sunday and Monday were due."""
    return enabled_link(school, by=administrator, since=now - 3 * DAY)


def states(link: MisLink, now: dt.datetime) -> str:
    return " ".join(night.state for night in nights.last_nights(link, now=now))


def test_a_night_is_written_down_once_however_often_it_ticks(link: MisLink, school: School) -> None:
    first = nights.tick(DUE)
    again = nights.tick(DUE + dt.timedelta(seconds=30))

    assert [night for _, _, night in first] == [dt.date(2026, 11, 21), dt.date(2026, 11, 22), TONIGHT]
    assert again == []
    assert ScheduledRun.objects.count() == 3


def test_a_tick_sees_every_school_and_leaves_the_scope_as_it_was(
    link: MisLink, other_school: School, stranger: Account, now: dt.datetime
) -> None:
    with scope.schools(other_school.pk):
        enabled_link(other_school, by=stranger, since=now - 2 * DAY)

    assert {school_id for school_id, _, _ in nights.tick(now)} == {link.school_id, other_school.pk}
    assert scope.current_schools() == (link.school_id,)


def test_one_link_whose_nights_cannot_be_told_keeps_no_other_from_being_due(
    link: MisLink, other_school: School, stranger: Account, now: dt.datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    with scope.schools(other_school.pk):
        theirs = enabled_link(other_school, by=stranger, since=now - 2 * DAY)
    timetable = nights.timetable

    def fails(one: MisLink) -> schedule.Timetable:
        if one.pk == link.pk:
            raise ValueError
        return timetable(one)

    monkeypatch.setattr(nights, "timetable", fails)
    with pytest.raises(ExceptionGroup) as raised:
        nights.tick(now)
    assert [one.__notes__ for one in raised.value.exceptions] == [[f"This was mislink {link.pk}."]]
    with scope.schools(other_school.pk):
        assert ScheduledRun.objects.filter(link=theirs).exists()
    monkeypatch.undo()
    assert {link_id for _, link_id, _ in nights.tick(now)} == {link.pk}


def test_a_link_that_is_off_or_paused_is_not_due(link: MisLink, administrator: Account, now: dt.datetime) -> None:
    nights.tick(now)
    links.pause_until(link=link, until=TONIGHT + 3 * DAY, by=administrator, now=now)
    assert nights.tick(now + DAY) == []
    assert [night for _, _, night in nights.tick(now + 3 * DAY)] == [TONIGHT + 3 * DAY]

    links.disable(link=link, by=administrator, now=now + 3 * DAY)
    assert nights.tick(now + 6 * DAY) == []


def test_after_an_outage_what_was_due_is_written_down_and_not_before_it_was_expected(link: MisLink) -> None:
    nights.tick(DUE)

    assert len(nights.tick(DUE + 5 * DAY)) == 5
    assert len(nights.tick(DUE + 100 * DAY)) == 14


def test_an_arrival_claims_its_night_and_what_was_asked_for(
    link: MisLink, administrator: Account, now: dt.datetime
) -> None:
    links.want_run(link=link, by=administrator, now=DUE)
    run = an_import(link, at=DUE + HOUR)

    assert nights.claim(link=link, run=run, now=DUE + HOUR) == TONIGHT

    link.refresh_from_db()
    run.refresh_from_db()
    assert (link.wanted_at, run.night) == (None, TONIGHT)
    assert ScheduledRun.objects.get(night=TONIGHT).satisfied_by == run


def test_a_run_a_little_early_is_tonights_and_the_tick_does_not_ask_again(link: MisLink) -> None:
    early = DUE - dt.timedelta(minutes=3)

    assert nights.claim(link=link, run=an_import(link, at=early), now=early) == TONIGHT
    assert nights.tick(DUE) == []
    assert nights.wanted(link, now=DUE + HOUR) is None


def test_a_run_just_before_its_time_is_not_wanted_again_for_the_night_before(link: MisLink) -> None:
    """Nothing came all Sunday; what comes within the hour before Monday's night is counted for that one."""
    early = DUE - HOUR / 2
    nights.tick(early)
    assert nights.wanted(link, now=early) is not None
    assert nights.unsatisfied(now=early) == {link.pk}

    assert nights.claim(link=link, run=an_import(link, at=early), now=early) == TONIGHT

    assert nights.wanted(link, now=early) is None
    assert not nights.is_due(link, now=early)
    assert nights.unsatisfied(now=early) == set()
    assert [night.state for night in nights.last_nights(link, now=early)][-2] == "missed"


def test_an_upload_by_hand_or_a_preview_claims_nothing(link: MisLink, now: dt.datetime) -> None:
    upload = an_import(link, at=now, kind=ImportKind.UPLOAD)
    preview = an_import(link, at=now, preview=True)

    assert nights.claim(link=link, run=upload, now=now) is None
    assert nights.claim(link=link, run=preview, now=now) is None
    assert nights.wanted(link, now=now) is not None


def test_a_run_is_wanted_when_asked_for_or_due_and_not_otherwise(
    link: MisLink, administrator: Account, now: dt.datetime
) -> None:
    due = nights.wanted(link, now=now)
    assert due is not None
    assert not due.asked

    nights.claim(link=link, run=an_import(link, at=now), now=now)
    assert nights.wanted(link, now=now) is None

    links.want_run(link=link, by=administrator, now=now)
    asked = nights.wanted(link, now=now)
    assert asked is not None
    assert asked.asked
    assert asked.sentence == "Helen Ward asked for an import now."

    links.disable(link=link, by=administrator, now=now)
    assert nights.wanted(link, now=now) is None


def test_the_last_nights_tell_each_outcome(link: MisLink, administrator: Account, now: dt.datetime) -> None:
    MisLink.objects.update(scheduled_since=now - 20 * DAY)
    link.refresh_from_db()
    nights.tick(now)
    for back, state in enumerate(["applied", "unchanged", "partly_held", "held", "failed", "interrupted", "undone"]):
        an_import(link, at=DUE - back * DAY, state=state, night=TONIGHT - back * DAY)

    assert states(link, now) == "missed " * 7 + "none bad bad warn warn good good"


def test_a_night_is_as_good_as_its_best_import(link: MisLink, now: dt.datetime) -> None:
    an_import(link, at=DUE, state=ImportState.FAILED, night=TONIGHT)
    assert states(link, now).endswith("bad")
    good = an_import(link, at=now, night=TONIGHT)
    an_import(link, at=now + HOUR, state=ImportState.FAILED, night=TONIGHT)

    assert nights.last_nights(link, now=now)[-1].run == good
    assert states(link, now).endswith("good")


def test_silence_shows_without_a_tick_and_only_after_a_while(link: MisLink, now: dt.datetime) -> None:
    assert states(link, DUE + HOUR).endswith("missed missed expected")
    assert states(link, DUE + 2 * HOUR).endswith("missed missed missed")
    assert [night.date.day for night in nights.missed(link, now=now)] == [21, 22, 23]


def test_an_upload_by_hand_does_not_hide_that_the_agent_stayed_away(link: MisLink, now: dt.datetime) -> None:
    an_import(link, at=now, kind=ImportKind.UPLOAD)

    assert states(link, now).endswith("missed")


def test_before_the_link_was_enabled_and_in_a_pause_nothing_was_missed(
    link: MisLink, administrator: Account, now: dt.datetime
) -> None:
    assert states(link, now) == "none " * 11 + "missed missed missed"
    links.pause_until(link=link, until=TONIGHT + 3 * DAY, by=administrator, now=now)
    assert states(link, now + 4 * DAY).endswith("missed missed missed paused paused missed missed")


def test_overdue_is_the_night_that_stays_away_now(link: MisLink, now: dt.datetime) -> None:
    late = nights.overdue(link, now=now)
    assert late is not None
    assert late.date == TONIGHT

    nights.claim(link=link, run=an_import(link, at=now), now=now)
    assert nights.overdue(link, now=now) is None


def test_the_nights_are_read_in_two_queries_however_many(link: MisLink, now: dt.datetime) -> None:
    nights.tick(now)
    for back in range(10):
        an_import(link, at=DUE - back * DAY, night=TONIGHT - back * DAY)
    with CaptureQueriesContext(
        connection,
    ) as queries:
        nights.last_nights(link, now=now)
    assert len(queries) == 2


def test_a_tick_asks_as_much_of_one_school_as_of_two(
    link: MisLink, other_school: School, stranger: Account, now: dt.datetime
) -> None:
    with CaptureQueriesContext(connection) as one:
        nights.tick(now)
    with scope.schools(other_school.pk):
        enabled_link(other_school, by=stranger, since=now - 2 * DAY)
    with CaptureQueriesContext(connection) as two:
        nights.tick(now + DAY)
    assert len(one) == len(two)


@pytest.mark.parametrize(
    ("friday", "run_at"),
    [
        (dt.datetime(2026, 10, 23, 12, tzinfo=dt.UTC), dt.time(1, 30)),
        (dt.datetime(2027, 3, 26, 12, tzinfo=dt.UTC), dt.time(1, 30)),
        (dt.datetime(2027, 3, 26, 12, tzinfo=dt.UTC), dt.time(2, 0)),
    ],
)
def test_when_the_clocks_change_each_night_is_written_down_once_though_the_beat_restarts(
    link: MisLink, run_at: dt.time, friday: dt.datetime
) -> None:
    MisLink.objects.update(scheduled_since=friday, run_at=run_at)
    written: list[dt.date] = []
    for hour in range(4 * 24):
        if 10 <= hour < 17:
            continue  # no beat through Friday night
        found = nights.tick(friday + hour * HOUR)
        written += [night for _, _, night in found]
        assert not found or nights.tick(friday + hour * HOUR) == []  # a second beat

    assert written == [friday.date() + day * DAY for day in (1, 2, 3, 4)]
    assert ScheduledRun.objects.count() == 4
