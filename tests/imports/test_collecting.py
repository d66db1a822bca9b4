"""Fetching from an MIS: when a run begins, what its end means for the link, and what an office is told."""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from hub.accounts.models import Account
from hub.core import scope
from hub.core.models import School
from hub.people.models import Pupil
from imports import collecting, services, situation, sweeping, tasks
from imports.link import links, nights, onboarding, schedule, secrets
from imports.models import Import, ImportState, LinkState, MisLink, ScheduledRun
from mis_connectors.base import Access, Delivery, SettingField, SetUp, Sink
from mis_connectors.errors import (
    ConnectorAuthError,
    ConnectorConfigError,
    ConnectorError,
    ConnectorPlatformError,
    ConnectorUnavailable,
    SnapshotFormatError,
)
from mis_connectors.records import Snapshot
from tests.factories.pulling import PulledMis, a_link, an_mis, install, runs

HOUR = dt.timedelta(hours=1)
DAY = dt.timedelta(days=1)
REFUSED = ConnectorAuthError("The MIS does not let us in yet.", detail="401")
KEY_REFUSED = ConnectorPlatformError("The MIS does not accept the hub's key: tell whoever runs it.", detail="401")


@pytest.fixture
def grant(monkeypatch: pytest.MonkeyPatch) -> PulledMis:
    mis = an_mis("granted", SetUp.GRANT, grace=DAY)
    install(monkeypatch, mis)
    return mis


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch) -> PulledMis:
    mis = an_mis("typed", SetUp.CREDENTIALS)
    install(monkeypatch, mis)
    return mis


@pytest.fixture
def evening() -> dt.datetime:
    """Six hours before 02:00, close to the real time: what is finished is stamped by the clock."""
    today = timezone.now().astimezone(schedule.LONDON).date()
    return schedule.night_due(today + DAY, dt.time(2, 0)) - 6 * HOUR


def says(mis: PulledMis, error: ConnectorError | None = None, *parts: tuple[str, bytes]) -> None:
    def answer(access: Access, sink: Sink) -> None:
        for name, body in parts:
            sink.write(name, body)
        if error is not None:
            raise error

    mis.answer = answer if error or parts else PulledMis.pupils


def work(link: MisLink, *, now: dt.datetime) -> MisLink:
    """Do what the tick and the workers would do now."""
    nights.tick(now)
    sweeping.fetch(now=now)
    for run in Import.objects.filter(link=link, payload=None, state=ImportState.QUEUED):
        collecting.collect(import_id=run.pk, now=now)
    for run in Import.objects.filter(link=link, payload__isnull=False, state=ImportState.QUEUED):
        services.run(import_id=run.pk, now=now)
    link.refresh_from_db()
    return link


def test_a_due_night_begins_by_itself_and_once(
    school: School, administrator: Account, typed: PulledMis, evening: dt.datetime
) -> None:
    link = a_link(school, typed, by=administrator, since=evening)
    work(link, now=evening + 5 * HOUR)
    assert runs(link) == []
    work(link, now=evening + 6 * HOUR)
    work(link, now=evening + 7 * HOUR)
    (run,) = runs(link)
    assert (run.state, run.kind, run.night) == (ImportState.APPLIED, "cloudlink", ScheduledRun.objects.get().night)
    assert Pupil.objects.count() == 2
    assert len(typed.asked) == 1


def test_import_now_begins_at_once(
    school: School, administrator: Account, typed: PulledMis, evening: dt.datetime
) -> None:
    link = a_link(school, typed, by=administrator, since=evening)
    links.want_run(link=link, by=administrator, now=evening)
    work(link, now=evening)
    (run,) = runs(link)
    assert (run.state, run.requested_by, run.night) == (ImportState.APPLIED, str(administrator), None)
    assert link.wanted_at is None


# Not let in yet


def waiting(school: School, by: Account, mis: PulledMis, *, since: dt.datetime) -> MisLink:
    link = links.create_link(school=school, connector=mis.info.slug, by=by, now=since)
    return links.begin_waiting(link=link, by=by, now=since)


@pytest.mark.parametrize("refusal", [REFUSED, KEY_REFUSED])
def test_a_granted_link_is_tried_at_once_and_a_refusal_is_no_failure(
    school: School, administrator: Account, grant: PulledMis, evening: dt.datetime, refusal: ConnectorError
) -> None:
    """Whichever way the MIS refuses us before the school is known there: of the hub's own key too."""
    link = waiting(school, administrator, grant, since=evening)
    says(grant, refusal)
    work(link, now=evening)
    assert link.state == LinkState.WAITING
    assert (link.tried_said, link.wanted_at) == (refusal.message, None)
    assert runs(link) == []


