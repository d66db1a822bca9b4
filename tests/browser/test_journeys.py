"""What an office does, in a real browser, one journey per flow."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from hub.accounts import second_factor
from hub.accounts.models import Account
from mis_connectors.simulators import school as simulated
from mis_connectors.simulators import sims_xml
from tests.browser.conftest import Open
from tests.conftest import NOW, PASSWORD
from tests.factories.world import World

pytestmark = pytest.mark.browser


def upload(page: Page, path: Path, *, everybody: bool = True, preview: bool = False) -> None:
    """Send a file by hand, from the Imports page on."""
    page.goto(re.sub(r"(\d{7}/).*", r"\1imports/upload/", page.url))
    page.locator("input[type=file]").set_input_files(path)
    page.get_by_label("This is everybody").set_checked(everybody)
    page.get_by_label("Preview only").set_checked(preview)
    page.locator("main form button[type=submit]").last.click()
    page.wait_for_url(re.compile(r"/imports/\d+/"))


def test_an_office_signs_in_and_reads_last_night(world: World, open_page: Open) -> None:
    office = Account.objects.get(email="office@example.org")
    second_factor.give_time_code(account=office, secret="JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP", now=timezone.now())
    page = open_page("/")
    page.get_by_label("Email or mobile").fill("office@example.org")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.get_by_label("Code from your authenticator app").fill(second_factor.current_code(office, timezone.now()))
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("import is in")
    expect(page.get_by_role("heading", name="MIS Auto Link")).to_be_visible()
    expect(page.get_by_role("heading", name="Last Imported")).to_be_visible()
    page.goto(page.url + f"imports/{world.last.pk}/")
    kept = page.get_by_role("row").filter(has_text=world.kept.surname).filter(has_text="Kept")
    expect(kept.first).to_contain_text("07700 900801")
    taken = page.get_by_role("row").filter(has_text="07700 900802")
    expect(taken.first).to_contain_text("not connected")


def test_bad_files_are_refused_with_a_sentence_and_change_nothing(
    world: World, open_page: Open, tmp_path: Path
) -> None:
    page = open_page("/8233001/", email="head@example.org")
    truncated, other, half = (tmp_path / f"{name}.zip" for name in ("truncated", "other", "half"))
    contacts = sims_xml.reports(world.sims)["contacts.xml"]
    with zipfile.ZipFile(truncated, "w") as archive:
        archive.writestr("contacts.xml", contacts[: len(contacts) // 2])
    (tmp_path / "empty.xml").write_bytes(b"")
    upload(page, truncated)
    expect(page.locator("main")).to_contain_text("Failed")
    expect(page.locator("main")).to_contain_text(re.compile("ends in the middle|cut short|truncated|cut off", re.I))
    upload(page, tmp_path / "empty.xml")
    expect(page.locator("main")).to_contain_text("empty")
    stranger = simulated.generate(seed=8, size=12, dfe_number="8234002", name="Beck Road Academy")
    other.write_bytes(sims_xml.bundle(stranger, "other", NOW))
    upload(page, other)
    expect(page.locator("main")).to_contain_text("about school 823/4002, not about 823/3001")
    world.sims.drop_half()
    half.write_bytes(sims_xml.bundle(world.sims, "half", NOW))
    upload(page, half)
    expect(page.locator("main")).to_contain_text("Removals held")
    page.get_by_role("link", name=re.compile("Review .* removal")).click()
    expect(page.locator("main")).to_contain_text("13 people would be removed")
    page.go_back()
    page.get_by_role("button", name="Keep everybody").click()
    expect(page.locator("main")).not_to_contain_text("Held for you")


def test_an_import_is_undone_and_the_link_resumed(world: World, open_page: Open) -> None:
    page = open_page(f"/8233001/imports/{world.last.pk}/", email="head@example.org")
    page.get_by_role("link", name="Undo this import").click()
    page.get_by_role("button", name=re.compile("Undo")).click()
    expect(page.locator("main")).to_contain_text("Undone")
    page.goto(re.sub(r"imports/.*", "", page.url))
    expect(page.locator("main")).to_contain_text(re.compile("paused", re.I))
    page.goto(page.url + "settings/mis-link/")
    page.get_by_role("button", name=re.compile("Resume")).first.click()
    expect(page.locator("main")).not_to_contain_text("Paused")


def test_autolink_is_disabled_and_enabled_again(world: World, open_page: Open) -> None:
    page = open_page("/8233001/settings/mis-link/", email="head@example.org")
    page.get_by_role("link", name="Disable MIS Autolink").click()
    page.get_by_role("button", name="Disable MIS Autolink").click()
    page.goto(re.sub(r"settings/.*", "", page.url))
    expect(page.locator("main")).to_contain_text("Disabled")
    expect(page.locator("main")).to_contain_text("off since")


def test_the_agent_is_downloaded_ready_configured(world: World, open_page: Open) -> None:
    page = open_page("/8233001/settings/mis-link/set-up/", email="head@example.org")
    with page.expect_download() as waiting:
        page.get_by_role("button", name=re.compile("Download")).first.click()
    text = Path(waiting.value.path()).read_text(encoding="utf-8")
    assert "sg_" in text
    compile(text, "agent", "exec")


def test_a_member_of_staff_is_invited_and_joins(world: World, open_page: Open) -> None:
    page = open_page("/8233001/settings/staff/invite/", email="head@example.org")
    page.get_by_label("Email").fill("new@example.org")
    page.get_by_label(re.compile("^Office")).check()
    page.get_by_role("button", name=re.compile("[Ii]nvit")).click()
    guest = open_page("/inbox/")
    guest.get_by_role("link").filter(has_text=re.compile("invit|Larch", re.I)).first.click()
    link = re.search(r"https?://\S+/invitation/\S+", guest.locator("main").inner_text())
    assert link
    guest.goto(re.sub(r"https?://[^/]+", re.match(r"https?://[^/]+", guest.url)[0], link[0]))  # type: ignore[index]
    guest.get_by_label("Your name").fill("Nadia New")
    for box in guest.locator("input[type=password]").all():
        box.fill("a long new password")
    guest.locator("main form button[type=submit]").click()
    guest.wait_for_load_state()
    expect(guest.get_by_role("heading", level=1)).to_have_text("Set up a second factor")
    new = Account.objects.get(email="new@example.org")
    second_factor.give_time_code(account=new, secret="JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP", now=timezone.now())
    guest.goto(re.sub(r"/account/.*", "/", guest.url))
    expect(guest.get_by_role("heading", level=1)).to_contain_text("import")
