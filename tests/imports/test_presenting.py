"""An import in words: every state has its word, and a title answers what happened."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from imports.pages import presenting
from imports.pages.presenting import Run

NOW = dt.datetime(2026, 11, 23, 8, 0, tzinfo=dt.UTC)
LAST_NIGHT = dt.datetime(2026, 11, 23, 2, 4, tzinfo=dt.UTC)
COUNTS = {"added": 2, "updated": 10, "ended": 0, "kept": 3, "rejected": 1, "pupils": 420, "contacts": 764, "staff": 1}
REMOVALS = {
    "sentence": "60 of 433 pupils are missing from this file: more than the 10 % you allow, so no pupil was removed.",
    "advice": "Look at who is missing.",
}


def run(state: str = "applied", **more: Any) -> Run:
    given: dict[str, Any] = {"mis_name": "SIMS", "created_at": LAST_NIGHT, "finished_at": LAST_NIGHT, "counts": COUNTS}
    return Run(state=state, **{**given, **more})


@pytest.mark.parametrize(
    ("state", "tone", "text"),
    [
        ("applied", "good", "Complete"),
        ("unchanged", "good", "Nothing changed"),
        ("partly_held", "warn", "Removals held"),
        ("held", "warn", "Held for you"),
        ("failed", "bad", "Failed"),
        ("interrupted", "bad", "Interrupted, runs again by itself"),
        ("discarded", "quiet", "Discarded"),
        ("undone", "quiet", "Undone"),
        ("missed", "bad", "Did not arrive"),
        ("planning", "live", "Working out what changed"),
    ],
)
def test_every_outcome_has_its_word_and_tone(state: str, tone: str, text: str) -> None:
    chip = presenting.outcome(state)
    assert (chip.tone, chip.text) == (tone, text)


def test_a_cloud_mis_did_not_run_and_a_preview_is_only_that() -> None:
    assert presenting.outcome("missed", delivery="pull").text == "Did not run"
    assert presenting.outcome("held", preview=True).text == "Preview only"
    assert presenting.outcome("failed", preview=True).text == "Failed"


@pytest.mark.parametrize(
    ("found", "title"),
    [
        (run(), "12 changes from SIMS"),
        (run(counts={"updated": 1}), "1 change from SIMS"),
        (run("unchanged"), "Nothing changed in SIMS"),
        (run(counts={"kept": 1}), "Nothing changed, 1 value kept"),
        (run("held"), "This import waits for you"),
        (run("reading"), "Reading what SIMS sent"),
        (run("partly_held", counts={}), "The removals wait for you"),
        (run("partly_held", counts={}, decided=True), "Nobody was removed"),
        (run(preview=True), "Tonight would change 12 things"),
        (run(preview=True, counts={}), "Tonight would change nothing"),
        (run("partly_held", preview=True, reasons=[REMOVALS]), "Tonight this would wait for you"),
    ],
)
def test_the_title_answers_what_happened(found: Run, title: str) -> None:
    assert presenting.title(found) == title


def test_the_line_below_counts_in_full_words() -> None:
    assert presenting.lead(run()) == (
        "1,185 people came in the file. 3 values were kept because people have verified them and 1 record has"
        " something to mend."
    )
    assert presenting.tally(run()) == "10 changed · 2 added · 3 kept · 1 rejected"
    assert presenting.in_file(run()) == "420 pupils, 764 parents and 1 member of staff"


def test_a_hold_gives_its_numbers_and_what_to_do_once() -> None:
    held = run("partly_held", reasons=[REMOVALS, REMOVALS])
    assert "60 of 433 pupils are missing" in presenting.lead(held)
    assert presenting.advices(held) == ["Look at who is missing."]


def test_a_preview_never_says_that_something_was_done() -> None:
    said = presenting.lead(run("partly_held", preview=True, reasons=[REMOVALS]))
    assert "Nothing was changed" in said
    assert "was removed" not in said


def test_a_hold_waits_until_it_is_decided() -> None:
    assert run("held").waits
    assert not run("held", decided=True).waits
    assert not run("held", preview=True).waits
    assert not run("applied").waits


@pytest.mark.parametrize(
    ("found", "name"),
    [
        (run(), "Last night's import"),
        (run(night=dt.date(2026, 11, 23), finished_at=NOW), "Last night's import"),
        (run(finished_at=NOW), "Today's import"),
        (run(finished_at=NOW - dt.timedelta(days=1)), "Yesterday's import"),
        (run(finished_at=NOW - dt.timedelta(days=3)), "The import of Fri 20 Nov"),
    ],
)
def test_an_import_is_called_by_its_night(found: Run, name: str) -> None:
    assert presenting.said_by_night(found, now=NOW) == name
