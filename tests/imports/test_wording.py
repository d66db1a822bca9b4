"""A change in words: the person, the field, before and after, and why."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from imports.pages import wording
from imports.pages.wording import Change, Line, Person
from imports.types import Why

NOW = dt.datetime(2026, 11, 23, 8, 0, tzinfo=dt.UTC)
NGOZI = Person(kind="contact", id=1, name="Ngozi Okafor", about="mother of Millie", pronoun="her", connected=True)
MILLIE = Person(kind="pupil", id=2, name="Millie Okafor", about="pupil, 6HB")


def lines(action: str, model: str, before: dict[str, Any], after: dict[str, Any], **more: Any) -> list[Line]:
    given: dict[str, Any] = {"person": MILLIE, **more}
    change = Change(action=action, model=model, before=before, after=after, **given)
    return list(wording.lines(change, mis_name="SIMS", now=NOW))


def one(*args: Any, **more: Any) -> Line:
    (line,) = lines(*args, **more)
    return line


def test_every_field_that_changed_has_its_row_in_the_order_of_a_record() -> None:
    found = lines(
        "updated",
        "pupil",
        {"registration_group": "6HB", "surname": "Okafor"},
        {"registration_group": "6KT", "surname": "Obi"},
        why="changed_in_mis",
    )
    assert [(line.what, line.before, line.after, line.why) for line in found] == [
        ("Surname", "Okafor", "Obi", "Changed in SIMS"),
        ("Registration group", "6HB", "6KT", "Changed in SIMS"),
    ]


def detail(value: str, mis: str) -> dict[str, Any]:
    return {"kind": "mobile", "value": value, "mis_value": mis, "source": "person"}


KEPT = (detail("+447700900123", "+447700900123"), detail("+447700900123", "+447700900456"))


def test_what_is_kept_shows_both_values_and_who_verified_it_when() -> None:
    line = one(
        "kept",
        "detail",
        *KEPT,
        why="kept_connected",
        person=NGOZI,
        verified_at=dt.datetime(2026, 11, 3, 9, tzinfo=dt.UTC),
    )
    assert line.kept
    assert (line.what, line.before, line.after) == ("Mobile", "", "07700 900123")
    assert line.aside == "SIMS says 07700 900456"
    assert line.why == "verified by her on 3 Nov"


def test_an_offer_fills_nothing() -> None:
    line = one("kept", "detail", detail("", ""), detail("", "+447700900456"), why="offer", person=NGOZI)
    assert (line.after, line.aside) == ("empty", "SIMS offers 07700 900456")


def test_agreeing_is_not_called_kept() -> None:
    line = one("kept", "detail", *(KEPT[0], detail("+447700900123", "+447700900123")), why="mis_agrees", person=NGOZI)
    assert not line.kept
    assert line.why == "SIMS now says the same"


def test_the_not_connected_take_the_mis_and_the_reason_says_so() -> None:
    before, after = {"kind": "email", "value": "dan@example.org"}, {"kind": "email", "value": "d.reid@example.org"}
    line = one("updated", "detail", before, after, why="not_connected")
    assert (line.before, line.after) == ("dan@example.org", "d.reid@example.org")
    assert line.why == "Changed in SIMS, not connected yet"


def test_a_new_pupil_is_one_row_that_sums_them_up() -> None:
    after = {"forename": "Elif", "registration_group": "RJM", "year_group": "1", "admission_date": "2026-11-20"}
    line = one("added", "pupil", {}, after, why="new_in_mis")
    assert (line.what, line.before, line.after) == ("New pupil", "", "RJM, year 1, joined 20 Nov 2026")


def test_somebody_ended_says_when_they_left() -> None:
    line = one("ended", "pupil", {"leaving_date": None}, {"leaving_date": "2026-11-23"}, why="gone_from_mis")
    assert (line.after, line.why) == ("left 23 Nov 2026", "No longer in SIMS")


def test_a_link_names_its_far_end_and_what_is_not_said_is_empty() -> None:
    found = lines(
        "updated",
        "link",
        {"court_order": None, "pupil_id": 2},
        {"court_order": True, "pupil_id": 2},
        why="access_lost",
        person=NGOZI,
        other="Millie Okafor",
    )
    assert [(line.what, line.before, line.after) for line in found] == [("Court order for Millie Okafor", "", "Yes")]
    assert found[0].why == "Access withdrawn in SIMS: effective at once"


@pytest.mark.parametrize("why", list(Why))
def test_every_reason_has_its_words(why: Why) -> None:
    row = {
        "person": "A",
        "kind": "pupil",
        "action": "updated",
        "field": "house",
        "before": "",
        "after": "x",
        "why": why,
    }
    assert wording.would_line(row, mis_name="SIMS").why != why.value


def test_a_row_of_a_plan_reads_like_a_change() -> None:
    row = {"person": "Tom Reid", "person_id": 3, "kind": "pupil", "action": "ended", "field": "leaving_date"}
    line = wording.would_line({**row, "before": None, "after": "2026-11-23", "why": "gone_from_mis"}, mis_name="SIMS")
    assert (line.what, line.before, line.after, line.why) == ("Pupil", "at the school", "would go", "No longer in SIMS")


def test_words_in_braces_are_only_words() -> None:
    row = {"person": "A", "kind": "pupil", "action": "updated", "field": "house", "before": "", "after": "{mis}"}
    assert wording.would_line({**row, "why": "left {as} it is"}, mis_name="SIMS").why == "left {as} it is"


def test_a_family_is_told_by_relationship() -> None:
    links = [("Mother", "Millie"), ("Mother", "Sam"), ("", "Ada")]
    assert wording.family(links) == "mother of Millie, Sam; contact of Ada"


@pytest.mark.parametrize(("gender", "word"), [("Female", "her"), ("M", "him"), ("", "them")])
def test_who_verified_it_is_called_as_the_mis_says(gender: str, word: str) -> None:
    assert wording.pronoun(gender) == word


def test_a_link_that_ended_a_pupil_who_came_back_and_a_record_that_moved() -> None:
    today = {"ended_on": "2026-11-23", "pupil_id": 2}
    ended = one(
        "ended",
        "link",
        {"ended_on": None, "pupil_id": 2},
        today,
        why="gone_from_mis",
        person=NGOZI,
        other="Millie Okafor",
    )
    assert (ended.what, ended.after, ended.why) == ("Parent of Millie Okafor", "link ended", "No longer in SIMS")
    back = one("returned", "pupil", {"leaving_date": "2026-07-20"}, {"leaving_date": None}, why="back_in_mis")
    assert (back.before, back.after, back.why) == ("left 20 Jul 2026", "came back", "Back in SIMS")
    moved = one("relinked", "identity", {"record": "1001"}, {"record": "2001"}, why="same_person", person=NGOZI)
    assert (moved.what, moved.before, moved.after) == ("Record in SIMS", "1001", "2001")


def test_what_the_mis_no_longer_says_is_kept_and_said() -> None:
    line = one("kept", "detail", KEPT[0], detail("+447700900123", ""), why="mis_agrees", person=NGOZI)
    assert line.why == "SIMS has none any more"


def test_the_offices_own_value_is_named_by_whom() -> None:
    line = one("kept", "detail", *KEPT, why="kept_connected", person=NGOZI, value_by="Priya Shah")
    assert line.why == "set by Priya Shah"
