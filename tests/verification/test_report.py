"""The Verified User Changes Report: what is to be copied into the MIS, marked done, searched, downloaded."""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from hub.accounts.models import Account
from hub.core import scope
from hub.core.models import AuditEntry, School
from hub.people.models import Contact, DetailSource, Pupil
from tests.factories.changes import make_change
from tests.factories.people import (
    give,
    link,
    make_contact,
    make_group,
    make_identity,
    make_pupil,
    make_source,
    make_staff,
)
from verification import selectors
from verification.lifecycle.links_moving import take_links
from verification.models import DetailChange, Merge, MisState, Status
from verification.reporting import marking, pdf, report
from verification.reporting.filters import Wanted

SignIn = Callable[[Account], Client]
OLD, NEW = "+447700900123", "+447700900456"


@pytest.fixture(autouse=True)
def _sims(school: School) -> None:
    source = make_source(school)
    source.mis_name, source.field_names = "SIMS", {"mobile": "Telephone (Mobile, Main)"}
    source.save()


@pytest.fixture
def millie(school: School) -> Pupil:
    return make_pupil(school, "Millie", "Okafor", year_group="Year 6", registration_group="6HB")


@pytest.fixture
def ngozi(school: School, millie: Pupil) -> Contact:
    ngozi = make_contact(school, "Ngozi", "Okafor", millie, make_pupil(school, "Sam", "Okafor", year_group="Year 4"))
    give(ngozi, "mobile", NEW, OLD, source=DetailSource.PERSON)
    return ngozi


def row(owner: Any, days: float = 0, **fields: Any) -> DetailChange:
    """A mobile that was changed so many days ago, as listed."""
    return make_change(owner, **{"made_at": timezone.now() - dt.timedelta(days=days)} | fields)


def address(school: School, name: str = "report") -> str:
    return reverse(f"verification:{name}", args=[school.slug])


def page(client: Client, school: School, query: str = "") -> str:
    return client.get(address(school) + query).content.decode()


def test_the_office_sees_what_is_to_be_copied_by_pupil_and_in_the_words_of_the_mis(
    school: School, ngozi: Contact, office: Account, signed_in: SignIn
) -> None:
    row(ngozi)
    shown = page(signed_in(office), school)
    assert "1 change to copy into SIMS" in shown
    for said in (
        "Millie Okafor (6HB)",
        "also Sam Okafor (Year 4)",
        "Telephone (Mobile, Main)",
        "07700 900456",
        "SIMS says now: 07700 900123",
        "To update in SIMS",
        "since today",
    ):
        assert said in shown, said


@pytest.mark.parametrize(
    ("days", "words", "tone"), [(1, "waiting 1 day", ""), (7, "waiting 7 days", "warn"), (28, "waiting 28 days", "bad")]
)
def test_what_waits_long_changes_its_colour(school: School, ngozi: Contact, days: int, words: str, tone: str) -> None:
    row(ngozi, days)
    (shown,) = report.Writer(school, mis=selectors.mis(school), now=timezone.now()).rows(
        list(DetailChange.objects.all())
    )
    assert (shown.waiting_words, shown.age) == (words, tone)


def test_a_row_that_differs_again_has_waited_since_then(school: School, ngozi: Contact) -> None:
    row(ngozi, 90, mis_state=MisState.DIFFERS)
    ngozi.details.update(mis_changed_at=timezone.now() - dt.timedelta(days=2))
    changes = list(DetailChange.objects.all())
    (shown,) = report.Writer(school, mis=selectors.mis(school), now=timezone.now()).rows(changes)
    assert shown.days == 2


def test_where_all_agrees_the_page_says_so(school: School, ngozi: Contact, office: Account, signed_in: SignIn) -> None:
    row(ngozi, mis_state=MisState.UPDATED, settled_import=12, settled_at=timezone.now())
    shown = page(signed_in(office), school)
    assert "Nothing to copy. SIMS and Schoolgate agree." in shown
    done = page(signed_in(office), school, "?show=done")
    assert "Updated in SIMS" in done
    assert "Import 12</a> brought it" in done


