"""What an office is told of a link that is fetched from: a wait is no error, and silence is one."""

from __future__ import annotations

import datetime as dt

import pytest
from django.test import Client

from hub.accounts.models import Account
from hub.core.models import Alert, School
from imports import alerts, situation
from imports.link import links
from imports.models import Import, ImportKind, ImportState, LinkState, MisLink
from imports.pages import presenting, runs
from imports.situation import alerts as standing_alerts
from mis_connectors.base import Delivery, SetUp
from tests.factories.links import an_import
from tests.factories.pulling import DAY, HOUR, PulledMis, a_link, an_mis, install


def told(school: School, now: dt.datetime) -> list[str]:
    return [alert.title for alert in standing_alerts(situation.of(school, now=now), now=now)]


def page(client: Client, school: School) -> str:
    return client.get(f"/{school.slug}/").content.decode()


@pytest.fixture
def seen(signed_in: object, administrator: Account) -> Client:
    return signed_in(administrator)  # type: ignore[operator, no-any-return]


def test_a_wait_within_the_time_the_mis_takes_is_no_error(
    school: School, administrator: Account, grant: PulledMis, now: dt.datetime, seen: Client
) -> None:
    link = links.create_link(school=school, connector="granted", by=administrator, now=now)
    links.begin_waiting(link=link, by=administrator, now=now)
    MisLink.objects.update(tried_at=now, tried_said="Not yet.")
    assert told(school, now + 20 * HOUR) == []
    shown = page(seen, school)
    assert "Waiting for Granted." in shown or "takes up to 24 hours to let us in" in shown


def test_a_link_kept_waiting_is_an_alert_that_is_mailed_once_and_closes(
    school: School, administrator: Account, grant: PulledMis, now: dt.datetime
) -> None:
    link = links.create_link(school=school, connector="granted", by=administrator, now=now)
    links.begin_waiting(link=link, by=administrator, now=now)
    later = now + 3 * DAY
    assert told(school, later) == ["Granted has still not let us in"]
    assert alerts.refresh_overdue(later) == 1
    assert alerts.refresh_overdue(later) == 0
    alert = Alert.objects.get(resolved_at=None)
    assert "tried again every night" in alert.body
    MisLink.objects.update(state=LinkState.ENABLED, scheduled_since=later)
    alerts.refresh_overdue(later)
    assert not Alert.objects.filter(resolved_at=None).exists()


@pytest.mark.parametrize(
    ("set_up", "what_to_do"),
    [(SetUp.GRANT, "comes back by itself"), (SetUp.CONSENT, "signed in to"), (SetUp.CREDENTIALS, "the credentials")],
)
def test_who_was_shut_out_is_told_once_and_what_to_do(
    school: School, administrator: Account, monkeypatch: pytest.MonkeyPatch, now: dt.datetime, set_up: SetUp,
    what_to_do: str,
) -> None:  # fmt: skip
    mis = an_mis("shut", set_up)
    install(monkeypatch, mis)
    link = a_link(school, mis, by=administrator, since=now, state=LinkState.RECONNECT)
    MisLink.objects.update(tried_at=now, tried_said="Shut says no.")
    run = an_import(link, at=now, state=ImportState.FAILED, kind=ImportKind.CLOUDLINK)
    run.reasons = [{"code": "refused", "sentence": "Shut says no.", "advice": ""}]
    run.save()
    (alert,) = standing_alerts(situation.of(school, now=now + 3 * DAY), now=now + 3 * DAY)
    assert alert.title == "Shut no longer lets us in"
    assert alert.body.startswith("Shut says no. ")
    assert what_to_do in alert.body


def test_who_is_let_in_at_another_school_is_told_that(
    school: School, administrator: Account, monkeypatch: pytest.MonkeyPatch, now: dt.datetime, seen: Client
) -> None:
    mis = an_mis("shut", SetUp.CONSENT)
    install(monkeypatch, mis)
    link = a_link(school, mis, by=administrator, since=now, state=LinkState.RECONNECT)
    MisLink.objects.update(tried_at=now, tried_said="Shut’s permission is for another school.")
    run = an_import(link, at=now, state=ImportState.FAILED, kind=ImportKind.CLOUDLINK)
    run.reasons = [{"code": "another_school", "sentence": "Shut’s permission is for another school.", "advice": ""}]
    run.save()
    assert told(school, now) == ["Shut lets us in at another school"]
    assert "Shut lets us in at another school." in page(seen, school)
    assert "no longer lets us in" not in page(seen, school)


