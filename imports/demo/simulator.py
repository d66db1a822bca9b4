"""A school's MIS in the cloud, simulated: a web server in a process of its own, and a file of what it holds.

No Django: the demo needs its address before the hub's own processes are begun.
"""

from __future__ import annotations

import json
import sys
import time
import urllib.request
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from imports.demo.places import CLOUD, DemoSchool
from mis_connectors.simulators import running
from mis_connectors.simulators import school as simulated
from mis_connectors.simulators.faults import Fault
from mis_connectors.simulators.hosting import Simulation
from mis_connectors.simulators.server import Api

_PATIENCE = 45.0


class DoesNotAnswer(Exception):
    """The simulator cannot be reached; the message says which."""


@dataclass(frozen=True)
class Simulator:
    """The MIS of one school at a port of this machine; `folder` keeps its file."""

    demo: DemoSchool
    folder: Path
    port: int

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def mis_name(self) -> str:
        return self._api.mis_name

    @property
    def _states(self) -> Path:
        return self.folder / f"{self.demo.mis}.json"

    @property
    def _api(self) -> Api:
        return running.api_of(self.demo.mis)(Simulation())

    def command(self) -> list[str]:
        """Return what runs it, having written down who is at the school if nobody did before."""
        if not self._states.exists():
            self.folder.mkdir(parents=True, exist_ok=True)
            self._states.write_text(json.dumps([self._first_state()], indent=1), encoding="utf-8")
        program = [sys.executable, "-m", "mis_connectors.simulators"]
        return [*program, self.demo.mis, f"--port={self.port}", f"--states={self._states}"]

    def environment(self) -> dict[str, str]:
        """Return what the hub has to be told of it."""
        return {"SCHOOLGATE_MIS_LOOPBACK": "1", **running.environment(self._api, self.address)}

    def given(self) -> dict[str, str]:
        """Return what the school types in, or gets by consenting."""
        number = self.demo.dfe_number
        api = running.api_of(self.demo.mis)(Simulation([self._first_state()]))
        return {**api.settings(number), **api.secrets(number)}

    def first(self) -> simulated.School:
        """Return the school as it was made."""
        return simulated.of_state(self._first_state())

    def school(self) -> simulated.School:
        """Return the school as it is now."""
        (state,) = json.loads(self._states.read_text(encoding="utf-8"))
        return simulated.of_state(state)

    def edit(self, *edits: list[Any]) -> None:
        """Change its people; raises `DoesNotAnswer`."""
        self._tell("edit", {"edits": list(edits)})

    def wait(self) -> None:
        """Return when it answers; raises `DoesNotAnswer`."""
        deadline = time.monotonic() + _PATIENCE
        while time.monotonic() < deadline:
            with suppress(OSError), urllib.request.urlopen(f"{self.address}/simulator/state", timeout=5):  # noqa: S310
                return
            time.sleep(0.1)
        raise DoesNotAnswer(f"The simulated {self.mis_name} does not answer at {self.address}.")

    def _tell(self, what: str, said: dict[str, Any]) -> None:
        request = urllib.request.Request(  # noqa: S310 - our own address
            f"{self.address}/simulator/{what}", data=json.dumps(said).encode(), method="POST"
        )
        try:
            with urllib.request.urlopen(request, timeout=10):  # noqa: S310
                return
        except OSError as error:
            raise DoesNotAnswer(f"The simulated {self.mis_name} at {self.address} says: {error}") from None

    def _first_state(self) -> dict[str, Any]:
        demo = self.demo
        return {
            "seed": demo.seed,
            "size": demo.size,
            "dfe_number": demo.dfe_number,
            "name": demo.name,
            "phase": demo.phase,
        }


def simulators(folder: Path, ports: list[int]) -> list[Simulator]:
    """Return the simulators of the demo's schools in the cloud, at these ports."""
    return [Simulator(demo, folder, port) for demo, port in zip(CLOUD, ports, strict=True)]


def how_to_fail(one: Simulator) -> str:
    """Return the commands that make a simulator fail and well again, and the other faults."""
    others = [fault.value for fault in Fault]
    lines = [
        f"""curl -d '{{"fault": "hang"}}' {one.address}/simulator/fault""",
        f"""curl -d '{{"fault": null}}' {one.address}/simulator/fault""",
        "",
        f"Faults: {', '.join(others[:8])},",
        f"        {', '.join(others[8:])}",
    ]
    return "\n".join(f"    {line}".rstrip() for line in lines)