def test_while_waiting_each_night_is_tried_once_and_none_is_missed(
    school: School, administrator: Account, grant: PulledMis, evening: dt.datetime
) -> None:
    link = waiting(school, administrator, grant, since=evening)
    says(grant, REFUSED)
    tries = []
    for hour in range(60):
        before = len(grant.asked)
        work(link, now=evening + hour * HOUR)
        tries += [hour] * (len(grant.asked) - before)
    assert tries == [0, 6, 30, 54]
    assert nights.missed(link, now=evening + 60 * HOUR) == []
    assert runs(link) == []


def test_what_is_collected_while_waiting_enables_the_link_and_is_imported(
    school: School, administrator: Account, grant: PulledMis, evening: dt.datetime
) -> None:
    link = waiting(school, administrator, grant, since=evening)
    says(grant, REFUSED)
    work(link, now=evening)
    says(grant)
    work(link, now=evening + 6 * HOUR)
    assert link.state == LinkState.ENABLED
    assert (link.tried_at, link.tried_said) == (None, "")
    assert [run.state for run in runs(link)] == [ImportState.APPLIED]
    assert nights.missed(link, now=evening + 12 * HOUR) == []
    work(link, now=evening + 30 * HOUR)
    assert len(runs(link)) == 2


def test_somebody_is_told_only_after_the_time_the_mis_takes_and_one_night(
    school: School, administrator: Account, grant: PulledMis, evening: dt.datetime
) -> None:
    link = waiting(school, administrator, grant, since=evening)
    says(grant, REFUSED)
    told = []
    for hour in (0, 6, 23, 25, 29, 30, 31):
        work(link, now=evening + hour * HOUR)
        told.append(onboarding.is_kept_waiting(link, grant.info, now=evening + hour * HOUR))
    assert told == [False, False, False, False, False, True, True]


def test_somebody_is_told_as_well_if_nothing_tried(
    school: School, administrator: Account, grant: PulledMis, evening: dt.datetime
) -> None:
    link = waiting(school, administrator, grant, since=evening)
    assert not onboarding.is_kept_waiting(link, grant.info, now=evening + 31 * HOUR)
    assert onboarding.is_kept_waiting(link, grant.info, now=evening + 32 * HOUR)


def test_asking_again_while_waiting_does_not_begin_the_wait_anew(
    school: School, administrator: Account, grant: PulledMis, evening: dt.datetime
) -> None:
    link = waiting(school, administrator, grant, since=evening)
    links.begin_waiting(link=link, by=administrator, now=evening + 5 * HOUR)
    assert link.state_since == evening
    assert link.wanted_at == evening + 5 * HOUR


# Credentials and consent


def test_credentials_are_awaited_typed_in_and_tried_at_once(
    school: School, administrator: Account, typed: PulledMis, evening: dt.datetime
) -> None:
    link = links.create_link(school=school, connector="typed", by=administrator, now=evening)
    links.await_credentials(link=link, by=administrator, now=evening)
    assert link.state == LinkState.AWAITING_CREDENTIALS
    assert work(link, now=evening + 30 * HOUR).state == LinkState.AWAITING_CREDENTIALS
    later = evening + 31 * HOUR
    links.give_settings(link=link, values={"account": "sg1", "password": "hidden"}, by=administrator, now=later)
    assert link.state == LinkState.WAITING
    assert b"hidden" not in bytes(link.secrets)
    work(link, now=later)
    assert link.state == LinkState.ENABLED
    assert typed.asked[0].settings == {"account": "sg1"}
    assert typed.asked[0].secrets == {"password": "hidden"}


def test_what_cannot_be_right_is_said_by_field_and_kept_nowhere(
    school: School, administrator: Account, typed: PulledMis, evening: dt.datetime
) -> None:
    link = links.create_link(school=school, connector="typed", by=administrator, now=evening)
    with pytest.raises(links.SettingsRefused) as refused:
        links.give_settings(link=link, values={"account": "wrong"}, by=administrator, now=evening)
    assert refused.value.problems == {
        "account": "This account is another school's.",
        "password": "Type in the password.",
    }
    link.refresh_from_db()
    assert (link.state, link.settings) == (LinkState.NOT_SET_UP, {})


def test_a_secret_left_empty_stays_as_it_is(
    school: School, administrator: Account, typed: PulledMis, evening: dt.datetime
) -> None:
    link = links.create_link(school=school, connector="typed", by=administrator, now=evening)
    for account, password in (("one", "first"), ("two", "")):
        values = {"account": account, "password": password}
        links.give_settings(link=link, values=values, by=administrator, now=evening)
    work(link, now=evening)
    assert (typed.asked[0].settings, typed.asked[0].secrets) == ({"account": "two"}, {"password": "first"})


