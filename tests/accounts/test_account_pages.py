"""Sign-in and devices: what one sees of one's own login, and what asks for a fresh proof."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from hub.accounts import recovery_codes, second_factor, signing_in
from hub.accounts.models import Account, Passkey, SecurityEvent, Session
from hub.accounts.tasks import sweep_logins
from hub.core.models import School

PASSWORD = "correct horse battery"
NEW = "four other odd words"
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


@pytest.fixture
def parent(db: None) -> Account:
    return Account.objects.create_user(
        "parent@example.org", mobile="+447700900123", name="Ngozi Ade", password=PASSWORD
    )


def sign_in(name: str = "parent@example.org", password: str = PASSWORD, **headers: str) -> Client:
    client = Client(headers=headers)
    client.post("/sign-in/", {"username": name, "password": password})
    assert "_auth_user_id" in client.session
    return client


def stale(client: Client) -> Client:
    """Let a quarter of an hour pass since the proof."""
    session = client.session
    session[signing_in.PROVED] = {"at": timezone.now().timestamp() - 901, "how": "password"}
    session.save()
    return client


def said(answer: Any) -> list[str]:
    return [str(message) for message in answer.context["messages"]]


def test_the_page_shows_names_factors_and_devices(parent: Account) -> None:
    page = sign_in().get("/account/").text
    for words in ("parent@example.org", "07700 900123", "Authenticator app", "Add a passkey", "This device"):
        assert words in page
    assert "Recovery codes" not in page  # there is nothing to recover from yet


def test_staff_see_it_in_their_frame_and_parents_in_theirs(parent: Account, school: School, office: Account) -> None:
    second_factor.give_time_code(account=office, secret=SECRET, now=timezone.now())
    staff = Client()
    staff.force_login(office)
    assert "Larch Hill Primary" in staff.get("/account/").text
    assert "portal-main" in sign_in().get("/account/").text


def test_nobody_sees_anothers(parent: Account, stranger: Account, signed_in: Callable[[Account], Client]) -> None:
    passkey = Passkey.objects.create(
        account=parent, credential_id=b"1", public_key=b"", name="Phone", made_at=timezone.now()
    )
    client = signed_in(stranger)
    session = client.session
    session[signing_in.PROVED] = {"at": timezone.now().timestamp(), "how": "password"}
    session.save()
    for path in (f"/account/passkeys/{passkey.pk}/", f"/account/passkeys/{passkey.pk}/remove/"):
        assert client.get(path).status_code == 404
        assert client.post(path, {"name": "Mine now"}).status_code == 404
    theirs = sign_in()
    handle = theirs.get("/account/").context["devices"][0].handle
    client.post("/account/devices/end/", {"device": handle})
    assert theirs.get("/account/").status_code == 200


# Devices


def test_devices_are_listed_this_one_first_and_ended_one_by_one_or_all(parent: Account) -> None:
    phone = sign_in(**{"user-agent": "Mozilla/5.0 (Android 14; Mobile; rv:132.0) Gecko/132.0 Firefox/132.0"})
    tablet, here = sign_in(), sign_in()
    listed = here.get("/account/").context["devices"]
    assert [one.is_this for one in listed] == [True, False, False]
    of_phone = next(one for one in listed if one.words == "Firefox on Android")
    assert said(here.post("/account/devices/end/", {"device": of_phone.handle}, follow=True)) == [
        "That device is signed out."
    ]
    assert phone.get("/account/")["Location"].startswith("/sign-in/")
    assert tablet.get("/account/").status_code == 200
    here.post("/account/devices/end-others/")
    assert tablet.get("/account/")["Location"].startswith("/sign-in/")
    assert here.get("/account/").status_code == 200


def test_no_session_key_is_on_the_page(parent: Account) -> None:
    client = sign_in()
    assert client.session.session_key not in client.get("/account/").text


def test_a_sessions_end_is_a_post(parent: Account) -> None:
    client = sign_in()
    assert client.get("/account/devices/end/").status_code == 405
    assert client.get("/account/devices/end-others/").status_code == 405


# The password


def test_changing_the_password_ends_the_other_sessions_and_renews_this_one(parent: Account) -> None:
    other, client = sign_in(), sign_in()
    before = client.session.session_key
    answer = client.post("/account/password/", {"present": PASSWORD, "password": NEW}, follow=True)
    assert said(answer) == ["Your password is changed. You are signed out everywhere else."]
    assert client.session.session_key != before
    assert other.get("/account/")["Location"].startswith("/sign-in/")
    assert [one.is_this for one in client.get("/account/").context["devices"]] == [True]
    parent.refresh_from_db()
    assert parent.check_password(NEW)
    assert parent.password_changed_at is not None
    assert SecurityEvent.objects.get(what="password_set").account == parent


@pytest.mark.parametrize(
    "typed",
    [
        {"present": "wrong", "password": NEW},
        {"present": "", "password": NEW},
        {"present": PASSWORD, "password": "short"},
        {"present": PASSWORD, "password": "password1234"},
        {"present": PASSWORD, "password": "parent@example.org"},
        {"present": PASSWORD, "password": "+447700900123"},
    ],
    ids=str,
)
def test_a_wrong_or_weak_password_changes_nothing(parent: Account, typed: dict[str, str]) -> None:
    client, other = sign_in(), sign_in()
    assert client.post("/account/password/", typed).status_code == 422
    parent.refresh_from_db()
    assert parent.check_password(PASSWORD)
    assert other.get("/account/").status_code == 200


def test_the_present_password_is_not_to_be_guessed_from_an_open_session(parent: Account) -> None:
    client = sign_in()
    for _ in range(5):
        client.post("/account/password/", {"present": "wrong", "password": NEW})
    answer = client.post("/account/password/", {"present": PASSWORD, "password": NEW})
    assert "too many times" in answer.text
    assert sign_in()  # and the door is not shut by it


# A fresh proof


@pytest.mark.parametrize(
    "path", ["password/", "time-code/", "time-code/remove/", "recovery-codes/", "passkeys/{key}/remove/"]
)
def test_what_matters_asks_who_it_is_again_after_a_quarter_of_an_hour(parent: Account, path: str) -> None:
    key = Passkey.objects.create(
        account=parent, credential_id=b"1", public_key=b"", name="Phone", made_at=timezone.now()
    )
    path = "/account/" + path.format(key=key.pk)
    client = stale(sign_in())
    for answer in (client.get(path), client.post(path, {"password": NEW, "code": "1"})):
        assert answer["Location"] == f"/account/prove/?next={path.replace('/', '%2F')}"
    assert Passkey.objects.exists()
    answer = client.post("/account/prove/", {"password": "wrong", "next": path})
    assert answer.status_code == 422
    assert client.post("/account/prove/", {"password": PASSWORD, "next": path})["Location"] == path
    assert client.get(path).status_code in (200, 302)


def test_a_proof_leads_to_no_other_site(parent: Account) -> None:
    answer = sign_in().post("/account/prove/", {"password": PASSWORD, "next": "//example.com/"})
    assert answer["Location"] == "/account/"


# The second factor


def test_the_app_is_set_up_on_the_page_and_codes_on_paper_follow(parent: Account) -> None:
    client = sign_in()
    begun = client.get("/account/time-code/?next=/home/").context["begun"]
    wrong = client.post("/account/time-code/", {"code": "000000", "begun": begun.sealed, "next": "/home/"})
    assert wrong.status_code == 422
    assert wrong.context["begun"].secret == begun.secret
    other = Account.objects.create_user("phone@example.org")
    second_factor.give_time_code(account=other, secret=begun.secret, now=timezone.now())
    code = second_factor.current_code(other, timezone.now())
    answer = client.post("/account/time-code/", {"code": code, "begun": begun.sealed, "next": "/home/"})
    assert answer["Location"] == "/account/recovery-codes/?next=%2Fhome%2F"
    page = client.get(answer["Location"])
    assert recovery_codes.left(parent) == 0
    assert "Make ten codes" in page.text
    shown = client.post("/account/recovery-codes/", {"next": "/home/"})
    assert len(shown.context["codes"]) == 10
    assert "no-store" in shown["Cache-Control"]
    assert shown.context["codes"][0] not in client.get("/account/recovery-codes/").text


def test_a_first_factor_ends_the_sessions_begun_by_the_password_alone(parent: Account) -> None:
    elsewhere, client = sign_in(), sign_in()
    begun = client.get("/account/time-code/").context["begun"]
    other = Account.objects.create_user("phone@example.org")
    second_factor.give_time_code(account=other, secret=begun.secret, now=timezone.now())
    code = second_factor.current_code(other, timezone.now())
    client.post("/account/time-code/", {"code": code, "begun": begun.sealed})
    assert elsewhere.get("/account/")["Location"].startswith("/sign-in/")
    assert client.get("/account/").status_code == 200


def test_few_codes_are_said(parent: Account) -> None:
    client = sign_in()
    now = timezone.now()
    second_factor.give_time_code(account=parent, secret=SECRET, now=now)
    for code in recovery_codes.make(account=parent, now=now)[:7]:
        recovery_codes.use(account=parent, typed=code, now=now)
    page = client.get("/account/").text
    assert "3 of your 10 codes are left" in page
    assert "Make new ones" in page


def test_a_passkey_is_renamed_and_removed(parent: Account) -> None:
    client = sign_in()
    key = Passkey.objects.create(
        account=parent, credential_id=b"1", public_key=b"", name="Phone", made_at=timezone.now()
    )
    client.post(f"/account/passkeys/{key.pk}/", {"name": "The <b>old</b> phone"})
    assert "The &lt;b&gt;old&lt;/b&gt; phone" in client.get("/account/").text
    assert "Remove the passkey" in client.get(f"/account/passkeys/{key.pk}/remove/").text
    assert Passkey.objects.exists()
    client.post(f"/account/passkeys/{key.pk}/remove/")
    assert not Passkey.objects.exists()


def test_staff_keep_their_last_factor(school: School, office: Account, signed_in: Callable[[Account], Client]) -> None:
    second_factor.give_time_code(account=office, secret=SECRET, now=timezone.now())
    client = signed_in(office)
    session = client.session
    session[signing_in.PROVED] = {"at": timezone.now().timestamp(), "how": "password"}
    session.save()
    answer = client.post("/account/time-code/remove/", follow=True)
    assert "this is your last one" in said(answer)[0]
    office.refresh_from_db()
    assert second_factor.has_one(office)


def test_sessions_that_are_over_are_swept(parent: Account) -> None:
    client = sign_in()
    Session.objects.update(expire_date=timezone.now() - dt.timedelta(seconds=1))
    sweep_logins()
    assert not Session.objects.exists()
    assert client.get("/account/")["Location"].startswith("/sign-in/")
