"""Signing in, the own login, registering, getting back in and "this was not me": all of it can be translated too."""

from __future__ import annotations

from typing import Any

import pyotp
import pytest
from django.conf import settings as django_settings
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from hub.accounts import second_factor
from hub.accounts.models import Account
from hub.core.models import School
from hub.people.models import PupilContact
from tests.conftest import PASSWORD
from tests.factories.inbox import last_code, last_link
from tests.factories.logins import a_parent
from tests.factories.parents import EMAIL, MOBILE, make_login, make_parent
from tests.factories.people import give, make_contact, make_pupil
from tests.portal import pseudo
from tests.portal.conftest import Parent
from verification.invitations import inviting
from verification.models import RecoveryRequest
from verification.recovery import recovering

GOOD = "walnut harbour seventeen"
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
DATA = (
    "Schoolgate", "Larch Hill Primary", "Ngozi Okafor", "Ngozi", "Okafor", "Millie", "Mother", "6HB", "English",
    "Pseudo", "example.org", "ngozi", "MO", "localhost", "Firefox", "Android", SECRET, "Kitchen tablet", "Emeka",
    "office@8233001",
)  # fmt: skip


class Listener(Client):
    """A browser in the made-up language that remembers what it read untranslated, and where."""

    def __init__(self) -> None:
        super().__init__()
        self.cookies[django_settings.LANGUAGE_COOKIE_NAME] = pseudo.LANGUAGE
        self.heard: dict[str, list[str]] = {}
        self.read: set[str] = set()

    def request(self, **request: Any) -> HttpResponse:  # type: ignore[override]
        answer: HttpResponse = super().request(**request)
        path = str(request["PATH_INFO"])
        if answer["Content-Type"].startswith("text/html") and answer.content:
            self.read.add(path)
            if left := pseudo.untranslated(answer.text, DATA):
                self.heard[f"{request['REQUEST_METHOD']} {path}"] = left
        return answer


@pytest.fixture
def browser(pseudo_language: None) -> Listener:
    return Listener()


def test_signing_in(browser: Listener, ngozi: Parent) -> None:
    browser.get("/sign-in/")
    browser.post("/sign-in/", {})
    browser.post("/sign-in/", {"username": EMAIL, "password": "wrong"})
    second_factor.give_time_code(account=ngozi.account, secret=SECRET, now=timezone.now())
    browser.post("/sign-in/", {"username": EMAIL, "password": PASSWORD}, follow=True)
    browser.post("/sign-in/code/", {"code": "000000"})
    for _ in range(12):
        browser.post("/sign-in/", {"username": EMAIL, "password": "wrong"})
    assert browser.heard == {}


def test_ones_own_login(browser: Listener, ngozi: Parent) -> None:
    browser.post("/sign-in/", {"username": EMAIL, "password": PASSWORD})
    for path in ("", "prove/", "password/", "second-factor/", "time-code/", "recovery-codes/"):
        browser.get(f"/account/{path}", follow=True)
    browser.post("/account/password/", {"old_password": "x", "new_password": "short"})
    browser.post("/account/prove/", {"password": "wrong"})
    browser.post("/account/time-code/", {"code": "000000"})
    page = browser.get("/account/time-code/")
    secret = page.context["secret"].replace(" ", "") if "secret" in (page.context or {}) else SECRET
    browser.heard.pop("GET /account/time-code/", None)  # holds the secret, in letters
    browser.post("/account/time-code/", {"code": pyotp.TOTP(secret).now()}, follow=True)
    for path in ("", "time-code/remove/"):
        browser.get(f"/account/{path}", follow=True)
    browser.post("/account/devices/end-others/", follow=True)
    heard = {path: left for path, left in browser.heard.items() if "time-code" not in path}
    assert heard == {}


def test_registering(browser: Listener, school: School, office: Account) -> None:
    mother = make_contact(school, "Ngozi", "Okafor", make_pupil(school, "Millie", "Okafor", registration_group="6HB"))
    give(mother, "email", EMAIL)
    give(mother, "mobile", MOBILE)
    browser.get("/join/")
    browser.get("/join/letter/")
    browser.post("/join/letter/", {"number": "12345678", "code": "AAAA"})
    inviting.invite(owner=mother, by=office, now=timezone.now())
    link = last_link(EMAIL)
    browser.get(link[link.index("/join/") :], follow=True)
    browser.post("/join/", follow=True)
    browser.post("/join/who/", follow=True)
    browser.post("/join/email/", {})
    browser.post("/join/email/", {"choice": "other", "other": "nothing"})
    browser.post("/join/email/", {"choice": "known0"}, follow=True)
    browser.post("/join/mobile/", {"choice": "known0"}, follow=True)
    browser.post("/join/mobile/code/", {"code": "000000"})
    browser.post("/join/mobile/code/", {"code": last_code(MOBILE)}, follow=True)
    browser.post("/join/children/", {})
    said = {f"child_{one.pk}": "yes" for one in PupilContact.objects.filter(contact=mother)}
    browser.post("/join/children/", said, follow=True)
    browser.post("/join/finish/", {"password": "short"})
    browser.post("/join/finish/", {"password": GOOD}, follow=True)
    assert "/join/done/" in browser.read
    assert browser.heard == {}


def test_getting_back_in(browser: Listener, school: School) -> None:
    millie = make_pupil(school, "Millie", "Okafor")
    a_parent(school, pupil=millie, email=EMAIL, mobile=MOBILE)
    a_parent(school, "Emeka", "Okafor", pupil=millie, email=EMAIL, signs_in_by={"mobile": "+447700900222"})
    browser.get("/recover/")
    browser.get("/recover/letter/")
    browser.post("/recover/letter/", {})
    browser.post("/recover/", {})
    browser.post("/recover/", {"name": EMAIL}, follow=True)
    for pk in RecoveryRequest.objects.values_list("pk", flat=True):
        recovering.answer(request_id=pk, now=timezone.now())
    link = last_link(EMAIL)
    browser.get(link[link.index("/recover/") :], follow=True)
    browser.post("/recover/login/", follow=True)
    for path in ("sent/", "which/", "second/", "code/", "factor/", "password/"):
        browser.get(f"/recover/{path}", follow=True)
        browser.post(f"/recover/{path}", {"code": "000000", "password": "short"}, follow=True)
    assert browser.heard == {}


def test_this_was_not_me(browser: Listener, school: School) -> None:
    account = make_login()
    parent = make_parent(school, account)
    assert parent.contact is not None
    browser.get("/not-me/")
    browser.post("/sign-in/", {"username": EMAIL, "password": PASSWORD})
    answer = browser.post(reverse("portal:change", args=["mobile"]), {"value": "07700 900555"})
    browser.post(answer["Location"], {"code": last_code("+447700900555")}, follow=True)
    link = last_link(MOBILE)
    browser.get(link[link.index("/not-me/") :], follow=True)
    browser.post("/not-me/", follow=True)
    browser.get("/not-me/", follow=True)
    assert browser.heard == {}
