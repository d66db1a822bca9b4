"""A school sets up SIMS from nothing, in a real browser and with the file it downloads, until its first night is in."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from hub.accounts.models import Role
from mis_connectors.simulators import command_reporter
from tests.browser.conftest import Open, alone
from tests.browser.judging import PHONE
from tests.conftest import join, make_school

pytestmark = pytest.mark.browser
REPORTER = Path(command_reporter.__file__)
ASKS_AGAIN = 5_000
"""So many milliseconds after the last time, the page asks how far it is; here they pass at once."""


class Computer:
    """The school's computer: a folder, a simulated SIMS, and what was downloaded into it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        state = {"seed": 7, "size": 12, "dfe_number": "8233001", "name": "Larch Hill", "phase": "primary"}
        (folder / "school.json").write_text(json.dumps(state))

    def run(self, command: str) -> subprocess.CompletedProcess[str]:
        environment = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(REPORTER.parents[2]),
            "STANDIN_SIMS_STATE": str(self.folder / "school.json"),
            "SCHOOLGATE_AGENT_REPORTER": str(REPORTER),
            "SCHOOLGATE_AGENT_HOME": str(self.folder / "logs"),
            "SCHOOLGATE_AGENT_PACE": "0.01",
        }
        return subprocess.run(
            [sys.executable, str(self.folder / "schoolgate_agent.py"), command],
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )


@pytest.mark.parametrize("size", [None, pytest.param(PHONE, marks=pytest.mark.long)], ids=["desk", "phone"])
def test_from_choosing_an_mis_to_the_first_night(
    transactional_db: None,
    live_server: Any,
    settings: Any,
    open_page: Open,
    tmp_path: Path,
    size: dict[str, int] | None,
) -> None:
    settings.PUBLIC_URL = live_server.url
    join(make_school("Larch Hill Primary", "8233001"), "head@example.org", "Helen Ward", Role.ADMINISTRATOR)
    page = open_page("/8233001/settings/mis-link/", email="head@example.org", **({"size": size} if size else {}))
    alone(page).clock.install()
    computer = Computer(tmp_path)

    expect(page.get_by_role("heading", level=1)).to_have_text("Which MIS does your school use?")
    page.get_by_role("radio", name="SIMS").check()
    page.get_by_role("button", name="Set it up").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Set up SIMS")
    with page.expect_download() as download:
        page.get_by_role("button", name="Download the agent").click()
    download.value.save_as(tmp_path / "schoolgate_agent.py")

    page.clock.fast_forward(ASKS_AGAIN)
    expect(page.get_by_role("heading", level=1)).to_have_text("Waiting for SIMS", timeout=9000)  # by itself
    assert computer.run("check").returncode == 0
    page.get_by_role("link", name="Test MIS Autolink").click()
    expect(page.get_by_text("The agent's check of")).to_be_visible()
    expect(page.get_by_text("the first arrival switches it on by itself")).to_be_visible()

    assert computer.run("run").returncode == 0
    page.clock.fast_forward(ASKS_AGAIN)
    expect(page.get_by_role("heading", level=1)).to_have_text("SIMS is linked", timeout=9000)
    expect(page.locator(".chip", has_text="Agent heard")).to_be_visible()

    page.get_by_role("button", name="Import now").click()
    expect(page.get_by_text("Helen Ward asked for an import just now.")).to_be_visible()
    assert "is being imported" in computer.run("heartbeat").stdout
    page.reload()
    expect(page.get_by_text("asked for an import just now")).to_have_count(0)
    page.get_by_role("link", name="Test MIS Autolink").click()
    expect(page.get_by_text("Nothing changed.")).to_be_visible()

    page.get_by_label("Sun").uncheck()
    page.get_by_role("button", name="Save the timetable").click()
    expect(page.get_by_text("Monday to Saturday at 02:00. Last import")).to_be_visible()
