"""Fetching from an MIS: when a run begins, what its end means for the link, and what an office is told."""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from hub.accounts.models import Account
from hub.core import scope
from hub.core.models import School
from hub.people.models import Pupil
from imports import collecting, sweeping, tasks
from imports.link import links, nights
from imports.models import Import, ImportState, LinkState, MisLink, ScheduledRun
from mis_connectors.base import Access, Delivery, SettingField, SetUp, Sink
from mis_connectors.errors import ConnectorConfigError, ConnectorUnavailable, SnapshotFormatError
from mis_connectors.records import Snapshot
from tests.factories.pulling import HOUR, PulledMis, a_link, an_mis, install, runs, says, work


@pytest.fixture
def link(school: School, administrator: Account, typed: PulledMis, evening: dt.datetime) -> MisLink:
    """A link that has worked so far, and is next fetched from tonight."""
    return a_link(school, typed, by=administrator, since=evening)


def test_a_due_night_begins_by_itself_and_once(link: MisLink, typed: PulledMis, evening: dt.datetime) -> None:
    work(link, now=evening + 5 * HOUR)
    assert runs(link) == []
    work(link, now=evening + 6 * HOUR)
    work(link, now=evening + 7 * HOUR)
    (run,) = runs(link)
    assert (run.state, run.kind, run.night) == (ImportState.APPLIED, "cloudlink", ScheduledRun.objects.get().night)
    assert Pupil.objects.count() == 2
    assert len(typed.asked) == 1


def test_import_now_begins_at_once(link: MisLink, administrator: Account, evening: dt.datetime) -> None:
    links.want_run(link=link, by=administrator, now=evening)
    work(link, now=evening)
    (run,) = runs(link)
    assert (run.state, run.requested_by, run.night) == (ImportState.APPLIED, str(administrator), None)
    assert link.wanted_at is None


# It does not answer


def test_an_mis_that_does_not_answer_is_asked_again_later_each_time_and_then_given_up(
    link: MisLink, typed: PulledMis, evening: dt.datetime
) -> None:
    says(typed, ConnectorUnavailable("The MIS does not answer.", detail="503"))
    tries, start = [], evening + 6 * HOUR
    # Every minute in which it may be asked, and one before: what came too early shows there.
    for minute in (0, *range(4, 9), *range(24, 34), *range(84, 107), 119):
        before = len(typed.asked)
        work(link, now=start + dt.timedelta(minutes=minute))
        tries += [minute] * (len(typed.asked) - before)
    first, second, third, last = tries
    assert first == 0
    assert 5 <= second <= 7
    assert 20 <= third - second <= 25
    assert 60 <= last - third <= 73
    (run,) = runs(link)
    assert (run.state, run.reasons[0]["code"]) == (ImportState.FAILED, "unavailable")
    assert link.state == LinkState.ENABLED


def test_import_now_does_not_wait_until_the_mis_was_to_be_asked_again(
    link: MisLink, administrator: Account, typed: PulledMis, evening: dt.datetime
) -> None:
    says(typed, ConnectorUnavailable("The MIS does not answer."))
    work(link, now=evening + 6 * HOUR)
    says(typed)
    soon = evening + 6 * HOUR + dt.timedelta(minutes=1)
    work(link, now=soon)
    assert [run.state for run in runs(link)] == [ImportState.QUEUED]
    links.want_run(link=link, by=administrator, now=soon)
    work(link, now=soon)
    work(link, now=soon + dt.timedelta(minutes=2))
    assert [run.state for run in runs(link)] == [ImportState.APPLIED]
    assert (link.wanted_at, len(typed.asked)) == (None, 2)


def test_an_mis_that_asked_us_to_wait_is_left_alone_though_somebody_wants_an_import(
    link: MisLink, administrator: Account, typed: PulledMis, evening: dt.datetime
) -> None:
    says(typed, ConnectorUnavailable("The MIS asks us to wait.", retry_after=7 * 86400))
    night = evening + 6 * HOUR
    work(link, now=night)
    says(typed)
    with pytest.raises(
        links.LinkRefused, match=r"has asked us to wait\. It is asked again tonight at 0[56]:\d\d, by it"
    ):
        links.want_run(link=link, by=administrator, now=night + HOUR)
    MisLink.objects.filter(pk=link.pk).update(wanted_at=night + HOUR)  # asked for in another way
    work(link, now=night + HOUR)
    assert len(typed.asked) == 1
    work(link, now=night + 4 * HOUR)
    assert [run.state for run in runs(link)] == [ImportState.APPLIED]


def test_an_mis_that_answers_again_is_imported_and_nothing_remains_of_it(
    link: MisLink, typed: PulledMis, evening: dt.datetime
) -> None:
    says(typed, ConnectorUnavailable("The MIS does not answer."))
    work(link, now=evening + 6 * HOUR)
    (run,) = runs(link)
    assert run.state == ImportState.QUEUED
    assert run.reasons[0]["sentence"] == "The MIS does not answer."
    says(typed)
    work(link, now=evening + 7 * HOUR)
    (run,) = runs(link)
    assert (run.state, run.reasons, run.not_before) == (ImportState.APPLIED, [], None)


