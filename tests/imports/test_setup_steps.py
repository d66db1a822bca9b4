"""The set-up steps of SIMS name every caption that the connector reads, and every report that the agent runs."""

from __future__ import annotations

import runpy
from pathlib import Path

import mis_connectors.sims
from mis_connectors.sims import columns

FOLDER = Path(mis_connectors.sims.__file__).parent


def test_the_steps_name_every_caption_and_no_other() -> None:
    page = (FOLDER / "templates" / "mis_sims" / "setup.html").read_text(encoding="utf-8")
    lists = [part.split("</p>")[0] for part in page.split('<p class="log">')[1:]]
    named = {caption.strip() for one in lists for caption in one.split(",")}

    plain = {columns.caption(name.replace(" ", "_x0020_")) for name in named}
    assert len(lists) == 3
    assert plain == columns.KNOWN - {"id"}


def test_the_steps_name_the_reports_that_the_agent_runs() -> None:
    page = (FOLDER / "templates" / "mis_sims" / "setup.html").read_text(encoding="utf-8")
    agent = runpy.run_path(str(FOLDER / "agent" / "schoolgate_agent.py"), run_name="agent")

    assert all(report in page for _, report, _ in agent["REPORTS"])
