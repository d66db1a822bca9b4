"""The overview of a school, and of all one's schools, as each person of the cast sees it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from html import unescape
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from hub.accounts.models import Account, Membership, Role
from hub.core import scope
from hub.core.alerts import raise_alert
from hub.core.models import School
from imports.link import links
from imports.models import ImportKind, ImportState, MisLink, Rejection
from tests.factories import people
from tests.factories.changes import make_change
from tests.factories.imports import a_rejection
from tests.factories.links import an_import, enabled_link
from verification.invitations import connections

LAST_NIGHT = dt.datetime(2026, 11, 23, 2, 4, tzinfo=dt.UTC)


@pytest.fixture(autouse=True)
def _this_morning(monkeypatch: pytest.MonkeyPatch, now: dt.datetime) -> None:
    monkeypatch.setattr("django.utils.timezone.now", lambda: now)


@pytest.fixture
def link(school: School, administrator: Account, now: dt.datetime) -> MisLink:
    return enabled_link(school, by=administrator, since=now - dt.timedelta(days=20))


@pytest.fixture
def page(office: Account, signed_in: Callable[[Account], Client]) -> Callable[[], Any]:
    client = signed_in(office)
    return lambda: client.get("/8233001/")


def nights(link: MisLink, *back: int) -> None:
    for days in back:
        at = LAST_NIGHT - dt.timedelta(days=days)
        run = an_import(link, at=at, night=at.date())
        run.counts = {"updated": 3, "pupils": 420}
        run.save()


def test_it_answers_whether_last_night_worked(link: MisLink, page: Callable[[], Any]) -> None:
    nights(link, *range(14))
    text = unescape(page().text)
    for words in (
        "Last night's import is in.",
        "420 people came from SIMS at 02:04. 3 things changed.",
        "Today, 02:04",
        "5 hours ago · took 4 s · next tonight at 02:00",
        "Changed something in SIMS today? It comes tonight: look here tomorrow.",
        "14 nights: 14 complete",
        "Nothing needs you.",
    ):
        assert words in text


def test_a_night_that_did_not_arrive_shows_by_itself(link: MisLink, page: Callable[[], Any]) -> None:
    nights(link, *range(1, 14))
    text = unescape(page().text)
    assert "Last night's import did not arrive" in text
    assert "13 complete, 1 did not arrive" in text
    assert 'href="/8233001/settings/mis-link/">Test the link</a>' in text
    assert "look here tomorrow" not in text


def test_many_imports_in_two_weeks_hide_no_night(link: MisLink, page: Callable[[], Any]) -> None:
    nights(link, *range(14), *([0] * 100))
    assert "14 nights: 14 complete" in page().text


def test_each_alert_has_its_one_button(
    school: School, link: MisLink, page: Callable[[], Any], now: dt.datetime
) -> None:
    nights(link, *range(14))
    run = an_import(link, at=now, state=ImportState.HELD)
    a_rejection(run, severity=Rejection.ROW, at=now)
    make_change(people.make_contact(school), made_at=now - dt.timedelta(days=2))
    raise_alert(
        school=school, key="other", severity="warn", title="Something else", button="Go", path="people/", now=now
    )
    text = page().text
    for href, words in (
        (f"imports/{run.pk}/", "Review"),
        ("imports/rejected/", "See what to do"),
        ("reports/verified-user-changes/", "Open report"),
        ("people/", "Go"),
    ):
        assert f'href="/8233001/{href}">{words}</a>' in text
    assert "Row 212, Tom Marsh: The number is too short." in text
    assert "1 change to copy into SIMS" in text
    assert "The oldest has waited 2 days." in text
    assert "4 need you" in text


def test_before_a_link_it_shows_the_first_steps(school: School, page: Callable[[], Any]) -> None:
    text = page().text
    for words in ("Let us link your MIS.", "Not set up", "How it begins", "An administrator sets it up."):
        assert words in text


def test_the_administrator_is_led_to_the_set_up(
    school: School, administrator: Account, signed_in: Callable[[Account], Client]
) -> None:
    assert 'href="/8233001/settings/mis-link/">Set up</a>' in signed_in(administrator).get("/8233001/").text


def test_a_link_that_is_off_is_grey_and_says_since_when(
    link: MisLink, administrator: Account, page: Callable[[], Any], now: dt.datetime
) -> None:
    nights(link, 0)
    links.disable(link=link, by=administrator, now=now)
    text = page().text
    assert "MIS Autolink is off." in text
    assert "off since Mon 23 Nov, 08:00, last import Mon 23 Nov, 02:04" in text


def test_the_switch_is_the_administrators(
    link: MisLink, administrator: Account, page: Callable[[], Any], signed_in: Callable[[Account], Client]
) -> None:
    assert 'role="switch"' not in page().text
    text = signed_in(administrator).get("/8233001/").text
    assert 'role="switch" aria-checked="true" aria-label="MIS Auto Link"' in text


def test_a_running_import_is_said_to_run(link: MisLink, page: Callable[[], Any], now: dt.datetime) -> None:
    nights(link, *range(1, 14))
    an_import(link, at=now, state=ImportState.PLANNING)
    assert "An import is running." in page().text


def test_a_teacher_sees_whether_it_worked_and_nobodys_details(
    school: School, link: MisLink, teacher: Account, signed_in: Callable[[Account], Client], now: dt.datetime
) -> None:
    nights(link, *range(14))
    a_rejection(an_import(link, at=now), severity=Rejection.ROW, at=now)
    text = signed_in(teacher).get("/8233001/").text
    assert "is in." in text
    assert "Your Alerts" not in text
    assert "Tom Marsh:" not in text
    assert "/8233001/imports/" not in text


def test_connected_parents_are_those_whom_the_school_writes_to_as_connection_status_counts_them(
    school: School, administrator: Account, page: Callable[[], Any], now: dt.datetime
) -> None:
    here = people.make_pupil(school)
    left = people.make_pupil(school, "Sam", leaving_date=dt.date(2026, 7, 20))
    both = people.make_contact(school, "Ngozi", "Okafor", here, left)
    people.tie(both, administrator)
    people.make_contact(school, "Chidi", "Okafor", here)
    people.make_contact(school, "Ada", "Old", left)
    people.link(here, people.make_contact(school, "No", "Access"), access=False)
    people.make_contact(school, "Guy", "Governor", made_by_hand=True)
    people.make_contact(school, "Guy", "Gone", made_by_hand=True, merged_into=both)
    people.make_contact(school, "Wu", "Twice", here, made_by_hand=True)
    assert "1 of 4" in page().text
    counts = connections.counts(school, connections.PARENTS, now)
    assert (counts["connected"], counts["all"]) == (1, 4)


def test_strangers_and_the_anonymous_stay_outside(
    school: School, stranger: Account, signed_in: Callable[[Account], Client]
) -> None:
    assert Client().get("/8233001/")["Location"].startswith("/sign-in/")
    assert signed_in(stranger).get("/8233001/").status_code == 404
    assert signed_in(stranger).post("/8234002/").status_code == 405


def test_more_of_everything_costs_no_more_queries(
    school: School, link: MisLink, page: Callable[[], Any], now: dt.datetime
) -> None:
    run = an_import(link, at=now)

    def more(times: int) -> None:
        nights(link, *range(14))
        for number in range(times):
            pupil = people.make_pupil(school, f"P{number}")
            contact = people.make_contact(school, f"C{number}", "Okafor", pupil)
            make_change(contact)
            a_rejection(run, severity=Rejection.ROW, at=now)

    few_of_nothing = _queries(page)
    more(1)
    few = _queries(page)
    more(15)
    assert _queries(page) == few == few_of_nothing
    assert few <= 15


def _member_of_many(account: Account, count: int, now: dt.datetime, *, area: int = 823) -> None:
    with scope.every_school():
        for number in range(count):
            dfe = f"{area}{3100 + number}"
            made = School.objects.create(name=f"School {number:03}", slug=dfe, dfe_number=dfe)
            Membership.objects.create(school=made, account=account, role=Role.OFFICE, accepted_at=now)
            link = enabled_link(made, by=account, since=now - dt.timedelta(days=3))
            an_import(link, at=LAST_NIGHT, night=LAST_NIGHT.date())


def test_all_schools_stand_in_one_list_those_that_need_somebody_first(
    school: School, link: MisLink, office: Account, signed_in: Callable[[Account], Client], now: dt.datetime
) -> None:
    _member_of_many(office, 2, now)
    an_import(link, at=LAST_NIGHT, state=ImportState.FAILED, night=LAST_NIGHT.date())
    raise_alert(school=school, key="import-failed", severity="bad", title="Failed", now=now)
    text = signed_in(office).get("/schools/").text
    assert "1 of 3 schools needs you." in text
    assert text.index("Larch Hill Primary</a>") < text.index("School 000</a>") < text.index("School 001</a>")
    assert 'href="/8233001/"' in text


def test_when_all_is_well_the_list_says_so(
    school: School, link: MisLink, office: Account, signed_in: Callable[[Account], Client], now: dt.datetime
) -> None:
    _member_of_many(office, 1, now)
    an_import(link, at=LAST_NIGHT, night=LAST_NIGHT.date())
    assert "All 2 schools are well." in signed_in(office).get("/schools/").text


def test_a_school_whose_night_stayed_away_stands_out_without_a_task(
    school: School, link: MisLink, office: Account, signed_in: Callable[[Account], Client], now: dt.datetime
) -> None:
    _member_of_many(office, 1, now)
    text = signed_in(office).get("/schools/").text
    assert "1 of 2 schools needs you." in text
    assert "Did not arrive" in text


def test_the_list_costs_the_same_for_many_schools(
    school: School, link: MisLink, office: Account, signed_in: Callable[[Account], Client], now: dt.datetime
) -> None:
    client = signed_in(office)
    _member_of_many(office, 1, now)
    few = _queries(lambda: client.get("/schools/"))
    _member_of_many(office, 20, now, area=824)
    assert _queries(lambda: client.get("/schools/")) == few
    assert few <= 12


def test_the_list_shows_only_ones_own_schools(
    school: School, stranger: Account, other_school: School, signed_in: Callable[[Account], Client]
) -> None:
    assert Client().get("/schools/")["Location"].startswith("/sign-in/")
    text = signed_in(stranger).get("/schools/").text
    assert "Beck Road Academy" in text
    assert "Larch Hill Primary" not in text


def _queries(work: Callable[[], Any]) -> int:
    with CaptureQueriesContext(connection) as seen:
        work()
    return len([one for one in seen if "set_config" not in one["sql"]])


def test_a_file_by_hand_that_failed_is_no_alarm(link: MisLink, page: Callable[[], Any], now: dt.datetime) -> None:
    nights(link, *range(14))
    an_import(link, at=now, kind=ImportKind.UPLOAD, state=ImportState.FAILED)
    text = unescape(page().text)
    assert "Last night's import is in." in text
    assert "Nothing needs you." in text
