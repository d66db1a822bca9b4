"""Values kept that differ from the MIS."""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from hub.accounts.models import Account
from hub.core import scope
from hub.core.models import School
from hub.people import services
from hub.people.models import DetailSource
from tests.factories.people import give, link, make_contact, make_pupil, make_staff, tie
from verification import report, selectors

SignIn = Callable[[Account], Client]


@pytest.fixture
def ngozi_account(db: None) -> Account:
    return Account.objects.create_user("ngozi@example.org", name="Ngozi Okafor", password="x" * 12)


@pytest.fixture
def drifting(school: School, ngozi_account: Account, office: Account, now: dt.datetime) -> None:
    """A kept mobile and an offered email, an office's edit, one of the staff, and people who agree with the MIS."""
    millie, sam = make_pupil(school, "Millie", registration_group="6HB"), make_pupil(school, "Sam", year_group="4")
    ngozi = make_contact(school, "Ngozi", "Okafor", millie, sam)
    give(ngozi, "mobile", "+447700900123", "+447700900456")
    give(ngozi, "email", "", "ngozi@example.org")
    services.connect(
        contact=ngozi, account=ngozi_account, verified={"mobile": "07700900123"}, by_name="Ngozi Okafor", now=now
    )
    daniel = make_contact(school, "Daniel", "Reid", make_pupil(school, "Ada", "Reid"))
    give(daniel, "email", "dan@example.org")
    services.edit_detail(owner=daniel, kind="email", value="d.reid@example.org", by=office, now=now)
    agrees = make_contact(school, "Agrees", "Agar", millie)
    give(agrees, "email", "same@example.org")
    none_in_mis = make_contact(school, "None", "InMis", millie)
    give(none_in_mis, "email", "mine@example.org", "", source=DetailSource.PERSON)
    tom = make_staff(school, "Tom", "Marsh", role="Teacher")
    give(tom, "email", "tom@example.org", "t.marsh@example.org", source=DetailSource.PERSON)
    tie(tom, office)


def test_drift_is_what_is_used_although_the_mis_says_otherwise(school: School, drifting: None) -> None:
    rows = [
        (detail.kind, detail.value, detail.mis_value, detail.connected)  # type: ignore[attr-defined]
        for detail in selectors.drift_by_pupil(school)
    ]
    assert rows == [
        ("email", "", "ngozi@example.org", True),
        ("mobile", "+447700900123", "+447700900456", True),
        ("email", "d.reid@example.org", "dan@example.org", False),
        ("email", "tom@example.org", "t.marsh@example.org", True),
    ]
    assert selectors.count_drift(school) == 4
    assert selectors.counts(school) == {"all": 4, "kept": 2, "offers": 1, "office": 1}


def test_another_schools_drift_is_not_counted(school: School, other_school: School, drifting: None) -> None:
    with scope.schools(other_school.pk):
        assert selectors.count_drift(other_school) == 0
        assert selectors.count_drift(school) == 0, "the wall hides it even where it is asked for"


def test_rows_stand_under_the_first_pupil_of_a_family(school: School, drifting: None) -> None:
    groups = report.by_pupil(selectors.drift_by_pupil(school), school.slug)
    assert [(group.heading, len(group.rows)) for group in groups] == [
        ("Millie Okafor (6HB)", 2),
        ("Ada Reid", 1),
        ("Staff", 1),
    ]
    kept = groups[0].rows[1]
    assert (kept.person, kept.field, kept.kept, kept.mis) == ("Ngozi Okafor", "Mobile", "07700 900123", "07700 900456")
    assert kept.belongs == "Mother; also of Sam Okafor (4)"
    assert kept.why == "Confirmed by Ngozi Okafor on Mon 23 Nov."
    assert groups[0].rows[0].state == "Offer"
    assert groups[1].rows[0].why == "Changed by Priya Shah on Mon 23 Nov, 08:00."


def address(school: School, name: str = "report") -> str:
    return reverse(f"verification:{name}", args=[school.slug])


def test_the_office_reads_the_report(school: School, drifting: None, office: Account, signed_in: SignIn) -> None:
    page = signed_in(office).get(address(school)).content.decode()
    assert "4 values differ from the MIS" in page
    assert "07700 900456" in page
    assert "Millie Okafor (6HB)" in page
    offers = signed_in(office).get(address(school) + "?show=offers").content.decode()
    assert "ngozi@example.org" in offers
    assert "07700 900456" not in offers


def test_where_nothing_differs_the_report_says_so(school: School, administrator: Account, signed_in: SignIn) -> None:
    page = signed_in(administrator).get(address(school)).content.decode()
    assert "Nothing differs from the MIS" in page


def test_only_the_office_of_this_school_reads_it(
    school: School, drifting: None, teacher: Account, stranger: Account, office: Account, signed_in: SignIn
) -> None:
    for name in ("report", "report_csv"):
        assert signed_in(teacher).get(address(school, name)).status_code == 403
        assert signed_in(stranger).get(address(school, name)).status_code == 404
        assert Client().get(address(school, name)).status_code == 302
        assert signed_in(office).post(address(school, name)).status_code == 405


def test_the_report_is_downloaded(school: School, drifting: None, office: Account, signed_in: SignIn) -> None:
    response = signed_in(office).get(address(school, "report_csv"))
    text = b"".join(response.streaming_content).decode("utf-8-sig")  # type: ignore[attr-defined]
    lines = list(csv.reader(io.StringIO(text)))
    assert lines[0] == report.HEADER
    assert lines[2][:7] == [
        "Millie Okafor (6HB), Sam Okafor (4)",
        "Ngozi Okafor",
        "Mobile",
        "07700 900123",
        "07700 900456",
        "2026-09-01 03:04",
        "2026-11-23 08:00",
    ]
    assert len(lines) == 5


def test_the_report_needs_as_many_queries_for_many_rows_as_for_few(
    school: School, drifting: None, office: Account, signed_in: SignIn
) -> None:
    client = signed_in(office)

    def count() -> int:
        with CaptureQueriesContext(connection) as queries:
            client.get(address(school))
        return len(queries)

    few = count()
    pupil = make_pupil(school, "Zed", "Zulu")
    for number in range(60):
        contact = make_contact(school, "P", f"N{number}")
        link(pupil, contact)
        give(contact, "email", f"a{number}@example.org", f"b{number}@example.org", source=DetailSource.ORGANISATION)
    assert count() == few
    assert "Next" in client.get(address(school)).content.decode()
