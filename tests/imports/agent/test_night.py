"""A night from the simulated SIMS, through the real agent and over HTTP, into the hub; and each way it can fail."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from hub.people.models import Contact, Pupil, Staff
from imports.models import AgentToken, Import, ImportState, Payload, ScheduledRun
from mis_connectors.simulators import command_reporter

pytestmark = pytest.mark.django_db(transaction=True)
REPORTER = str(Path(command_reporter.__file__))


@pytest.fixture
def sims(tmp_path: Path) -> dict[str, str]:
    """The environment of a small school's SIMS server."""
    state = tmp_path / "school.json"
    state.write_text(
        json.dumps({"seed": 7, "size": 12, "dfe_number": "8233001", "name": "Larch Hill", "phase": "primary"})
    )
    return {
        "SCHOOLGATE_AGENT_REPORTER": REPORTER,
        "STANDIN_SIMS_STATE": str(state),
        "STANDIN_SIMS_SECONDS": "0.5",
        "PYTHONPATH": str(Path(command_reporter.__file__).parents[2]),
    }


def test_a_night_comes_in_and_the_next_with_the_same_people_changes_nothing(
    agent: Any, sims: dict[str, str], imports_run: None
) -> None:
    done = agent("run", **sims)

    assert done.returncode == 0, done.stderr
    run = Import.objects.get()
    assert (run.state, run.reasons) == (ImportState.APPLIED, [])
    assert Pupil.objects.count() >= 12
    assert Contact.objects.exists()
    assert Staff.objects.exists()

    assert agent("run", **sims).returncode == 0
    assert Import.objects.latest("pk").state == ImportState.UNCHANGED
    assert agent.left_behind() == []


def test_the_check_finds_the_stand_in_well(agent: Any, sims: dict[str, str]) -> None:
    done = agent("check", **sims)

    assert done.returncode == 0, done.stdout
    assert all(check["ok"] for check in AgentToken.objects.get().last_check["checks"])


STOPPED = {
    "error": "network-related error",
    "truncated": "cut short",
    "login_refused": "Login failed",
}


@pytest.mark.parametrize(("fault", "sentence"), STOPPED.items())
def test_what_fails_in_sims_is_stopped_by_the_agent(
    agent: Any, sims: dict[str, str], fault: str, sentence: str
) -> None:
    done = agent("run", STANDIN_SIMS_FAULT=fault, **sims)

    assert done.returncode == 1
    assert sentence in done.stderr
    assert not Payload.objects.exists()
    assert not ScheduledRun.objects.exclude(satisfied_by=None).exists()


def test_a_slow_report_arrives_whole(agent: Any, sims: dict[str, str], imports_run: None) -> None:
    slow = {"STANDIN_SIMS_FAULT": "slow:Schoolgate Contacts", "SCHOOLGATE_AGENT_PACE": "0.1"}

    assert agent("run", **sims | slow).returncode == 0
    assert Import.objects.get().state == ImportState.APPLIED


REFUSED = {
    "no_identities": (ImportState.FAILED, "Third Party Reporter"),
    "wrong_school": (ImportState.HELD, "888/9999"),
}


@pytest.mark.parametrize(("fault", "outcome"), REFUSED.items())
def test_what_only_the_hub_can_see_is_refused_by_the_hub(
    agent: Any, sims: dict[str, str], imports_run: None, fault: str, outcome: tuple[str, str]
) -> None:
    assert agent("run", STANDIN_SIMS_FAULT=fault, **sims).returncode == 0

    run = Import.objects.get()
    assert outcome[1] in str(run.reasons)
    assert run.state == outcome[0]
    assert not Pupil.objects.exists()
