"""MISs that are fetched from, the evening before the night on which they are, and a school one night later."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from copy import deepcopy

import pytest
from django.utils import timezone

from hub.core import scope
from hub.core.models import School
from imports.link import schedule
from imports.models import ImportState
from mis_connectors.base import SetUp
from tests.conftest import make_school
from tests.factories.pulling import DAY, HOUR, PulledMis, an_mis, install
from tests.factories.running import Nights


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


@pytest.fixture(scope="module")
def first_night(written_once: Callable[[Callable[[], Nights]], Nights]) -> Nights:
    """A school whose first import is in, brought in once for a module: each test works on a copy of it.

    A module that asks for it makes this school its `school`; one without any import is `other_school`.
    """

    def bring_in() -> Nights:
        made = make_school("Larch Hill Primary", "8233001")
        with scope.schools(made.pk):
            begun = Nights.of(made)
            assert begun.night().state == ImportState.APPLIED
        return begun

    return written_once(bring_in)


@pytest.fixture
def nights(school: School, first_night: Nights) -> Nights:
    """The first night is over; what comes now, only this test sees."""
    return deepcopy(first_night)