def test_every_state_has_words_and_a_view(school: School, ngozi: Contact, office: Account, signed_in: SignIn) -> None:
    soon = timezone.now() + dt.timedelta(days=2)
    row(ngozi, status=Status.PENDING, mis_state="", origin="organisation", made_by="Priya Shah", deadline=soon)
    row(ngozi, status=Status.WAITING, mis_state="", field="email", new_value="n@example.org", deadline=soon)
    row(ngozi, status=Status.REJECTED, mis_state="", reason="That is my sister's.", answered_at=timezone.now())
    row(ngozi, status=Status.FROZEN, mis_state="")
    row(ngozi, status=Status.KEPT)
    row(ngozi, status=Status.OFFER, mis_state="", field="email", new_value="o@example.org", origin="import")
    client = signed_in(office)
    for show, count, said in [
        ("open", 2, "Pending approval"),
        ("closed", 2, "“That is my sister’s.”"),
        ("kept", 2, "Offered"),
        ("copy", 1, "Kept"),
        ("all", 6, "Frozen"),
    ]:
        shown = page(client, school, f"?show={show}").replace("&#x27;", "’")
        assert shown.count('class="change-row"') == count, show
        assert said in shown, show


def test_a_child_who_is_not_theirs_is_a_row(
    school: School, ngozi: Contact, millie: Pupil, office: Account, signed_in: SignIn
) -> None:
    row(ngozi, field="child", pupil=millie, old_value="", new_value="")
    shown = page(signed_in(office), school)
    assert "Not their child" in shown
    assert "SIMS says now: Mother" in shown


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("?field=email", 0),
        ("?field=mobile", 1),
        ("?year=Year+4", 1),
        ("?year=Year+5", 0),
        ("?origin=person", 1),
        ("?origin=import", 0),
        ("?status=approved&state=to_update", 1),
        ("?state=differs", 0),
        ("?from=2020-01-01&to=2020-12-31", 0),
        ("?from=2020-12-31&to=2020-01-01", 0),
        ("?from=2020-01-01", 1),
        ("?from=nonsense&status=nonsense&show=nonsense&page=nonsense", 1),
    ],
)
def test_the_report_is_narrowed(
    school: School, ngozi: Contact, office: Account, signed_in: SignIn, query: str, found: int
) -> None:
    row(ngozi)
    assert page(signed_in(office), school, query).count('class="change-row"') == found


def test_a_day_runs_from_midnight_to_midnight_in_london(school: School, ngozi: Contact) -> None:
    late = dt.datetime(2026, 7, 1, 22, 59, tzinfo=dt.UTC)  # 23:59 in London's summer
    row(ngozi, made_at=late)
    asked = Wanted.of({"from": "2026-07-01", "to": "2026-07-01"})
    assert selectors.changes(school, asked).count() == 1
    DetailChange.objects.update(made_at=late + dt.timedelta(minutes=1))
    assert selectors.changes(school, asked).count() == 0


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("okafor", 1),
        ("ngozi okafor", 1),
        ("Millie 6HB", 1),
        ("07700 900456", 1),
        ("900123", 1),
        ("+44 7700 900456", 1),
        ("reid", 0),
    ],
)
def test_a_search_stays_out_of_the_address(
    school: School, ngozi: Contact, office: Account, signed_in: SignIn, search: str, found: int
) -> None:
    row(ngozi)
    client = signed_in(office)
    response = client.post(address(school, "report_search"), {"search": search, "show": "all", "field": "mobile"})
    assert response["Location"] == address(school) + "?show=all&field=mobile&search=1"
    shown = client.get(response["Location"]).content.decode()
    assert shown.count('class="change-row"') == found
    assert page(client, school, "?show=all").count('class="change-row"') == 1, "without it everything shows again"


