"""From the office's button to Connected: a parent on a phone registers, and the office sees it."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from hub.accounts.models import Account
from hub.people.models import Connection, Contact, PupilContact
from tests.browser.conftest import Open
from tests.browser.judging import DESK, PHONE
from tests.browser.test_signing_in import give_authenticator
from tests.factories.inbox import last_code, last_link
from tests.factories.people import give, make_contact
from tests.factories.world import World
from verification.invitations import inviting

pytestmark = pytest.mark.browser
PASSWORD = "walnut harbour seventeen"


def picture(page: Page, name: str) -> None:
    """Keep a picture to look at, where PICTURES names a folder."""
    if folder := os.environ.get("PICTURES"):
        page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)


def fits(page: Page) -> None:
    """Nothing is wider than the phone."""
    wide = """[...document.querySelectorAll('main *')].filter(one => one.getBoundingClientRect().right > innerWidth + 1
        && !one.closest('.table-wrap')).map(one => one.outerHTML.slice(0, 80))"""
    assert page.evaluate(wide) == []
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def a_parent(world: World) -> Contact:
    """Somebody not connected, with an email and a mobile of their own."""
    contact = world.taken
    contact.details.all().delete()
    give(contact, "email", "parent.one@example.org")
    give(contact, "mobile", "+447700900555")
    return contact


def path_of(address: str) -> str:
    return urlsplit(last_link(address)).path


def test_a_parent_registers_on_a_phone_and_the_office_sees_connected(world: World, open_page: Open) -> None:
    contact = a_parent(world)
    desk = open_page(f"/8233001/people/contacts/{contact.pk}/", email="office@example.org", size=DESK)
    picture(desk, "01-office-not-connected")
    desk.get_by_role("button", name="Invite", exact=True).click()
    expect(desk.get_by_text("is invited at parent.one@example.org")).to_be_visible()
    picture(desk, "02-office-invited")

    phone = open_page(path_of("parent.one@example.org"), size=PHONE)
    expect(phone.get_by_role("heading", name="Larch Hill Primary invites")).to_be_visible()
    assert phone.url.endswith("/join/")
    fits(phone)
    picture(phone, "03-start")
    phone.get_by_role("button", name="Begin").click()
    picture(phone, "04-who")
    phone.get_by_role("button", name="Yes, I am new").click()

    expect(phone.get_by_text("Step 2 of 5")).to_be_visible()
    phone.get_by_label("parent.one@example.org").check()
    fits(phone)
    picture(phone, "05-email")
    phone.get_by_role("button", name="Continue").click()

    phone.get_by_label("07700 900555").check()
    picture(phone, "06-mobile")
    phone.get_by_role("button", name="Continue").click()
    expect(phone.get_by_role("heading", name="Look at your phone")).to_be_visible()
    fits(phone)
    picture(phone, "07-code")
    phone.get_by_label("The code").fill("1")
    phone.get_by_role("button", name="Confirm", exact=True).click()
    picture(phone, "08-wrong-code")
    phone.get_by_label("The code").fill(last_code("+447700900555"))
    phone.get_by_role("button", name="Confirm", exact=True).click()

    picture(phone, "09-children")
    phone.get_by_role("button", name="Continue").click()
    picture(phone, "10-children-missing")
    for group in phone.locator("fieldset").all():
        group.get_by_label("is mine").check()
    fits(phone)
    phone.get_by_role("button", name="Continue").click()

    expect(phone.get_by_text("You sign in by your email, parent.one@example.org.")).to_be_visible()
    picture(phone, "11-finish")
    phone.get_by_label("Choose a password").fill(PASSWORD)
    phone.get_by_role("button", name="Connect", exact=True).click()
    expect(phone.get_by_role("heading", name="You are connected with Larch Hill Primary")).to_be_visible()
    fits(phone)
    picture(phone, "12-done")
    phone.get_by_role("link", name="Go to my page").click()
    picture(phone, "13-home")

    desk.reload()
    expect(desk.locator("header.head").get_by_text("Connected", exact=True)).to_be_visible()
    picture(desk, "14-office-connected")
    assert Connection.objects.get(contact=contact, ended_at=None).connected_at

    again = open_page(path_of("parent.one@example.org"), size=PHONE)
    expect(again.get_by_role("heading", name="This invitation was used already")).to_be_visible()
    picture(again, "15-used")


def test_without_script_and_with_a_child_that_is_not_theirs(world: World, open_page: Open) -> None:
    contact = a_parent(world)
    make_contact(world.school, "Wendy", "Ọláyẹmí", PupilContact.objects.filter(contact=contact)[0].pupil)
    desk = open_page("/8233001/reports/connections/", email="office@example.org", size=DESK)
    picture(desk, "20-connections")
    desk.get_by_role("link", name="Invite everybody").click()
    picture(desk, "21-preview")
    desk.get_by_role("button", name="Invite").click()
    expect(desk.get_by_role("heading", name="invited")).to_be_visible()
    picture(desk, "22-result")
    with desk.expect_download() as download:
        desk.get_by_role("button", name="Print").click()
    assert download.value.suggested_filename == "letters-8233001.pdf"
    desk.goto(desk.url.replace("/invited/", "/?show=invited"))
    picture(desk, "23-invited")
    small = open_page("/8233001/reports/connections/", email="office@example.org", size=PHONE)
    fits(small)
    picture(small, "24-connections-phone")

    phone = open_page(path_of("parent.one@example.org"), size=PHONE)
    phone.get_by_role("button", name="Begin").click()
    phone.get_by_role("button", name="Yes, I am new").click()
    phone.get_by_label("No, I use another").check()
    phone.get_by_label("Email", exact=True).fill("other@example.org")
    picture(phone, "25-other-email")
    phone.get_by_role("button", name="Continue").click()
    phone.get_by_label("The code").fill(last_code("other@example.org"))
    phone.get_by_role("button", name="Confirm", exact=True).click()
    phone.get_by_label("I have no mobile").check()
    phone.get_by_role("button", name="Continue").click()
    for group in phone.locator("fieldset").all():
        group.get_by_label("not my child").check()
    phone.get_by_role("button", name="Continue").click()
    phone.get_by_text("What you have said").click()
    picture(phone, "26-summary")
    phone.get_by_label("Choose a password").fill(PASSWORD)
    phone.get_by_role("button", name="Connect", exact=True).click()
    expect(phone.get_by_text("The office has been told about")).to_be_visible()
    picture(phone, "27-done-denied")
    assert not PupilContact.objects.filter(contact=contact, ended_on=None, denied_at=None).exists()

    desk.goto(desk.url.partition("reports/")[0] + f"people/contacts/{contact.pk}/")
    expect(desk.get_by_text("Says that").first).to_be_visible()
    picture(desk, "28-office-denied")


def test_two_parents_who_share_everything_the_second_with_a_passkey(world: World, open_page: Open) -> None:
    contact = a_parent(world)
    other = make_contact(world.school, "Chidi", "Okafor", PupilContact.objects.filter(contact=contact)[0].pupil)
    give(other, "email", "parent.one@example.org")
    Account.objects.create_user("parent.one@example.org", name="The other parent")
    head = Account.objects.get(email="head@example.org")
    inviting.invite(owner=other, by=head, now=timezone.now())

    phone = open_page(path_of("parent.one@example.org"), size=PHONE)

    give_authenticator(phone)
    phone.get_by_role("button", name="Begin").click()
    phone.get_by_role("button", name="Yes, I am new").click()
    phone.get_by_label("parent.one@example.org").check()
    phone.get_by_role("button", name="Continue").click()
    phone.get_by_label("I have no mobile").check()
    phone.get_by_role("button", name="Continue").click()
    phone.get_by_label("is mine").check()
    phone.get_by_role("button", name="Continue").click()
    expect(phone.get_by_text("so you sign in by a passkey")).to_be_visible()
    fits(phone)
    picture(phone, "40-passkey-only")
    phone.get_by_role("button", name="Make a passkey and connect").click()
    expect(phone.get_by_role("heading", name="You are connected with Larch Hill Primary")).to_be_visible()
    account = Connection.objects.get(contact=other, ended_at=None).account
    assert account is not None
    assert (account.email, account.mobile, account.passkeys.count()) == (None, None, 1)
    # And in again by it.
    phone.locator("summary[aria-label^='Your account']").click()
    phone.get_by_role("button", name="Sign out", exact=True).click()
    home = phone.get_by_role("heading", name="Chidi")
    try:
        expect(home).to_be_visible(timeout=8_000)  # the browser offers it by itself, and this one is not asked twice
    except AssertionError:
        phone.get_by_role("button", name="Sign in with a passkey").click()
    expect(home).to_be_visible()
    picture(phone, "41-signed-in-by-it")


def test_the_letters_door_on_a_phone(world: World, open_page: Open) -> None:
    phone = open_page("/join/letter/", size=PHONE)
    fits(phone)
    picture(phone, "30-letter")
    phone.get_by_label("Letter number").fill("12345678")
    phone.get_by_label("Code").fill("AAAA-BBBB-CCCC")
    phone.get_by_role("button", name="Continue").click()
    expect(phone.get_by_text("do not belong together")).to_be_visible()
    picture(phone, "31-letter-wrong")
