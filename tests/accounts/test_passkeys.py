"""Passkeys: made by who is signed in and has just proved it, good for both factors, and refused for any flaw."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client, RequestFactory
from django.utils import timezone

from hub.accounts import passkeys, signing_in
from hub.accounts.models import Account, Passkey
from tests.factories.passkeys import Authenticator

PASSWORD = "correct horse battery"
JSON = "application/json"


@pytest.fixture
def parent(db: None) -> Account:
    return Account.objects.create_user("parent@example.org", name="Ngozi Ade", password=PASSWORD)


def fresh(client: Client) -> Client:
    session = client.session
    session[signing_in.PROVED] = {"at": timezone.now().timestamp(), "how": "password"}
    session.save()
    return client


def make(client: Client, key: Authenticator, **more: str) -> Any:
    options = client.post("/account/passkeys/begin/", {}, JSON).json()
    return client.post("/account/passkeys/", key.make(options, **more), JSON)


def use(client: Client, key: Authenticator, **more: str) -> Any:
    options = client.post("/sign-in/passkey/begin/", {}, JSON).json()
    return client.post("/sign-in/passkey/", key.use(options, **more), JSON)


@pytest.fixture
def key(parent: Account, signed_in: Callable[[Account], Client]) -> Authenticator:
    """A passkey of the parent's."""
    key = Authenticator()
    assert make(fresh(signed_in(parent)), key).status_code == 200
    return key


def is_in(client: Client) -> bool:
    return "_auth_user_id" in client.session


def test_a_passkey_signs_in_by_itself(parent: Account, key: Authenticator) -> None:
    parent.refresh_from_db()
    assert parent.second_factor_at is not None
    client = Client()
    answer = use(client, key, next="/home/details/")
    assert answer.json() == {"next": "/home/details/"}
    assert client.session["_auth_user_id"] == str(parent.pk)
    passkey = Passkey.objects.get()
    assert passkey.used_at is not None
    assert (passkey.sign_count, passkey.transports) == (1, ["internal"])


def test_the_first_passkey_leads_to_codes_on_paper(parent: Account, signed_in: Callable[[Account], Client]) -> None:
    answer = make(fresh(signed_in(parent)), Authenticator(), next="/home/")
    assert answer.json() == {"next": "/account/recovery-codes/?next=%2Fhome%2F"}


def test_the_first_passkey_ends_the_sessions_begun_by_the_password_alone(
    parent: Account, signed_in: Callable[[Account], Client]
) -> None:
    elsewhere, here = signed_in(parent), fresh(signed_in(parent))
    make(here, Authenticator())
    assert elsewhere.get("/account/")["Location"].startswith("/sign-in/")
    assert here.get("/account/").status_code == 200


def test_a_passkey_leads_to_no_other_site(key: Authenticator) -> None:
    assert use(Client(), key, next="https://example.com/").json() == {"next": "/"}


@pytest.mark.parametrize(
    "flaw",
    [
        {"origin": "https://evil.example.org"},
        {"host": "evil.example.org"},
        {"verified": False},
        {"handle": ""},
        {"handle": "AAAAAAAAAAAAAAAAAAAAAA"},
        {"credential_id": b"somebody else's"},
        {"count": -1},
    ],
    ids=str,
)
def test_any_flaw_is_refused_in_the_same_words(key: Authenticator, flaw: dict[str, Any]) -> None:
    Passkey.objects.update(sign_count=1)
    key.count = 5
    for name, value in flaw.items():
        setattr(key, name, value)
    client = Client()
    answer = use(client, key)
    assert answer.status_code == 422
    assert answer.json() == {
        "sentence": "That passkey does not open this hub. Try again, or sign in with your password."
    }
    assert not is_in(client)


def test_another_key_cannot_sign_for_it(key: Authenticator) -> None:
    thief = Authenticator(credential_id=key.credential_id, handle=key.handle)
    assert use(Client(), thief).status_code == 422


