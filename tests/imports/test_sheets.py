"""A school without a named MIS: uploading a spreadsheet, cell by cell, and who its people are."""

from __future__ import annotations

import datetime as dt
import io
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from hub.accounts.models import Account
from hub.core.models import School
from hub.people.models import Contact, Group, GroupMember, MisIdentity, Pupil, PupilContact, Staff
from imports import services
from imports.link import links
from imports.models import Import, ImportKind, ImportPolicy, ImportState, MisLink
from mis_connectors.spreadsheet import columns
from tests.factories.sheets import HEADER, csv, family, post, row, xlsx


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch, now: dt.datetime) -> None:
    """A worker takes every import as soon as it is asked for."""
    monkeypatch.setattr("django.utils.timezone.now", lambda: now)
    monkeypatch.setattr(services, "enqueue", lambda run: services.run(import_id=run.pk, now=now))


@pytest.fixture
def link(school: School, now: dt.datetime) -> MisLink:
    return links.create_link(school=school, connector="spreadsheet", by=None, now=now)


@pytest.fixture
def client_(link: MisLink, office: Account, signed_in: Callable[[Account], Client]) -> Client:
    return signed_in(office)


def brought_in(office: Client, data: bytes, **more: Any) -> Import:
    """Upload a file, and import what was shown."""
    preview = post(office, "pupils.xlsx" if data[:2] == b"PK" else "pupils.csv", data, **more)
    office.post(f"/8233001/imports/{preview.pk}/import/")
    run = Import.objects.order_by("-pk").first()
    assert run is not None
    assert not run.preview
    assert run.payload_id == preview.payload_id, "the file is kept between the steps"
    return run


def known(data: bytes) -> None:
    """Have a file imported already, without its steps."""
    link, at = MisLink.objects.get(), timezone.now()
    received = services.receive(
        link=link, stream=io.BytesIO(data), filename="pupils.csv", run_id="known", kind=ImportKind.UPLOAD, now=at
    )
    assert received.run is not None
    received.run.refresh_from_db()
    assert received.run.state == ImportState.APPLIED


def page(office: Client, run: Import) -> str:
    answer = office.get(f"/8233001/imports/{run.pk}/sheet/")
    assert answer.status_code == 200
    return answer.content.decode()


def test_a_file_is_shown_before_anything_is_imported_and_then_imported(client_: Client) -> None:
    preview = post(client_, "pupils.csv", csv(row()))
    assert preview.preview
    assert not Pupil.objects.exists()
    shown = page(client_, preview)
    assert "This file can be imported" in shown
    assert "Amelia Okafor" in shown
    assert "Import this" in shown
    run = brought_in(client_, csv(row()))
    assert run.state == ImportState.APPLIED
    pupil, contact = Pupil.objects.get(), Contact.objects.get()
    assert (pupil.admission_number, pupil.date_of_birth, pupil.year_group) == ("0042", dt.date(2015, 3, 9), "6")
    assert (contact.address, contact.postcode) == ("14 High Street, Ambleford", "AB1 2CD")
    assert {one.value for one in contact.details.all()} == {"ngozi@example.org", "+447700900123"}
    assert PupilContact.objects.get().relationship == "Mother"


def test_the_page_of_its_import_speaks_of_the_file(client_: Client) -> None:
    """`Spreadsheet` is what is chosen in place of an MIS; nothing is new in it."""
    first = brought_in(client_, csv(row(), family(1)))
    second = brought_in(client_, csv(row(Year="7", PrimaryEmail="new@example.org"), family(1)))
    same = brought_in(client_, csv(row(Year="7", PrimaryEmail="new@example.org"), family(1)))
    shown = {run.pk: " ".join(client_.get(f"/8233001/imports/{run.pk}/").text.split()) for run in (first, second, same)}
    assert "changes from the file" in shown[first.pk]
    assert "New in the file" in shown[first.pk]
    assert "Changed in the file" in shown[second.pk]
    assert "Nothing changed in the file" in shown[same.pk]
    csv_of = client_.get(f"/8233001/imports/{first.pk}/changes.csv")
    shown[0] = b"".join(csv_of.streaming_content).decode() if csv_of.streaming else csv_of.text  # type: ignore[attr-defined]
    pupil = Pupil.objects.get(forename="Amelia")
    shown[1] = client_.get(f"/8233001/imports/of/pupil/{pupil.pk}/").text
    for text in shown.values():
        assert "in Spreadsheet" not in text
        assert "from Spreadsheet" not in text


