"""The pages of people, by everyone of the cast."""

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

from hub.accounts.models import Account, Membership
from hub.core.models import School
from hub.people import services
from hub.people.models import Contact, ContactDetail, DetailSource, ImportExclusion, Pupil
from tests.factories.people import (
    give,
    link,
    make_contact,
    make_group,
    make_identity,
    make_pupil,
    make_staff,
    tie,
)

SignIn = Callable[[Account], Client]


@pytest.fixture
def millie(school: School) -> Pupil:
    return make_pupil(school, registration_group="6HB", year_group="6", upn="R674123101121", admission_number="004711")


@pytest.fixture
def ngozi(school: School, millie: Pupil) -> Contact:
    contact = make_contact(school, "Ngozi", "Okafor", millie)
    give(contact, "mobile", "+447700900123")
    make_identity(contact, "5001")
    return contact


def url(school: School, name: str, *args: Any) -> str:
    return reverse(f"people:{name}", args=[school.slug, *args])


def edit_url(school: School, *args: Any) -> str:
    return reverse("verification:edit_detail", args=[school.slug, *args])


# Who gets in


def pages(school: School, pupil: Pupil, contact: Contact) -> dict[str, str]:
    staff = make_staff(school)
    return {
        "list": url(school, "list"),
        "pupil": url(school, "pupil", pupil.pk),
        "contact": url(school, "contact", contact.pk),
        "staff": url(school, "staff", staff.pk),
        "court orders": url(school, "lists", "court-orders"),
        "csv": url(school, "csv", "not-connected"),
        "edit": edit_url(school, "contacts", contact.pk, "email"),
        "add": url(school, "add"),
        "exclusions": url(school, "exclusions"),
    }


def test_the_office_and_the_administrator_see_every_page(
    school: School, millie: Pupil, ngozi: Contact, office: Account, administrator: Account, signed_in: SignIn
) -> None:
    for account in (office, administrator):
        client = signed_in(account)
        for name, address in pages(school, millie, ngozi).items():
            assert client.get(address).status_code == 200, name


def test_the_anonymous_are_sent_to_sign_in(school: School, millie: Pupil, ngozi: Contact) -> None:
    for name, address in pages(school, millie, ngozi).items():
        response = Client().get(address)
        assert response.status_code == 302, name
        assert reverse("accounts:sign_in") in response["Location"]


def test_another_schools_administrator_finds_nothing(
    school: School, other_school: School, millie: Pupil, ngozi: Contact, stranger: Account, signed_in: SignIn
) -> None:
    client = signed_in(stranger)
    for name, address in pages(school, millie, ngozi).items():
        assert client.get(address).status_code == 404, name
        elsewhere = address.replace(school.slug, other_school.slug)
        if name in ("pupil", "contact", "staff", "edit"):
            assert client.get(elsewhere).status_code == 404, name


def test_a_teacher_reads_the_own_groups_and_changes_nothing(
    school: School,
    millie: Pupil,
    ngozi: Contact,
    teacher: Account,
    administrator: Account,
    signed_in: SignIn,
    now: dt.datetime,
) -> None:
    sam = make_pupil(school, "Sam", "Other", registration_group="4RJ")
    uncle = make_contact(school, "Ike", "Obi", sam)
    link(sam, ngozi)
    group = make_group(school, "6HB", millie)
    client = signed_in(teacher)
    assert b"No groups yet" in client.get(url(school, "list")).content
    services.set_group_access(
        membership=Membership.objects.get(account=teacher), groups=[group], by=administrator, now=now
    )
    page = client.get(url(school, "list")).content.decode()
    assert "Okafor, Millie" in page
    assert "Other, Sam" not in page
    assert client.get(url(school, "pupil", millie.pk)).status_code == 200
    assert client.get(url(school, "pupil", sam.pk)).status_code == 404
    parent = client.get(url(school, "contact", ngozi.pk)).content.decode()
    assert "Millie" in parent
    assert "Sam" not in parent
    assert "Change<" not in parent
    assert client.get(url(school, "contact", uncle.pk)).status_code == 404
    for name, args in (
        ("add", []),
        ("exclusions", []),
        ("lists", ["court-orders"]),
        ("csv", ["pupils"]),
    ):
        assert client.get(url(school, name, *args)).status_code == 403, name
    assert client.post(edit_url(school, "contacts", ngozi.pk, "email"), {"value": "x@example.org"}).status_code == 403


