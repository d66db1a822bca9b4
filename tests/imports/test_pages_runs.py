"""The list of imports and an import's own page: what happened, to whom, and why."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from hub.accounts.models import Account
from hub.core import scope
from hub.core.models import School
from hub.people.models import DetailSource
from imports.models import ImportKind, ImportState, MisLink
from tests.factories import people
from tests.factories.imports import a_change, a_rejection
from tests.factories.links import an_import, enabled_link

LAST_NIGHT = dt.datetime(2026, 11, 23, 2, 4, tzinfo=dt.UTC)
COUNTS = {"added": 0, "updated": 12, "ended": 0, "kept": 1, "rejected": 0, "pupils": 420, "contacts": 764, "staff": 61}


@pytest.fixture(autouse=True)
def _this_morning(monkeypatch: pytest.MonkeyPatch, now: dt.datetime) -> None:
    monkeypatch.setattr("django.utils.timezone.now", lambda: now)


@pytest.fixture
def link(school: School, administrator: Account, now: dt.datetime) -> MisLink:
    return enabled_link(school, by=administrator, since=now - dt.timedelta(days=5))


@pytest.fixture
def page(office: Account, signed_in: Callable[[Account], Client]) -> Callable[..., Any]:
    client = signed_in(office)
    return lambda path, **query: client.get(f"/8233001/{path}", query)


def held(link: MisLink, state: str = ImportState.PARTLY_HELD, **more: Any) -> Any:
    run = an_import(link, at=LAST_NIGHT, state=state, night=LAST_NIGHT.date())
    run.reasons = [{"code": "removals", "sentence": "60 of 433 pupils are missing.", "advice": "Look at who."}]
    run.counts = {**COUNTS, "removals_held": {"pupil": 1}}
    row = {"person": "Tom Reid", "person_id": 0, "kind": "pupil", "model": "pupil", "why": "gone_from_mis"}
    run.would = [{**row, "action": "ended", "field": "leaving_date", "before": None, "after": "2026-11-23"}]
    for name, value in more.items():
        setattr(run, name, value)
    run.save()
    return run


def test_the_list_shows_imports_and_the_nights_between_them_that_did_not_arrive(
    link: MisLink, page: Callable[..., Any]
) -> None:
    for back in (0, 2, 3):
        at = LAST_NIGHT - dt.timedelta(days=back)
        an_import(link, at=at, night=at.date())
    said = page("imports/").text
    order = ["Mon 23 Nov, 02:04", "Sun 22 Nov", "Did not arrive", "Sat 21 Nov, 02:04", "Fri 20 Nov, 02:04"]
    places = [said.index(words) for words in order]
    assert places == sorted(places)
    assert "due tonight at 02:00" in said


def test_a_missed_night_stands_on_one_page_of_the_list_only(link: MisLink, page: Callable[..., Any]) -> None:
    an_import(link, at=LAST_NIGHT, night=LAST_NIGHT.date())
    for minutes in range(60):
        an_import(link, at=LAST_NIGHT - dt.timedelta(days=2, minutes=minutes), kind=ImportKind.UPLOAD)
    first, second = page("imports/").text, page("imports/", page=2).text
    assert first.count("Did not arrive") + second.count("Did not arrive") == 4
    assert "Sun 22 Nov" in first
    assert "Thu 19 Nov" in second


def test_before_a_link_the_list_says_what_to_do(school: School, page: Callable[..., Any]) -> None:
    assert "Set up the MIS Link" in page("imports/").text


def test_a_list_of_many_imports_costs_no_more_queries(link: MisLink, page: Callable[..., Any]) -> None:
    an_import(link, at=LAST_NIGHT)
    few = _queries(lambda: page("imports/"))
    for minutes in range(30):
        an_import(link, at=LAST_NIGHT - dt.timedelta(minutes=minutes))
    assert _queries(lambda: page("imports/")) == few


def test_an_import_names_the_person_the_field_before_and_after_and_why(
    school: School, link: MisLink, page: Callable[..., Any], administrator: Account, now: dt.datetime
) -> None:
    run = an_import(link, at=LAST_NIGHT)
    run.counts = COUNTS
    run.save()
    millie = people.make_pupil(school, registration_group="6KT")
    ngozi = people.make_contact(school, "Ngozi", "Okafor", millie, gender="Female")
    people.tie(ngozi, administrator)
    detail = people.give(
        ngozi,
        "mobile",
        "+447700900123",
        "+447700900456",
        source=DetailSource.PERSON,
        verified_at=dt.datetime(2026, 11, 3, 9, tzinfo=dt.UTC),
    )
    a_change(run, millie, {"registration_group": "6HB"}, {"registration_group": "6KT"})
    said = {"kind": "mobile", "value": "+447700900123", "mis_value": "+447700900123"}
    mis = {**said, "mis_value": "+447700900456"}
    a_change(run, ngozi, said, mis, model="detail", row_id=detail.pk, action="kept", why="kept_connected")
    text = page(f"imports/{run.pk}/").text
    assert "12 changes from SIMS" in text
    for words in ("Millie Okafor", "pupil, 6KT", "<del>6HB</del><ins>6KT</ins>", "Changed in SIMS"):
        assert words in text
    for words in ("mother of Millie", "<ins>07700 900123</ins>", "SIMS says 07700 900456", "verified by her on 3 Nov"):
        assert words in text


def test_filters_narrow_what_is_shown(school: School, link: MisLink, page: Callable[..., Any]) -> None:
    run = an_import(link, at=LAST_NIGHT)
    for number in range(12):
        a_change(run, people.make_pupil(school, f"P{number}"), {"house": "Elm"}, {"house": "Oak"})
    a_change(run, people.make_contact(school), {}, {"surname": "Okafor"}, action="added", why="new_in_mis")
    assert "New parent" in page(f"imports/{run.pk}/").text
    only = page(f"imports/{run.pk}/", kind="pupil", action="updated").text
    assert "New parent" not in only
    assert "P11" in only
    assert page(f"imports/{run.pk}/", kind="nonsense", page="x").status_code == 200


def test_many_changes_cost_no_more_queries_than_a_few(school: School, link: MisLink, page: Callable[..., Any]) -> None:
    run = an_import(link, at=LAST_NIGHT)

    def change(number: int) -> None:
        pupil = people.make_pupil(school, f"P{number}")
        contact = people.make_contact(school, f"C{number}", "Okafor", pupil)
        a_change(run, pupil, {"house": "Elm"}, {"house": "Oak"})
        a_change(run, contact, {"postcode": "A"}, {"postcode": "B"})

    change(0)
    few = _queries(lambda: page(f"imports/{run.pk}/"))
    for number in range(1, 40):
        change(number)
    assert _queries(lambda: page(f"imports/{run.pk}/")) == few


def test_what_was_added_and_undone_keeps_its_name(school: School, link: MisLink, page: Callable[..., Any]) -> None:
    run = an_import(link, at=LAST_NIGHT, state=ImportState.UNDONE)
    run.left_by_undo = [{"kind": "contact", "person_id": 0, "model": "detail", "why": "has changed again since"}]
    run.save()
    elif_ = people.make_pupil(school, "Elif", "Kaya")
    a_change(run, elif_, {}, {"forename": "Elif", "surname": "Kaya"}, action="added", why="new_in_mis")
    elif_.delete()
    text = page(f"imports/{run.pk}/").text
    assert "Elif Kaya" in text
    assert "no longer here" in text
    assert "has changed again since" in text


def test_a_hold_says_its_numbers_and_lists_exactly_who(link: MisLink, page: Callable[..., Any]) -> None:
    run = held(link)
    text = page(f"imports/{run.pk}/").text
    assert "60 of 433 pupils are missing." in text
    assert "Review 1 removal" in text
    assert "Keep everybody" in text
    assert "Tom Reid" in page(f"imports/{run.pk}/removals/").text


def test_a_decided_hold_offers_nothing_more(link: MisLink, page: Callable[..., Any], now: dt.datetime) -> None:
    run = held(link, decided_at=now, decided_by="Priya Shah")
    text = page(f"imports/{run.pk}/").text
    assert "Keep everybody" not in text
    assert "Priya Shah" in text
    assert "decided already" in page(f"imports/{run.pk}/removals/").text


def test_another_schools_people_are_never_shown(link: MisLink, page: Callable[..., Any]) -> None:
    reasons = [{"code": "wrong_school", "sentence": "This file is about school 823/1111.", "advice": ""}]
    run = held(link, ImportState.HELD, reasons=reasons)
    for path in ("", "removals/", "changes.csv"):
        answer = page(f"imports/{run.pk}/{path}")
        body = b"".join(answer.streaming_content).decode() if answer.streaming else answer.text
        assert "Tom Reid" not in body
    assert "Apply it all the same" not in page(f"imports/{run.pk}/").text


def test_a_preview_shows_what_it_would_do_and_offers_to_do_it(link: MisLink, page: Callable[..., Any]) -> None:
    run = held(link, ImportState.APPLIED, preview=True, kind=ImportKind.UPLOAD, reasons=[])
    text = page(f"imports/{run.pk}/").text
    assert "Tonight would change 12 things" in text
    assert "would go" in text
    assert "Import this file" in text
    assert "Undo this import" not in text


def test_a_running_import_shows_its_phase_and_the_poll_ends_with_it(link: MisLink, page: Callable[..., Any]) -> None:
    run = an_import(link, at=LAST_NIGHT, state=ImportState.PLANNING)
    text = page(f"imports/{run.pk}/").text
    assert 'hx-trigger="every 1s"' in text
    poll = page(f"imports/{run.pk}/phases/")
    assert "Working out what changed" in poll.text
    assert "<html" not in poll.text
    run.state = ImportState.APPLIED
    run.save()
    assert page(f"imports/{run.pk}/phases/")["HX-Refresh"] == "true"


def test_a_failed_import_says_why(link: MisLink, page: Callable[..., Any]) -> None:
    reasons = [{"code": "format", "sentence": "The zip file is cut short.", "advice": "The file is kept for support."}]
    run = held(link, ImportState.FAILED, reasons=reasons, would=[], detail="Traceback of ours")
    text = page(f"imports/{run.pk}/").text
    assert "This import failed" in text
    assert "The zip file is cut short." in text
    assert "Traceback of ours" not in text


def test_what_an_import_rejected_stands_on_its_page(link: MisLink, page: Callable[..., Any], now: dt.datetime) -> None:
    run = an_import(link, at=LAST_NIGHT)
    a_rejection(run, at=now)
    text = page(f"imports/{run.pk}/").text
    assert "The number is too short." in text
    assert "contacts.xml, row 212" in text


def test_the_csv_has_every_change_and_runs_no_formula(school: School, link: MisLink, page: Callable[..., Any]) -> None:
    run = an_import(link, at=LAST_NIGHT)
    a_change(run, people.make_pupil(school), {"house": "Elm"}, {"house": "=HYPERLINK()"})
    answer = page(f"imports/{run.pk}/changes.csv")
    said = b"".join(answer.streaming_content).decode()
    assert "Millie Okafor,pupil,Changed,House,Elm,'=HYPERLINK(),,Changed in SIMS" in said
    assert answer["Content-Disposition"] == f'attachment; filename="import-{run.pk}-changes.csv"'


PATHS = ("", "phases/", "changes.csv", "removals/", "undo/")


@pytest.mark.parametrize("path", PATHS)
def test_an_import_is_for_the_office_of_its_own_school(
    path: str,
    link: MisLink,
    teacher: Account,
    stranger: Account,
    other_school: School,
    administrator: Account,
    signed_in: Callable[[Account], Client],
) -> None:
    run = an_import(link, at=LAST_NIGHT)
    address = f"/8233001/imports/{run.pk}/{path}"
    assert Client().get(address)["Location"].startswith("/sign-in/")
    assert signed_in(teacher).get(address).status_code == 403
    assert signed_in(stranger).get(address).status_code == 404
    assert signed_in(administrator).get(address).status_code == 200
    assert signed_in(stranger).get(f"/8234002/imports/{run.pk}/{path}").status_code == 404


@pytest.mark.parametrize("path", ["imports/", "imports/upload/", "imports/rejected/", "imports/rejected.csv"])
def test_the_lists_are_for_the_office_of_the_school(
    path: str, school: School, teacher: Account, stranger: Account, signed_in: Callable[[Account], Client]
) -> None:
    assert Client().get(f"/8233001/{path}")["Location"].startswith("/sign-in/")
    assert signed_in(teacher).get(f"/8233001/{path}").status_code == 403
    assert signed_in(stranger).get(f"/8233001/{path}").status_code == 404


def _queries(work: Callable[[], Any]) -> int:
    with CaptureQueriesContext(
        connection,
    ) as seen:
        work()
    return len([one for one in seen if "set_config" not in one["sql"]])


def test_the_other_school_sees_none_of_it(
    link: MisLink, stranger: Account, other_school: School, signed_in: Callable[[Account], Client]
) -> None:
    an_import(link, at=LAST_NIGHT)
    with scope.schools(other_school.pk):
        assert "No MIS is linked yet" in signed_in(stranger).get("/8234002/imports/").text