def test_wrong_credentials_fail_at_once_with_the_sentence_of_the_mis(
    school: School, administrator: Account, typed: PulledMis, evening: dt.datetime
) -> None:
    link = links.create_link(school=school, connector="typed", by=administrator, now=evening)
    values = {"account": "sg1", "password": "no"}
    links.give_settings(link=link, values=values, by=administrator, now=evening)
    says(typed, REFUSED)
    work(link, now=evening)
    assert link.state == LinkState.RECONNECT
    (run,) = runs(link)
    assert (run.state, run.reasons[0]["sentence"]) == (ImportState.FAILED, "The MIS does not let us in yet.")
    assert run.payload is None
    for hour in range(1, 60):
        work(link, now=evening + hour * HOUR)
    assert len(typed.asked) == 1
    assert len(runs(link)) == 1


def test_consent_is_kept_and_tried_at_once(
    school: School, administrator: Account, monkeypatch: pytest.MonkeyPatch, evening: dt.datetime
) -> None:
    mis = an_mis("consent", SetUp.CONSENT)
    install(monkeypatch, mis)
    link = links.create_link(school=school, connector="consent", by=administrator, now=evening)
    links.authorised(link=link, kept={"refresh": "r1"}, by=administrator, now=evening)
    work(link, now=evening)
    assert link.state == LinkState.ENABLED
    assert mis.asked[0].secrets == {"refresh": "r1"}


def test_rotated_credentials_are_kept_even_if_the_run_then_fails(
    school: School, administrator: Account, typed: PulledMis, evening: dt.datetime
) -> None:
    link = a_link(school, typed, by=administrator, since=evening)

    def rotate(access: Access, sink: Sink) -> None:
        access.save_secrets({"refresh": "new"})
        raise SnapshotFormatError("This is not what the MIS sends.")

    typed.answer = rotate
    work(link, now=evening + 6 * HOUR)
    assert secrets.secrets_of(link) == {"refresh": "new"}
    assert runs(link)[0].state == ImportState.FAILED


# Shut out again


def test_a_withdrawn_access_asks_to_reconnect_and_the_nights_show_as_not_run(
    school: School, administrator: Account, typed: PulledMis, evening: dt.datetime
) -> None:
    link = a_link(school, typed, by=administrator, since=evening)
    says(typed, REFUSED)
    for hour in range(6, 60, 6):
        work(link, now=evening + hour * HOUR)
    assert link.state == LinkState.RECONNECT
    assert [run.state for run in runs(link)] == [ImportState.FAILED]
    assert [night.state for night in nights.last_nights(link, now=evening + 60 * HOUR)][-3:] == [
        "bad", "missed", "missed",
    ]  # fmt: skip


def test_a_hub_whose_key_is_refused_sends_no_school_to_connect_again(
    school: School, administrator: Account, grant: PulledMis, evening: dt.datetime
) -> None:
    link = a_link(school, grant, by=administrator, since=evening)
    says(grant, KEY_REFUSED)
    for hour in (6, 30):
        work(link, now=evening + hour * HOUR)
    assert link.state == LinkState.ENABLED
    assert [(run.state, run.reasons[0]["code"]) for run in runs(link)] == [(ImportState.FAILED, "platform")] * 2
    (alert,) = situation.alerts(situation.of(school, now=evening + 31 * HOUR), now=evening + 31 * HOUR)
    assert alert.title == "Granted refuses this hub: whoever runs it has to act"
    assert alert.body.startswith("The MIS does not accept the hub's key: tell whoever runs it.")
    says(grant)
    work(link, now=evening + 54 * HOUR)
    assert (link.state, runs(link)[-1].state) == (LinkState.ENABLED, ImportState.APPLIED)


def test_a_granted_link_that_was_shut_out_and_is_not_known_yet_stays_so(
    school: School, administrator: Account, grant: PulledMis, evening: dt.datetime
) -> None:
    link = a_link(school, grant, by=administrator, since=evening)
    says(grant, REFUSED)
    work(link, now=evening + 6 * HOUR)
    says(grant, KEY_REFUSED)
    work(link, now=evening + 30 * HOUR)
    assert (link.state, len(grant.asked), len(runs(link))) == (LinkState.RECONNECT, 2, 1)


def test_a_granted_link_that_was_shut_out_comes_back_by_itself(
    school: School, administrator: Account, grant: PulledMis, evening: dt.datetime
) -> None:
    link = a_link(school, grant, by=administrator, since=evening)
    says(grant, REFUSED)
    work(link, now=evening + 6 * HOUR)
    work(link, now=evening + 30 * HOUR)
    assert (link.state, len(grant.asked), len(runs(link))) == (LinkState.RECONNECT, 2, 1)
    says(grant)
    work(link, now=evening + 54 * HOUR)
    assert link.state == LinkState.ENABLED
    assert [run.state for run in runs(link)] == [ImportState.FAILED, ImportState.APPLIED]


