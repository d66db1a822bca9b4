"""On Monday mornings the office hears what is still to be copied into its MIS, until nothing is."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import pytest

from hub.accounts.models import Account
from hub.core import scope
from hub.core.models import School
from hub.people.models import Contact
from tests.factories.changes import make_change
from tests.factories.inbox import mails_to
from tests.factories.people import make_contact, make_source
from verification.models import Choices, DetailChange, MisState
from verification.reporting import weekly
from verification.reporting.weekly import sweep_weekly

LONDON = ZoneInfo("Europe/London")
MONDAY = dt.datetime(2026, 11, 23, 7, 30, tzinfo=LONDON)
WEEK = dt.timedelta(days=7)


@pytest.fixture
def ngozi(school: School) -> Contact:
    source = make_source(school)
    source.mis_name = "SIMS"
    source.save()
    return make_contact(school)


def test_the_office_is_mailed_once_a_week_until_nothing_is_left(
    school: School, ngozi: Contact, office: Account, administrator: Account, teacher: Account
) -> None:
    make_change(ngozi, made_at=MONDAY - dt.timedelta(days=9))
    make_change(ngozi, field="email", mis_state=MisState.DIFFERS, made_at=MONDAY - dt.timedelta(days=2))
    assert sweep_weekly(MONDAY) == 1
    assert sweep_weekly(MONDAY + dt.timedelta(minutes=1)) == 0
    (mail,) = mails_to("office@example.org")
    assert mail.subject == "2 changes to copy into SIMS"
    for said in ("9 days: a mobile", "Of 1 of them SIMS said", f"/{school.slug}/reports/verified-user"):
        assert said in mail.body, said
    for private in ("Ngozi", "07700", "example.org"):
        assert private not in mail.body.replace("http://testserver", ""), "no name, number or address"
    assert len(mails_to("head@example.org")) == 1
    assert mails_to("teacher@example.org") == []
    assert sweep_weekly(MONDAY + WEEK) == 1
    DetailChange.objects.update(mis_state=MisState.UPDATED)
    assert sweep_weekly(MONDAY + 2 * WEEK) == 0


@pytest.mark.parametrize(
    ("at", "told"),
    [
        (MONDAY - dt.timedelta(seconds=1), 0),
        (MONDAY, 1),
        (MONDAY + dt.timedelta(hours=23), 1),
        (MONDAY + dt.timedelta(hours=24), 0),
        (dt.datetime(2026, 7, 6, 6, 30, tzinfo=dt.UTC), 1),  # 07:30 in London's summer
        (dt.datetime(2026, 7, 6, 6, 29, tzinfo=dt.UTC), 0),
    ],
)
def test_it_is_sent_on_monday_morning_by_londons_clock(
    school: School, ngozi: Contact, office: Account, at: dt.datetime, told: int
) -> None:
    make_change(ngozi, made_at=at - WEEK)
    assert sweep_weekly(at) == told


def test_what_came_after_half_past_seven_waits_a_week(school: School, ngozi: Contact, office: Account) -> None:
    make_change(ngozi, made_at=MONDAY + dt.timedelta(hours=1))
    assert sweep_weekly(MONDAY + dt.timedelta(hours=2)) == 0
    assert sweep_weekly(MONDAY + WEEK) == 1


def test_a_school_that_switched_it_off_is_left_alone(school: School, ngozi: Contact, office: Account) -> None:
    make_change(ngozi, made_at=MONDAY - WEEK)
    Choices.objects.create(school=school, weekly_summary=False)
    assert sweep_weekly(MONDAY) == 0


def test_each_school_hears_of_its_own(
    school: School, other_school: School, ngozi: Contact, office: Account, stranger: Account
) -> None:
    make_change(ngozi, made_at=MONDAY - WEEK)
    assert sweep_weekly(MONDAY) == 1
    assert mails_to("stranger@example.org") == []
    with scope.schools(other_school.pk):
        make_change(make_contact(other_school), made_at=MONDAY - WEEK)
    assert sweep_weekly(MONDAY + dt.timedelta(hours=1)) == 1, "the one that was not mailed yet"
    assert len(mails_to("office@example.org")) == 1


def test_one_school_that_fails_does_not_keep_the_next_from_its_mail(
    school: School, other_school: School, ngozi: Contact, office: Account, stranger: Account,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    make_change(ngozi, made_at=MONDAY - WEEK)
    with scope.schools(other_school.pk):
        make_change(make_contact(other_school), made_at=MONDAY - WEEK)
    mail = weekly._mail

    def fails(one: School, due: dt.datetime, *, now: dt.datetime) -> bool:
        if one == school:
            raise ValueError
        return mail(one, due, now=now)

    monkeypatch.setattr(weekly, "_mail", fails)
    assert school.pk < other_school.pk, "the one that fails has its turn first"
    with pytest.raises(ExceptionGroup):
        sweep_weekly(MONDAY)
    assert len(mails_to("stranger@example.org")) == 1
    assert mails_to("office@example.org") == []
