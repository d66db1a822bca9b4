"""How one person's rows are read: every rule of the reports, and each wart."""

from __future__ import annotations

import datetime as dt

import pytest

from mis_connectors.records import Severity
from mis_connectors.sims import columns
from tests.factories.sims import CONTACT, PUPIL, STAFF, contact, opened, pupil, staff


def test_a_pupil_is_read_whole() -> None:
    row = {
        "SchoolDfE": "8233001", "primary_id": " 2447 ", "PupilExternalID": "0f6c", "UPN": "Q823300115001",
        "FormerUPN": "A823300115001", "Adno": "004127", "Forename": "Amelia", "MiddleNames": "Rose",
        "ChosenName": "Millie", "Surname": "Okafor", "Legal_x0020_Surname": "Okafor-Hale",
        "DOB": "2015-03-09T00:00:00", "Gender": "Female", "Year": "Year  6", "Reg": "6HB", "House": "Kestrel",
        "Class": "6HB", "DateOfAdmission": "2019-09-03", "LeavingDate": "21/07/2027", "PreAdmission": "F",
    }  # fmt: skip
    read = pupil(row)
    assert (read.upn, read.former_upn, read.admission_number) == ("Q823300115001", "A823300115001", "004127")
    assert (read.forename, read.legal_forename, read.middle_names) == ("Millie", "Amelia", "Rose")
    assert (read.surname, read.legal_surname, read.gender) == ("Okafor", "Okafor-Hale", "Female")
    assert (read.year_group, read.registration_group, read.house, read.class_name) == ("6", "6HB", "Kestrel", "6HB")
    assert read.date_of_birth == dt.date(2015, 3, 9)
    assert (read.admission_date, read.leaving_date) == (dt.date(2019, 9, 3), dt.date(2027, 7, 21))
    assert read.pre_admission is False


def test_what_is_absent_or_empty_was_not_said() -> None:
    read = pupil(PUPIL | {"House": "", "PreAdmission": " ", "UPN": "\n"})
    assert (read.house, read.pre_admission, read.upn, read.legal_surname) == (None, None, None, None)
    link = contact(CONTACT | {"Court_x0020_Order": ""}).links[0]
    assert (link.court_order, link.parental_responsibility, link.priority) == (None, None, None)


def test_text_is_kept_but_for_the_white_space_around_it() -> None:
    assert pupil(PUPIL | {"Surname": " O’Neill &amp; Zoë &lt;3 "}).surname == "O’Neill & Zoë <3"
    assert pupil(PUPIL | {"Surname": "<![CDATA[D'Souza & Co]]>"}).surname == "D'Souza & Co"


@pytest.mark.parametrize("spelled", ["Legal_x0020_Surname", "legalsurname", "LEGAL_X0020_SURNAME", "LegalSurname"])
def test_captions_are_compared_without_case_escapes_and_spaces(spelled: str) -> None:
    assert pupil(PUPIL | {spelled: "Hale"}).legal_surname == "Hale"


@pytest.mark.parametrize(
    ("text", "read"),
    [("Year  6", "6"), ("Year\t 6", "6"), ("6", "6"), ("year 06", "6"), ("Y13", "13"), ("Reception", "Reception"),
     ("R", "R"), ("Nursery", "Nursery"), ("N1", "N1"), ("N2", "N2"), ("Key  Stage 1", "Key Stage 1")],
)  # fmt: skip
def test_a_year_group_is_its_number_and_others_stay(text: str, read: str) -> None:
    assert pupil(PUPIL | {"Year": text}).year_group == read


@pytest.mark.parametrize(
    ("text", "read"),
    [*((word, True) for word in ("T", "True", "true", "Yes", "Y", "1")),
     *((word, False) for word in ("F", "False", "FALSE", "No", "n", "0")), ("", None)],
)  # fmt: skip
def test_every_spelling_of_yes_and_no(text: str, read: bool | None) -> None:
    assert contact(CONTACT | {"Parental_x0020_Responsibility": text}).links[0].parental_responsibility is read


@pytest.mark.parametrize(
    "text", ["2015-03-09", "2015-03-09T00:00:00", "09/03/2015", "9/3/2015", "2015-03-09T00:00:00Z"]
)
def test_every_spelling_of_a_date(text: str) -> None:
    assert pupil(PUPIL | {"DOB": text}).date_of_birth == dt.date(2015, 3, 9)


