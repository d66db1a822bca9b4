"""Two schools, people who belong to both, and everything that imports, the office and they themselves can do.

No import writes what a Connected person confirmed; every difference is listed; what is settled agrees with the MIS.
"""

from __future__ import annotations

import secrets
from copy import deepcopy
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, Phase, given, settings

from hub.core import scope
from hub.core.models import School
from tests.factories.life import Life, events, live
from tests.factories.life_db import CODE, InDatabase
from tests.factories.life_memory import a_life
from verification import codes
from verification.invitations import letters

QUIET = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.function_scoped_fixture]


@settings(max_examples=300, deadline=None, suppress_health_check=QUIET, derandomize=True, database=None)
@given(happened=events())
def test_every_life_keeps_what_people_confirmed_and_lists_what_differs(happened: list[Any]) -> None:
    live(a_life(), happened)


def test_one_of_two_records_of_a_person_goes_as_the_other_comes_back() -> None:
    """A life that ten thousand found: whoever was back was also taken for gone, and lost the children."""
    orders = [("mis_court_order", 0, 0, 0)] * 6
    drops = [("mis_drop", 0, 2, 0), ("mis_drop", 0, 0, 0), ("night", 0, 0, 0), ("merge", 0, 0, 0)]
    live(a_life(), [*orders, *drops, ("mis_drop", 0, 1, 0), ("mis_return", 0, 0, 0)])


@pytest.mark.long
@settings(max_examples=10_000, deadline=None, suppress_health_check=QUIET, database=None)
@given(happened=events())
def test_ten_thousand_lives(happened: list[Any]) -> None:
    live(a_life(), happened)


class OneCode:
    """`secrets` for codes alone: letters go on having numbers of their own."""

    token_urlsafe = staticmethod(secrets.token_urlsafe)

    def randbelow(self, _limit: int) -> int:
        return int(CODE)


@pytest.fixture(autouse=True)
def _every_code_is_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(f"{codes.__name__}.secrets", OneCode())


@pytest.fixture(autouse=True)
def _letters_are_not_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(f"{letters.__name__}.pdf", lambda made: b"")


@pytest.fixture
def begun(school: School, other_school: School) -> Life:
    """A life in PostgreSQL that has begun: lives are copies of it, each undone afterwards."""
    schools = (school, other_school)
    with scope.schools(*(one.pk for one in schools)):
        return Life(InDatabase(schools))


def in_the_database(begun: Life, happened: list[Any]) -> None:
    undone = transaction.atomic()
    undone._from_testcase = True  # type: ignore[attr-defined]  # as a test's own transaction: `durable` may begin in it
    with scope.schools(*(hub.school.pk for hub in begun.deeds.hubs)), undone:
        live(deepcopy(begun), happened)
        transaction.set_rollback(True)


def test_a_freeze_goes_back_past_an_edit_of_the_office(begun: Life) -> None:
    """A life that three hundred found: the mobile that the office had written over was not put back, but blanked."""
    joined = [("not_me", 1, 4, 15), ("join", 0, 11, 5), ("brought", 0, 18, 26), ("join", 0, 2, 17)]
    in_the_database(begun, [*joined, ("not_me", 0, 4, 11)])


@settings(max_examples=6, deadline=None, suppress_health_check=QUIET, derandomize=True, database=None)
@given(happened=events())
def test_the_services_live_as_the_oracle_says(begun: Life, happened: list[Any]) -> None:
    in_the_database(begun, happened)


# Shown as it failed: a life in PostgreSQL takes seconds, and making it smaller takes hundreds of them.
@pytest.mark.long
@settings(max_examples=300, deadline=None, suppress_health_check=QUIET, database=None, phases=[Phase.generate])
@given(happened=events())
def test_three_hundred_lives_in_the_database(begun: Life, happened: list[Any]) -> None:
    in_the_database(begun, happened)
