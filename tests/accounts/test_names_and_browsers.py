"""What people type to say who they are, what browsers say of themselves, and who may sign in by which name."""

from __future__ import annotations

import datetime as dt

import pytest

from hub.accounts import browsers, names, selectors, services, signing_in, tokens
from hub.accounts.models import Account, Role
from hub.accounts.services import claim_sign_in_name
from hub.core.models import School
from hub.people import details
from verification.registration import joining


@pytest.mark.parametrize(
    ("typed", "column", "value"),
    [
        (" Parent@Example.ORG ", "email", "parent@example.org"),
        ("par ent@example.org", "email", "parent@example.org"),
        ("ｐarent＠example.org", "email", "parent@example.org"),
        ("O’Brien@example.org", "email", "o'brien@example.org"),
        ("\u202aparent\u200b@example.org\u202c", "email", "parent@example.org"),
        ("parent@example.org.", "email", "parent@example.org"),
        ("parent@Müller.example", "email", "parent@xn--mller-kva.example"),
        ("parent@" + "ü" * 80 + ".example", "email", "parent@" + "ü" * 80 + ".example"),
        ("@", "email", "@"),
        ("07700 900123", "mobile", "+447700900123"),
        ("\u202a+44 7700 900123\u202c", "mobile", "+447700900123"),
        ("+44 (0)7700 900123", "mobile", "+447700900123"),
        ("+353 85 012 3456", "mobile", "+353850123456"),
        ("nobody", "mobile", "nobody"),
        ("", "mobile", ""),
        ("x" * 5000, "mobile", "x" * 320),
    ],
)
def test_a_name_is_read_as_it_would_be_kept(typed: str, column: str, value: str) -> None:
    assert names.read(typed) == names.Name(column, value)


@pytest.mark.parametrize("typed", ["O’Brien@example.org", "x@müller.example", "ngozi\u200b@example.org", "ﬁona@ex.org"])
def test_whoever_types_their_email_as_they_gave_it_is_found_by_it(typed: str) -> None:
    assert names.read(typed).value == details.email(typed).value


def test_nothing_typed_is_nobody(db: None) -> None:
    Account.objects.create_user(None, name="By passkey alone")
    assert signing_in.by_name("") is None
    assert signing_in.by_name(" ") is None


WEBKIT = "AppleWebKit/537.36 (KHTML, like Gecko)"


@pytest.mark.parametrize(
    ("agent", "brands", "words"),
    [
        (f"Mozilla/5.0 (X11; Linux x86_64) {WEBKIT} Chrome/131.0.0.0 Safari/537.36", "", "Chrome on Linux"),
        (
            f"Mozilla/5.0 (X11; Linux x86_64) {WEBKIT} Chrome/131.0.0.0 Safari/537.36",
            '"Chromium";v="131", "Not A(Brand";v="24"',
            "Chromium on Linux",
        ),
        (
            f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {WEBKIT} Chrome/131.0.0.0 Safari/537.36 Edg/131.0.0.0",
            '"Microsoft Edge";v="131", "Chromium";v="131"',
            "Edge on Windows",
        ),
        ("Mozilla/5.0 (Android 14; Mobile; rv:132.0) Gecko/132.0 Firefox/132.0", "", "Firefox on Android"),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)"
            " Version/18.1 Mobile/15E148 Safari/604.1",
            "",
            "Safari on iPhone",
        ),
        (f"Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) {WEBKIT} Chrome/131.0.0.0 Safari/537.36", "", "Chrome on ChromeOS"),
        ("curl/8.0 Linux", "", "A browser on Linux"),
        ("<script>", "", "An unknown browser"),
        ("", "", "An unknown browser"),
    ],
)
def test_a_browser_in_words(agent: str, brands: str, words: str) -> None:
    assert browsers.words(agent, brands) == words


def test_a_free_name_is_taken_and_one_in_use_is_not(db: None) -> None:
    first, second = Account.objects.create_user("shared@example.org"), Account.objects.create_user(None, name="Second")
    assert not claim_sign_in_name(account=second, email="shared@example.org")
    assert not claim_sign_in_name(account=second, email="shared@example.org", mobile="+447700900123")
    second.refresh_from_db()
    assert (second.email, second.mobile) == (None, None)
    assert claim_sign_in_name(account=second, mobile="+447700900123")
    assert claim_sign_in_name(account=first, email="shared@example.org")
    assert signing_in.by_name("07700 900123") == second
    assert signing_in.by_name("Shared@example.org") == first


def test_an_invitation_of_staff_that_nobody_answered_keeps_no_email_from_its_owner(
    school: School, other_school: School, administrator: Account, now: dt.datetime
) -> None:
    invited = services.invite_staff(school=school, email="ngozi@example.org", role=Role.OFFICE, by=None, now=now)
    parent = Account.objects.create_user(None, name="Ngozi Ade", password="correct horse battery")
    assert joining.sign_in_by({"email": "ngozi@example.org"}) == "email"
    assert claim_sign_in_name(account=parent, email="ngozi@example.org")
    assert signing_in.by_name("ngozi@example.org") == parent
    accepted = services.accept_invitation(token_hash=tokens.hashed(invited.token), signed_in=parent, now=now)
    assert accepted.account == parent
    assert Account.objects.filter(is_active=True).count() == 2


def test_a_login_of_staff_that_is_used_keeps_its_email(office: Account) -> None:
    parent = Account.objects.create_user(None, name="Ngozi Ade", password="correct horse battery")
    assert selectors.name_is_taken(column="email", value="office@example.org")
    assert not claim_sign_in_name(account=parent, email="office@example.org")
    Account.objects.filter(pk=office.pk).update(password="!", second_factor_at=None)
    assert not claim_sign_in_name(account=parent, email="office@example.org")
