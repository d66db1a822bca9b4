"""Histories that hypothesis makes up: no import ever writes, fills or clears what a Connected person confirmed."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings

from hub.core.models import School
from tests.factories.histories import History, events, live
from tests.factories.histories_db import DatabaseHub
from tests.factories.planning import Hub

QUIET = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.function_scoped_fixture]


@settings(max_examples=300, deadline=None, suppress_health_check=QUIET, derandomize=True, database=None)
@given(happened=events())
def test_every_history_keeps_what_people_confirmed_and_follows_the_mis(happened: list[Any]) -> None:
    live(History(Hub()), happened)


@pytest.mark.long
@settings(max_examples=10_000, deadline=None, suppress_health_check=QUIET, database=None)
@given(happened=events())
def test_ten_thousand_histories(happened: list[Any]) -> None:
    live(History(Hub()), happened)


def in_the_database(school: School, happened: list[Any]) -> None:
    with transaction.atomic():
        live(History(DatabaseHub(school)), happened)
        transaction.set_rollback(True)


@settings(max_examples=12, deadline=None, suppress_health_check=QUIET, derandomize=True, database=None)
@given(happened=events("undo", "undo"))
def test_the_database_lives_through_histories_and_undo_as_the_model_does(school: School, happened: list[Any]) -> None:
    in_the_database(school, happened)


@pytest.mark.long
@settings(max_examples=400, deadline=None, suppress_health_check=QUIET, database=None)
@given(happened=events("undo", "undo", "undo"))
def test_four_hundred_histories_in_the_database(school: School, happened: list[Any]) -> None:
    in_the_database(school, happened)