@pytest.mark.parametrize("text", ["31/02/2015", "2015-13-01", "March", "09.03.2015", "20150309", "0000-00-00"])
def test_what_is_not_a_date_is_left_out_and_named(text: str) -> None:
    (problem,) = opened(PUPIL | {"DOB": text}).problems
    assert (problem.severity, problem.reason, problem.field, problem.value) == (Severity.PART, "bad_date", "DOB", text)
    assert "SIMS" in problem.advice
    assert pupil(PUPIL | {"DOB": text}).date_of_birth is None


def test_a_box_that_is_neither_ticked_nor_clear_is_named_as_sims_shows_it() -> None:
    rows = [CONTACT | {"Court_x0020_Order": "Perhaps", "Email": f"{name}@example.org"} for name in "ab"]
    (problem,) = opened(*rows).problems
    assert (problem.reason, problem.field, problem.value) == ("bad_yes_no", "Court Order", "Perhaps")
    assert contact(*rows).links[0].court_order is None


@pytest.mark.parametrize(("text", "read"), [("1", 1), ("0", 0), ("9", 9), ("first", None), ("1.5", None), ("-1", None)])
def test_a_priority_is_a_whole_number(text: str, read: int | None) -> None:
    result = opened(CONTACT | {"Priority": text})
    assert [problem.reason for problem in result.problems] == ([] if read is not None else ["bad_priority"])
    assert contact(CONTACT | {"Priority": text}).links[0].priority == read


def test_a_contact_of_two_children_has_a_link_to_each() -> None:
    read = contact(
        CONTACT | {"Relationship": "Mother", "Priority": "1", "Lives_x0020_With": "T", "Correspondence": "Yes"},
        CONTACT | {"PupilID": "2448", "Relationship": "Step Mother", "Priority": "2", "Lives_x0020_With": "F"},
    )
    first, second = read.links
    assert (first.pupil_external_id, first.relationship, first.priority, first.lives_with, first.correspondence) == (
        "2447", "Mother", 1, True, True,
    )  # fmt: skip
    assert (second.pupil_external_id, second.relationship, second.priority, second.lives_with) == (
        "2448", "Step Mother", 2, False,
    )  # fmt: skip


def test_rows_of_a_cross_product_are_one_contact() -> None:
    rows = [
        CONTACT | {"Telephone": number, "TelephoneLocation": "M", "Email": email, "EmailLocation": "H"}
        for number in ("07700 900123", "07700 900456")
        for email in ("a@example.org", "b@example.org")
    ]
    read = contact(*rows)
    assert read.telephones == ("07700 900123", "07700 900456")
    assert read.emails == ("a@example.org", "b@example.org")
    assert len(read.links) == 1


def test_a_mobile_is_chosen_by_digits_then_place_then_main() -> None:
    said = [
        ("01632 960111", "M", "T"),  # a landline, whatever its place
        ("07700 900001", "H", "F"),
        ("07700 900002 mum", "W", "T"),
        ("+44 (0)7700 900003", "M", "F"),
        ("07700 900004", "M", "T"),
        ("07700 900005", "M", "T"),
        ("01632 960222", "H", "T"),
        ("n/a", "H", "F"),
    ]
    read = contact(
        *(
            CONTACT | {"Telephone": text, "TelephoneLocation": place, "TelephoneMain": main}
            for text, place, main in said
        )
    )
    assert read.telephones == (
        "07700 900004", "07700 900005", "+44 (0)7700 900003", "07700 900002 mum", "07700 900001",
        "01632 960111", "01632 960222", "n/a",
    )  # fmt: skip


@pytest.mark.parametrize(
    "text",
    ["07700 900123 mum", "07700900123 / 07700900456", "+44 (0)7700 900123", "00447700900123", "447700900123",
     "\uff10\uff17\uff17\uff10\uff10 \uff19\uff10\uff10\uff11\uff12\uff13",
     "07700 900123", "01632 960111 / 07700 900123", "7700900123", "07700-900-123"],
)  # fmt: skip
def test_a_mobile_is_known_by_its_digits(text: str) -> None:
    assert columns.looks_mobile(text)


@pytest.mark.parametrize("text", ["01632 960111", "n/a", "", "+33 6 12 34 56 78", "020 7946 0958", "700", "ext 7"])
def test_what_is_no_uk_mobile_is_not_taken_for_one(text: str) -> None:
    assert not columns.looks_mobile(text)