def test_what_the_mis_asks_us_to_wait_is_waited_within_bounds(evening: dt.datetime) -> None:
    assert collecting.again_at(1, 90, now=evening, chance=0) == evening + dt.timedelta(seconds=90)
    assert collecting.again_at(3, None, now=evening, chance=0) == evening + HOUR
    assert collecting.again_at(1, 1e9, now=evening, chance=0) == evening + collecting.LONGEST_WAIT


def test_what_came_before_it_went_wrong_is_kept(link: MisLink, typed: PulledMis, evening: dt.datetime) -> None:
    says(typed, SnapshotFormatError("This is not what the MIS sends."), ("pupils/0001.csv", b"<html>"))
    work(link, now=evening + 6 * HOUR)
    (run,) = runs(link)
    assert (run.state, run.reasons[0]["code"]) == (ImportState.FAILED, "format")
    assert run.payload is not None
    assert run.payload.stored
    assert run.reasons[0]["advice"].endswith(" The one answer that came from Typed is kept for support.")


@pytest.mark.parametrize(
    ("parts", "kept"),
    [(0, ""), (1, " The one answer that came from Typed is kept for support."), (2, " The 2 answers that came before")],
)
def test_what_is_kept_of_a_run_that_was_cut_off_is_said_as_it_is(
    link: MisLink, school: School, typed: PulledMis, evening: dt.datetime, parts: int, kept: str
) -> None:
    """An MIS that speaks of another school is asked nothing more: there is no file, only its first answer."""
    came = [(f"pupils/{number:04}.csv", b"1,Mia,Reed\n") for number in range(parts)]
    says(typed, ConnectorConfigError("Typed answers about another school."), *came)
    work(link, now=evening + 6 * HOUR)
    (run,) = runs(link)
    assert (run.payload is not None) == bool(parts)
    advice = run.reasons[0]["advice"]
    assert "file" not in advice
    assert ("kept" in advice) == bool(parts)
    assert kept in advice


