"""Signing in and out: the same answer to every wrong pair, and a new session on the way in."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from hub.accounts.forms import WRONG
from hub.accounts.models import Account

PASSWORD = "correct horse battery"


def sign_in(client: Client, email: str, password: str = PASSWORD, **more: str):
    return client.post("/sign-in/", {"username": email, "password": password, **more})


def test_the_right_pair_signs_in_whatever_its_case(office: Account) -> None:
    client = Client()
    answer = sign_in(client, " Office@EXAMPLE.org")
    assert (answer.status_code, answer["Location"]) == (302, "/")
    assert client.session["_auth_user_id"] == str(office.pk)


def test_the_session_key_changes_on_the_way_in(office: Account) -> None:
    client = Client()
    session = client.session
    session["seen"] = True
    session.save()
    before = session.session_key
    sign_in(client, "office@example.org")
    assert client.session.session_key != before


@pytest.mark.parametrize(
    ("email", "password"),
    [("office@example.org", "wrong"), ("nobody@example.org", PASSWORD), ("off@example.org", PASSWORD)],
)
def test_every_wrong_pair_gets_the_same_answer(office: Account, email: str, password: str) -> None:
    Account.objects.create_user("off@example.org", password=PASSWORD, is_active=False)
    answer = sign_in(Client(), email, password)
    assert answer.context["form"].non_field_errors() == [WRONG]


def test_an_account_without_a_password_cannot_sign_in(db: None) -> None:
    Account.objects.create_user("invited@example.org")
    assert sign_in(Client(), "invited@example.org", "").status_code == 200


def test_the_way_on_stays_on_this_site(office: Account) -> None:
    assert sign_in(Client(), "office@example.org", next="https://example.com/")["Location"] == "/"
    assert sign_in(Client(), "office@example.org", next="/8233001/people/")["Location"] == "/8233001/people/"


def test_signing_out_is_a_post(office: Account, signed_in: Callable[[Account], Client]) -> None:
    client = signed_in(office)
    assert client.get("/sign-out/").status_code == 405
    assert client.post("/sign-out/")["Location"] == "/sign-in/"
    assert "_auth_user_id" not in client.session


def test_a_form_without_its_token_is_refused(office: Account) -> None:
    assert sign_in(Client(enforce_csrf_checks=True), "office@example.org").status_code == 403
