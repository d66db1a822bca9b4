"""Histories that hypothesis makes up: no import ever writes, fills or clears what a Connected person confirmed."""

from __future__ import annotations

import pickle
from copy import deepcopy
from functools import cache
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings

from hub.core.models import School
from tests.factories.histories import History, events, live
from tests.factories.histories_db import DatabaseHub
from tests.factories.planning import Hub

QUIET = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.function_scoped_fixture]


@cache
def _begun() -> bytes:
    return pickle.dumps(History(Hub()))


def a_history() -> History:
    """Return a history in memory that has begun: a copy, because its first night is the same each time."""
    history: History = pickle.loads(_begun())
    return history


@settings(max_examples=300, deadline=None, suppress_health_check=QUIET, derandomize=True, database=None)
@given(happened=events())
def test_every_history_keeps_what_people_confirmed_and_follows_the_mis(happened: list[Any]) -> None:
    live(a_history(), happened)


@pytest.mark.long
@settings(max_examples=10_000, deadline=None, suppress_health_check=QUIET, database=None)
@given(happened=events())
def test_ten_thousand_histories(happened: list[Any]) -> None:
    live(a_history(), happened)


@pytest.fixture
def begun(school: School) -> History:
    """A history in PostgreSQL that has begun: each that is lived is a copy of it, undone afterwards."""
    return History(DatabaseHub(school))


def in_the_database(begun: History, happened: list[Any]) -> None:
    with transaction.atomic():
        live(deepcopy(begun), happened)
        transaction.set_rollback(True)


@settings(max_examples=12, deadline=None, suppress_health_check=QUIET, derandomize=True, database=None)
@given(happened=events("undo", "undo"))
def test_the_database_lives_through_histories_and_undo_as_the_model_does(begun: History, happened: list[Any]) -> None:
    in_the_database(begun, happened)


@pytest.mark.long
@settings(max_examples=400, deadline=None, suppress_health_check=QUIET, database=None)
@given(happened=events("undo", "undo", "undo"))
def test_four_hundred_histories_in_the_database(begun: History, happened: list[Any]) -> None:
    in_the_database(begun, happened)