def test_what_writes_is_refused_to_a_reader(school: School, ngozi: Contact, office: Account, signed_in: SignIn) -> None:
    client, identity = signed_in(office), ngozi.identities.get()
    for name, args in (("search", []), ("exclude", [identity.pk]), ("include", [1])):
        assert client.get(url(school, name, *args)).status_code == 405, name
    for name, args in (("list", []), ("contact", [ngozi.pk]), ("lists", ["not-connected"])):
        assert client.post(url(school, name, *args)).status_code == 405, name


def test_an_unknown_list_or_kind_is_not_found(
    school: School, ngozi: Contact, office: Account, signed_in: SignIn
) -> None:
    client = signed_in(office)
    assert client.get(url(school, "lists", "nonsense")).status_code == 404
    assert client.get(url(school, "csv", "nonsense")).status_code == 404
    assert client.get(edit_url(school, "contacts", ngozi.pk, "fax")).status_code == 404
    assert client.get(edit_url(school, "aliens", ngozi.pk, "email")).status_code == 404


# Finding


def test_a_search_is_kept_in_the_session_and_never_in_the_address(
    school: School, ngozi: Contact, office: Account, signed_in: SignIn
) -> None:
    client = signed_in(office)
    response = client.post(url(school, "search"), {"q": "ngozi", "show": "pupils"})
    assert response["Location"] == url(school, "list") + "?show=pupils"
    page = client.get(response["Location"]).content.decode()
    assert "Ngozi Okafor" in page, "where no pupil is found, the parents show"
    assert "Okafor, Millie" not in page
    client.post(url(school, "search"), {"q": ""})
    assert "Okafor, Millie" in client.get(url(school, "list")).content.decode()


def test_while_one_types_only_the_results_come_back(
    school: School, ngozi: Contact, office: Account, signed_in: SignIn
) -> None:
    response = signed_in(office).post(url(school, "search"), {"q": "07700 900"}, headers={"HX-Request": "true"})
    assert "Ngozi Okafor" in response.content.decode()
    assert "<html" not in response.content.decode()


def test_a_search_without_an_answer_says_so(school: School, ngozi: Contact, office: Account, signed_in: SignIn) -> None:
    client = signed_in(office)
    client.post(url(school, "search"), {"q": "qqq"})
    assert "Nobody found" in client.get(url(school, "list")).content.decode()


def test_before_the_first_import_the_page_says_where_people_come_from(
    school: School, office: Account, signed_in: SignIn
) -> None:
    assert "first import" in signed_in(office).get(url(school, "list")).content.decode()


def test_a_page_needs_as_many_queries_for_sixty_people_as_for_one(
    school: School, millie: Pupil, ngozi: Contact, office: Account, signed_in: SignIn
) -> None:
    client = signed_in(office)
    addresses = [
        url(school, "list") + "?show=parents",
        url(school, "lists", "not-connected"),
        url(school, "pupil", millie.pk),
    ]

    def count(address: str) -> int:
        with CaptureQueriesContext(connection) as queries:
            assert client.get(address).status_code == 200
        return len(queries)

    few = [count(address) for address in addresses]
    for number in range(60):
        give(make_contact(school, "Parent", f"N{number}", millie), "email", f"p{number}@example.org")
    assert [count(address) for address in addresses] == few
    assert max(few) < 25


# A person


def test_a_parents_page_says_why_each_value_is_there(
    school: School, millie: Pupil, ngozi: Contact, office: Account, signed_in: SignIn, now: dt.datetime
) -> None:
    father = make_contact(school, "Emeka", "Okafor")
    link(millie, father, relationship="", parental_responsibility=None, court_order=None)
    services.connect(
        contact=ngozi, account=office, verified={"mobile": "07700 900456"}, by_name="Ngozi Okafor", now=now
    )
    page = signed_in(office).get(url(school, "contact", ngozi.pk)).content.decode()
    assert "07700 900456" in page
    assert "Kept" in page
    assert "Ngozi Okafor confirmed it on Mon 23 Nov, 08:00." in page
    assert "no import writes, fills or clears it" in page
    assert "The MIS says 07700 900123 since Tue 1 Sep, 03:04." in page
    assert "Record 5001" in page
    assert "Change<" not in page
    assert "Not said" in signed_in(office).get(url(school, "contact", father.pk)).content.decode()


