"""The overview speaks first: the gravest thing that is true, in full words."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from hub.overview import presenting
from hub.overview.presenting import Stand
from imports.pages.presenting import Run

NOW = dt.datetime(2026, 11, 23, 8, 0, tzinfo=dt.UTC)
LAST_NIGHT = dt.datetime(2026, 11, 23, 2, 4, tzinfo=dt.UTC)
COUNTS = {"added": 2, "updated": 10, "kept": 3, "pupils": 420, "contacts": 764}


def run(state: str = "applied", *, days: int = 0, **more: Any) -> Run:
    at = LAST_NIGHT - dt.timedelta(days=days)
    return Run(**{"state": state, "mis_name": "SIMS", "created_at": at, "finished_at": at, "counts": COUNTS, **more})


def heading(latest: Run | None = None, last_in: Run | None = None, **more: Any) -> tuple[str, str]:
    given = {"mis_name": "SIMS", "link_state": "enabled", "latest": latest, "last_in": last_in or latest, **more}
    said = presenting.heading(Stand(**given), now=NOW)
    return said.title, said.sentence


def test_a_good_night_is_told_with_true_numbers() -> None:
    assert heading(run(), to_mend=1) == (
        "Last night's import is in.",
        "1,184 people came from SIMS at 02:04. 12 things changed, 3 were kept because people have verified them and "
        "1 record has something to mend.",
    )


def test_a_first_import_says_how_many_it_brought() -> None:
    _, sentence = heading(run(counts={"pupils": 420, "added": 361}))
    assert sentence == "420 people came from SIMS at 02:04. 361 people were added."


def test_a_quiet_night_says_that_nothing_changed() -> None:
    title, sentence = heading(run("unchanged", counts={"pupils": 420}))
    assert title == "Last night's import is in."
    assert sentence == "420 people came from SIMS at 02:04, and all of them are as they were."


def test_before_a_link_it_begins_there() -> None:
    assert heading(link_state="")[0] == "Let us link your MIS."


def test_a_link_that_waits_says_for_what() -> None:
    title, sentence = heading(link_state="waiting", next_due=dt.datetime(2026, 11, 24, 2, tzinfo=dt.UTC))
    assert title == "Waiting for the first file."
    assert "tonight at 02:00" in sentence
    assert heading(link_state="awaiting_credentials")[0] == "SIMS needs its credentials."


def test_a_running_import_comes_before_everything() -> None:
    assert heading(run("failed", days=1), running=run("planning")) == (
        "An import is running.",
        "Working out what changed. Nothing of it shows before all of it is in.",
    )


@pytest.mark.parametrize(
    ("more", "title"),
    [
        ({"link_state": "disabled", "state_since": NOW, "state_by": "Helen Ward"}, "MIS Autolink is off."),
        ({"link_state": "reconnect"}, "SIMS no longer lets us in."),
        ({"paused_at": NOW}, "Imports are paused."),
    ],
)
def test_a_link_that_stands_still_says_so_before_its_last_import(more: dict[str, Any], title: str) -> None:
    assert heading(run(), **more)[0] == title


def test_a_missed_night_says_how_old_the_page_is() -> None:
    assert heading(run(days=1), missed=[dt.date(2026, 11, 23)]) == (
        "Last night's import did not arrive.",
        "What you see is as of Sun 22 Nov, 02:04.",
    )
    two = [dt.date(2026, 11, 22), dt.date(2026, 11, 23)]
    assert heading(run(days=2), missed=two, push=False)[0] == "The last 2 nights did not run."
    assert heading(None, missed=two)[1] == "Nothing has come in yet."


def test_a_failure_gives_its_reason() -> None:
    title, sentence = heading(run("failed", reasons=[{"sentence": "The zip was cut short."}]), run(days=1))
    assert title == "Last night's import failed."
    assert sentence == "The zip was cut short. What you see is as of Sun 22 Nov, 02:04."


def test_a_hold_waits_and_a_decided_one_does_not() -> None:
    reasons = [{"sentence": "60 of 433 pupils are missing."}]
    assert heading(run("held", reasons=reasons), run(days=1))[0] == "Last night's import waits for you."
    held = heading(run("partly_held", reasons=reasons))
    assert held == ("Last night's import is in, but for the removals.", "60 of 433 pupils are missing.")
    assert heading(run("partly_held", decided=True))[0] == "Last night's import is in."


def test_an_older_import_is_called_by_its_day() -> None:
    assert heading(run(days=3))[0] == "The last import came on Fri 20 Nov."


def test_after_only_a_discarded_import_nothing_is_in() -> None:
    stand = Stand(mis_name="SIMS", link_state="enabled", latest=run("discarded"))
    assert presenting.heading(stand, now=NOW).title == "Nothing has come in yet."


@pytest.mark.parametrize(
    ("days", "words"),
    [
        ([1, 2, 3, 4, 5, 6, 7], "every night at 02:00"),
        ([1, 2, 3, 4, 5], "Mon to Fri at 02:00"),
        ([3, 1], "Mon, Wed at 02:00"),
        ([], "no nights chosen"),
    ],
)
def test_the_timetable_in_words(days: list[int], words: str) -> None:
    assert presenting.schedule_words(days, dt.time(2)) == words


def test_the_strip_is_told_to_those_who_cannot_see_it() -> None:
    assert presenting.nights_summary(["complete", "complete", "did not arrive"]) == (
        "3 nights: 2 complete, 1 did not arrive"
    )