def test_an_email_at_home_and_main_comes_first() -> None:
    said = [("work@example.org", "W", ""), ("main@example.org", "W", "T"), ("home@example.org", "H", "F"),
            ("best@example.org", "H", "T")]  # fmt: skip
    rows = [CONTACT | {"Email": text, "EmailLocation": place, "EmailMain": main} for text, place, main in said]
    assert contact(*rows).emails == ("best@example.org", "home@example.org", "main@example.org", "work@example.org")


def test_emails_without_a_place_stay_in_their_order() -> None:
    assert contact(CONTACT | {"Email": "b@example.org"}, CONTACT | {"Email": "a@example.org"}).emails == (
        "b@example.org", "a@example.org",
    )  # fmt: skip


def test_a_link_of_an_application_only_says_so() -> None:
    assert contact(CONTACT | {"ApplicantLink": "T"}).links[0].applicant_only


def test_a_standing_link_outweighs_one_of_an_application() -> None:
    (link,) = contact(
        CONTACT | {"ApplicantLink": "T", "Relationship": "Aunt", "Priority": "4"},
        CONTACT | {"ApplicantLink": "F", "Relationship": "Mother", "Priority": "1"},
    ).links
    assert (link.applicant_only, link.relationship, link.priority) == (False, "Mother", 1)


@pytest.mark.parametrize(
    ("row", "column", "other", "reason"),
    [(PUPIL, "DOB", "2016-01-01", "two_dates_of_birth"), (PUPIL, "Surname", "Hale", "two_surnames"),
     (CONTACT, "ContactSurname", "Hale", "two_surnames"), (STAFF, "StaffSurname", "Hale", "two_surnames"),
     (PUPIL | {"UPN": "Q823300115001"}, "UPN", "A823300115001", "two_upns")],
)  # fmt: skip
def test_rows_that_cannot_be_of_one_person_reject_it_by_name(
    row: dict[str, str], column: str, other: str, reason: str
) -> None:
    result = opened(row, row | {column: other})
    assert result.record is None
    assert [(problem.severity, problem.reason) for problem in result.problems] == [(Severity.ROW, reason)]
    assert other in result.problems[0].message


def test_a_second_address_is_a_warning_and_the_first_is_taken() -> None:
    rows = [CONTACT | {"ContactAddress": text} for text in ("1 Mill Street", "2 Back Lane")]
    assert [problem.severity for problem in opened(*rows).problems] == [Severity.WARNING]
    assert contact(*rows).address == "1 Mill Street"


def test_where_rows_of_one_link_differ_the_answer_that_gives_less_access_counts() -> None:
    boxes = [("T", "F", "1"), ("F", "T", "3")]
    rows = [
        CONTACT | {"Parental_x0020_Responsibility": responsible, "Court_x0020_Order": order, "Priority": priority}
        for responsible, order, priority in boxes
    ]
    (link,) = contact(*rows).links
    assert (link.parental_responsibility, link.court_order, link.priority) == (False, True, 1)
    assert {problem.reason for problem in opened(*rows).problems} == {"two_values"}


def test_a_row_without_a_pupil_costs_the_link_only() -> None:
    rows = [CONTACT, {key: value for key, value in CONTACT.items() if key != "PupilID"}]
    assert [problem.reason for problem in opened(*rows).problems] == ["link_without_pupil"]
    assert len(contact(*rows).links) == 1


def test_staff_go_by_their_chosen_name_and_work_email() -> None:
    read = staff(
        STAFF | {"StaffChosenName": "Tommy", "StaffReg": "6HB", "StaffRole": "Teacher",
                 "StaffTelephone": "07700 900123",
                 "StaffEmail": "tom@example.org", "StaffEmailLocation": "H", "StaffLeavingDate": "2027-01-01"},
        STAFF | {"StaffChosenName": "Tommy", "StaffReg": "6HB", "StaffRole": "SENCO", "StaffTelephone": "07700 900123",
                 "StaffEmail": "t.marsh@8233001.example.org", "StaffEmailLocation": "W",
                 "StaffLeavingDate": "2027-01-01"},
    )  # fmt: skip
    assert (read.forename, read.surname, read.code, read.tutor_of, read.role) == (
        "Tommy", "Marsh", "TMA", "6HB", "Teacher",
    )  # fmt: skip
    assert read.emails == ("t.marsh@8233001.example.org", "tom@example.org")
    assert (read.telephones, read.leaving_date) == (("07700 900123",), dt.date(2027, 1, 1))
