"""`bin/manage mis_simulator integris --port 9101 --school 8233001 …`: a stand-in of a cloud MIS on this machine."""

from __future__ import annotations

import json
import signal
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

import mis_connectors.simulators
from mis_connectors.simulators.faults import Fault
from mis_connectors.simulators.hosting import Simulation
from mis_connectors.simulators.server import Api, SimulatorServer

_FOLDER = Path(mis_connectors.simulators.__file__).parent


class Command(BaseCommand):
    help = "Run a simulated MIS with generated people on 127.0.0.1 until it is stopped."

    def add_arguments(self, parser: CommandParser) -> None:
        known = sorted(path.stem.removesuffix("_api") for path in _FOLDER.glob("*_api.py"))
        parser.add_argument("mis", choices=known)
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
        parser.add_argument("--states", type=Path, help="A JSON list of such schools, in place of the one above.")

    def handle(self, *args: Any, mis: str, port: int, states: Path | None, **options: Any) -> None:
        made: type[Api] = import_module(f"mis_connectors.simulators.{mis}_api").API
        names = ("name", "seed", "size", "phase", "night", "fault", "seconds", "times")
        one = {"dfe_number": options["school"], **{name: options[name] for name in names}}
        try:
            api = made(Simulation(json.loads(states.read_text(encoding="utf-8")) if states else [one]))
            server = SimulatorServer(api, port)
        except (OSError, ValueError, TypeError) as error:
            raise CommandError(f"The simulator cannot start: {error}") from error
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
        with server:
            self._say(server)
            try:
                server.wait()
            except KeyboardInterrupt:
                self.stdout.write("Stopped.")

    def _say(self, server: SimulatorServer) -> None:
        """Print where it is, what the hub must be told, and what a school types in."""
        self.stdout.write(f"{server.api.mis_name}, simulated, at {server.address}")
        self.stdout.write("The hub needs:\n  SCHOOLGATE_MIS_LOOPBACK=1")
        for name, value in server.api.platform(server.address).items():
            self.stdout.write(f"  SCHOOLGATE_MIS_{server.api.slug.upper()}_{name.upper()}={value}")
        for number, hosted in server.simulation.schools.items():
            typed = ", ".join(f"{name} {value}" for name, value in server.api.settings(number).items())
            fault = f" Fault: {hosted.fault}." if hosted.fault else ""
            self.stdout.write(f"School {number}, {hosted.school.name}.{fault}{f' Type in: {typed}.' if typed else ''}")
        self.stdout.flush()