def test_what_is_withheld_is_told_on_the_overview_until_it_comes_again(
    school: School, administrator: Account, monkeypatch: pytest.MonkeyPatch, now: dt.datetime
) -> None:
    mis = an_mis("shy", SetUp.GRANT)
    install(monkeypatch, mis)
    link = a_link(school, mis, by=administrator, since=now, state=LinkState.ENABLED)
    run = an_import(link, at=now, kind=ImportKind.CLOUDLINK)
    run.counts = {"lacking": ["contact.emails"]}
    run.save()
    assert told(school, now) == ["Shy does not give us email"]
    again = an_import(link, at=now + dt.timedelta(hours=1), kind=ImportKind.CLOUDLINK)
    assert told(school, now + dt.timedelta(hours=2)) == ["Shy does not give us email"], "it was not read"
    again.counts = {"lacking": []}
    again.save()
    assert told(school, now + dt.timedelta(hours=2)) == []


def test_uploads_have_no_missed_nights_and_say_how_old_they_are(
    school: School, administrator: Account, monkeypatch: pytest.MonkeyPatch, now: dt.datetime, seen: Client
) -> None:
    install(monkeypatch, an_mis("by_hand", SetUp.FILE, delivery=Delivery.UPLOAD))
    link = links.create_link(school=school, connector="by_hand", by=administrator, now=now)
    assert "Upload your first file." in page(seen, school)
    an_import(link, at=now - 20 * DAY, kind=ImportKind.UPLOAD)
    assert told(school, now + 20 * DAY) == []
    assert alerts.refresh_overdue(now + 20 * DAY) == 0
    shown = page(seen, school)
    assert "files are uploaded by hand" in shown
    assert "no nights chosen" not in shown


def test_a_run_that_waits_for_the_mis_says_when_it_is_asked_again(now: dt.datetime) -> None:
    run = presenting.Run(
        state="queued", mis_name="Granted", created_at=now, again_at=now + HOUR,
        reasons=[{"sentence": "Granted did not answer.", "advice": ""}],
    )  # fmt: skip
    assert presenting.title(run) == "Granted is asked again at 09:00"
    assert presenting.lead(run).startswith("Granted did not answer. Nothing needs doing")


def test_the_phases_of_a_fetched_run_never_go_back() -> None:
    def reached(**columns: object) -> int:
        run = Import(kind=ImportKind.CLOUDLINK, **columns)
        return [css for css, _ in runs.phases(run, is_push=False)].index("now")

    assert [
        reached(state="queued"), reached(state="collecting"), reached(state="queued", payload_id=1),
        reached(state="reading"), reached(state="applying"),
    ] == [0, 1, 2, 2, 4]  # fmt: skip


def test_every_page_says_that_the_mis_is_asked_again_or_that_the_import_failed(
    school: School, administrator: Account, monkeypatch: pytest.MonkeyPatch, now: dt.datetime, seen: Client
) -> None:
    mis = an_mis("shaky", SetUp.GRANT)
    install(monkeypatch, mis)
    link = a_link(school, mis, by=administrator, since=now, state=LinkState.ENABLED)
    run = an_import(link, at=now, state=ImportState.QUEUED, kind=ImportKind.CLOUDLINK)
    run.not_before, run.finished_at = dt.datetime(2026, 11, 23, 3, 20, tzinfo=dt.UTC), None
    run.reasons = [{"code": "unavailable", "sentence": "Shaky is ill.", "advice": "It is tried again by itself."}]
    run.save()
    place = f"/{school.slug}"
    for address in (f"{place}/imports/", f"{place}/imports/{run.pk}/", f"{place}/settings/mis-link/"):
        shown = seen.get(address).content.decode()
        assert "sked again at 03:20" in shown
        assert "Waiting to start" not in shown
    run.state, run.not_before, run.finished_at = ImportState.FAILED, None, now
    run.save()
    shown = seen.get(f"{place}/settings/mis-link/").content.decode()
    assert " failed</p>" in shown
    assert "Shaky is ill." in shown