def test_the_ordinary_page_of_such_a_preview_leads_to_this_one(client_: Client) -> None:
    preview = post(client_, "pupils.csv", csv(row()))
    assert client_.get(f"/8233001/imports/{preview.pk}/")["Location"].endswith("/sheet/")


def test_each_wrong_cell_is_shown_by_row_column_and_caption(client_: Client) -> None:
    wrong = xlsx(row(), row(DOB="9/3/15", StudentID="43"), row(StudentID="44", ContactID="902", PrimaryEmail="ngozi@"))
    preview = post(client_, "pupils.xlsx", wrong)
    found = {(cell["column"], cell["row"], cell["caption"], cell["severity"]) for cell in preview.cells}
    assert ("F", 3, "DOB", "row") in found
    assert ("M", 4, "PrimaryEmail", "part") in found
    shown = page(client_, preview)
    assert "F3" in shown
    assert "Column F, DOB" in shown
    assert "The year has two digits" in shown


def test_the_same_mistakes_are_shown_again_when_the_same_file_comes_again(client_: Client) -> None:
    data = csv(row(PrimaryEmail="ngozi@"))
    brought_in(client_, data)
    assert [cell["caption"] for cell in post(client_, "pupils.csv", data).cells] == ["PrimaryEmail"]


def test_wrong_captions_come_first_and_each_with_its_suggestion(client_: Client) -> None:
    header = list(HEADER)
    header[5], header[12] = "Date of birth", "PrimaryEmial"
    preview = post(client_, "pupils.csv", csv(row(), header=header))
    assert preview.state == ImportState.FAILED
    shown = page(client_, preview)
    assert "The captions need another look" in shown
    assert "Column F is called “Date of birth”, which is no caption. Did you mean DOB?" in shown
    assert "Did you mean PrimaryEmail?" in shown
    assert "Import this" not in shown
    assert not Pupil.objects.exists()


@pytest.mark.parametrize(
    ("name", "data", "sentence"),
    [
        ("people.xls", b"\xd0\xcf\x11\xe0" + bytes(600), "old Excel file"),
        ("people.csv", b"", "This file is empty"),
        ("people.pdf", b"%PDF-1.7 " + bytes(100), "This is a PDF"),
        ("people.xlsx", b"PK\x03\x04" + bytes(100), "This workbook is damaged"),
        ("people.csv", csv(row()).replace(b"High Street", b'"High Street'), "quotation mark"),
    ],
)
def test_what_is_no_spreadsheet_is_refused_in_a_sentence_and_loses_nothing(
    client_: Client, name: str, data: bytes, sentence: str
) -> None:
    known(csv(row()))
    preview = post(client_, name, data, everybody="on")
    assert preview.state == ImportState.FAILED
    assert sentence in page(client_, preview)
    assert Pupil.objects.filter(leaving_date=None).count() == 1


def test_a_file_with_captions_only_ends_nobody_even_if_it_is_everybody(client_: Client) -> None:
    known(csv(row()))
    run = brought_in(client_, csv(), everybody="on")
    assert run.state == ImportState.HELD
    assert Pupil.objects.get().leaving_date is None


def test_who_is_not_in_it_goes_only_where_it_is_everybody(client_: Client) -> None:
    known(csv(row(), *[family(number) for number in range(12)]))
    rest = csv(*[family(number) for number in range(12)])
    assert brought_in(client_, rest).state == ImportState.UNCHANGED
    assert brought_in(client_, rest, everybody="on").state == ImportState.APPLIED
    assert Pupil.objects.get(forename="Amelia").leaving_date is not None


def test_a_file_of_staff_says_nothing_of_pupils(client_: Client) -> None:
    known(csv(row()))
    data = csv(["Tom", "Ashe", "7", "Mr", "TAS", "Teacher", "6B", "tom@school.example.org", ""], header=columns.STAFF)
    assert brought_in(client_, data, everybody="on").state == ImportState.APPLIED
    assert (Staff.objects.get().surname, Pupil.objects.get().leaving_date) == ("Ashe", None)


