"""Every page, at a desk and on a phone, light and dark: no accessibility violation, nothing cut off."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable
from typing import Any

import pytest
from django.utils import timezone

from tests.browser.conftest import Open, become
from tests.browser.judging import problems_in_both
from tests.factories.changes import make_change
from tests.factories.world import World

pytestmark = pytest.mark.browser
PARTS = 2
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


def sweep(world: World, open_page: Open, base: str, paths: Iterable[str], *, everything: bool = False) -> None:
    rows_in_every_state(world)
    page = open_page("/sign-in/", kind="judged")
    found, seen = {}, set()
    for path in paths:
        if path not in OUTSIDE:
            become(page, "head@example.org", base)
        answer = page.goto(base + path)
        assert answer is not None
        if page.url in seen:  # it leads to another of them
            continue
        seen.add(page.url)
        found[path] = problems_in_both(page, everything=everything)
        if path not in OUTSIDE and answer.status != (404 if "no-such-page" in path else 200):
            found[path].append(f"answered {answer.status}")
    assert {path: problems for path, problems in found.items() if problems} == {}, json.dumps(found, indent=1)


@pytest.mark.parametrize("part", range(PARTS))
def test_every_page_is_accessible_and_fits(world: World, open_page: Open, live_server: Any, part: int) -> None:
    sweep(world, open_page, live_server.url, [*OUTSIDE[part::PARTS], *paths_of(world)[part::PARTS]])


@pytest.mark.long
def test_every_page_obeys_every_rule_on_a_phone_too(world: World, open_page: Open, live_server: Any) -> None:
    sweep(world, open_page, live_server.url, [*OUTSIDE, *paths_of(world)], everything=True)


def test_the_first_tab_stop_skips_to_the_content(world: World, open_page: Open) -> None:
    page = open_page("/8233001/", email="head@example.org")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.getAttribute('href')") == "#main"
    page.keyboard.press("Enter")
    assert page.evaluate("location.hash") == "#main"


def test_a_page_still_fits_at_320_pixels(world: World, open_page: Open) -> None:
    page = open_page("/8233001/", email="head@example.org", size={"width": 320, "height": 640})
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