def test_marking_done_is_one_step_and_so_is_taking_it_back(
    school: School, ngozi: Contact, office: Account, signed_in: SignIn
) -> None:
    one, two = row(ngozi), row(ngozi, field="email", new_value="n@example.org")
    client = signed_in(office)
    response = client.post(address(school, "mark_done"), {"row": [one.pk, two.pk], "only": one.pk}, follow=True)
    one.refresh_from_db()
    two.refresh_from_db()
    assert (one.mis_state, one.settled_by, two.mis_state) == ("done", "Priya Shah", "to_update")
    assert "1 change marked done." in response.content.decode()
    assert "marked done." not in page(client, school), "said once"
    client.post(address(school, "mark_open"), {"row": [one.pk]})
    client.post(address(school, "mark_done"), {"row": [one.pk, two.pk]})
    assert set(DetailChange.objects.values_list("mis_state", flat=True)) == {"done"}
    assert list(AuditEntry.objects.order_by("pk").values_list("action", flat=True)) == [
        "changes.marked_done",
        "changes.opened_again",
        "changes.marked_done",
    ]


def test_only_what_waits_is_marked_and_only_what_is_done_opens(
    school: School, ngozi: Contact, office: Account, now: dt.datetime
) -> None:
    settled = row(ngozi, mis_state=MisState.UPDATED)
    pending = row(ngozi, mis_state="", status=Status.PENDING)
    ids = [settled.pk, pending.pk, 10**9]
    assert marking.mark_done(school=school, ids=ids, by=office, now=now) == []
    assert marking.mark_open(school=school, ids=ids, by=office, now=now) == []
    assert not AuditEntry.objects.exists()


def test_the_office_of_one_school_marks_nothing_of_another(
    school: School, other_school: School, ngozi: Contact, stranger: Account, signed_in: SignIn
) -> None:
    change = row(ngozi)
    with scope.schools(other_school.pk):
        signed_in(stranger).post(address(other_school, "mark_done"), {"row": [change.pk]})
    change.refresh_from_db()
    assert change.mis_state == MisState.TO_UPDATE


def test_each_row_offers_what_can_be_done_about_it(
    school: School, ngozi: Contact, millie: Pupil, office: Account, signed_in: SignIn
) -> None:
    asked = {"origin": "organisation", "made_by": "Priya Shah", "mis_state": "", "effective_at": None}
    expired = row(ngozi, status=Status.EXPIRED, **asked)
    pending = row(ngozi, status=Status.PENDING, **asked)
    frozen = row(ngozi, status=Status.FROZEN, mis_state="")
    child = row(ngozi, field="child", pupil=millie, old_value="Mother", new_value="Not my child")
    record = row(ngozi, field="record", old_value="Ngozi Okafor (record 7)", new_value="The same person as N.")
    shown = page(signed_in(office), school, "?show=all")
    for name, change in [
        ("ask_again", expired),
        ("withdraw", pending),
        ("lift", frozen),
        ("give_back", child),
        ("undo_merge", record),
    ]:
        assert shown.count(reverse(f"verification:{name}", args=[school.slug, change.pk])) == 1, name
    own = row(ngozi, status=Status.EXPIRED, mis_state="")
    assert reverse("verification:ask_again", args=[school.slug, own.pk]) not in page(
        signed_in(office), school, "?show=all"
    )


def test_two_records_are_made_of_one_again_after_a_question(
    school: School, ngozi: Contact, office: Account, stranger: Account, signed_in: SignIn, now: dt.datetime
) -> None:
    gone = make_contact(school, "Ngozi", "Okafor", merged_into=ngozi)
    moved = {"identities": [], "kept_identities": [], "details": {}, "connections": []}
    merge = Merge.objects.create(school=school, kept=ngozi, gone=gone, by_name="Ngozi Okafor", at=now)
    record = row(ngozi, field="record", old_value="Ngozi Okafor", new_value="The same", previous={"merge": merge.pk})
    merge.moved = moved | {"row": record.pk, "links": take_links(kept=ngozi, gone=gone, kept_is_older=True)}
    merge.moved["rows"] = {"replaced": {}, "children": []}
    merge.save()
    where = reverse("verification:undo_merge", args=[school.slug, record.pk])
    assert signed_in(stranger).get(where).status_code == signed_in(stranger).post(where).status_code == 404
    assert "Make them two records again?" in signed_in(office).get(where).content.decode()
    shown = signed_in(office).post(where, follow=True).content.decode()
    assert "They are two records again." in shown
    gone.refresh_from_db()
    assert gone.merged_into is None
    assert signed_in(office).get(where).status_code == 404, "nothing is left to undo"


