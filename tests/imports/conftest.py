"""MISs that are fetched from, and the evening before the night on which they are."""

from __future__ import annotations

import datetime as dt

import pytest
from django.utils import timezone

from imports.link import schedule
from mis_connectors.base import SetUp
from tests.factories.pulling import DAY, HOUR, PulledMis, an_mis, install


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