def test_what_was_fetched_and_cannot_be_read_is_no_file_either(
    link: MisLink, typed: PulledMis, evening: dt.datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read(payload: object) -> Snapshot:
        raise SnapshotFormatError("Typed sent something else.")

    monkeypatch.setattr(typed, "read", read)
    work(link, now=evening + 6 * HOUR)
    (run,) = runs(link)
    assert run.reasons[0]["advice"] == "Everything is as it was before. What came is kept for support, for 14 nights."


def test_what_the_operator_has_not_set_is_said(
    school: School, administrator: Account, monkeypatch: pytest.MonkeyPatch, evening: dt.datetime
) -> None:
    mis = an_mis("keyed", SetUp.CREDENTIALS, platform_fields=(SettingField(name="partner_key", label="Partner key"),))
    install(monkeypatch, mis)
    link = a_link(school, mis, by=administrator, since=evening)
    work(link, now=evening + 6 * HOUR)
    (run,) = runs(link)
    assert run.state == ImportState.FAILED
    assert "SCHOOLGATE_MIS_KEYED_PARTNER_KEY" in run.reasons[0]["sentence"]


def test_a_fault_of_a_connector_is_tried_again_and_its_message_is_logged_nowhere(
    link: MisLink, typed: PulledMis, evening: dt.datetime, caplog: pytest.LogCaptureFixture
) -> None:
    mis_says = {"Mia Reed": 1}

    def stumble(access: Access, sink: Sink) -> None:
        name = next(iter(mis_says))
        raise KeyError(name)

    typed.answer = stumble
    work(link, now=evening + 6 * HOUR)
    assert runs(link)[0].state == ImportState.QUEUED
    assert "KeyError" in caplog.text
    assert "Mia" not in caplog.text
    for hour in range(7, 14):
        work(link, now=evening + hour * HOUR)
    assert (runs(link)[0].state, runs(link)[0].reasons[0]["code"]) == (ImportState.FAILED, "internal")


# Workers that die, and runs that meet


def test_a_run_whose_collector_died_is_begun_again_and_given_up_in_the_end(
    link: MisLink, typed: PulledMis, evening: dt.datetime
) -> None:
    def killed(access: Access, sink: Sink) -> None:
        raise SystemExit

    typed.answer = killed
    now, tries = evening + 6 * HOUR, 0
    while tries < 10:
        with contextlib.suppress(SystemExit):
            work(link, now=now)
        if runs(link)[0].state == ImportState.FAILED:
            break
        tries, now = tries + 1, now + collecting.LIMIT + dt.timedelta(seconds=1)
    assert tries == 4
    assert runs(link)[0].reasons[0]["code"] == "interrupted"


def test_a_collector_that_was_given_up_changes_nothing_when_it_comes_back(
    link: MisLink, typed: PulledMis, evening: dt.datetime
) -> None:
    def late(access: Access, sink: Sink) -> None:
        Import.objects.update(collect_attempts=2)  # somebody else has taken over meanwhile
        sink.write("pupils/0001.csv", b"1,Mia,Reed\n")

    typed.answer = late
    work(link, now=evening + 6 * HOUR)
    (run,) = runs(link)
    assert (run.state, run.payload) == (ImportState.COLLECTING, None)


def test_of_one_link_one_run_is_under_way(link: MisLink, administrator: Account, evening: dt.datetime) -> None:
    now = evening + 6 * HOUR
    nights.tick(now)
    sweeping.fetch(now=now)
    links.want_run(link=link, by=administrator, now=now)
    sweeping.fetch(now=now)
    (run,) = runs(link)
    assert run.state == ImportState.QUEUED
    work(link, now=now)
    assert [run.state for run in runs(link)] == [ImportState.APPLIED]
    work(link, now=now)
    assert [run.state for run in runs(link)] == [ImportState.APPLIED, ImportState.UNCHANGED]


def test_a_link_switched_off_while_it_was_fetched_imports_nothing(
    link: MisLink, administrator: Account, typed: PulledMis, evening: dt.datetime
) -> None:
    def switched_off(access: Access, sink: Sink) -> None:
        links.disable(link=MisLink.objects.get(pk=link.pk), by=administrator, now=evening + 6 * HOUR)
        sink.write("pupils/0001.csv", b"1,Mia,Reed\n")

    typed.answer = switched_off
    work(link, now=evening + 6 * HOUR)
    (run,) = runs(link)
    assert run.state == ImportState.DISCARDED
    assert not Pupil.objects.exists()


def test_a_paused_link_is_not_begun(link: MisLink, administrator: Account, evening: dt.datetime) -> None:
    links.pause_after_undo(link=link, why="Undone.", by=administrator, now=evening)
    work(link, now=evening + 6 * HOUR)
    assert runs(link) == []


def test_files_that_are_uploaded_have_no_nights(
    school: School, administrator: Account, monkeypatch: pytest.MonkeyPatch, evening: dt.datetime
) -> None:
    mis = an_mis("by_hand", SetUp.FILE, delivery=Delivery.UPLOAD)
    install(monkeypatch, mis)
    link = links.create_link(school=school, connector="by_hand", by=administrator, now=evening)
    assert link.state == LinkState.ENABLED
    work(link, now=evening + 60 * HOUR)
    assert nights.missed(link, now=evening + 60 * HOUR) == []
    assert nights.next_due(link, now=evening) is None
    assert not ScheduledRun.objects.exists()
    with pytest.raises(links.LinkRefused, match="Upload a file"):
        links.want_run(link=link, by=administrator, now=evening)
    with pytest.raises(links.LinkRefused, match="no night"):
        links.set_schedule(link=link, weekdays=[1], run_at=dt.time(2), by=administrator, now=evening)


# Without a broker


def test_without_a_broker_nothing_is_lost_and_the_tick_asks_again(
    link: MisLink,
    school: School,
    evening: dt.datetime,
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: Callable[..., Any],
) -> None:
    asked: list[tuple[int, int]] = []

    def down(*ids: int) -> None:
        asked.append((ids[0], ids[1]))
        raise ConnectionError("no broker")

    monkeypatch.setattr(tasks.collect_import, "delay", down)
    now = evening + 6 * HOUR
    nights.tick(now)
    with django_capture_on_commit_callbacks(execute=True):
        sweeping.fetch(now=now)
    (run,) = runs(link)
    assert (run.state, asked) == (ImportState.QUEUED, [(school.pk, run.pk)])
    with django_capture_on_commit_callbacks(execute=True):
        sweeping.fetch(now=now + dt.timedelta(seconds=30))
    assert len(asked) == 1
    with django_capture_on_commit_callbacks(execute=True):
        sweeping.fetch(now=now + dt.timedelta(seconds=61))
    assert asked == [(school.pk, run.pk)] * 2
    work(link, now=now + dt.timedelta(seconds=90))
    assert runs(link)[0].state == ImportState.APPLIED
    assert nights.missed(link, now=now + 6 * HOUR) == []


def test_what_is_due_is_found_by_as_many_queries_however_many_schools_there_are(
    school: School, other_school: School, administrator: Account, typed: PulledMis, evening: dt.datetime
) -> None:
    now = evening + 6 * HOUR
    asked = []
    a_link(school, typed, by=administrator, since=evening)
    for another in (None, other_school):
        if another is not None:
            with scope.schools(another.pk):
                a_link(another, typed, by=administrator, since=evening)
        nights.tick(now)
        with scope.every_school(), CaptureQueriesContext(connection) as captured:
            assert collecting.to_begin(now=now)
        asked.append(len(captured))
    assert asked[0] == asked[1]
