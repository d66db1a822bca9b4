"""Progresso, from the page: chosen, added there, its email typed in, fetched, and taken away again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from hub.accounts.models import Account
from hub.core.models import School
from hub.people.models import Pupil
from imports import collecting, services
from imports.models import Import, ImportState, LinkState, MisLink
from mis_connectors.simulators.progresso_api import PASSWORD, ProgressoApi
from mis_connectors.simulators.server import Fault, Simulation, SimulatorServer

SignIn = Callable[[Account], Client]


@pytest.fixture
def progresso(school: School, settings: Any) -> Iterator[SimulatorServer]:
    api = ProgressoApi(Simulation([{"dfe_number": school.dfe_number, "seed": 8, "size": 40}]))
    with SimulatorServer(api) as server:
        settings.MIS_LOOPBACK = True
        settings.MIS_PLATFORM = {"progresso": server.api.platform(server.address)}
        yield server


class Page:
    """The MIS Link page, as an administrator uses it."""

    def __init__(self, client: Client, school: School) -> None:
        self.client, self.school = client, school

    def text(self) -> str:
        return self.client.get(reverse("imports:mis_link", args=[self.school.slug])).content.decode()

    def post(self, name: str, **data: str) -> str:
        response = self.client.post(reverse(f"imports:{name}", args=[self.school.slug]), data, follow=True)
        assert response.status_code in (200, 422)
        return response.content.decode()

    @property
    def link(self) -> MisLink:
        return MisLink.objects.select_related("source").get(school=self.school)

    def fetched(self) -> Import:
        """Let the run that waits, or one that is begun now, be fetched and imported."""
        now = timezone.now()
        waiting = Import.objects.filter(link=self.link, state=ImportState.QUEUED, payload=None).first()
        run = waiting or collecting.begin(link_id=self.link.pk, now=now)
        assert run is not None
        collecting.collect(import_id=run.pk, now=now)
        services.run(import_id=run.pk, now=now)
        found = Import.objects.filter(pk=run.pk).first()
        return found or run


@pytest.fixture
def page(progresso: SimulatorServer, school: School, administrator: Account, signed_in: SignIn) -> Page:
    page = Page(signed_in(administrator), school)
    page.post("mis_link_choose", connector="progresso")
    return page


def test_the_steps_are_in_progressos_words_and_name_the_schools_own_number(page: Page) -> None:
    text = page.text()
    assert "System &gt; Web API V2 &gt; Manage Companies Access" in text
    assert "it must end in <strong>8233001</strong>" in text


def test_from_chosen_to_the_first_import(page: Page, school: School) -> None:
    page.post("mis_link_begin")
    assert page.link.state == LinkState.AWAITING_CREDENTIALS
    assert "Awaiting credentials" in page.text()

    text = page.post("mis_link_settings", username="PP9251236", password=PASSWORD)
    assert "This is the username of the school with DfE number 9251236, and yours is 8233001." in text
    assert PASSWORD not in text
    assert page.link.state == LinkState.AWAITING_CREDENTIALS

    page.post("mis_link_settings", username="SG8233001", password=PASSWORD)
    assert page.link.state == LinkState.WAITING
    assert page.fetched().state == ImportState.APPLIED
    assert page.link.state == LinkState.ENABLED
    assert Pupil.objects.filter(school=school).count() >= 40
    text = page.text()
    assert PASSWORD not in text
    assert "Parental" in text or "parental" in text


def test_a_wrong_password_is_told_at_once_and_mended_by_typing_it_again(page: Page) -> None:
    page.post("mis_link_settings", username="SG8233001", password="not-it")
    page.fetched()
    assert page.link.state == LinkState.RECONNECT
    text = page.text()
    assert "Progresso does not accept the username and password." in text
    assert "not-it" not in text
    page.post("mis_link_settings", username="SG8233001", password=PASSWORD)
    assert page.fetched().state == ImportState.APPLIED
    assert page.link.state == LinkState.ENABLED


def test_credentials_that_are_withdrawn_ask_the_school_to_connect_again(page: Page, progresso: SimulatorServer) -> None:
    page.post("mis_link_settings", username="SG8233001", password=PASSWORD)
    page.fetched()
    progresso.simulation.set_fault(Fault.WITHDRAWN)
    page.post("mis_link_import")
    run = page.fetched()
    assert run.state == ImportState.FAILED
    assert page.link.state == LinkState.RECONNECT
    assert "System &gt; Web API V2 &gt; Manage Companies Access" in page.text()


def test_test_link_shows_each_part_and_some_pupils(page: Page, progresso: SimulatorServer) -> None:
    page.post("mis_link_settings", username="SG8233001", password=PASSWORD)
    text = page.post("mis_link_test")
    assert "Progresso accepts the username and password." in text
    school = progresso.simulation.schools["8233001"].school
    assert any(f"{pupil.chosen_name or pupil.forename} {pupil.surname}" in text for pupil in school.pupils.values())
    progresso.simulation.set_fault(Fault.WRONG_SCHOOL)
    assert "Progresso answers about another school: 8239999, not 8233001." in page.post("mis_link_test")