def test_a_value_says_which_import_brought_it(school: School, office: Account, signed_in: SignIn) -> None:
    contact = make_contact(school)
    give(contact, "email", "a@example.org", changed_import=77)
    page = signed_in(office).get(url(school, "contact", contact.pk)).content.decode()
    assert "It came from the MIS on Tue 1 Sep, 03:04." in page
    assert reverse("imports:detail", args=[school.slug, 77]) in page


def test_the_office_edits_an_email_on_the_page(
    school: School, ngozi: Contact, office: Account, signed_in: SignIn
) -> None:
    client, address = signed_in(office), edit_url(school, "contacts", ngozi.pk, "mobile")
    assert "07700 900123" in client.get(address).content.decode()
    response = client.post(address, {"value": "07700 900456"})
    assert response["Location"] == url(school, "contact", ngozi.pk)
    detail = ContactDetail.objects.get()
    assert (detail.value, detail.source) == ("+447700900456", DetailSource.ORGANISATION)
    page = client.get(response["Location"]).content.decode()
    assert "Priya Shah entered it for the school" in page
    assert "Differs from the MIS" in page


def test_the_row_alone_comes_back_where_script_runs(
    school: School, ngozi: Contact, office: Account, signed_in: SignIn
) -> None:
    client, address = signed_in(office), edit_url(school, "contacts", ngozi.pk, "email")
    htmx = {"HX-Request": "true"}
    assert "<html" not in client.get(address, headers=htmx).content.decode()
    saved = client.post(address, {"value": "n@example.org"}, headers=htmx).content.decode()
    assert "n@example.org" in saved
    assert "Saved" in saved
    assert "<html" not in saved


@pytest.mark.parametrize(
    ("kind", "value", "says"),
    [
        ("mobile", "01632 960001", "landline"),
        ("mobile", "07700 900123 mum", "one number and nothing else"),
        ("email", "ngozi@", "not an email address"),
        ("email", "a@example.org, b@example.org", "one email address"),
    ],
)
def test_what_is_no_detail_is_refused_on_the_form(
    school: School, ngozi: Contact, office: Account, signed_in: SignIn, kind: str, value: str, says: str
) -> None:
    response = signed_in(office).post(edit_url(school, "contacts", ngozi.pk, kind), {"value": value})
    assert response.status_code == 422
    assert says in response.content.decode()


def test_a_connected_person_is_asked_instead(
    school: School, ngozi: Contact, office: Account, administrator: Account, signed_in: SignIn
) -> None:
    tie(ngozi, administrator)
    client, address = signed_in(office), edit_url(school, "contacts", ngozi.pk, "mobile")
    assert "they will be asked, and have 7 days" in client.get(address).content.decode()
    response = client.post(address, {"value": "07700 900456"})
    assert ContactDetail.objects.get().value == "+447700900123"
    page = client.get(response["Location"]).content.decode()
    assert "Ngozi Okafor is asked, and has until" in page
    assert "Pending approval" in page
    assert "07700 900456" in page


def test_a_members_of_staff_mobile_is_edited_too(school: School, office: Account, signed_in: SignIn) -> None:
    staff = make_staff(school)
    signed_in(office).post(edit_url(school, "staff", staff.pk, "mobile"), {"value": "07700 900456"})
    assert "07700 900456" in signed_in(office).get(url(school, "staff", staff.pk)).content.decode()


def test_a_pupils_page_shows_a_court_order_and_who_left(
    school: School, millie: Pupil, ngozi: Contact, office: Account, signed_in: SignIn, now: dt.datetime
) -> None:
    link(millie, make_contact(school, "Emeka", "Okafor"), court_order=True, access=False)
    client = signed_in(office)
    page = client.get(url(school, "pupil", millie.pk)).content.decode()
    assert "Court order" in page
    assert "Receives nothing" in page
    assert "07700 900123" in page
    Pupil.objects.update(leaving_date=dt.date(2026, 7, 20))
    assert "Left on Mon 20 Jul" in client.get(url(school, "pupil", millie.pk)).content.decode()


# By hand, and never


def test_a_governor_is_added_and_taken_out_on_the_pages(school: School, office: Account, signed_in: SignIn) -> None:
    client = signed_in(office)
    wrong = client.post(url(school, "add"), {"forename": "Ada", "email": "ada@"})
    assert wrong.status_code == 422
    assert "Enter a surname." in wrong.content.decode()
    response = client.post(url(school, "add"), {"forename": "Ada", "surname": "Reid", "email": "ada@example.org"})
    ada = Contact.objects.get()
    assert response["Location"] == url(school, "contact", ada.pk)
    assert "Added by hand" in client.get(response["Location"]).content.decode()
    assert client.get(url(school, "remove", ada.pk)).status_code == 200
    client.post(url(school, "remove", ada.pk))
    assert not Contact.objects.exists()


