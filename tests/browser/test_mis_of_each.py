"""Each MIS set up from the settings page against its simulator, as a new office would, until the Overview says so."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from hub.accounts.models import Account, Membership, Role
from hub.core import scope
from imports.link import links
from imports.models import LinkState, MisLink
from mis_connectors import registry
from mis_connectors.simulators import running
from mis_connectors.simulators.faults import Fault
from mis_connectors.simulators.hosting import Hosted, Simulation
from mis_connectors.simulators.server import SimulatorServer
from tests.browser.conftest import Open
from tests.browser.judging import problems_in_both
from tests.conftest import NOW, join, make_school

pytestmark = pytest.mark.browser
NUMBER, NAME = "8233001", "Larch Hill Primary"
STATE = {"dfe_number": NUMBER, "name": NAME, "seed": 7, "size": 8, "phase": "primary"}
Begin = Callable[[str], tuple[Page, Hosted, SimulatorServer]]


@pytest.fixture
def begin(transactional_db: None, live_server: Any, settings: Any, open_page: Open) -> Iterator[Begin]:
    """Run a simulated MIS, choose it on the settings page, and return that page and the school in the MIS."""
    with ExitStack() as stack:

        def begun(mis_name: str) -> tuple[Page, Hosted, SimulatorServer]:
            slug = mis_name.split()[-1].lower()
            simulation = Simulation([STATE])
            server = stack.enter_context(SimulatorServer(running.api_of(slug)(simulation), 0))
            settings.MIS_LOOPBACK = True
            settings.PUBLIC_URL = live_server.url
            settings.MIS_PLATFORM = {slug: dict(server.api.platform(server.address))}
            return chosen(open_page, mis_name), simulation.schools[NUMBER], server

        yield begun


def chosen(open_page: Open, mis_name: str) -> Page:
    join(make_school(NAME, NUMBER), "head@example.org", "Helen Ward", Role.ADMINISTRATOR)
    page = open_page(f"/{NUMBER}/settings/mis-link/", email="head@example.org")
    page.get_by_role("radio", name=mis_name).check()
    page.get_by_role("button", name="Set it up").click()
    return page


def is_on_the_overview(page: Page, mis_name: str) -> None:
    """The first import is in, and the Overview says so."""
    expect(page.get_by_role("heading", level=1)).to_have_text(f"{mis_name} is linked")
    page.get_by_role("link", name="Overview").first.click()
    expect(page.get_by_text(f"{mis_name} · fetched every night at 02:00")).to_be_visible()
    expect(page.get_by_text("Complete").first).to_be_visible()


def test_rm_integris_is_granted_waited_for_and_comes(begin: Begin) -> None:
    page, hosted, _ = begin("RM Integris")
    hosted.set(Fault.PENDING)
    expect(page.get_by_text("Modules > System Management > Integris Datashare").first).to_be_visible()
    page.get_by_role("button", name="We have granted access").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Waiting for RM Integris")
    expect(page.get_by_text("look at Imports tomorrow").first).to_be_visible()
    page.get_by_role("button", name="Test link").click()
    expect(page.get_by_role("heading", name=re.compile(r"^Permissions\s*, not yet"))).to_be_visible()

    hosted.set(None)
    page.get_by_role("button", name="Try again now").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("RM Integris is linked")
    page.get_by_role("button", name="Test link").click()
    expect(page.get_by_text("kept nowhere")).to_be_visible()
    is_on_the_overview(page, "RM Integris")


def test_scholarpack_is_signed_in_to_refused_once_and_comes(begin: Begin) -> None:
    page, _, server = begin("ScholarPack")
    for answer in ("refuse", "allow"):
        page.get_by_role("button", name="Sign in at ScholarPack").click()
        page.wait_for_url(f"{server.address}/**")
        page.locator("[name=school_url]").fill(NUMBER)
        page.locator("[name=username]").fill("office")
        page.locator("[name=password]").fill("scholarpack")
        page.locator("button").first.click()
        page.locator(f"button[value={answer}]").click()
        page.wait_for_url("**/settings/mis-link/")
        if answer == "refuse":
            expect(page.get_by_text("ScholarPack says that Schoolgate was not allowed")).to_be_visible()
    assert "code=" not in page.url
    is_on_the_overview(page, "ScholarPack")


def test_progresso_awaits_its_credentials_is_told_what_is_wrong_and_comes(begin: Begin) -> None:
    page, _, server = begin("Progresso")
    page.get_by_role("button", name="We have added the company").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Progresso needs its credentials")
    right = server.api.settings(NUMBER)
    for username, password, sentence in (
        ("SG8234002", right["password"], "the school with DfE number 8234002, and yours is 8233001"),
        (right["username"], "not-the-password", "Progresso does not accept the username and password"),
        (right["username"], right["password"], ""),
    ):
        page.get_by_label("Username").fill(username)
        page.get_by_label("Password").fill(password)
        page.get_by_role("button", name="Save and try at once").click()
        if sentence:
            expect(page.get_by_text(sentence).first).to_be_visible()
        assert password not in page.content()
    is_on_the_overview(page, "Progresso")


def test_a_spreadsheet_has_nothing_to_connect(
    transactional_db: None, live_server: Any, settings: Any, open_page: Open
) -> None:
    page = chosen(open_page, "Spreadsheet")
    expect(page.get_by_text("nothing was ever imported")).to_be_visible()
    expect(page.get_by_role("button", name="Import now")).to_have_count(0)
    page.get_by_role("link", name="Upload a file").first.click()
    expect(page.locator("input[type=file]")).to_be_visible()


def test_the_pages_of_each_are_accessible_and_fit_in_every_state(
    transactional_db: None, live_server: Any, settings: Any, open_page: Open
) -> None:
    states = {
        "integris": LinkState.WAITING,
        "progresso": LinkState.AWAITING_CREDENTIALS,
        "scholarpack": LinkState.RECONNECT,
        "spreadsheet": LinkState.ENABLED,
    }
    head = join(make_school(NAME, NUMBER), "head@example.org", "Helen Ward", Role.ADMINISTRATOR)
    page = open_page(f"/{NUMBER}/settings/mis-link/", email="head@example.org", kind="judged")
    found = {"choose": problems_in_both(page)}
    for number, (slug, state) in enumerate(states.items(), start=8233101):
        a_link(slug, str(number), by=head, state=state)
        page.goto(f"{live_server.url}/{number}/settings/mis-link/")
        for summary in page.locator("main summary").all():
            summary.click()
        if slug == "integris":
            page.get_by_role("button", name="Test link").click()
            expect(page.locator("#test h4").first).to_be_visible()
        found[slug] = problems_in_both(page)

    assert {path: problems for path, problems in found.items() if problems} == {}
    assert set(states) | {"sims"} == {info.slug for info in registry.infos()}


def a_link(slug: str, number: str, *, by: Account, state: LinkState) -> None:
    """Make a school whose link to this MIS is in this state."""
    school = make_school(f"School {number}", number)
    with scope.schools(school.pk):
        Membership.objects.create(school=school, account=by, role=Role.ADMINISTRATOR, invited_at=NOW, accepted_at=NOW)
        link = links.create_link(school=school, connector=slug, by=by, now=NOW)
        MisLink.objects.filter(pk=link.pk).update(state=state, state_since=NOW, tried_said="It says that it must wait.")
