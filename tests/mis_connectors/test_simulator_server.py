"""The server that every simulated cloud MIS shares: its faults, its switches, and what it keeps."""

from __future__ import annotations

import http.client
import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from mis_connectors.simulators.faults import PAGE_OF_HTML
from mis_connectors.simulators.integris_api import PARTNER_KEY, IntegrisApi
from mis_connectors.simulators.running import api_of, known
from mis_connectors.simulators.school import of_state
from mis_connectors.simulators.server import Fault, Hosted, Request, Simulation, SimulatorServer

STATE = {"dfe_number": "8233001", "seed": 3, "size": 30}
HEADERS = {"X-Partner-Key": PARTNER_KEY, "X-School-DfE": "8233001"}


@pytest.fixture
def server() -> Iterator[SimulatorServer]:
    with SimulatorServer(IntegrisApi(Simulation([STATE, {**STATE, "dfe_number": "8234002"}]))) as running:
        yield running


def ask(server: SimulatorServer, path: str, said: Any = None, **headers: str) -> tuple[int, dict[str, str], bytes]:
    connection = http.client.HTTPConnection(urlsplit(server.address).netloc, timeout=3)
    try:
        body = None if said is None else json.dumps(said)
        connection.request("POST" if body else "GET", path, body=body, headers={**HEADERS, **headers})
        answer = connection.getresponse()
        return answer.status, dict(answer.getheaders()), answer.read()
    finally:
        connection.close()


def ask_staff(server: SimulatorServer, **headers: str) -> tuple[int, dict[str, str], bytes]:
    return ask(server, "/datashare/v1/staff?limit=2", **headers)


def test_a_fault_is_one_schools_and_ends(server: SimulatorServer) -> None:
    ask(server, "/simulator/fault", {"fault": "server_error", "school": "8233001"})
    assert ask_staff(server)[0] == 500
    assert ask_staff(server, **{"X-School-DfE": "8234002"})[0] == 200
    ask(server, "/simulator/fault", {"fault": None, "school": "8233001"})
    assert ask_staff(server)[0] == 200


def test_a_fault_may_last_for_so_many_requests(server: SimulatorServer) -> None:
    ask(server, "/simulator/fault", {"fault": "too_many", "times": 2, "seconds": 7})
    status, headers, _ = ask_staff(server)
    assert (status, headers["Retry-After"]) == (429, "7")
    assert [ask_staff(server)[0] for _ in range(2)] == [429, 200]


def test_what_the_wire_does_to_an_answer(server: SimulatorServer) -> None:
    server.simulation.set_fault("truncated")
    with pytest.raises(http.client.IncompleteRead):
        ask_staff(server)
    server.simulation.set_fault("wrong_type")
    assert ask_staff(server)[2] == PAGE_OF_HTML
    server.simulation.set_fault("garbage")
    with pytest.raises(ValueError, match=r"Expecting|Invalid|decode"):
        json.loads(ask_staff(server)[2])
    server.simulation.set_fault("slow", seconds=0.3)
    began = time.monotonic()
    assert ask_staff(server)[0] == 200
    assert time.monotonic() - began > 0.25


def test_whoever_hangs_is_let_go_when_it_ends() -> None:
    with SimulatorServer(IntegrisApi(Simulation([STATE]))) as server:
        server.simulation.set_fault("hang")
        connection = http.client.HTTPConnection(urlsplit(server.address).netloc, timeout=10)
        connection.request("GET", "/datashare/v1/staff", headers=HEADERS)
    with pytest.raises((http.client.RemoteDisconnected, ConnectionError)):
        connection.getresponse()


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("fault", {"fault": "no such"}),
        ("fault", {"fault": "slow", "school": "1"}),
        ("edit", {"edits": [["no such"]]}),
        ("edit", {"nothing": 1}),
        ("nowhere", {}),
    ],
)
def test_a_switch_that_is_not_there_is_refused_in_words(server: SimulatorServer, path: str, said: Any) -> None:
    status, _, body = ask(server, f"/simulator/{path}", said)
    assert status in (400, 404)
    assert json.loads(body)["error"]


def test_its_state_tells_counts_and_no_people(server: SimulatorServer) -> None:
    _, _, body = ask(server, "/simulator/state")
    found = json.loads(body)
    assert found["schools"][0]["pupils"] == 30
    surnames = {contact.surname for contact in server.simulation.schools["8233001"].school.contacts.values()}
    assert not any(surname in body.decode() for surname in surnames)


def test_edits_and_nights_are_kept_so_that_it_begins_where_it_ended(tmp_path: Path) -> None:
    keep = tmp_path / "schools.json"
    keep.write_text(json.dumps([{**STATE, "fault": "slow"}]))
    simulation = Simulation(json.loads(keep.read_text()))
    with SimulatorServer(IntegrisApi(simulation), keep=keep) as server:
        ask(server, "/simulator/edit", {"edits": [["add_pupil"]]})
        ask(server, "/simulator/night", {})
        ask(server, "/simulator/edit", {"edits": [["add_pupil"]]})
        now = server.simulation.schools["8233001"].school
    (state,) = json.loads(keep.read_text())
    assert "fault" not in state
    again = of_state(state)
    assert (again.pupils, again.contacts, again.links) == (now.pupils, now.contacts, now.links)


def test_a_page_that_comes_twice_and_a_pupil_added_between_pages() -> None:
    hosted = Hosted(of_state(STATE))
    items = [*hosted.school.pupils.values()]
    hosted.set(Fault.DUPLICATE_PAGE)
    assert hosted.page(items, 10, 10) == hosted.page(items, 0, 10)
    hosted.set(Fault.ADDED_BETWEEN_PAGES)
    hosted.between_pages(0)
    assert len(hosted.school.pupils) == 30
    hosted.between_pages(10)
    hosted.between_pages(20)
    assert len(hosted.school.pupils) == 31
    added = [*hosted.school.pupils.values()]
    assert hosted.page(added, 10, 10)[0] == items[9]
    assert len(of_state({**STATE, **hosted.told}).pupils) == 31
    hosted.set(Fault.ADDED_BETWEEN_PAGES)
    hosted.between_pages(10)
    assert len(hosted.school.pupils) == 32


@pytest.mark.parametrize("slug", known())
def test_every_simulated_mis_answers_without_a_school_or_a_secret(slug: str) -> None:
    api = api_of(slug)(Simulation([STATE]))
    assert api.slug == slug
    assert api.answer(Request(method="GET", path="/nowhere")).status >= 400
    assert api.platform("http://127.0.0.1:1")["address"] == "http://127.0.0.1:1"


def test_it_runs_as_a_program_and_ends_when_asked() -> None:
    command = [sys.executable, "-m", "mis_connectors.simulators", "integris", "--size=12"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        assert "RM Integris, simulated, at http://127.0.0.1:" in process.stdout.readline()
        assert "SCHOOLGATE_MIS_LOOPBACK=1" in process.stdout.readline() + process.stdout.readline()
    finally:
        process.send_signal(signal.SIGTERM)
    assert process.wait(10) == 0
    process.stdout.close()
