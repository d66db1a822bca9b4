"""What people confirm, from one side of the gate to the other: a parent on a phone, the office at a desk, the MIS."""

from __future__ import annotations

import datetime as dt
import re
from urllib.parse import urlsplit

import pytest
from django.utils import timezone
from playwright.sync_api import Locator, Page, expect

from hub.accounts.models import Account, Role
from hub.core import scope
from hub.people.models import Contact
from tests.browser.conftest import Open
from tests.browser.judging import PHONE
from tests.browser.test_registering import fits, picture
from tests.conftest import join, make_school
from tests.factories.inbox import last_code, last_link, mails_to
from tests.factories.parents import make_login, make_parent, value_of
from tests.factories.people import make_pupil
from tests.factories.world import World, _sims_id, import_night
from verification import sweeping
from verification.changes.rules import OPEN_FOR
from verification.invitations import inviting
from verification.models import DetailChange

pytestmark = pytest.mark.browser
HERS, HIS = "+447700900561", "+447700900562"
SECOND = dt.timedelta(seconds=1)


def night(world: World, name: str) -> None:
    import_night(world.link, world.sims, name, now=timezone.now())


def path_in(address: str) -> str:
    return urlsplit(last_link(address)).path


def register(phone: Page, mobile: str) -> None:
    """From an invitation's page to Connected, with the email of the link and this mobile proved."""
    phone.get_by_role("button", name="Begin").click()
    phone.get_by_role("button", name="Yes, I am new").click()
    phone.locator("main input[type=radio]").first.check()
    phone.get_by_role("button", name="Continue").click()
    phone.locator("main input[type=radio]").first.check()
    phone.get_by_role("button", name="Continue").click()
    phone.get_by_label("The code").fill(last_code(mobile))
    phone.get_by_role("button", name="Confirm", exact=True).click()
    for group in phone.locator("fieldset").all():
        group.get_by_label("is mine").check()
    phone.get_by_role("button", name="Continue").click()
    phone.get_by_label("Choose a password").fill("walnut harbour seventeen")
    phone.get_by_role("button", name="Connect", exact=True).click()
    phone.get_by_role("link", name="Go to my page").click()


def row_of(page: Page, contact: Contact) -> Locator:
    found = page.locator(".change-row").filter(has_text=contact.surname)
    expect(found.first).to_be_visible()
    return found.first


def go(page: Page, path: str) -> None:
    page.goto("/".join(page.url.split("/")[:3]) + path)


def test_from_the_invitation_to_a_row_that_closes_itself(world: World, open_page: Open) -> None:
    parent, record = world.taken, _sims_id(world.taken)
    world.sims.change_email(record, "parent.one@example.org")
    world.sims.change_mobile(record, "07700 900555")
    night(world, "night-3")
    inviting.invite(owner=parent, by=Account.objects.get(email="office@example.org"), now=timezone.now())
    phone = open_page(path_in("parent.one@example.org"), size=PHONE)
    register(phone, "+447700900555")

    go(phone, "/home/details/mobile/")
    phone.get_by_label("New mobile").fill("07700 900556")
    picture(phone, "50-new-mobile")
    phone.get_by_role("button", name="Send me the code").click()
    picture(phone, "51-type-the-code")
    phone.get_by_label("The code").fill(last_code("+447700900556"))
    phone.get_by_role("button", name="Confirm", exact=True).click()
    expect(phone.locator("main")).to_contain_text("07700 900556")
    fits(phone)
    picture(phone, "52-changed")

    desk = open_page("/8233001/", email="office@example.org")
    expect(desk.locator("main")).to_contain_text(re.compile(r"cop(y|ied)"))
    picture(desk, "53-your-alerts")
    go(desk, "/8233001/reports/verified-user-changes/")
    expect(row_of(desk, parent)).to_contain_text("07700 900556")
    expect(row_of(desk, parent)).to_contain_text("07700 900555")
    picture(desk, "54-to-copy")

    world.sims.change_mobile(record, "07700 900556")
    night(world, "night-4")
    desk.reload()
    expect(desk.locator(".change-row").filter(has_text="07700 900556")).to_have_count(0)
    row = DetailChange.objects.get(contact=parent, field="mobile", origin="person")
    assert (row.mis_state, row.settled_import is not None) == ("updated", True)
    picture(desk, "55-closed-itself")


