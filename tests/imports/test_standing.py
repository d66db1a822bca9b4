"""Which alerts stand: each from what is true, each with the one button that helps."""

from __future__ import annotations

import datetime as dt
from typing import Any

from imports import standing
from imports.pages.presenting import Run
from imports.standing import Facts, Missed

NOW = dt.datetime(2026, 11, 23, 8, 0, tzinfo=dt.UTC)
LAST_NIGHT = dt.datetime(2026, 11, 23, 2, 4, tzinfo=dt.UTC)


def run(state: str, *, days: int = 0, **more: Any) -> Run:
    at = LAST_NIGHT - dt.timedelta(days=days)
    return Run(state=state, mis_name="SIMS", created_at=at, finished_at=at, **more)


def stand(**facts: Any) -> list[standing.Alert]:
    return standing.alerts(Facts(mis_name="SIMS", link_state="enabled", **facts), now=NOW)


def test_when_all_is_well_nothing_stands() -> None:
    assert stand(runs=[(1, run("applied"))], agent_seen=NOW) == []


def test_a_failed_import_gives_its_reason_and_leads_to_it() -> None:
    reasons = [{"sentence": "The file was cut short.", "advice": "It is kept."}]
    (alert,) = stand(runs=[(7, run("failed", reasons=reasons)), (6, run("applied", days=1))])
    assert (alert.key, alert.severity, alert.path) == (standing.FAILED, "bad", "imports/7/")
    assert alert.title == "Last night's import failed"
    assert alert.body == "The file was cut short. It is kept."


def test_a_hub_that_is_refused_is_for_whoever_runs_it_and_nobody_at_the_school() -> None:
    reasons = [{"code": "platform", "sentence": "SIMS does not accept the key: tell whoever runs it.", "advice": ""}]
    (alert,) = stand(runs=[(7, run("failed", reasons=reasons))])
    assert (alert.key, alert.severity) == (standing.FAILED, "bad")
    assert alert.title == "SIMS refuses this hub: whoever runs it has to act"


def test_a_failure_is_over_when_a_later_import_came() -> None:
    assert stand(runs=[(8, run("applied")), (7, run("failed", days=1))]) == []


def test_a_hold_stands_until_it_is_decided_also_behind_a_failure() -> None:
    found = stand(runs=[(8, run("failed")), (7, run("held", days=1))])
    assert [alert.key for alert in found] == [standing.FAILED, standing.HELD]
    assert stand(runs=[(7, run("held", decided=True))]) == []


def test_a_night_that_did_not_arrive_says_how_old_the_page_is() -> None:
    missed = [Missed(night=dt.date(2026, 11, 23), due_at=LAST_NIGHT)]
    (alert,) = stand(runs=[(6, run("applied", days=1))], missed=missed)
    assert alert.title == "Last night's import did not arrive"
    assert "as of Sun 22 Nov, 02:04" in alert.body
    (alert,) = stand(missed=[Missed(night=dt.date(2026, 11, 22), due_at=LAST_NIGHT), *missed])
    assert alert.title == "The last 2 nights did not arrive"


def test_an_agent_is_silent_after_26_hours_and_not_before() -> None:
    assert stand(agent_seen=NOW - dt.timedelta(hours=25)) == []
    (alert,) = stand(agent_seen=NOW - dt.timedelta(hours=26))
    assert alert.key == standing.SILENT
    assert stand(push=False, agent_seen=NOW - dt.timedelta(hours=40)) == []


def test_a_record_rejected_whole_waits_and_one_in_part_informs() -> None:
    (whole,) = stand(rejected_rows=1, first_rejected="Row 212, Tom Marsh: too short.")
    assert (whole.severity, whole.title) == ("warn", "1 record was rejected")
    (part,) = stand(rejected_parts=2)
    assert (part.severity, part.title) == ("quiet", "2 records were rejected in part")


def test_a_pause_after_an_undo_asks_to_be_ended() -> None:
    (alert,) = stand(paused_at=LAST_NIGHT, paused_why="An import was undone.")
    assert (alert.severity, alert.button) == ("warn", "Resume")


def test_credentials_that_are_awaited_are_asked_for_and_mailed() -> None:
    (alert,) = standing.alerts(
        Facts(mis_name="Progresso", push=False, link_state="awaiting_credentials", state_since=NOW), now=NOW
    )
    assert (alert.severity, alert.title, alert.path) == (
        "warn", "Progresso's credentials are awaited", "settings/mis-link/",
    )  # fmt: skip
    assert alert.key in standing.MAILED


def test_what_is_to_be_copied_leads_to_the_report_and_is_never_mailed() -> None:
    (alert,) = stand(to_copy=2, oldest_to_copy=NOW - dt.timedelta(days=9, hours=3))
    assert alert.title == "2 changes to copy into SIMS"
    assert alert.body.startswith("The oldest has waited 9 days. ")
    assert alert.path == "reports/verified-user-changes/"
    assert alert.key not in standing.MAILED


def test_what_failed_comes_before_what_waits() -> None:
    found = stand(runs=[(7, run("failed"))], rejected_rows=1, to_copy=1)
    assert [alert.severity for alert in found] == ["bad", "warn", "warn"]