def test_a_parent_from_the_mis_cannot_be_taken_out(
    school: School, ngozi: Contact, office: Account, signed_in: SignIn
) -> None:
    assert signed_in(office).post(url(school, "remove", ngozi.pk)).status_code == 404


def test_a_record_goes_onto_the_do_not_import_list_and_off_it(
    school: School, other_school: School, ngozi: Contact, office: Account, stranger: Account, signed_in: SignIn
) -> None:
    client, identity = signed_in(office), ngozi.identities.get()
    client.post(url(school, "exclude", identity.pk), {"reason": "Asked to be left out"})
    page = client.get(url(school, "exclusions")).content.decode()
    assert "Ngozi Okafor" in page
    assert "Asked to be left out" in page
    assert "Not imported" in client.get(url(school, "contact", ngozi.pk)).content.decode()
    exclusion = ImportExclusion.objects.get()
    assert signed_in(stranger).post(url(other_school, "include", exclusion.pk)).status_code == 404
    assert signed_in(stranger).post(url(other_school, "exclude", identity.pk)).status_code == 404
    client.post(url(school, "include", exclusion.pk))
    assert not ImportExclusion.objects.exists()


# CSV


def read_csv(response: Any) -> list[list[str]]:
    text = b"".join(response.streaming_content).decode("utf-8-sig")
    return list(csv.reader(io.StringIO(text)))


def test_a_list_is_downloaded_as_text_that_no_spreadsheet_runs(
    school: School, millie: Pupil, ngozi: Contact, office: Account, signed_in: SignIn
) -> None:
    make_contact(school, "=1+1", "@SUM(A1)", millie)
    abroad = make_contact(school, "\uff1dcmd", "Zed", millie)
    give(abroad, "mobile", "+353850123456")
    response = signed_in(office).get(url(school, "csv", "not-connected"))
    assert "not-connected-8233001.csv" in response["Content-Disposition"]
    header, first, second, third = read_csv(response)
    assert header[:2] == ["Surname", "Forename"]
    assert first[:2] == ["'@SUM(A1)", "'=1+1"]
    assert second == ["Okafor", "Ngozi", "", "Millie Okafor (6HB)", "", "07700 900123", "Not connected"]
    assert third[1] == "'\uff1dcmd"
    assert third[5] == "00353 85 012 3456"


def test_every_kind_and_list_can_be_downloaded(
    school: School, millie: Pupil, ngozi: Contact, office: Account, signed_in: SignIn
) -> None:
    make_staff(school, role="Head")
    link(millie, make_contact(school, "Emeka", "Okafor"), court_order=True)
    client = signed_in(office)
    lines = {
        name: read_csv(client.get(url(school, "csv", name)))
        for name in ("pupils", "parents", "staff", "court-orders", "no-email", "no-mobile", "no-email-or-mobile")
    }
    assert {name: len(rows) - 1 for name, rows in lines.items()} == {
        "pupils": 1,
        "parents": 2,
        "staff": 1,
        "court-orders": 1,
        "no-email": 2,
        "no-mobile": 1,
        "no-email-or-mobile": 1,
    }
    assert lines["pupils"][1] == ["Okafor", "Millie", "6", "6HB", "004711", "R674123101121", ""]


def test_a_merged_records_page_leads_on_to_the_one_that_was_kept(
    school: School, ngozi: Contact, office: Account, stranger: Account, other_school: School, signed_in: SignIn
) -> None:
    gone = make_contact(school, "N", "Okafor", merged_into=ngozi)
    answer = signed_in(office).get(url(school, "contact", gone.pk), follow=True)
    assert answer.redirect_chain == [(url(school, "contact", ngozi.pk), 302)]
    assert "two records are theirs" in answer.content.decode()
    assert signed_in(stranger).get(url(other_school, "contact", gone.pk)).status_code == 404


def test_who_says_not_my_child_is_named_on_both_pages(
    school: School, ngozi: Contact, millie: Pupil, office: Account, signed_in: SignIn, now: dt.datetime
) -> None:
    ngozi.links.update(denied_at=now)
    client = signed_in(office)
    for address in (url(school, "contact", ngozi.pk), url(school, "pupil", millie.pk)):
        assert "Says: not my child" in client.get(address).content.decode()
