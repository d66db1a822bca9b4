"""Signing in and out: one answer to every wrong pair, a second step where there is one, a new session each time."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from typing import Any
from unittest import mock

import pytest
from django.contrib.auth import hashers
from django.test import Client
from django.utils import timezone

from hub.accounts import passwords, recovery_codes, second_factor, signing_in
from hub.accounts.forms import wrong
from hub.accounts.models import Account, SecurityEvent, Session
from hub.core.models import School

PASSWORD = "correct horse battery"
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
CHROME = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36"


@pytest.fixture
def parent(db: None) -> Account:
    """A login without a second factor, by email and by mobile."""
    return Account.objects.create_user(
        "parent@example.org", mobile="+447700900123", name="Ngozi Ade", password=PASSWORD
    )


@pytest.fixture
def member(office: Account) -> Account:
    """A member of staff with a time code."""
    second_factor.give_time_code(account=office, secret=SECRET, now=timezone.now())
    return office


def sign_in(client: Client, name: str, password: str = PASSWORD, **more: str) -> Any:
    return client.post("/sign-in/", {"username": name, "password": password, **more})


def is_in(client: Client) -> bool:
    return "_auth_user_id" in client.session


def code_of(account: Account) -> str:
    return second_factor.current_code(account, timezone.now())


@pytest.mark.parametrize(
    "name", [" Parent@EXAMPLE.org", "07700 900123", "+44 7700 900 123", "0044 7700900123", "(07700)-900-123"]
)
def test_a_login_is_found_by_email_or_mobile_however_it_is_typed(parent: Account, name: str) -> None:
    client = Client()
    answer = sign_in(client, name)
    assert (answer.status_code, answer["Location"]) == (302, "/")
    assert client.session["_auth_user_id"] == str(parent.pk)


def test_the_session_key_changes_on_the_way_in(parent: Account) -> None:
    client = Client()
    session = client.session
    session["seen"] = True
    session.save()
    before = session.session_key
    sign_in(client, "parent@example.org")
    assert client.session.session_key != before


@pytest.mark.parametrize(
    ("name", "password"),
    [
        ("parent@example.org", "wrong"),
        ("nobody@example.org", PASSWORD),
        ("off@example.org", PASSWORD),
        ("07700 900999", PASSWORD),
        ("invited@example.org", PASSWORD),
        ("what is this", PASSWORD),
        ("nul\x00l@example.org", PASSWORD),
    ],
)
def test_every_wrong_pair_gets_the_same_answer(parent: Account, name: str, password: str) -> None:
    Account.objects.create_user("off@example.org", password=PASSWORD, is_active=False)
    Account.objects.create_user("invited@example.org")
    answer = sign_in(Client(), name, password)
    assert answer.status_code == 422
    assert answer.context["form"].non_field_errors() == ([] if "\x00" in name else [wrong()])


@pytest.mark.parametrize("names", [10, pytest.param(500, marks=pytest.mark.long)])
def test_names_known_or_not_are_answered_alike(db: None, names: int) -> None:
    """The body, the status, and the work: passwords hashed are counted, as a clock would prove nothing in a test."""
    Account.objects.bulk_create(
        Account(email=f"known{i}@example.org", password=hashers.make_password(PASSWORD if i % 2 else None))
        for i in range(names)
    )
    answers = set()
    for i in range(names):
        for who in ("known", "unknown"):
            name = f"{who}{i}@example.org"
            client = Client(REMOTE_ADDR=f"10.{i // 250}.{i % 250}.1")
            for _ in range(1 if names > 10 else 6):
                with mock.patch.object(hashers.MD5PasswordHasher, "encode", return_value="md5$a$b") as encode:
                    answer = sign_in(client, name, "wrong")
                same = re.sub(r'(X-CSRFToken": "|csrfmiddlewaretoken" value=")[^"]+', r"\1", answer.text)
                resting = "too many times" in answer.text
                same = re.sub(r"until \d\d:\d\d", "until TIME", same).replace(name, "NAME")
                answers.add((answer.status_code, same, encode.call_count if not resting else "not checked"))
    assert len(answers) == (1 if names > 10 else 2)


def test_an_account_without_a_password_cannot_sign_in(db: None) -> None:
    Account.objects.create_user("invited@example.org")
    assert sign_in(Client(), "invited@example.org", "").status_code == 422


def test_the_way_on_stays_on_this_site(parent: Account) -> None:
    assert sign_in(Client(), "parent@example.org", next="https://example.com/")["Location"] == "/"
    assert sign_in(Client(), "parent@example.org", next="//example.com/")["Location"] == "/"
    assert sign_in(Client(), "parent@example.org", next="home")["Location"] == "/"
    assert sign_in(Client(), "parent@example.org", next="/home/details/")["Location"] == "/home/details/"


def test_signing_out_is_a_post_and_clears_what_the_browser_kept(
    office: Account, signed_in: Callable[[Account], Client]
) -> None:
    client = signed_in(office)
    assert client.get("/sign-out/").status_code == 405
    answer = client.post("/sign-out/")
    assert (answer["Location"], answer["Clear-Site-Data"]) == ("/sign-in/", '"cache", "storage"')
    assert not is_in(client)


def test_a_form_without_its_token_is_refused(parent: Account) -> None:
    assert sign_in(Client(enforce_csrf_checks=True), "parent@example.org").status_code == 403


def test_a_signed_in_page_is_kept_by_no_cache(office: Account, signed_in: Callable[[Account], Client]) -> None:
    assert "no-store" in signed_in(office).get("/8233001/")["Cache-Control"]


# The second step


def test_the_password_alone_lets_no_member_of_staff_in(member: Account) -> None:
    client = Client()
    answer = sign_in(client, "office@example.org", next="/8233001/people/")
    assert answer["Location"] == "/sign-in/second/"
    assert not is_in(client)
    before = client.session.session_key
    answer = client.post("/sign-in/second/", {"code": code_of(member)})
    assert answer["Location"] == "/8233001/people/"
    assert is_in(client)
    assert client.session.session_key != before


def test_spaces_in_a_code_do_not_matter(member: Account) -> None:
    client = Client()
    sign_in(client, "office@example.org")
    code = code_of(member)
    client.post("/sign-in/second/", {"code": f" {code[:3]} {code[3:]} "})
    assert is_in(client)


def test_a_time_code_is_good_once(member: Account) -> None:
    code = code_of(member)
    first, second = Client(), Client()
    for client in (first, second):
        sign_in(client, "office@example.org")
        client.post("/sign-in/second/", {"code": code})
    assert (is_in(first), is_in(second)) == (True, False)


def test_a_recovery_code_opens_once_and_says_how_many_are_left(member: Account) -> None:
    code = recovery_codes.make(account=member, now=timezone.now())[0]
    client = Client()
    sign_in(client, "office@example.org")
    answer = client.post("/sign-in/second/", {"recovery_code": code.upper().replace("-", " ")})
    assert is_in(client)
    assert [str(one) for one in answer.wsgi_request._messages] == ["You used a recovery code; 9 are left."]
    again = Client()
    sign_in(again, "office@example.org")
    assert again.post("/sign-in/second/", {"recovery_code": code}).status_code == 422


def test_after_five_wrong_codes_the_password_is_asked_again(member: Account) -> None:
    client = Client()
    sign_in(client, "office@example.org")
    answers = [client.post("/sign-in/second/", {"code": "000000"}) for _ in range(5)]
    assert [answer.status_code for answer in answers] == [422, 422, 422, 422, 302]
    assert client.post("/sign-in/second/", {"code": code_of(member)})["Location"] == "/sign-in/"
    assert not is_in(client)
    assert SecurityEvent.objects.get().what == "wrong_codes"  # somebody has the password


def test_the_second_step_waits_ten_minutes(member: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    client = Client()
    sign_in(client, "office@example.org")
    later = timezone.now() + signing_in.PENDING_FOR + dt.timedelta(seconds=1)
    monkeypatch.setattr(timezone, "now", lambda: later)
    answer = client.post("/sign-in/second/", {"code": second_factor.current_code(member, later)}, follow=True)
    assert not is_in(client)
    assert "ten minutes" in answer.text


def test_a_password_changed_meanwhile_voids_the_second_step(member: Account) -> None:
    client = Client()
    sign_in(client, "office@example.org")
    passwords.set_password(account=member, password="four other odd words", now=timezone.now())
    assert client.post("/sign-in/second/", {"code": code_of(member)})["Location"] == "/sign-in/"
    assert not is_in(client)


def test_nobody_reaches_the_second_step_without_the_first(db: None) -> None:
    assert Client().get("/sign-in/second/")["Location"] == "/sign-in/"


# What a session knows


def test_a_session_knows_its_device_and_its_owner_is_told_of_a_new_one(parent: Account) -> None:
    browser, other = Client(headers={"user-agent": CHROME}), Client()
    sign_in(browser, "parent@example.org")
    assert not SecurityEvent.objects.exists()  # the first of all is no news
    browser.post("/sign-out/")
    sign_in(browser, "parent@example.org")
    assert not SecurityEvent.objects.exists()
    assert Session.objects.get(account=parent).device == "Chrome on Linux"
    sign_in(other, "parent@example.org")
    assert list(SecurityEvent.objects.values_list("what", "device")) == [("new_device", "An unknown browser")]


def test_staff_are_signed_out_sooner_than_parents(parent: Account, member: Account) -> None:
    now = timezone.now()
    home, desk = Client(), Client()
    sign_in(home, "parent@example.org")
    sign_in(desk, "office@example.org")
    desk.post("/sign-in/second/", {"code": code_of(member)})
    ends = {one.account_id: one.expire_date - now for one in Session.objects.filter(account__isnull=False)}
    assert abs(ends[parent.pk] - signing_in.PARENT_IDLE) < dt.timedelta(minutes=1)
    assert abs(ends[member.pk] - signing_in.STAFF_IDLE) < dt.timedelta(minutes=1)


def test_a_session_in_use_lives_on_but_not_for_ever(
    member: Account, school: School, monkeypatch: pytest.MonkeyPatch
) -> None:
    client, clock = Client(), {"now": timezone.now()}
    monkeypatch.setattr(timezone, "now", lambda: clock["now"])
    sign_in(client, "office@example.org")
    client.post("/sign-in/second/", {"code": second_factor.current_code(member, clock["now"])})
    for _ in range(11):
        clock["now"] += dt.timedelta(minutes=62)
        assert client.get("/8233001/").status_code == 200
    clock["now"] += dt.timedelta(minutes=62)
    assert client.get("/8233001/")["Location"].startswith("/sign-in/")


def test_a_session_left_alone_for_two_hours_is_over(
    member: Account, school: School, monkeypatch: pytest.MonkeyPatch
) -> None:
    client, start = Client(), timezone.now()
    sign_in(client, "office@example.org")
    client.post("/sign-in/second/", {"code": code_of(member)})
    monkeypatch.setattr(timezone, "now", lambda: start + dt.timedelta(hours=2, minutes=1))
    assert client.get("/8233001/")["Location"].startswith("/sign-in/")


def test_when_a_session_was_seen_is_written_every_five_minutes_only(
    parent: Account, monkeypatch: pytest.MonkeyPatch, django_assert_num_queries: Any
) -> None:
    client, start = Client(), timezone.now()
    sign_in(client, "parent@example.org")
    seen = Session.objects.get(account=parent).seen_at
    client.get("/account/")
    assert Session.objects.get(account=parent).seen_at == seen
    later = start + dt.timedelta(minutes=6)
    monkeypatch.setattr(timezone, "now", lambda: later)
    client.get("/account/")
    assert Session.objects.get(account=parent).seen_at == later