def test_a_pull_link_is_not_simply_switched_on(
    school: School, administrator: Account, grant: PulledMis, evening: dt.datetime
) -> None:
    link = links.create_link(school=school, connector="granted", by=administrator, now=evening)
    with pytest.raises(links.LinkRefused, match="follow its steps"):
        links.enable(link=link, by=administrator, now=evening)
    links.begin_waiting(link=link, by=administrator, now=evening)
    links.disable(link=link, by=administrator, now=evening)
    assert links.enable(link=link, by=administrator, now=evening).state == LinkState.WAITING


# It does not answer


def test_an_mis_that_does_not_answer_is_asked_again_later_each_time_and_then_given_up(
    school: School, administrator: Account, typed: PulledMis, evening: dt.datetime
) -> None:
    link = a_link(school, typed, by=administrator, since=evening)
    says(typed, ConnectorUnavailable("The MIS does not answer.", detail="503"))
    tries, start = [], evening + 6 * HOUR
    for minute in range(120):
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
    school: School, administrator: Account, typed: PulledMis, evening: dt.datetime
) -> None:
    link = a_link(school, typed, by=administrator, since=evening)
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
    school: School, administrator: Account, typed: PulledMis, evening: dt.datetime
) -> None:
    link = a_link(school, typed, by=administrator, since=evening)
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
    school: School, administrator: Account, typed: PulledMis, evening: dt.datetime
) -> None:
    link = a_link(school, typed, by=administrator, since=evening)
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


def test_what_came_before_it_went_wrong_is_kept(
    school: School, administrator: Account, typed: PulledMis, evening: dt.datetime
) -> None:
    link = a_link(school, typed, by=administrator, since=evening)
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
    school: School, administrator: Account, typed: PulledMis, evening: dt.datetime, parts: int, kept: str
) -> None:
    """An MIS that speaks of another school is asked nothing more: there is no file, only its first answer."""
    link = a_link(school, typed, by=administrator, since=evening)
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
    school: School, administrator: Account, typed: PulledMis, evening: dt.datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read(payload: object) -> Snapshot:
        raise SnapshotFormatError("Typed sent something else.")

    monkeypatch.setattr(typed, "read", read)
    link = a_link(school, typed, by=administrator, since=evening)
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
    school: School, administrator: Account, typed: PulledMis, evening: dt.datetime, caplog: pytest.LogCaptureFixture
) -> None:
    link = a_link(school, typed, by=administrator, since=evening)

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
    school: School, administrator: Account, typed: PulledMis, evening: dt.datetime
) -> None:
    link = a_link(school, typed, by=administrator, since=evening)

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
    school: School, administrator: Account, typed: PulledMis, evening: dt.datetime
) -> None:
    link = a_link(school, typed, by=administrator, since=evening)

    def late(access: Access, sink: Sink) -> None:
        Import.objects.update(collect_attempts=2)  # somebody else has taken over meanwhile
        sink.write("pupils/0001.csv", b"1,Mia,Reed\n")

    typed.answer = late
    work(link, now=evening + 6 * HOUR)
    (run,) = runs(link)
    assert (run.state, run.payload) == (ImportState.COLLECTING, None)


def test_of_one_link_one_run_is_under_way(
    school: School, administrator: Account, typed: PulledMis, evening: dt.datetime
) -> None:
    link = a_link(school, typed, by=administrator, since=evening)
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
    school: School, administrator: Account, typed: PulledMis, evening: dt.datetime
) -> None:
    link = a_link(school, typed, by=administrator, since=evening)

    def switched_off(access: Access, sink: Sink) -> None:
        links.disable(link=MisLink.objects.get(pk=link.pk), by=administrator, now=evening + 6 * HOUR)
        sink.write("pupils/0001.csv", b"1,Mia,Reed\n")

    typed.answer = switched_off
    work(link, now=evening + 6 * HOUR)
    (run,) = runs(link)
    assert run.state == ImportState.DISCARDED
    assert not Pupil.objects.exists()


def test_a_paused_link_is_not_begun(
    school: School, administrator: Account, typed: PulledMis, evening: dt.datetime
) -> None:
    link = a_link(school, typed, by=administrator, since=evening)
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
    school: School, administrator: Account, typed: PulledMis, evening: dt.datetime, monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: Callable[..., Any],
) -> None:  # fmt: skip
    link = a_link(school, typed, by=administrator, since=evening)
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


def test_what_has_to_be_typed_in_is_not_waited_for(
    school: School, administrator: Account, typed: PulledMis, evening: dt.datetime
) -> None:
    link = links.create_link(school=school, connector="typed", by=administrator, now=evening)
    with pytest.raises(links.LinkRefused, match="Follow the steps"):
        links.begin_waiting(link=link, by=administrator, now=evening)