def test_a_challenge_is_good_once_for_one_purpose_and_for_ten_minutes(
    key: Authenticator, parent: Account, signed_in: Callable[[Account], Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    client = Client()
    options = client.post("/sign-in/passkey/begin/", {}, JSON).json()
    answer = key.use(options)
    assert Client().post("/sign-in/passkey/", answer, JSON).status_code == 422
    assert client.post("/sign-in/passkey/", answer, JSON).status_code == 200
    client.post("/sign-out/")
    assert client.post("/sign-in/passkey/", answer, JSON).status_code == 422
    crossed = fresh(signed_in(parent))
    made_for = crossed.post("/account/passkeys/begin/", {}, JSON).json()
    assert crossed.post("/sign-in/passkey/", key.use(made_for), JSON).status_code == 422
    options = client.post("/sign-in/passkey/begin/", {}, JSON).json()
    later = timezone.now() + passkeys.GOOD_FOR * 1.01
    monkeypatch.setattr(timezone, "now", lambda: later)
    assert client.post("/sign-in/passkey/", key.use(options), JSON).status_code == 422


@pytest.mark.parametrize("body", ["", "[]", "{", '{"rawId": 3}', '{"rawId": "AA", "response": []}', "null"])
def test_nonsense_is_refused(key: Authenticator, body: str) -> None:
    client = Client()
    client.post("/sign-in/passkey/begin/", {}, JSON)
    assert client.post("/sign-in/passkey/", body, JSON).status_code == 422


def test_a_switched_off_login_is_not_opened(key: Authenticator, parent: Account) -> None:
    Account.objects.filter(pk=parent.pk).update(is_active=False)
    assert use(Client(), key).status_code == 422


def test_a_passkey_is_made_only_after_a_fresh_proof(parent: Account, signed_in: Callable[[Account], Client]) -> None:
    client = signed_in(parent)
    answer = client.post("/account/passkeys/begin/", {}, JSON)
    assert (answer.status_code, answer.json()) == (403, {"next": "/account/prove/?next=%2Faccount%2F"})
    assert Client().post("/account/passkeys/begin/", {}, JSON)["Location"].startswith("/sign-in/")


def test_a_passkey_made_without_a_check_of_its_holder_is_refused(
    parent: Account, signed_in: Callable[[Account], Client]
) -> None:
    assert make(fresh(signed_in(parent)), Authenticator(verified=False)).status_code == 422
    assert not Passkey.objects.exists()


def test_the_same_passkey_is_not_kept_twice(
    key: Authenticator, stranger: Account, signed_in: Callable[[Account], Client]
) -> None:
    assert make(fresh(signed_in(stranger)), key).status_code == 422
    assert Passkey.objects.count() == 1


def test_a_passkey_proves_who_it_is_and_another_logins_does_not(
    key: Authenticator, parent: Account, stranger: Account, signed_in: Callable[[Account], Client]
) -> None:
    for account, status in ((parent, 200), (stranger, 422)):
        client = signed_in(account)
        options = client.post("/sign-in/passkey/begin/", {}, JSON).json()
        answer = client.post("/account/prove/passkey/", key.use(options, next="/account/password/"), JSON)
        assert answer.status_code == status
        assert client.get("/account/password/").status_code == (200 if status == 200 else 302)


def test_after_a_passkey_the_present_password_is_not_asked(key: Authenticator, parent: Account) -> None:
    client = Client()
    use(client, key)
    answer = client.get("/account/password/")
    assert "Present password" not in answer.text
    assert client.post("/account/password/", {"password": "four other odd words"}).status_code == 302
    assert is_in(client)
    parent.refresh_from_db()
    assert parent.check_password("four other odd words")


def test_no_passkeys_where_the_hub_is_open_under_a_number_only() -> None:
    assert passkeys.possible(RequestFactory().get("/", SERVER_NAME="localhost"))
    assert not passkeys.possible(RequestFactory().get("/", SERVER_NAME="127.0.0.1"))
