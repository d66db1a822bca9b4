"""A mother who was invited, at one hour, and what was told to whom."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from typing import Any

import pytest
import time_machine

from hub.accounts.models import Account
from hub.core.models import School
from hub.messaging import notices
from hub.people.models import Contact
from tests.conftest import NOW
from tests.factories.joining import Person
from tests.factories.people import give, make_contact, make_pupil
from verification.invitations import inviting


@pytest.fixture(autouse=True)
def _the_hour() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str, dict[str, Any]]]:
    """What was told to whom: address, template, context."""
    seen: list[tuple[str, str, dict[str, Any]]] = []
    real = notices.send_many

    def send_many(tellings: Iterable[notices.Telling], *, now: dt.datetime) -> Any:
        all_of_them = list(tellings)
        seen.extend((one.to, one.template, dict(one.context)) for one in all_of_them)
        return real(all_of_them, now=now)

    monkeypatch.setattr(notices, "send_many", send_many)
    return seen


@pytest.fixture
def millie(school: School) -> Any:
    return make_pupil(school, "Millie", "Okafor", registration_group="6HB")


@pytest.fixture
def mother(school: School, millie: Any) -> Contact:
    contact = make_contact(school, "Ngozi", "Okafor", millie)
    give(contact, "email", "ngozi@example.org")
    give(contact, "mobile", "+447700900111")
    return contact


@pytest.fixture
def invited(mother: Contact, office: Account, sent: Any) -> Person:
    inviting.invite(owner=mother, by=office, now=NOW)
    return Person(sent)
