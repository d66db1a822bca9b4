"""The real agent as a school would run it: filled in by the hub, started as a program of its own."""

from __future__ import annotations

import datetime as dt
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from imports.agent import download
from imports.link import links
from imports.models import AgentToken, MisLink
from tests.factories.links import enabled_link
from tests.imports.agent.starting import Started

HERE = Path(__file__).parent
Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def link(transactional_db: None, school: Any, administrator: Any, now: Any) -> MisLink:
    return enabled_link(school, by=administrator, since=now)


class Agent:
    """A downloaded copy in a folder of its own."""

    def __init__(self, folder: Path, *, hub: str, secret: str, link: int = 1, token: AgentToken | None = None) -> None:
        self.folder, self.token, self.secret = folder, token, secret
        self.home = folder / "logs"
        self.file = folder / download.FILENAME
        self.record = folder / "commands.txt"
        text = download.filled(
            connector="sims",
            hub=hub,
            school="Larch Hill Primary",
            link=link,
            token=secret,
            run_at=dt.time(2),
            weekdays=[1, 2, 3, 4, 5, 6, 7],
        )
        self.file.write_text(text, encoding="utf-8")

    def environment(self, **more: str) -> dict[str, str]:
        base = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "SYSTEMROOT") if name in os.environ}
        return {
            **base,
            "SCHOOLGATE_AGENT_HOME": str(self.home),
            "SCHOOLGATE_AGENT_REPORTER": str(HERE / "stub_reporter.py"),
            "SCHOOLGATE_AGENT_PACE": "0.01",
            "STUB_RECORD": str(self.record),
            "NO_PROXY": "*",
            **more,
        }

    def start(self, *arguments: str, **more: str) -> Started:
        return Started(self.file, arguments, self.environment(**more))

    def __call__(self, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
        return self.start(*arguments, **more).ended()

    def by_hand(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run it as a school's computer does, by a Python of its own."""
        command = [sys.executable, str(self.file), *arguments]
        return subprocess.run(command, env=self.environment(), capture_output=True, text=True, timeout=60, check=False)

    @property
    def log(self) -> str:
        return (self.home / "agent.log").read_text(encoding="utf-8")

    @property
    def reports_run(self) -> list[str]:
        return self.record.read_text().splitlines() if self.record.exists() else []

    def left_behind(self) -> list[str]:
        """Files of reports still on the disk."""
        return [path.name for path in self.home.rglob("*") if path.suffix in (".xml", ".zip")]


@pytest.fixture
def agent(live_server: Any, link: MisLink, administrator: Any, now: Any, tmp_path: Path) -> Agent:
    token, secret = links.create_token(link=link, name="Office server", by=administrator, now=now)
    return Agent(tmp_path, hub=live_server.url, secret=secret, link=link.pk, token=token)


@pytest.fixture
def alone(tmp_path: Path) -> Agent:
    """A copy without a hub, and without a database."""
    return Agent(tmp_path, hub="http://127.0.0.1:9", secret="sg_" + "x" * 32)


@pytest.fixture(autouse=True)
def _imports_wait(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """What arrives is kept and waits, unless a test wants it imported."""
    if "imports_run" not in request.fixturenames:
        monkeypatch.setattr("imports.services.enqueue", lambda run: None)


@pytest.fixture
def imports_run() -> None:
    """Let what arrives be imported at once."""
