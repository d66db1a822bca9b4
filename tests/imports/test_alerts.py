"""Alerts about imports: raised while they stand, resolved when they do not, mailed once."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.core import mail
from django.db import connection
from django.test.utils import CaptureQueriesContext

from hub.accounts.models import Account
from hub.core import scope
from hub.core.alerts import raise_alert
from hub.core.models import Alert, School
from hub.messaging.mail import MailNotSent
from imports import alerts, standing
from imports.link import links
from imports.models import AgentToken, ImportState, LinkState, MisLink, Rejection
from tests.factories.imports import a_rejection
from tests.factories.links import an_import, enabled_link

LAST_NIGHT = dt.datetime(2026, 11, 23, 2, 4, tzinfo=dt.UTC)


@pytest.fixture
def link(school: School, administrator: Account, now: dt.datetime) -> MisLink:
    return enabled_link(school, by=administrator, since=now - dt.timedelta(days=1, hours=4))


@pytest.fixture(autouse=True)
def _operator(settings: Any) -> None:
    settings.OPERATOR_EMAIL = "operator@example.org"
    settings.PUBLIC_URL = "https://hub.example.org"


def open_keys(school: School) -> list[str]:
    with scope.schools(school.pk):
        return sorted(Alert.objects.filter(school=school, resolved_at=None).values_list("key", flat=True))


def test_a_failure_is_raised_and_resolved_by_the_next_import(school: School, link: MisLink, now: dt.datetime) -> None:
    an_import(link, at=LAST_NIGHT, state=ImportState.FAILED, night=LAST_NIGHT.date())
    alerts.refresh(school, now)
    assert open_keys(school) == [standing.FAILED]
    an_import(link, at=now, night=LAST_NIGHT.date())
    alerts.refresh(school, now)
    assert open_keys(school) == []


def test_a_night_that_stays_away_is_raised_without_any_task_having_run(
    school: School, link: MisLink, now: dt.datetime
) -> None:
    assert alerts.refresh_overdue(now) == 1
    assert open_keys(school) == [standing.MISSED]
    assert alerts.refresh_overdue(now) == 0
    an_import(link, at=now)
    assert alerts.refresh_overdue(now) == 1
    assert open_keys(school) == []


def test_a_night_is_not_missed_before_its_grace_is_over(school: School, link: MisLink) -> None:
    an_import(link, at=LAST_NIGHT - dt.timedelta(days=1), night=LAST_NIGHT.date() - dt.timedelta(days=1))
    assert alerts.refresh_overdue(LAST_NIGHT + dt.timedelta(minutes=30)) == 0


@pytest.mark.parametrize("change", ["disable", "pause_until"])
def test_nothing_is_missed_of_a_link_that_is_off_or_paused(
    change: str, school: School, link: MisLink, administrator: Account, now: dt.datetime
) -> None:
    alerts.refresh_overdue(now)
    if change == "disable":
        links.disable(link=link, by=administrator, now=now)
        alerts.refresh_overdue(now)
        alerts.refresh(school, now)
        assert open_keys(school) == []
    else:
        an_import(link, at=now)
        links.pause_until(link=link, until=dt.date(2026, 11, 30), by=administrator, now=now)
        assert alerts.refresh_overdue(now + dt.timedelta(days=3)) == 1
        assert open_keys(school) == []


def test_an_agent_that_falls_silent_is_raised_and_its_next_word_resolves_it(
    school: School, link: MisLink, administrator: Account, now: dt.datetime
) -> None:
    an_import(link, at=LAST_NIGHT, night=LAST_NIGHT.date())
    token, _ = links.create_token(link=link, name="OFFICE-PC", by=administrator, now=now)
    AgentToken.objects.filter(pk=token.pk).update(last_seen_at=now - dt.timedelta(hours=27))
    alerts.refresh_overdue(now)
    assert open_keys(school) == [standing.SILENT]
    AgentToken.objects.filter(pk=token.pk).update(last_seen_at=now)
    alerts.refresh_overdue(now)
    assert open_keys(school) == []


def test_a_hold_that_was_decided_and_a_link_that_was_resumed_stand_no_more(
    school: School, link: MisLink, administrator: Account, now: dt.datetime
) -> None:
    run = an_import(link, at=LAST_NIGHT, state=ImportState.HELD, night=LAST_NIGHT.date())
    links.pause_after_undo(link=link, why="An import was undone.", by=administrator, now=now)
    alerts.refresh_overdue(now)
    assert open_keys(school) == [standing.HELD, standing.PAUSED]
    run.decided_at = now
    run.save()
    links.resume(link=link, by=administrator, now=now)
    alerts.refresh_overdue(now)
    assert open_keys(school) == []
    assert alerts.refresh_overdue(now) == 0


def test_stored_alerts_and_mails_name_nobody(school: School, link: MisLink, now: dt.datetime) -> None:
    run = an_import(link, at=LAST_NIGHT, night=LAST_NIGHT.date())
    a_rejection(run, severity=Rejection.ROW, at=now)
    alerts.refresh(school, now)
    alerts.mail_new(now)
    (alert,) = Alert.objects.filter(school=school)
    assert alert.title == "1 record was rejected"
    for text in (alert.body, *(one.body for one in mail.outbox)):
        assert "Marsh" not in text
        assert "0770" not in text


def test_a_new_alert_is_mailed_once_to_the_office_and_the_operator(
    school: School, link: MisLink, now: dt.datetime
) -> None:
    an_import(link, at=LAST_NIGHT, state=ImportState.FAILED, night=LAST_NIGHT.date())
    alerts.refresh(school, now)
    assert alerts.mail_new(now) == 1
    assert [one.to for one in mail.outbox] == [["office@8233001.example.org"], ["operator@example.org"]]
    assert mail.outbox[0].subject == "Larch Hill Primary: Last night's import failed"
    assert "https://hub.example.org/8233001/imports/" in mail.outbox[0].body
    alerts.refresh(school, now)
    assert alerts.mail_new(now + dt.timedelta(minutes=1)) == 0
    assert len(mail.outbox) == 2


def test_several_new_alerts_of_a_school_are_one_mail(school: School, other_school: School, now: dt.datetime) -> None:
    for key in ("one", "two"):
        raise_alert(school=school, key=key, severity="warn", title=f"Title {key}", now=now)
    raise_alert(school=school, key="three", severity="quiet", title="Only to know", now=now)
    alerts.mail_new(now)
    assert len(mail.outbox) == 2
    assert mail.outbox[0].subject == "Larch Hill Primary: Title one (and 1 more)"
    assert "Title two" in mail.outbox[0].body
    assert "Only to know" not in mail.outbox[0].body


def refuse(*addresses: str) -> Callable[..., None]:
    sent: list[str] = []

    def send(*, to: str, **given: object) -> None:
        if to in addresses:
            raise MailNotSent("No.")
        sent.append(to)

    send.sent = sent  # type: ignore[attr-defined]
    return send


def test_a_mail_that_reached_nobody_is_tried_again(
    school: School, now: dt.datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    raise_alert(school=school, key="one", severity="bad", title="Title", now=now)
    monkeypatch.setattr("hub.messaging.mail.send", refuse("office@8233001.example.org", "operator@example.org"))
    assert alerts.mail_new(now) == 0
    assert Alert.objects.get(school=school).mailed_at is None
    monkeypatch.undo()
    assert alerts.mail_new(now) == 1


def test_one_bad_address_does_not_mail_the_other_twice(
    school: School, now: dt.datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    raise_alert(school=school, key="one", severity="bad", title="Title", now=now)
    send = refuse("office@8233001.example.org")
    monkeypatch.setattr("hub.messaging.mail.send", send)
    alerts.mail_new(now)
    alerts.mail_new(now)
    assert send.sent == ["operator@example.org"]  # type: ignore[attr-defined]


def test_looking_for_silence_costs_the_same_for_any_number_of_schools(
    school: School, other_school: School, administrator: Account, stranger: Account, now: dt.datetime
) -> None:
    enabled_link(school, by=administrator, since=now)
    few = _queries(lambda: alerts.refresh_overdue(now))
    with scope.schools(other_school.pk):
        enabled_link(other_school, by=stranger, since=now)
    assert _queries(lambda: alerts.refresh_overdue(now)) == few


def _queries(work: Callable[[], Any]) -> int:
    with CaptureQueriesContext(connection) as seen:
        work()
    return len([one for one in seen if "set_config" not in one["sql"]])


def test_awaited_credentials_are_told_to_the_office_and_the_operator_and_end_when_typed_in(
    school: School, link: MisLink, now: dt.datetime
) -> None:
    MisLink.objects.filter(pk=link.pk).update(state=LinkState.AWAITING_CREDENTIALS, scheduled_since=None)
    assert alerts.refresh_overdue(now) == 1
    assert open_keys(school) == [standing.AWAITED]
    alerts.mail_new(now)
    assert {message.to[0] for message in mail.outbox} == {school.office_email, "operator@example.org"}
    MisLink.objects.filter(pk=link.pk).update(state=LinkState.WAITING)
    assert alerts.refresh_overdue(now) == 1
    assert open_keys(school) == []