@pytest.fixture
def parents(transactional_db: None, settings: object) -> dict[str, Contact]:
    """Ngozi and Chidi with one email, he signing in by his mobile; Ngozi has a child at another school too."""
    settings.LOCAL_INBOX = True  # type: ignore[attr-defined]
    settings.EMAIL_BACKEND = "hub.messaging.backends.LocalInboxBackend"  # type: ignore[attr-defined]
    school, other = make_school("Larch Hill Primary", "8233001"), make_school("Beck Road Academy", "8234002")
    join(school, "office@example.org", "Priya Shah", Role.OFFICE)
    join(other, "joan@example.org", "Joan Pryce", Role.OFFICE)
    ngozi = make_login("ours@example.org", "Ngozi Okafor")
    chidi = make_login(None, "Chidi Okafor", mobile=HIS)
    found = {
        "ngozi": make_parent(school, ngozi, email="ours@example.org", mobile=HERS),
        "elsewhere": make_parent(other, ngozi, email="ours@example.org", mobile=HERS),
        "chidi": make_parent(school, chidi, forename="Chidi", email="ours@example.org", mobile=HIS),
    }
    return {name: one.contact for name, one in found.items() if one.contact}


def test_the_school_edits_a_connected_parents_email_and_nobody_answers(
    parents: dict[str, Contact], open_page: Open
) -> None:
    ngozi = parents["ngozi"]
    desk = open_page(f"/8233001/people/contacts/{ngozi.pk}/email/", email="office@example.org")
    desk.locator("main input[type=text], main input[type=email]").first.fill("typed@example.org")
    desk.get_by_role("button", name="Ask them").click()
    expect(desk.locator("main")).to_contain_text("typed@example.org")
    picture(desk, "59-asked")
    with scope.schools(ngozi.school_id):
        row = DetailChange.objects.get(status="pending")
    assert value_of(ngozi, "email") == "ours@example.org"
    assert row.deadline == row.made_at + OPEN_FOR
    first = len(mails_to("ours@example.org"))
    phone = open_page("/home/approvals/", email="ours@example.org", size=PHONE)
    expect(phone.locator("main")).to_contain_text("typed@example.org")
    fits(phone)
    picture(phone, "60-a-question")
    for days, told in ((2, 0), (3, 1), (3, 1), (6, 2)):
        sweeping.sweep(row.made_at + dt.timedelta(days=days))
        assert len(mails_to("ours@example.org")) == first + told

    sweeping.sweep(row.deadline - SECOND)
    assert _status(row) == "pending"
    sweeping.sweep(row.deadline)
    assert _status(row) == "expired"
    assert value_of(ngozi, "email") == "ours@example.org"
    assert len(mails_to("ours@example.org")) == first + 3
    assert any("expired" in one.body + one.subject or "answer" in one.body for one in mails_to("office@example.org"))
    phone.reload()
    expect(phone.get_by_role("button", name="Yes")).to_have_count(0)
    picture(phone, "61-expired")
    go(desk, "/8233001/reports/verified-user-changes/?show=all")
    expect(desk.locator("main")).to_contain_text("Expired")
    desk.get_by_role("button", name="Ask again").click()
    expect(desk.get_by_role("button", name="Take it back")).to_be_visible()
    with scope.schools(ngozi.school_id):
        assert DetailChange.objects.filter(status="pending").count() == 1
    picture(desk, "62-asked-again")


def _status(row: DetailChange) -> str:
    with scope.schools(row.school_id):
        return DetailChange.objects.get(pk=row.pk).status


@pytest.mark.parametrize(("me", "other"), [("Ngozi", "Chidi"), ("Chidi", "Ngozi")])
def test_two_parents_of_one_mailbox_cannot_become_each_other(
    parents: dict[str, Contact], open_page: Open, me: str, other: str
) -> None:
    mobiles = {"Ngozi": HERS, "Chidi": HIS}
    phone = open_page("/recover/", size=PHONE)
    phone.locator("main form input:not([type=hidden])").first.fill("ours@example.org")
    phone.get_by_role("button", name="Send it").click()
    expect(phone.get_by_role("heading", name="Look into your mailbox")).to_be_visible()
    (mail,) = [one for one in mails_to("ours@example.org") if "/recover/link/" in one.body]
    about = mail.body[mail.body.index(other) :]
    link = re.search(r"https?://\S+/recover/link/\S+", about)
    assert link
    go(phone, urlsplit(link[0]).path)
    picture(phone, f"70-{me}-opens-the-link-of-{other}")
    for _ in range(3):
        if phone.get_by_role("button", name="Send a code to my mobile").count():
            break
        phone.locator("main form button[type=submit]").first.click()
    phone.get_by_role("button", name="Send a code to my mobile").click()
    picture(phone, f"71-{me}-has-not-the-mobile-of-{other}")
    assert last_code(mobiles[other])
    assert not [one for one in mails_to(mobiles[me]) if "code" in one.body.lower()]
    phone.get_by_label("The code").fill("000000" if last_code(mobiles[other]) != "000000" else "111111")
    phone.locator("main form button[type=submit]").first.click()
    expect(phone.get_by_label("Choose a password")).to_have_count(0)
    go(phone, "/home/")
    expect(phone).to_have_url(re.compile("/sign-in/"))
    fits(phone)


