"""A school connects ScholarPack by signing in there, in a real browser against its simulated sign-in page."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from hub.accounts.models import Role
from hub.core import scope
from imports.link import secrets
from imports.models import Import, LinkState, MisLink
from mis_connectors.simulators.faults import Fault
from mis_connectors.simulators.hosting import Simulation
from mis_connectors.simulators.scholarpack_api import ScholarpackApi
from mis_connectors.simulators.server import SimulatorServer
from tests.browser.conftest import Open
from tests.browser.judging import PHONE
from tests.conftest import join, make_school

pytestmark = pytest.mark.browser
MIS_LINK = "/8233001/settings/mis-link/"


@pytest.fixture
def pack(transactional_db: None, live_server: Any, settings: Any) -> Iterator[SimulatorServer]:
    """A simulated ScholarPack with our school and another one, and a hub that is registered with it."""
    states = [
        {"dfe_number": "8233001", "name": "Larch Hill Primary", "seed": 11, "size": 20},
        {"dfe_number": "8239999", "name": "Somewhere Else Primary", "seed": 12, "size": 5},
    ]
    api = ScholarpackApi(Simulation(states))
    with SimulatorServer(api) as server:
        settings.PUBLIC_URL = live_server.url
        settings.MIS_LOOPBACK = True
        settings.MIS_PLATFORM = {"scholarpack": api.platform(server.address)}
        join(make_school("Larch Hill Primary", "8233001"), "head@example.org", "Helen Ward", Role.ADMINISTRATOR)
        yield server


def at_scholarpack(open_page: Open, **given: Any) -> Page:
    """Choose ScholarPack and press the button that leads there."""
    page = open_page(MIS_LINK, email="head@example.org", **given)
    page.get_by_label("ScholarPack").check()
    page.get_by_role("button", name="Set it up").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Set up ScholarPack")
    return lead_there(page)


def lead_there(page: Page) -> Page:
    page.get_by_role("button", name="Sign in at ScholarPack").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in to ScholarPack")
    return page


def sign_in(page: Page, *, user: str = "office", school: str = "larchhillprimary") -> None:
    page.get_by_label("School URL").fill(school)
    page.get_by_label("Username").fill(user)
    page.get_by_label("Password").fill("scholarpack")
    page.get_by_role("button", name="Sign in").click()


def link() -> MisLink:
    with scope.every_school():
        return MisLink.objects.select_related("source").get()


@pytest.mark.parametrize("size", [None, pytest.param(PHONE, marks=pytest.mark.long)], ids=["desk", "phone"])
def test_from_the_button_to_scholarpack_and_back_to_the_first_import(
    pack: SimulatorServer, open_page: Open, size: dict[str, int] | None
) -> None:
    page = at_scholarpack(open_page, **({"size": size} if size else {}))
    sign_in(page, user="secretary")
    expect(page.get_by_role("alert")).to_contain_text("lacks the permission System Admin")
    sign_in(page)
    expect(page.get_by_text("Schoolgate asks to read from Larch Hill Primary")).to_be_visible()
    page.get_by_role("button", name="Allow", exact=True).click()

    expect(page.get_by_text("ScholarPack lets us in. An import begins now.")).to_be_visible()
    assert "code=" not in page.url
    expect(page.get_by_role("heading", level=1)).to_have_text("ScholarPack is linked", timeout=9000)
    page.goto(page.url.replace(MIS_LINK, "/8233001/"))
    expect(page.get_by_text(re.compile(r"(Today's|Last night's) import is in\."))).to_be_visible()  # by the hour
    assert link().state == LinkState.ENABLED
    with scope.every_school():
        assert Import.objects.get().state == "applied"

    page.goto(page.url + "settings/mis-link/")
    page.get_by_role("button", name="Test link").click()
    expect(page.get_by_text("ScholarPack lets us in at Larch Hill Primary (823/3001).")).to_be_visible()
    expect(page.get_by_text("We may read pupils, their contacts and staff.")).to_be_visible()


def test_who_does_not_allow_it_is_told_that_nothing_was_connected(pack: SimulatorServer, open_page: Open) -> None:
    page = at_scholarpack(open_page)
    sign_in(page)
    page.get_by_role("button", name="Do not allow").click()
    expect(page.get_by_text("Schoolgate was not allowed, so nothing was connected")).to_be_visible()
    assert link().state == LinkState.NOT_SET_UP


def test_the_consent_of_another_school_is_refused_at_once_and_kept_nowhere(
    pack: SimulatorServer, open_page: Open
) -> None:
    page = at_scholarpack(open_page)
    sign_in(page, school="somewhereelseprimary")
    page.get_by_role("button", name="Allow", exact=True).click()
    expect(page.get_by_text("permission is for another school, Somewhere Else Primary (823/9999)")).to_be_visible()
    assert link().state == LinkState.NOT_SET_UP
    assert not secrets.secrets_of(link())


def test_going_back_and_allowing_it_again_connects_nothing_twice(pack: SimulatorServer, open_page: Open) -> None:
    page = at_scholarpack(open_page)
    sign_in(page)
    with page.expect_request(lambda request: "code=" in request.url) as back:
        page.get_by_role("button", name="Allow", exact=True).click()
    expect(page.get_by_text("ScholarPack lets us in.")).to_be_visible()
    before = secrets.secrets_of(link())
    page.goto(back.value.url)
    expect(page.get_by_text("This sign-in was used already")).to_be_visible()
    assert secrets.secrets_of(link()) == before


def test_withdrawn_consent_is_said_and_given_again(pack: SimulatorServer, open_page: Open) -> None:
    page = at_scholarpack(open_page)
    sign_in(page)
    page.get_by_role("button", name="Allow", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("ScholarPack is linked", timeout=9000)
    pack.simulation.schools["8233001"].set(Fault.WITHDRAWN)
    page.get_by_role("button", name="Import now").click()
    page.goto(page.url)
    expect(page.get_by_role("heading", level=1)).to_have_text("ScholarPack has to be connected again")
    page.goto(page.url.replace(MIS_LINK, "/8233001/"))
    expect(page.get_by_text("permission was withdrawn").first).to_be_visible()
    page.goto(page.url + "settings/mis-link/")

    lead_there(page)
    sign_in(page)
    page.get_by_role("button", name="Allow", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("ScholarPack is linked", timeout=9000)
