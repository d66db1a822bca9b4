"""One login, several lives: staff, a parent, both, neither – each is led home, and nobody is asked for it twice."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest
from django.test import Client

from hub.accounts import selectors
from hub.accounts.models import Account
from hub.core import scope
from hub.core.models import School
from hub.people.models import Connection
from tests.factories.parents import make_login, make_parent

SignIn = Callable[[Account], Client]


@pytest.fixture
def parent(school: School) -> Account:
    account = make_login()
    make_parent(school, account)
    return account


def test_staff_go_to_their_school_parents_to_their_children(
    school: School, office: Account, parent: Account, signed_in: SignIn
) -> None:
    assert signed_in(office).get("/")["Location"] == "/8233001/"
    assert signed_in(parent).get("/")["Location"] == "/home/"


def test_who_is_both_begins_at_the_school_and_finds_the_children_in_the_menu(
    school: School, other_school: School, office: Account, signed_in: SignIn
) -> None:
    assert "My children" not in signed_in(office).get("/8233001/").text
    make_parent(other_school, office)
    client = signed_in(office)
    assert client.get("/")["Location"] == "/8233001/"
    assert "My children" in client.get("/8233001/").text
    assert client.get("/home/").status_code == 200


def test_a_parent_needs_no_second_factor_and_is_no_staff(school: School, parent: Account, signed_in: SignIn) -> None:
    client = signed_in(parent)
    assert client.get("/home/").status_code == 200
    assert client.get("/8233001/").status_code == 404


def test_a_staff_record_or_an_ended_connection_is_no_child(
    school: School, office: Account, parent: Account, now: dt.datetime
) -> None:
    make_parent(school, office, surname="Shah", email="", mobile="")
    assert [one.is_parent for one in selectors.open_memberships(office)] == [True]
    with scope.schools(school.pk):
        Connection.objects.filter(account=office).update(ended_at=now)
    assert [one.is_parent for one in selectors.open_memberships(office)] == [False]
