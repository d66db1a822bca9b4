"""Runs a simulated cloud MIS as a program: `python -m mis_connectors.simulators integris --port 9101 …`.

`bin/manage mis_simulator` is the same. Needs the standard library only, so that it is up at once.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

from mis_connectors.simulators.faults import Fault
from mis_connectors.simulators.hosting import Simulation
from mis_connectors.simulators.server import Api, SimulatorServer

_OF_ONE = ("name", "seed", "size", "phase", "night", "fault", "seconds", "times")


class CannotRun(Exception):
    """The simulator cannot start; the message says why."""


def known() -> list[str]:
    """Return which MIS can be simulated, by slug."""
    return sorted(path.stem.removesuffix("_api") for path in Path(__file__).parent.glob("*_api.py"))


def api_of(mis: str) -> type[Api]:
    """Return the simulated MIS of this slug, or of a module elsewhere that is given by its dotted name.

    Raises `CannotRun`.
    """
    try:
        found: type[Api] = import_module(mis if "." in mis else f"mis_connectors.simulators.{mis}_api").API
    except (ImportError, AttributeError) as error:
        raise CannotRun(f"There is no simulator named {mis!r}; there are {', '.join(known())}. {error}") from error
    return found


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what can be asked for."""
    parser.add_argument("mis", help=f"{', '.join(known())}, or a module of your own: my_connector.my_mis_api")
    parser.add_argument("--port", type=int, default=0, help="0, the default, takes any that is free.")
    parser.add_argument("--school", default="8233001", help="DfE number.")
    parser.add_argument("--name", default="Larch Hill Primary")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--size", type=int, default=210, help="Pupils on roll.")
    parser.add_argument("--phase", choices=["primary", "secondary"], default="primary")
    parser.add_argument("--night", type=int, default=0, help="So many nights have passed.")
    parser.add_argument("--fault", choices=[*Fault], default=None)
    parser.add_argument("--seconds", type=float, default=1.0, help="How slow is slow, and what Retry-After says.")
    parser.add_argument("--times", type=int, default=None, help="The fault ends after so many requests.")
    parser.add_argument(
        "--states", type=Path, help="A JSON list of such schools in place of the one above; what happens is kept there."
    )


def run(*, mis: str, port: int, states: Path | None, say: Callable[[str], None], **of_one: Any) -> None:
    """Serve until SIGTERM or Ctrl-C; raises `CannotRun`."""
    one = {"dfe_number": of_one["school"], **{name: of_one[name] for name in _OF_ONE}}
    try:
        simulation = Simulation(json.loads(states.read_text(encoding="utf-8")) if states else [one])
        server = SimulatorServer(api_of(mis)(simulation), port, keep=states)
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise CannotRun(f"The simulator cannot start: {error}") from error
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with server:
        for line in _described(server):
            say(line)
        try:
            server.wait()
        except KeyboardInterrupt:
            say("Stopped.")


def _described(server: SimulatorServer) -> Iterator[str]:
    """Tell where it is, what the hub must be told, and what a school types in."""
    yield f"{server.api.mis_name}, simulated, at {server.address}"
    yield "The hub needs:\n  SCHOOLGATE_MIS_LOOPBACK=1"
    yield from (f"  {name}={value}" for name, value in environment(server.api, server.address).items())
    for number, hosted in server.simulation.schools.items():
        typed = ", ".join(f"{name} {value}" for name, value in server.api.settings(number).items())
        fault = f" Fault: {hosted.fault}." if hosted.fault else ""
        yield f"School {number}, {hosted.school.name}.{fault}{f' Type in: {typed}.' if typed else ''}"


def environment(api: Api, address: str) -> dict[str, str]:
    """Return what an operator sets for a simulator at this address."""
    return {f"SCHOOLGATE_MIS_{api.slug.upper()}_{name.upper()}": value for name, value in api.platform(address).items()}


def main() -> int:
    """Run the simulator that the command line asks for."""
    parser = argparse.ArgumentParser(
        prog="mis_simulator", description="A simulated MIS with generated people on 127.0.0.1."
    )
    add_arguments(parser)
    try:
        run(**vars(parser.parse_args()), say=lambda line: print(line, flush=True))
    except CannotRun as error:
        print(error, file=sys.stderr)
        return 1
    return 0
