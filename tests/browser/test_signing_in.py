"""Signing in in a real browser: a passkey of Chromium's virtual authenticator, a time code, a recovery code."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from hub.accounts import recovery_codes, second_factor
from hub.accounts.models import Account, Passkey
from tests.browser.conftest import Open, afterwards, alone
from tests.browser.judging import DESK, PHONE
from tests.conftest import PASSWORD
from tests.factories.world import World

pytestmark = pytest.mark.browser
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


def give_authenticator(page: Page) -> Any:
    """Plug in a virtual authenticator that checks who holds it, as a phone does by a finger."""
    plug = page.context.new_cdp_session(page)
    plug.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    plug.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    afterwards(page, lambda: (plug.send("WebAuthn.disable"), plug.detach()))
    return plug


def sign_in(page: Page, email: str) -> None:
    page.get_by_label("Email or mobile").fill(email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()


def sign_out(page: Page) -> None:
    page.locator("summary[aria-label^='Your account']").click()
    page.get_by_role("button", name="Sign out", exact=True).click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


def newcomer() -> Account:
    """The office's login as it is after its invitation: no second factor yet."""
    account = Account.objects.get(email="office@example.org")
    Account.objects.filter(pk=account.pk).update(second_factor_at=None)
    return account


def test_staff_make_a_passkey_on_the_way_to_their_page_and_sign_in_with_it(world: World, open_page: Open) -> None:
    account = newcomer()
    page = open_page("/8233001/people/", size=DESK)
    alone(page).add_init_script("PublicKeyCredential.isConditionalMediationAvailable = async () => false")
    page.reload()
    give_authenticator(page)
    sign_in(page, "office@example.org")
    expect(page.get_by_role("heading", level=1)).to_have_text("Set up a second factor")
    expect(page.locator("main")).to_contain_text("Staff sign in with a second factor")
    page.get_by_role("button", name="Make a passkey").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Recovery codes")
    page.get_by_role("button", name="Make ten codes").click()
    expect(page.locator(".codes li")).to_have_count(10)
    page.get_by_role("link", name="I have them: go on").click()
    page.wait_for_url(re.compile("/8233001/people/"))
    assert Passkey.objects.get().account == account

    sign_out(page)
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page.locator(".who-name")).to_have_text("Priya Shah")

    page.goto(page.url.split("/", 3)[0] + "//" + page.url.split("/", 3)[2] + "/account/")
    expect(page.locator("main")).to_contain_text("10 of your 10 codes are left")
    page.get_by_role("link", name="Remove").first.click()
    page.get_by_role("button", name="Remove").click()
    expect(page.locator("main")).to_contain_text("this is your last one")
    assert Passkey.objects.count() == 1


def test_the_browser_offers_the_passkey_in_the_field_itself(world: World, open_page: Open) -> None:
    newcomer()
    page = open_page("/sign-in/", size=PHONE)
    give_authenticator(page)
    sign_in(page, "office@example.org")
    page.get_by_role("button", name="Make a passkey").click()
    page.get_by_role("link", name="Not now").click()
    page.locator("summary[aria-label^='Your account']").click()
    page.get_by_role("button", name="Sign out", exact=True).click()
    page.wait_for_url(re.compile("/8233001/"))  # whoever is asked by the virtual authenticator says yes at once


def test_a_password_and_a_time_code(world: World, open_page: Open) -> None:
    account = newcomer()
    page = open_page("/sign-in/", size=PHONE)
    sign_in(page, "office@example.org")
    page.get_by_role("link", name="Set up the app").click()
    secret = page.locator("#secret").inner_text().replace(" ", "")
    expect(page.locator("img.qr")).to_be_visible()
    second_factor.give_time_code(account=account, secret=secret, now=timezone.now())  # the phone's place
    code = second_factor.current_code(account, timezone.now())
    second_factor.reset(account=account)
    page.get_by_label("Code the app shows now").fill(code)
    page.get_by_role("button", name="Set it up").click()
    expect(page.locator("main")).to_contain_text("Your authenticator app is set up")
    page.get_by_role("link", name="Not now").click()
    sign_out(page)

    sign_in(page, "office@example.org")
    field = page.get_by_label("Code from your authenticator app")
    expect(field).to_be_focused()
    assert field.get_attribute("autocomplete") == "one-time-code"
    field.fill("000000")
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.locator("main")).to_contain_text("That code does not fit")
    second_factor.give_time_code(account=account, secret=secret, now=timezone.now())  # no half minute is waited for
    field.fill(second_factor.current_code(account, timezone.now()))
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.locator("summary[aria-label='Your account: Priya Shah']")).to_be_visible()


def test_a_recovery_code_opens_when_the_phone_is_lost(world: World, open_page: Open) -> None:
    account = Account.objects.get(email="office@example.org")
    second_factor.give_time_code(account=account, secret=SECRET, now=timezone.now())
    code = recovery_codes.make(account=account, now=timezone.now())[3]
    page = open_page("/sign-in/", size=PHONE)
    sign_in(page, "office@example.org")
    page.get_by_text("use a recovery code").click()
    page.get_by_label("Recovery code").fill(code.upper())
    page.get_by_role("button", name="Use the recovery code").click()
    expect(page.locator("main")).to_contain_text("You used a recovery code; 9 are left")


def test_the_pages_of_a_login_work_without_script(world: World, open_page: Open, live_server: Any) -> None:
    account = Account.objects.get(email="office@example.org")
    second_factor.give_time_code(account=account, secret=SECRET, now=timezone.now())
    page = open_page("/sign-in/", size=PHONE, kind="scriptless")
    assert not page.get_by_role("button", name="Sign in with a passkey").is_visible()
    sign_in(page, "office@example.org")
    page.get_by_label("Code from your authenticator app").fill(second_factor.current_code(account, timezone.now()))
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.goto(live_server.url + "/account/password/")
    page.get_by_label("Present password").fill(PASSWORD)
    page.get_by_label("New password").fill("four other odd words")
    page.get_by_role("button", name="Change the password").click()
    expect(page.locator("main")).to_contain_text("Your password is changed")
    expect(page.locator("main")).to_contain_text("This device")