def test_a_form_comes_back_to_what_was_shown(
    school: School, ngozi: Contact, office: Account, signed_in: SignIn
) -> None:
    change = row(ngozi)
    said = {"row": [change.pk], "back_show": "all", "back_field": "mobile", "back_page": "1", "back_origin": "<x>"}
    response = signed_in(office).post(address(school, "mark_done"), said)
    assert response["Location"] == address(school) + "?show=all&field=mobile&page=1"


def test_only_the_office_of_this_school_reads_it(
    school: School, ngozi: Contact, teacher: Account, stranger: Account, office: Account, signed_in: SignIn
) -> None:
    row(ngozi)
    for name in ("report", "report_csv", "report_pdf"):
        assert signed_in(teacher).get(address(school, name)).status_code == 403
        assert signed_in(stranger).get(address(school, name)).status_code == 404
        assert Client().get(address(school, name)).status_code == 302
        assert signed_in(office).post(address(school, name)).status_code == 405
    for name in ("mark_done", "mark_open", "report_search"):
        assert signed_in(office).get(address(school, name)).status_code == 405
        assert signed_in(teacher).post(address(school, name)).status_code == 403


def lines(client: Client, school: School, query: str = "") -> list[list[str]]:
    response = client.get(address(school, "report_csv") + query)
    text = b"".join(response.streaming_content).decode("utf-8-sig")  # type: ignore[attr-defined]
    return list(csv.reader(io.StringIO(text)))


def test_the_report_is_downloaded(school: School, ngozi: Contact, office: Account, signed_in: SignIn) -> None:
    row(ngozi, 3)
    found = lines(signed_in(office), school)
    said = dict(zip(*found, strict=True))
    assert said["Pupils"] == "Millie Okafor (6HB), Sam Okafor (Year 4)"
    assert said["Field in SIMS"] == "Telephone (Mobile, Main)"
    assert (said["Old value"], said["New value"], said["SIMS says now"]) == (
        "07700 900123",
        "07700 900456",
        "07700 900123",
    )
    assert (said["Days waiting"], said["State in the MIS"], said["Origin"]) == ("3", "To update in SIMS", "The person")
    assert lines(signed_in(office), school, "?field=email")[1:] == []


def test_nothing_downloaded_runs_in_a_spreadsheet(
    school: School, ngozi: Contact, office: Account, signed_in: SignIn
) -> None:
    row(ngozi, made_by="=cmd|'/c calc'!A1", reason="@SUM(1)", new_value="+491511234567")
    DetailChange.objects.update(person_name="-1+1", pupil_names="=1")
    for cell in lines(signed_in(office), school)[1]:
        assert not cell.startswith(("=", "+", "-", "@")), cell
    assert "0049" in " ".join(lines(signed_in(office), school)[1]), "a number from abroad can still be dialled"


def test_the_report_is_printed_with_accents_and_page_numbers(
    school: School, ngozi: Contact, office: Account, signed_in: SignIn
) -> None:
    Contact.objects.filter(pk=ngozi.pk).update(forename="Zoë", surname="Łukasińska-Ó Brien")
    for number in range(40):
        row(ngozi, status=Status.APPROVED, field="email", new_value=f"n{number}@example.org")
    response = signed_in(office).get(address(school, "report_pdf"))
    assert response["Content-Type"] == "application/pdf"
    assert response.content.startswith(b"%PDF-")
    assert response.content.count(b"/Type /Page\n") > 1


