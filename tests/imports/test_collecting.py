"""Fetching from an MIS: when a run begins, what its end means for the link, and what an office is told."""

from __future__ import annotations

import datetime as dt

import pytest
from django.utils import timezone

from hub.accounts.models import Account
from hub.core.models import School
from hub.people.models import Pupil
from imports import collecting, services, sweeping
from imports.link import links, nights, onboarding
from imports.models import Import, ImportState, LinkState, MisLink, ScheduledRun
from mis_connectors.base import Access, SetUp, Sink
from mis_connectors.errors import (
    ConnectorAuthError,
    ConnectorConfigError,
    ConnectorError,
    ConnectorUnavailable,
    SnapshotFormatError,
)
from tests.factories.pulling import PulledMis, a_link, an_mis, install, runs

HOUR = dt.timedelta(hours=1)
DAY = dt.timedelta(days=1)
REFUSED = ConnectorAuthError("The MIS does not let us in yet.", detail="401")


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
    today = timezone.now().astimezone(nights.schedule.LONDON).date()
    return nights.schedule.night_due(today + DAY, dt.time(2, 0)) - 6 * HOUR


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
