"""Test MIS Autolink: which part fails, in words, and what to do."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from hub.accounts.models import Account
from hub.core.models import School
from imports.agent import hearing
from imports.link import checks, links
from imports.link.checks import Facts, Part
from imports.models import LinkState
from imports.pages.presenting import Run
from tests.factories.links import an_import, enabled_link

DAY = dt.timedelta(days=1)
MINUTE = dt.timedelta(minutes=1)


def facts(now: dt.datetime, **changed: Any) -> Facts:
    """A link of which everything works."""
    well: dict[str, Any] = {
        "mis_name": "SIMS",
        "state_since": now - 9 * DAY,
        "copies": 1,
        "agent_name": "School server",
        "agent_host": "LARCH-01",
        "agent_seen": now - 6 * MINUTE,
        "checks": [{"name": "SIMS", "ok": True, "sentence": "", "advice": ""}],
        "checked_at": now - DAY,
        "agent_run": {"ok": True, "sentence": "It has arrived.", "at": now.isoformat()},
        "last": Run(state="applied", created_at=now - DAY / 4),
        "machines": {"broker": True, "beat": True},
    }
    return Facts(**(well | changed))


def found(now: dt.datetime, **changed: Any) -> list[Part]:
    return list(checks.parts(facts(now, **changed), now=now))


def failing(now: dt.datetime, **changed: Any) -> Part:
    """The one part that is not well."""
    (part,) = [part for part in found(now, **changed) if part.tone != "good"]
    return part


def test_everything_works_from_the_agent_to_the_last_import(now: dt.datetime) -> None:
    parts = found(now)

    assert [part.name for part in parts] == [
        "The agent",
        "SIMS on its computer",
        "MIS Autolink",
        "The queue",
        "The clock",
        "Last night",
        "The last import",
    ]
    assert {part.tone for part in parts} == {"good"}
    assert checks.verdict(parts, mis_name="SIMS").sentence == "Everything works, from SIMS to the last import."


CASES: list[tuple[str, dict[str, Any], str, str]] = [
    ("silent", {"agent_seen": -31 * MINUTE}, "bad", "was last heard 31 minutes ago"),
    ("never heard", {"agent_seen": None}, "bad", "has never been heard"),
    ("no copy", {"copies": 0, "agent_seen": None}, "bad", "No copy of the agent may sign in"),
    ("not checked", {"checked_at": None}, "quiet", "has not been run yet"),
    (
        "check failed",
        {"checks": [{"name": "Schoolgate Staff", "ok": False, "sentence": "Report not found.", "advice": "Make it."}]},
        "bad",
        "Schoolgate Staff: Report not found.",
    ),
    ("run failed", {"agent_run": {"ok": False, "sentence": "Cut short.", "at": ""}}, "bad", "Cut short."),
    ("disabled", {"state": LinkState.DISABLED}, "bad", "Disabled since Sat 14 Nov, 08:00"),
    ("waiting", {"state": LinkState.WAITING}, "quiet", "the first arrival switches it on"),
    ("paused", {"pause": "Paused until Fri 27 Nov."}, "warn", "Paused until Fri 27 Nov."),
    ("broker", {"machines": {"broker": False}}, "bad", "The hub's queue does not answer"),
    ("overdue", {"overdue": dt.date(2026, 11, 23)}, "bad", "The import of Mon 23 Nov did not arrive"),
]


@pytest.mark.parametrize(("changed", "tone", "sentence"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_a_part_that_fails_is_named_with_what_to_do(
    now: dt.datetime, changed: dict[str, Any], tone: str, sentence: str
) -> None:
    if isinstance(moved := changed.get("agent_seen"), dt.timedelta):
        changed = {**changed, "agent_seen": now + moved}
    part = failing(now, **changed)

    assert part.tone == tone
    assert sentence in part.sentence
    assert part.advice or changed.get("state") == LinkState.WAITING


def test_a_failed_or_held_import_says_why(now: dt.datetime) -> None:
    for state, tone in (("failed", "bad"), ("held", "warn")):
        part = failing(now, last=Run(state=state, created_at=now, reasons=[{"sentence": "The file is cut short."}]))
        assert part.tone == tone
        assert part.sentence == "Mon 23 Nov, 08:00: The file is cut short."


def test_the_verdict_is_the_first_that_fails_before_what_only_waits(now: dt.datetime) -> None:
    parts = found(now, pause="Paused.", overdue=dt.date(2026, 11, 23))
    assert checks.verdict(parts, mis_name="SIMS").name == "Last night"
    assert checks.verdict(found(now, pause="Paused."), mis_name="SIMS").name == "The timetable"
    assert "Nothing is wrong so far" in checks.verdict(found(now, checked_at=None), mis_name="SIMS").sentence


def test_a_pulled_mis_has_no_agent_to_test(now: dt.datetime) -> None:
    assert "The agent" not in [part.name for part in found(now, push=False)]


def test_a_real_link_is_read_in_a_constant_number_of_queries(
    school: School, administrator: Account, now: dt.datetime
) -> None:
    link = enabled_link(school, by=administrator, since=now - 5 * DAY)
    token, _ = links.create_token(link=link, name="School server", by=administrator, now=now)
    hearing.heard(token=token, said={"host": "LARCH-01", "checks": [{"name": "SIMS", "ok": True}]}, now=now)
    assert link.source.connector == "sims"  # read once, as the page does
    with CaptureQueriesContext(connection) as few:
        parts = checks.parts_of(link, now=now)
    for back in range(5):
        an_import(link, at=now - back * DAY)
    with CaptureQueriesContext(connection) as many:
        later = checks.parts_of(link, now=now)

    tones = {part.name: part.tone for part in parts}
    assert (tones["The agent"], tones["Last night"], tones["The last import"]) == ("good", "bad", "quiet")
    assert {part.name: part.tone for part in later}["Last night"] == "good"
    assert len(few) == len(many)
