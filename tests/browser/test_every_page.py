"""Every page, at a desk and on a phone, light and dark: no accessibility violation, nothing cut off."""

from __future__ import annotations

import datetime as dt
import json

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.utils import timezone
from playwright.sync_api import Page

from tests.browser.conftest import DESK, PHONE, Open
from tests.factories.changes import make_change
from tests.factories.world import World

pytestmark = pytest.mark.browser
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}


def paths_of(world: World) -> list[str]:
    """Return one address of every page an administrator can reach."""
    school = f"/{world.school.slug}/"
    pupil = world.kept.links.first().pupil_id  # type: ignore[union-attr]
    login = ["", "prove/", "second-factor/", "time-code/", "password/", "recovery-codes/", "time-code/remove/"]
    return ["/", "/schools/", "/inbox/"] + ["/account/" + path for path in login] + [
        school + path
        for path in (
            "", "imports/", f"imports/{world.last.pk}/", f"imports/{world.last.pk}/undo/", "imports/upload/",
            "imports/rejected/", "people/", "people/?show=parents", "people/?show=staff",
            f"people/contacts/{world.kept.pk}/", f"people/contacts/{world.taken.pk}/", f"people/pupils/{pupil}/",
            f"people/contacts/{world.taken.pk}/mobile/", "people/add/", "people/do-not-import/",
            "people/lists/no-email-or-mobile/", "people/lists/not-connected/", "people/lists/court-orders/",
            "people/edit-many/", f"people/contacts/{world.kept.pk}/mobile/",
            f"people/contacts/{world.kept.pk}/mobile/why/",
            f"people/contacts/{world.kept.pk}/disconnect/", f"people/contacts/{world.kept.pk}/reset/",
            "reports/verified-user-changes/", "reports/verified-user-changes/?show=all", "reports/connections/",
            "reports/connections/?show=connected", "reports/connections/invite/", "settings/confirming/",
            "settings/", "settings/school/", "settings/staff/",
            "settings/staff/invite/", "settings/mis-link/", "settings/mis-link/set-up/",
            "settings/mis-link/disable/", "settings/who-is-imported/", "no-such-page/",
        )
    ]  # fmt: skip


OUTSIDE = (
    "/sign-in/", "/join/", "/join/letter/", "/recover/", "/recover/letter/", "/recover/sent/", "/not-me/",
)  # fmt: skip
"""What anybody can open, with nothing to show."""
STATES: tuple[tuple[str, str], ...] = (
    ("waiting", ""), ("pending", ""), ("rejected", ""), ("expired", ""), ("withdrawn", ""), ("frozen", ""),
    ("approved", "to_update"), ("approved", "done"), ("approved", "differs"), ("approved", "updated"),
)  # fmt: skip


def rows_in_every_state(world: World) -> None:
    """Fill the report: each state an email or mobile can be in, and a child who is not theirs."""
    now = timezone.now()
    for status, mis_state in STATES:
        deadline = now + dt.timedelta(days=2) if status in ("waiting", "pending") else None
        make_change(world.kept, status=status, mis_state=mis_state, field="email", new_value=f"{status}@example.org",
                    made_at=now - dt.timedelta(days=5), deadline=deadline)  # fmt: skip
    pupil = world.kept.links.first().pupil  # type: ignore[union-attr]
    make_change(world.kept, field="child", pupil=pupil, old_value="Mother", new_value="Not my child")


def problems_of(page: Page) -> list[str]:
    found = [
        f"{rule['id']}: {rule['nodes'][0]['html'][:120]}"
        for rule in Axe().run(page, options=RULES).response["violations"]
    ]
    width = page.evaluate("[document.documentElement.scrollWidth, document.documentElement.clientWidth]")
    if width[0] > width[1]:
        found.append(f"wider than the screen: {width}")
    return found


@pytest.mark.parametrize(("size", "scheme"), [(DESK, "light"), (PHONE, "dark")], ids=["desk-light", "phone-dark"])
def test_every_page_is_accessible_and_fits(world: World, open_page: Open, size: dict[str, int], scheme: str) -> None:
    rows_in_every_state(world)
    page = open_page("/sign-in/", size=size, scheme=scheme)
    base, found = page.url.split("/", 3), {}
    for path in OUTSIDE:
        page.goto(f"{base[0]}//{base[2]}{path}")
        found[path] = problems_of(page)
    page = open_page("/", email="head@example.org", size=size, scheme=scheme)
    for path in paths_of(world):
        answer = page.goto(f"{base[0]}//{base[2]}{path}")
        assert answer is not None
        found[path] = problems_of(page)
        if answer.status != (404 if "no-such-page" in path else 200):
            found[path].append(f"answered {answer.status}")
    assert {path: problems for path, problems in found.items() if problems} == {}, json.dumps(found, indent=1)


def test_the_first_tab_stop_skips_to_the_content(world: World, open_page: Open) -> None:
    page = open_page("/8233001/", email="head@example.org")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.getAttribute('href')") == "#main"
    page.keyboard.press("Enter")
    assert page.evaluate("location.hash") == "#main"


def test_a_page_still_fits_at_320_pixels(world: World, open_page: Open) -> None:
    page = open_page("/8233001/", email="head@example.org", size={"width": 320, "height": 640})
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