def test_a_column_that_is_left_out_leaves_what_is_known(client_: Client) -> None:
    known(csv(row()))
    header = [caption for caption in HEADER if caption not in ("PrimaryEmail", "Reg", "Postcode")]
    run = brought_in(client_, csv(row(header, Year="7"), header=header))
    assert Pupil.objects.get().registration_group == "6B"
    assert Pupil.objects.get().year_group == "7"
    assert Contact.objects.get().details.get(kind="email").value == "ngozi@example.org"
    assert any("no column for" in note for note in run.notes)


def test_pre_admissions_come_into_a_group_of_their_own_if_the_school_wants_them(
    client_: Client, school: School
) -> None:
    data = csv(row(), [*family(1), "Yes"], header=[*HEADER, "PreAdmission"])
    run = brought_in(client_, data)
    assert Pupil.objects.count() == 1
    assert any("PreAdmission" in note for note in run.notes)
    ImportPolicy.objects.update_or_create(school=school, defaults={"include_pre_admissions": True})
    brought_in(client_, data)
    group = Group.objects.get(kind="pre_admission")
    assert [member.pupil.forename for member in GroupMember.objects.filter(group=group)] == ["Child1"]


# Never a second school of the same people


def test_lost_zeros_are_the_same_pupils_and_change_nothing(client_: Client) -> None:
    known(csv(row()))
    assert brought_in(client_, xlsx(row(StudentID=42, MobileNumber=7700900123, DOB=dt.date(2015, 3, 9)))).state in (
        ImportState.UNCHANGED, ImportState.APPLIED,
    )  # fmt: skip
    assert Pupil.objects.get().admission_number == "0042"
    assert Contact.objects.count() == 1


@pytest.mark.parametrize("everybody", [{}, {"everybody": "on"}])
def test_a_file_with_other_numbers_makes_nobody_twice(client_: Client, everybody: dict[str, str]) -> None:
    known(csv(*[family(number) for number in range(20)]))
    other = [family(number) for number in range(20)]
    for number, one in enumerate(other):
        one[2], one[11] = str(8000 + number), str(7000 + number)
    run = brought_in(client_, csv(*other), **everybody)
    assert run.state == ImportState.HELD
    assert Pupil.objects.filter(leaving_date=None).count() == 20
    assert Contact.objects.count() == 20
    assert {reason["code"] for reason in run.reasons} >= {"doubles"}
    client_.post(f"/8233001/imports/{run.pk}/decide/", {"decision": "release"})
    assert Pupil.objects.filter(leaving_date=None).count() == 20, "not even if somebody says so"
    assert Contact.objects.count() == 20


def test_one_new_number_is_named_with_the_number_to_write(client_: Client) -> None:
    known(csv(row(), family(1)))
    preview = post(client_, "pupils.csv", csv(row(StudentID="77"), family(1)), everybody="on")
    (cell,) = [cell for cell in preview.cells if cell["reason"] == "probably_known"]
    assert (cell["column"], cell["row"]) == ("C", 2)
    assert "write 0042 in this cell" in cell["advice"]
    brought_in(client_, csv(row(StudentID="77"), family(1)), everybody="on")
    assert list(Pupil.objects.filter(forename="Amelia").values_list("leaving_date", flat=True)) == [None]
    assert PupilContact.objects.filter(pupil__forename="Amelia", ended_on=None).count() == 1


@pytest.mark.parametrize("first", ["", "A823432100001"])
def test_a_blank_upn_in_a_column_of_upns_makes_nobody_twice(client_: Client, first: str) -> None:
    header = [*HEADER, "UPN"]
    known(csv(row(header, UPN=first), family(1), header=header))
    again = csv(row(header, StudentID="77", UPN=""), family(1), header=header)
    (cell,) = [cell for cell in post(client_, "pupils.csv", again).cells if cell["reason"] == "probably_known"]
    assert (cell["column"], cell["row"], cell["value"]) == ("C", 2, "77")
    brought_in(client_, again, everybody="on")
    assert list(Pupil.objects.filter(forename="Amelia").values_list("leaving_date", flat=True)) == [None]
    assert PupilContact.objects.filter(pupil__forename="Amelia", ended_on=None).count() == 1


