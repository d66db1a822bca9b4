"""Ngozi Okafor, who has Millie at Larch Hill and Sam at Beck Road, and another family beside hers."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone

from hub.accounts.models import Account
from hub.core import catalogues, scope
from hub.core.models import School
from hub.people.models import Connection, Contact, Pupil
from tests.factories.changes import make_change
from tests.factories.parents import make_login, make_parent
from tests.factories.people import make_pupil
from tests.portal import pseudo
from verification.models import DetailChange

DAY = dt.timedelta(days=1)


@pytest.fixture(autouse=True, scope="session")
def _what_is_said_is_collected_once() -> Iterator[None]:
    """Reading every module and template takes most of a second, and they say the same each time."""
    look, project = catalogues._found, Path(settings.BASE_DIR)

    @cache
    def once(place: Path) -> list[tuple[Path, list[catalogues.Message]]]:
        return list(look(place))

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(catalogues, "_found", lambda place: once(place) if place == project else look(place))
        yield


@dataclass
class Parent:
    """A login with its connections and a browser."""

    account: Account
    connections: list[Connection]
    client: Client

    @property
    def contact(self) -> Contact:
        contact = self.connections[0].contact
        assert contact is not None
        return contact

    @property
    def elsewhere(self) -> Contact:
        contact = self.connections[1].contact
        assert contact is not None
        return contact

    @property
    def pupil(self) -> Pupil:
        with scope.schools(self.contact.school_id):
            link = self.contact.links.select_related("pupil").first()
            assert link is not None
            return link.pupil


@pytest.fixture
def ngozi(school: School, signed_in: Callable[[Account], Client]) -> Parent:
    """A parent of one school."""
    account = make_login()
    return Parent(account, [make_parent(school, account)], signed_in(account))


@pytest.fixture
def ngozi_at_both(ngozi: Parent, other_school: School) -> Parent:
    """The same, with a child at Beck Road too; nothing is proved there."""
    ngozi.connections.append(make_parent(other_school, ngozi.account, proven=()))
    return ngozi


@pytest.fixture
def tom(school: School, signed_in: Callable[[Account], Client]) -> Parent:
    """Another family of Larch Hill."""
    account = make_login("tom@example.org", "Tom Marsh")
    made = make_parent(
        school, account, forename="Tom", surname="Marsh", email="tom@example.org", mobile="+447700900777"
    )
    return Parent(account, [made], signed_in(account))


def ask(contact: Contact, value: str = "new@example.org", field: str = "email", **fields: Any) -> DetailChange:
    """A question of the school that waits for an answer, since two days."""
    made_at = fields.pop("made_at", timezone.now() - 2 * DAY)
    fields = {
        "old_value": "ngozi@example.org",
        "origin": "organisation",
        "made_by": "Priya Shah",
        "status": "pending",
        "mis_state": "",
        "made_at": made_at,
        "effective_at": None,
        "deadline": made_at + 7 * DAY,
    } | fields
    with scope.schools(contact.school_id):
        return make_change(contact, field=field, new_value=value, **fields)


def add_children(contact: Contact, number: int) -> None:
    from tests.factories.people import link

    with scope.schools(contact.school_id):
        for at in range(number):
            link(make_pupil(contact.school, f"Child{at}"), contact)


@pytest.fixture
def pseudo_language(settings: Any, tmp_path: Path) -> None:
    """A second language beside English, in which everything that can be translated is marked."""
    pseudo.write(tmp_path)
    settings.LANGUAGES = [("en-gb", "English"), (pseudo.LANGUAGE, "Pseudo")]
    settings.LOCALE_PATHS = [tmp_path]
