"""A school's SIMS server, simulated: a folder with the downloaded agent, a stand-in CommandReporter and its school.

The agent is the very file a school downloads; it runs as its own process and talks to the hub over HTTP.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from hub.accounts.models import Account
from imports.agent import download
from imports.demo import cast
from imports.demo.schools import SCHOOLS, DemoSchool
from imports.link import links
from imports.models import MisLink
from mis_connectors.simulators import school as simulated

_PATIENCE = 120


class NightFailed(Exception):
    """A night of the demo did not go as it should; the message says what happened."""


@dataclass(frozen=True)
class Server:
    """The simulated server in `folder`. `environ` is what its processes get, `hub` where the hub is."""

    demo: DemoSchool
    folder: Path
    hub: str
    environ: Mapping[str, str]
    running: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def has_it_all(self) -> bool:
        """Whether every state a parent can be in is to be seen at this school."""
        return self.demo == SCHOOLS[0]

    @cached_property
    def cast(self) -> cast.Cast:
        """Who plays what in the demo's story."""
        demo = self.demo
        made = simulated.generate(
            seed=demo.seed, size=demo.size, dfe_number=demo.dfe_number, name=demo.name, phase=demo.phase
        )
        return cast.chosen(made, all_of_it=self.has_it_all)

    @property
    def _agent(self) -> Path:
        return self.folder / download.FILENAME

    @property
    def _state(self) -> Path:
        return self.folder / "school.json"

    def state(self) -> dict[str, Any]:
        """Return what the simulated MIS holds: the school's seed and the edits made since."""
        try:
            found: dict[str, Any] = json.loads(self._state.read_text(encoding="utf-8"))
        except FileNotFoundError:
            demo = self.demo
            return {
                "seed": demo.seed,
                "size": demo.size,
                "dfe_number": demo.dfe_number,
                "name": demo.name,
                "phase": demo.phase,
                "edits": list(self.cast.edits),
            }
        return found

    def school(self) -> simulated.School:
        """Return the people in the simulated MIS as they are now."""
        return simulated.of_state(self.state())

    def edit(self, *edits: list[Any]) -> None:
        """Change the people in the simulated MIS."""
        state = self.state()
        state["edits"] += edits
        self._save(state)

    def is_set_up(self) -> bool:
        return self._agent.exists() and self._state.exists()

    def set_up(self, *, link: MisLink, by: Account, now: dt.datetime) -> None:
        """Download the agent with a token of its own, and put the school into the simulated MIS."""
        self.folder.mkdir(parents=True, exist_ok=True)
        _, token = links.create_token(link=link, name="SIMS server", by=by, now=now)
        source = download.filled(
            connector=link.source.connector,
            hub=self.hub,
            school=self.demo.name,
            link=link.pk,
            token=token,
            run_at=link.run_at,
            weekdays=link.weekdays,
        )
        self._agent.touch(mode=0o600)
        self._agent.write_text(source, encoding="utf-8")
        self._save(self.state())

    def start(self, command: str) -> subprocess.Popen[bytes]:
        """Start a command of the agent (`run`, `heartbeat`, `check`) and return its process."""
        reporter = Path(simulated.__file__).with_name("command_reporter.py")
        process = subprocess.Popen(  # noqa: S603
            [sys.executable, str(self._agent), command],
            cwd=self.folder,
            env={
                **self.environ,
                "SCHOOLGATE_AGENT_HUB": self.hub,
                "SCHOOLGATE_AGENT_HOME": str(self.folder / "agent"),
                "SCHOOLGATE_AGENT_REPORTER": str(reporter),
                "SCHOOLGATE_AGENT_PACE": "0.02",
                "STANDIN_SIMS_STATE": str(self._state),
            },
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        self.running.append(process)
        return process

    def stop(self) -> None:
        """End the agents that are running, and the reports that they run."""
        for process in list(self.running):
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)

    def finish(self, process: subprocess.Popen[bytes]) -> str:
        """Wait for a command of the agent and return its last line; raises `NightFailed` with it."""
        try:
            said, _ = process.communicate(timeout=_PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            raise NightFailed(f"The agent of {self.demo.name} did not finish.") from None
        finally:
            self.running.remove(process)
        lines = said.decode("utf-8", "replace").strip().splitlines() or ["it said nothing"]
        if process.returncode:
            raise NightFailed(f"The agent of {self.demo.name} failed: {' '.join(lines[-2:])}")
        return lines[-1]

    def _save(self, state: dict[str, Any]) -> None:
        beside = self._state.with_suffix(".new")
        beside.write_text(json.dumps(state, indent=1), encoding="utf-8")
        beside.replace(self._state)
