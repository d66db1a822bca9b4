"""RM Integris, from the page: whose turn it is where it refuses the hub's own key, and where it asks us to wait."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from hub.accounts.models import Account
from hub.core.models import School
from imports import collecting, services
from imports.models import Import, ImportState, LinkState, MisLink
from mis_connectors.simulators.integris_api import IntegrisApi
from mis_connectors.simulators.server import Fault, Simulation, SimulatorServer

SignIn = Callable[[Account], Client]
HOME, PAGE = "/8233001/", "/8233001/settings/mis-link/"


@pytest.fixture
def integris(school: School, settings: Any) -> Iterator[SimulatorServer]:
    api = IntegrisApi(Simulation([{"dfe_number": school.dfe_number, "seed": 8, "size": 40}]))
    with SimulatorServer(api) as server:
        settings.MIS_LOOPBACK = True
        settings.MIS_PLATFORM = {"integris": server.api.platform(server.address)}
        yield server


@pytest.fixture
def office(integris: SimulatorServer, administrator: Account, signed_in: SignIn) -> Client:
    """An administrator who has chosen RM Integris and said that access is granted."""
    client = signed_in(administrator)
    client.post(PAGE + "choose/", {"connector": "integris"})
    client.post(PAGE + "begin/")
    return client


def fetched() -> Import | None:
    """Let the run that waits, or one that is begun now, be fetched and imported; None where it is no failure."""
    now, link = timezone.now(), MisLink.objects.get()
    run = Import.objects.filter(link=link, state=ImportState.QUEUED).first()
    if run is None:
        MisLink.objects.update(wanted_at=now)
        run = collecting.begin(link_id=link.pk, now=now)
    assert run is not None
    collecting.collect(import_id=run.pk, now=now)
    services.run(import_id=run.pk, now=now)
    return Import.objects.filter(pk=run.pk).first()


def text(client: Client, address: str) -> str:
    return shown(client.get(address).content.decode())


def shown(page: str) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", page)).split())


def test_the_hubs_own_key_is_for_whoever_runs_it_and_the_link_comes_back_by_itself(
    office: Client, integris: SimulatorServer
) -> None:
    integris.simulation.set_fault(Fault.EXPIRED_TOKEN)
    assert fetched() is None, "the school may only not be known there yet"
    assert MisLink.objects.get().state == LinkState.WAITING
    integris.simulation.set_fault(None)
    assert fetched() is not None

    integris.simulation.set_fault(Fault.EXPIRED_TOKEN)
    run = fetched()
    assert run is not None
    assert (run.state, MisLink.objects.get().state) == (ImportState.FAILED, LinkState.ENABLED)
    home = text(office, HOME)
    assert "RM Integris refuses this hub: whoever runs it has to act" in home
    assert "The key belongs to this Schoolgate, not to your school" in home
    assert "no longer lets us in" not in home

    integris.simulation.set_fault(None)
    again = fetched()
    assert again is not None
    assert again.state in (ImportState.APPLIED, ImportState.UNCHANGED)
    assert "refuses this hub" not in text(office, HOME)


def test_an_mis_that_asks_us_to_wait_is_not_said_to_have_a_wrong_address(
    office: Client, integris: SimulatorServer
) -> None:
    integris.simulation.set_fault(Fault.TOO_MANY, seconds=120)
    tested = shown(office.post(PAGE + "test/").content.decode())
    assert "An answer , fails RM Integris asks us to wait" in tested
    assert "The address" not in tested