def test_a_wrong_birthday_beside_a_known_number_makes_nobody_twice(
    client_: Client, school: School, now: dt.datetime
) -> None:
    """The pupil is known from another MIS, so that the number is the admission number and no id."""
    known(csv(row(), family(1)))
    MisIdentity.objects.filter(kind="pupil", pupil__forename="Amelia").update(external_id="sims-7")
    run = brought_in(client_, csv(row(DOB="10/03/2015", StudentID="42"), family(1)))
    assert Pupil.objects.filter(forename="Amelia").count() == 1
    rejected = run.rejected.get()
    assert (rejected.field, rejected.reason) == ("DOB", "probably_known")
    brought_in(client_, csv(row(StudentID="42"), family(1)))
    assert Pupil.objects.filter(forename="Amelia").count() == 1
    assert MisIdentity.objects.filter(kind="pupil", pupil__forename="Amelia").count() == 2


def test_numbers_given_to_other_children_give_no_child_other_parents(client_: Client) -> None:
    known(csv(*[family(number) for number in range(4)]))
    turned = [family(number) for number in range(4)]
    numbers = [one[2] for one in turned]
    for one, number in zip(turned, reversed(numbers), strict=True):
        one[2] = number
    brought_in(client_, csv(*turned), everybody="on")
    for number in range(4):
        pupil = Pupil.objects.get(forename=f"Child{number}")
        assert pupil.admission_number == str(1000 + number)
        assert pupil.leaving_date is None
        parents = PupilContact.objects.filter(pupil=pupil, ended_on=None, access=True)
        assert [one.contact.forename for one in parents] == [f"Parent{number}"]


def test_new_contact_ids_for_many_are_held(client_: Client) -> None:
    known(csv(*[family(number) for number in range(20)]))
    other = [family(number) for number in range(20)]
    for number, one in enumerate(other):
        one[11] = str(7000 + number)
    run = brought_in(client_, csv(*other))
    assert run.state == ImportState.HELD
    assert "rekeyed" in {reason["code"] for reason in run.reasons}
    assert Contact.objects.count() == 20


def test_contacts_without_ids_stay_who_they_are_when_their_email_changes(client_: Client) -> None:
    known(csv(row(ContactID="")))
    run = brought_in(client_, csv(row(ContactID="", PrimaryEmail="new@example.org")))
    assert run.state == ImportState.APPLIED
    assert Contact.objects.get().details.get(kind="email").value == "new@example.org"
    assert MisIdentity.objects.filter(kind="contact").count() == 1


def test_a_school_that_had_an_mis_gets_its_people_back_by_number_birth_and_surname(
    school: School, office: Account, signed_in: Callable[[Account], Client], now: dt.datetime
) -> None:
    """Its pupils are known from another MIS under other ids; the sheet has their admission numbers, zeros lost."""
    from tests.factories.running import Nights

    nights = Nights.of(school, size=30)
    nights.night()
    pupils = Pupil.objects.count()
    reached = Contact.objects.filter(details__isnull=False).distinct()
    before = Counter(reached.values_list("forename", "surname"))
    nights.link.source.ended_at = now
    nights.link.source.save()
    links.create_link(school=school, connector="spreadsheet", by=None, now=now)
    from mis_connectors.simulators.spreadsheet_file import PUPILS, workbook

    run = brought_in(signed_in(office), workbook(nights.mis, leaving_out=[PUPILS[-2]]), everybody="on")
    assert run.state == ImportState.APPLIED, run.reasons
    assert Pupil.objects.count() == pupils
    assert Counter(name for name in reached.values_list("forename", "surname") if name in before) == before


# Templates


def test_templates_hold_the_captions_and_can_be_uploaded_as_they_are(client_: Client) -> None:
    for key in ("pupils", "pupils-csv", "staff", "staff-csv"):
        answer = client_.get(f"/8233001/imports/upload/templates/{key}/")
        assert answer.status_code == 200
        preview = post(client_, "filled.xlsx" if "csv" not in key else "filled.csv", answer.content)
        assert preview.state == ImportState.UNCHANGED, preview.reasons
        assert not preview.cells
    assert client_.get("/8233001/imports/upload/templates/other/").status_code == 404
