"""Every page, at a desk and on a phone, light and dark: no accessibility violation, nothing cut off."""

from __future__ import annotations

import datetime as dt
import json

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.utils import timezone
from playwright.sync_api import Page

from tests.browser.conftest import DESK, PHONE, Open, alone
from tests.factories.changes import make_change
from tests.factories.world import World

pytestmark = pytest.mark.browser
RULES = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    "resultTypes": ["violations"],
}
LOOKS = {"runOnly": ["color-contrast", "target-size", "scrollable-region-focusable"], "resultTypes": ["violations"]}
"""The rules that a size or a colour scheme decides; the others read the same page."""
AXE = Axe().axe_script
LOOK = """rules => axe.run(rules).then(found => ({
    wrong: found.violations.map(rule => `${rule.id}: ${rule.nodes[0].html.slice(0, 120)}`),
    wide: [document.documentElement.scrollWidth, document.documentElement.clientWidth],
}))"""
"""Only what is wrong leaves the browser: the rest is megabytes."""
PARTS = 3
"""The pages are shared out, so that no test is the one the others wait for."""


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
            "settings/mis-link/disable/", "settings/mis-link/support/", "settings/who-is-imported/", "no-such-page/",
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


def to_judge(page: Page) -> Page:
    """Return the page with axe in whatever it opens from now on: sending half a megabyte to each takes longer."""
    page.add_init_script(AXE)
    return alone(page)


def problems_of(page: Page, rules: dict[str, list[str]] = RULES) -> list[str]:
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE)
    said = page.evaluate(LOOK, rules)
    found: list[str] = said["wrong"]
    if said["wide"][0] > said["wide"][1]:
        found.append(f"wider than the screen: {said['wide']}")
    return found


def problems_in_both(page: Page, on_phone: dict[str, list[str]]) -> list[str]:
    """Look at the page that is open at a desk in light, then on a phone in the dark, and leave it as it was."""
    found = problems_of(page)
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    page.emulate_media(color_scheme="dark")
    found += [f"on a phone, dark: {problem}" for problem in problems_of(page, on_phone)]
    page.set_viewport_size(DESK)  # type: ignore[arg-type]
    page.emulate_media(color_scheme="light")
    return found


def sweep(world: World, open_page: Open, part: int, parts: int, on_phone: dict[str, list[str]]) -> None:
    rows_in_every_state(world)
    page = to_judge(open_page("/sign-in/"))
    base, found = page.url.split("/", 3), {}
    for path in OUTSIDE[part::parts]:
        page.goto(f"{base[0]}//{base[2]}{path}")
        found[path] = problems_in_both(page, on_phone)
    page = to_judge(open_page("/", email="head@example.org"))
    for path in paths_of(world)[part::parts]:
        answer = page.goto(f"{base[0]}//{base[2]}{path}")
        assert answer is not None
        found[path] = problems_in_both(page, on_phone)
        if answer.status != (404 if "no-such-page" in path else 200):
            found[path].append(f"answered {answer.status}")
    assert {path: problems for path, problems in found.items() if problems} == {}, json.dumps(found, indent=1)


@pytest.mark.parametrize("part", range(PARTS))
def test_every_page_is_accessible_and_fits(world: World, open_page: Open, part: int) -> None:
    sweep(world, open_page, part, PARTS, LOOKS)


@pytest.mark.long
def test_every_page_obeys_every_rule_on_a_phone_too(world: World, open_page: Open) -> None:
    sweep(world, open_page, 0, 1, RULES)


def test_the_first_tab_stop_skips_to_the_content(world: World, open_page: Open) -> None:
    page = open_page("/8233001/", email="head@example.org")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.getAttribute('href')") == "#main"
    page.keyboard.press("Enter")
    assert page.evaluate("location.hash") == "#main"


def test_a_page_still_fits_at_320_pixels(world: World, open_page: Open) -> None:
    page = open_page("/8233001/", email="head@example.org", size={"width": 320, "height": 640})
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
