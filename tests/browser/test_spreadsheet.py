"""An office uploads a spreadsheet with ten different mistakes, sees each by its cell, mends it, and imports it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from hub.accounts.models import Role
from hub.core import scope
from hub.people.models import Pupil
from mis_connectors.spreadsheet import columns
from tests.browser.conftest import Open
from tests.browser.judging import DESK, PHONE
from tests.conftest import join, make_school
from tests.factories.sheets import HEADER, family, row, xlsx

pytestmark = pytest.mark.browser
MISTAKES = {
    "F3": ("DOB", {"DOB": "09/03/15"}),
    "M4": ("PrimaryEmail", {"PrimaryEmail": "ada.example.org"}),
    "N5": ("MobileNumber", {"MobileNumber": "7.7E+09"}),
    "C6": ("StudentID", {"StudentID": ""}),
    "D7": ("Year", {"Year": "Sixth"}),
    "V8": ("Priority", {"Priority": "first"}),
    "K9": ("ContactSurname", {"ContactSurname": ""}),
    "E10": ("Reg", {"Reg": "#REF!"}),
    "B11": ("StudentSurname", {"StudentSurname": ""}),
    "F12": ("DOB", {"DOB": "03/25/2015"}),
}
"""Cell → its caption, and what is wrong there."""


def families() -> list[list[Any]]:
    return [family(number, Year="4", Reg="4A") for number in range(30)]


def wrong() -> bytes:
    rows = families()
    for number, (_, values) in enumerate(MISTAKES.values(), 1):
        for caption, value in values.items():
            rows[number][HEADER.index(caption)] = value
    return xlsx(*rows)


def upload(page: Page, data: bytes) -> None:
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    page.get_by_label("Spreadsheet").set_input_files({"name": "our people.xlsx", "mimeType": kind, "buffer": data})
    page.get_by_role("button", name="Look at it").click()


def picture(page: Page, name: str) -> None:
    """Keep a picture, if somebody wants to look at one."""
    if folder := os.environ.get("SCHOOLGATE_PICTURES"):
        page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)


@pytest.mark.parametrize(
    "size", [DESK, pytest.param(PHONE, marks=pytest.mark.long)], ids=["desk", "phone"]
)  # fmt: skip
def test_ten_mistakes_are_seen_mended_and_the_rest_imported(
    transactional_db: None, open_page: Open, size: dict[str, int]
) -> None:
    school = make_school("Larch Hill Primary", "8233001")
    join(school, "head@example.org", "Helen Ward", Role.ADMINISTRATOR)
    page = open_page("/8233001/settings/mis-link/", email="head@example.org", size=size)
    page.get_by_role("radio", name="Spreadsheet").check()
    picture(page, f"choose-{size['width']}")
    page.get_by_role("button", name="Set it up").click()
    picture(page, f"chosen-{size['width']}")
    page.goto(page.url.split("/8233001/")[0] + "/8233001/imports/upload/")
    picture(page, f"upload-{size['width']}")

    header = ["Date of birth" if caption == "DOB" else caption for caption in HEADER]
    upload(page, xlsx(row(), header=header))
    expect(page.get_by_role("heading", level=1)).to_have_text("The captions need another look")
    expect(page.get_by_text("Did you mean DOB?")).to_be_visible()
    picture(page, f"captions-{size['width']}")

    page.get_by_role("link", name="Choose another file").click()
    upload(page, wrong())
    expect(page.get_by_role("heading", level=1)).to_have_text("10 cells to look at")
    for cell in MISTAKES:
        expect(page.get_by_text(cell, exact=True).first).to_be_visible()
    picture(page, f"cells-{size['width']}")
    width = page.evaluate("document.documentElement.scrollWidth")
    assert width <= size["width"]

    page.get_by_role("link", name="Choose another file").click()
    upload(page, xlsx(*families()))
    expect(page.get_by_role("heading", level=1)).to_have_text("This file can be imported")
    picture(page, f"plan-{size['width']}")
    page.get_by_role("button", name="Import this").click()
    expect(page.get_by_role("heading", level=1)).not_to_have_text("This file can be imported")
    picture(page, f"imported-{size['width']}")
    with scope.schools(school.pk):
        assert Pupil.objects.filter(school=school).count() == 30
    assert set(columns.PUPILS) == set(HEADER)
