"""The demo's schools in the cloud: set up and fetched as by their pages, two nights of each."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from hub.core import scope
from hub.core.models import School
from hub.embedded.processes import free_port
from imports import collecting, services
from imports.demo import cloud, schools
from imports.demo.places import CLOUD, EVERY_SCHOOL, DemoSchool
from imports.demo.server import NightFailed
from imports.demo.simulator import DoesNotAnswer, Simulator, how_to_fail, simulators
from imports.models import Import, ImportState, LinkState
from mis_connectors import registry
from mis_connectors.simulators.hosting import Simulation
from mis_connectors.simulators.running import api_of
from mis_connectors.simulators.server import SimulatorServer


def server_of(simulator: Simulator) -> SimulatorServer:
    """Run what the simulator's own process would, from the same file."""
    states = Path(simulator.command()[-1].partition("=")[2])
    simulation = Simulation([{**simulator._first_state(), "edits": []}])
    return SimulatorServer(api_of(simulator.demo.mis)(simulation), simulator.port, keep=states)


def fetched(school: School, simulator: Simulator, now: dt.datetime) -> Import:
    """Ask, and do what the workers would."""
    cloud.ask(school, simulator, now=now)
    with scope.schools(school.pk):
        link = schools.link_of(school)
        run = collecting.begin(link_id=link.pk, now=now)
        assert run is not None
        collecting.collect(import_id=run.pk, now=now)
        services.run(import_id=run.pk, now=now)
        run.refresh_from_db()
        assert run.state == ImportState.APPLIED, run.reasons
        return run


def test_there_is_a_school_on_each_mis_that_is_named() -> None:
    assert {demo.mis for demo in EVERY_SCHOOL} == {"sims", "integris", "scholarpack", "progresso"}
    assert {demo.mis for demo in EVERY_SCHOOL} <= registry.connectors().keys()
    assert len({demo.dfe_number for demo in EVERY_SCHOOL}) == len(EVERY_SCHOOL)


@pytest.mark.parametrize("demo", [replace(demo, size=40) for demo in CLOUD], ids=[demo.mis for demo in CLOUD])
def test_two_nights_of_a_school_in_the_cloud(
    db: None, demo: DemoSchool, tmp_path: Path, settings: Any, now: dt.datetime
) -> None:
    simulator = Simulator(demo, tmp_path, free_port())
    with server_of(simulator) as server:
        simulator.wait()
        settings.MIS_LOOPBACK = True
        settings.MIS_PLATFORM = {demo.mis: server.api.platform(server.address)}
        school = schools.make(demo, now=now)
        fetched(school, simulator, now)
        with scope.schools(school.pk):
            assert schools.link_of(school).state == LinkState.ENABLED
            by = schools.office(demo)
        cloud.meanwhile(school, simulator, by=by, now=now)
        changes = cloud.change_the_mis(school, simulator)
        with pytest.raises(NightFailed, match="a new mobile of a parent who is not connected was not taken"):
            cloud.check(school, changes)
        fetched(school, simulator, now + dt.timedelta(hours=1))
        cloud.check(school, changes)


def test_a_simulator_that_is_gone_is_named(tmp_path: Path) -> None:
    simulator = Simulator(CLOUD[0], tmp_path, free_port())
    with pytest.raises(DoesNotAnswer, match=r"The simulated RM Integris at http://127\.0\.0\.1"):
        simulator.edit(["add_pupil"])


def test_the_hub_is_told_where_each_simulator_is(tmp_path: Path) -> None:
    found = simulators(tmp_path, [9001, 9002, 9003])
    told = {name: value for one in found for name, value in one.environment().items()}
    assert told["SCHOOLGATE_MIS_LOOPBACK"] == "1"
    for one in found:
        info = registry.connector(one.demo.mis).info
        names = {f"SCHOOLGATE_MIS_{info.slug.upper()}_{field.name.upper()}" for field in info.platform_fields}
        assert names <= told.keys()
        assert told[f"SCHOOLGATE_MIS_{info.slug.upper()}_ADDRESS"] == one.address


def test_how_to_make_one_fail_is_a_command_to_copy(tmp_path: Path) -> None:
    said = how_to_fail(Simulator(CLOUD[0], tmp_path, 9001))
    assert """curl -d '{"fault": "hang"}' http://127.0.0.1:9001/simulator/fault""" in said
    assert all(len(line) < 110 for line in said.splitlines())


def test_a_simulator_that_cannot_begin_says_why(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="The simulator cannot start"):
        call_command("mis_simulator", "integris", "--states", str(tmp_path / "nowhere.json"))
    with pytest.raises(CommandError, match="There is no simulator named 'nobody'"):
        call_command("mis_simulator", "nobody")