def test_an_empty_report_prints_too(school: School, office: Account, signed_in: SignIn) -> None:
    assert signed_in(office).get(address(school, "report_pdf")).content.startswith(b"%PDF-")


def test_staff_stand_after_families_and_those_without_a_pupil_last(
    school: School, ngozi: Contact, office: Account, signed_in: SignIn
) -> None:
    row(make_contact(school, "Nobodys", "Aaa"))
    row(make_staff(school, "Tom", "Aaa"))
    row(ngozi)
    shown = page(signed_in(office), school)
    places = [shown.index(f">{heading}<") for heading in ("Millie Okafor (6HB)", "Staff", "No pupil here now")]
    assert places == sorted(places)


def test_the_overview_and_the_frame_say_how_many(
    school: School, ngozi: Contact, office: Account, signed_in: SignIn
) -> None:
    row(ngozi)
    row(ngozi, field="email", new_value="n@example.org", mis_state=MisState.DIFFERS)
    row(ngozi, field="email", new_value="x@example.org", mis_state=MisState.UPDATED)
    assert selectors.count_to_copy(school) == 2
    people_page = signed_in(office).get(f"/{school.slug}/people/").content.decode()
    assert '<span class="count">2<span class="hidden-text"> changes to copy into the MIS' in people_page


def test_the_number_beside_a_view_is_how_many_rows_it_has(school: School) -> None:
    number = 0
    for status in Status:
        for state in MisState:
            number += 1
            contact = make_contact(school, "P", f"N{number}")
            row(contact, field="email", new_value=f"a{number}@example.org", status=status, mis_state=state)
    counts = selectors.counts(school)
    assert counts
    for show, count in counts.items():
        assert selectors.changes(school, Wanted(show=show)).count() == count, show


def test_the_report_says_that_the_mis_has_no_record_of_a_person_any_more(
    school: School, millie: Pupil, ngozi: Contact
) -> None:
    """Instead of what that record said last: nobody can correct it there."""
    gone, here = make_contact(school, "Ade", "Okafor", millie), ngozi
    make_identity(here, "1"), make_identity(here, "2", gone_on=timezone.localdate())
    make_identity(gone, "3", gone_on=timezone.localdate())
    give(gone, "mobile", NEW, OLD, source=DetailSource.PERSON)
    rows = report.Writer(school, mis=selectors.mis(school), now=timezone.now()).rows([row(here), row(gone)])
    assert [one.mis for one in rows] == ["07700 900123", "no record of this person any more"]


def test_the_report_needs_as_many_queries_for_many_rows_as_for_few(
    school: School, ngozi: Contact, office: Account, signed_in: SignIn
) -> None:
    row(ngozi)
    make_group(school, "Year 6", kind="year")
    client = signed_in(office)

    def count() -> int:
        with CaptureQueriesContext(connection) as queries:
            client.get(address(school))
        return len(queries)

    few = count()
    assert few <= 14
    pupil = make_pupil(school, "Zed", "Zulu")
    for number in range(60):
        contact = make_contact(school, "P", f"N{number}")
        link(pupil, contact)
        row(contact, field="email", new_value=f"a{number}@example.org")
    assert count() == few
    assert "Next" in page(client, school)


def test_paper_ends_after_so_many_rows_and_says_so(
    school: School, ngozi: Contact, office: Account, signed_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pdf, "MOST", 2)
    for number in range(3):
        row(ngozi, field="email", new_value=f"n{number}@example.org", status=Status.REJECTED, mis_state="")
    said: list[str] = []
    monkeypatch.setattr(pdf.paper, "printable", lambda text: said.append(text) or text)
    assert signed_in(office).get(address(school, "report_pdf") + "?show=closed").content.startswith(b"%PDF-")
    assert "2 of 3 changes: Not taken" in " ".join(said)
