"""Nobody fills the disk of the hub with a form: what is too long is refused before anything of it is read."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from hub.accounts.models import Account
from hub.core.models import School
from tests.accounts.test_every_address import ALL, path_of

MIB = 2**20
FORM = {"CONTENT_TYPE": "multipart/form-data; boundary=x"}


class Unread:
    """A body that nobody may touch."""

    def read(self, *args: Any) -> bytes:
        raise AssertionError("The body was read.")

    readline = read


def post(client: Client, path: str, length: int, body: Any = None) -> Any:
    return client.generic("POST", path, **FORM, CONTENT_LENGTH=str(length), **{"wsgi.input": body or Unread()})


def checking() -> Client:
    return Client(enforce_csrf_checks=True)


def test_a_form_of_200_mib_is_refused_unread_at_every_address(school: School) -> None:
    reading_themselves = {name for name, _, view in ALL if getattr(view, "csrf_exempt", False)}
    assert all(name.startswith("agent:") for name in reading_themselves)
    for name, place, _ in ALL:
        if name not in reading_themselves:
            assert post(checking(), path_of(place), 200 * MIB).status_code == 413, name


def test_a_form_too_long_is_refused_in_words(db: None) -> None:
    answer = post(checking(), "/sign-in/", 3 * MIB)
    assert answer.status_code == 413
    assert "That is more than Schoolgate takes." in answer.content.decode()


def test_a_file_is_taken_from_the_signed_in_only_and_up_to_the_limit(
    school: School, office: Account, signed_in: Callable[[Account], Client]
) -> None:
    path = f"/{school.slug}/imports/upload/"
    assert post(checking(), path, 3 * MIB).status_code == 413
    client = signed_in(office)
    with pytest.raises(AssertionError, match="was read"):
        post(client, path, settings.UPLOAD_LIMIT)
    body = io.BytesIO(b"x" * 5 * MIB)
    answer = post(client, path, settings.UPLOAD_LIMIT + 3 * MIB, body)
    assert answer.status_code == 413
    assert f"{settings.UPLOAD_LIMIT // MIB} MiB" in answer.content.decode()
    assert body.read() == b""  # passed over, so that the browser hears the answer


def test_an_ordinary_form_is_read(db: None) -> None:
    assert Client().post("/sign-in/", {"username": "nobody@example.org", "password": "x" * 50}).status_code == 422