def test_a_parent_with_two_schools_changes_once_for_both(parents: dict[str, Contact], open_page: Open) -> None:
    phone = open_page("/home/", email="ours@example.org", size=PHONE)
    expect(phone.locator("main")).to_contain_text("Beck Road Academy")
    expect(phone.locator("main")).to_contain_text("Larch Hill Primary")
    go(phone, "/home/details/mobile/")
    phone.get_by_label("New mobile").fill("07700 900563")
    picture(phone, "80-at-which-schools")
    phone.get_by_role("button", name="Send me the code").click()
    phone.get_by_label("The code").fill(last_code("+447700900563"))
    phone.get_by_role("button", name="Confirm", exact=True).click()
    expect(phone.locator("main")).to_contain_text("07700 900563")
    assert value_of(parents["ngozi"], "mobile") == value_of(parents["elsewhere"], "mobile") == "+447700900563"
    for slug, email in (("8233001", "office@example.org"), ("8234002", "joan@example.org")):
        desk = open_page(f"/{slug}/reports/verified-user-changes/", email=email)
        expect(desk.locator(".change-row").filter(has_text="07700 900563")).to_have_count(1)
    assert value_of(parents["chidi"], "mobile") == HIS


def test_this_was_not_me_takes_it_back_and_stops_everything(parents: dict[str, Contact], open_page: Open) -> None:
    thief = open_page("/home/details/mobile/", email="ours@example.org")
    thief.get_by_label("New mobile").fill("07700 900666")
    thief.get_by_role("button", name="Send me the code").click()
    thief.get_by_label("The code").fill(last_code("+447700900666"))
    thief.get_by_role("button", name="Confirm", exact=True).click()
    expect(thief.locator("main")).to_contain_text("07700 900666")
    assert value_of(parents["ngozi"], "mobile") == "+447700900666"

    phone = open_page(path_in(HERS), size=PHONE)
    expect(phone.get_by_role("heading", name="Was this you?")).to_be_visible()
    assert value_of(parents["ngozi"], "mobile") == "+447700900666", "opening a link changes nothing"
    fits(phone)
    picture(phone, "90-was-this-you")
    phone.get_by_role("button", name=re.compile("This was not me")).click()
    picture(phone, "91-taken-back")
    assert value_of(parents["ngozi"], "mobile") == value_of(parents["elsewhere"], "mobile") == HERS
    thief.reload()
    expect(thief).to_have_url(re.compile("/sign-in/"))

    desk = open_page("/8233001/", email="office@example.org")
    expect(desk.locator("main")).to_contain_text("this was not me")
    picture(desk, "92-the-office-is-told")
    frozen = open_page("/home/", email="ours@example.org", size=PHONE)
    expect(frozen.get_by_role("heading", name="Your details are frozen")).to_be_visible()
    picture(frozen, "93-frozen")
    go(frozen, "/home/details/mobile/")
    expect(frozen.get_by_role("heading", level=1)).to_have_text("Nothing can be changed now")
    expect(frozen.get_by_label("New mobile")).to_have_count(0)


def test_not_my_child_is_out_of_sight_until_the_office_gives_them_back(
    parents: dict[str, Contact], open_page: Open
) -> None:
    with scope.schools(parents["ngozi"].school_id):
        assert make_pupil(parents["ngozi"].school, "Sam", "Okafor")
    phone = open_page("/home/children/", email="ours@example.org", size=PHONE)
    picture(phone, "95-children")
    phone.get_by_role("link", name=re.compile("[Nn]ot my child")).first.click()
    picture(phone, "96-not-mine")
    phone.get_by_role("button", name=re.compile("is not my child")).click()
    fits(phone)
    picture(phone, "97-out-of-sight")
    denied = DetailChange.objects.filter(field="child", status="approved")
    with scope.every_school():
        row = denied.select_related("school", "pupil").get()
    assert row.pupil
    desk = open_page(
        f"/{row.school.slug}/", email={"8233001": "office@example.org"}.get(row.school.slug, "joan@example.org")
    )
    expect(desk.locator("main")).to_contain_text("is not their child")
    go(desk, f"/{row.school.slug}/reports/verified-user-changes/")
    picture(desk, "98-the-row")
    desk.get_by_role("button", name=re.compile("Give access back")).click()
    expect(desk.get_by_role("button", name=re.compile("Give access back"))).to_have_count(0)
    with scope.every_school():
        assert not denied.exists()
    go(phone, "/home/children/")
    expect(phone.locator("main")).to_contain_text(row.pupil.forename)
