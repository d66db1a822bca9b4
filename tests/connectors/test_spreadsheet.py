"""Every awkward spreadsheet: what a program, an office or a stranger makes of a file of people."""

from __future__ import annotations

import datetime as dt
import io
import zipfile
from collections.abc import Callable
from typing import Any

import pytest
from openpyxl import Workbook, load_workbook

from mis_connectors.errors import SnapshotFormatError
from mis_connectors.files import FileCheck
from mis_connectors.records import ContactRecord, Kind, Opened, PupilRecord, Severity, Snapshot, StaffRecord
from mis_connectors.spreadsheet import columns
from mis_connectors.spreadsheet.connector import SpreadsheetConnector
from mis_connectors.testing.schools import incoming
from tests.factories.sheets import HEADER, csv, row, saved, xlsx

TEXT = csv(row()).decode("utf-8-sig")


def read(data: bytes, name: str = "people.csv", *, limit: int = 1 << 26) -> Snapshot:
    return SpreadsheetConnector().read(incoming(data, name, limit=limit))


def check(data: bytes, name: str = "people.csv") -> FileCheck:
    return SpreadsheetConnector().check(incoming(data, name))


def opened(data: bytes) -> dict[tuple[Kind, str], Opened]:
    return {(one.kind, one.external_id): one.open() for one in read(data).records}


def pupil(data: bytes) -> PupilRecord:
    record = opened(data)[(Kind.PUPIL, "42")].record
    assert isinstance(record, PupilRecord)
    return record


def contact(data: bytes, key: str = "901") -> ContactRecord:
    record = opened(data)[(Kind.CONTACT, key)].record
    assert isinstance(record, ContactRecord)
    return record


def problems(data: bytes) -> dict[str, Severity]:
    return {one.reason: one.severity for record in opened(data).values() for one in record.problems}


def refused(data: bytes, name: str = "people.csv", **more: Any) -> str:
    with pytest.raises(SnapshotFormatError) as error:
        read(data, name, **more)
    return error.value.message


# Encodings and separators


@pytest.mark.parametrize(
    "data",
    [
        TEXT.encode(),
        TEXT.encode("utf-8-sig"),
        TEXT.encode("utf-16"),
        b"\xfe\xff" + TEXT.encode("utf-16-be"),
        TEXT.encode("utf-16-le"),
        TEXT.replace(",", ";").encode(),
        TEXT.replace(",", "\t").encode(),
        ("sep=;\r\n" + TEXT.replace(",", ";")).encode(),
        TEXT.replace("\r\n", "\n").encode(),
        TEXT.replace("\r\n", "\r").encode(),
        (TEXT + ",,,\r\n" * 50 + "\r\n" * 50).encode(),
        ("Ambleford Primary\r\n\r\n" + TEXT).encode(),
        xlsx(row()),
    ],
    ids=[
        "utf8",
        "bom",
        "utf16",
        "utf16be",
        "utf16le",
        "semicolons",
        "tabs",
        "sep",
        "lf",
        "cr",
        "trailing",
        "title",
        "xlsx",
    ],
)
def test_however_it_is_written_it_says_the_same(data: bytes) -> None:
    assert pupil(data) == pupil(TEXT.encode())
    assert contact(data) == contact(TEXT.encode())
    assert not problems(data)


def test_windows_letters_are_right_and_it_is_said_how_they_were_read() -> None:
    data = csv(row(StudentForename="Zoë", ContactSurname="O’Neill")).decode("utf-8-sig").encode("windows-1252")
    assert pupil(data).forename == "Zoë"
    assert contact(data).surname == "O’Neill"
    assert any("windows-1252" in note for note in read(data).notes)


def test_semicolons_leave_commas_in_a_street_alone() -> None:
    data = csv(row(Street="1, The Row")).decode("utf-8-sig").replace('"1, The Row"', "1\x01 The Row").replace(",", ";")
    assert contact(data.replace("\x01", ",").encode()).address == "14 1, The Row, Ambleford"


# Captions


@pytest.mark.parametrize("hidden", ["\xa0", "\u200b", "\ufeff", "\u2060", " ", "_", "\n"])
def test_hidden_characters_and_spaces_in_captions_do_not_count(hidden: str) -> None:
    header = [f"{hidden}{caption[:4]}{hidden}{caption[4:].upper()}{hidden}" for caption in HEADER]
    assert pupil(csv(row(), header=header)) == pupil(TEXT.encode())


def test_columns_may_stand_in_any_order_with_others_between() -> None:
    header = ["Free meals", *reversed(HEADER)]
    data = csv(["Y", *reversed(row())], header=header)
    assert pupil(data) == pupil(TEXT.encode())
    assert any("Free meals" in note for note in read(data).notes)
    assert not any("“" in note for note in read(data).notes)


@pytest.mark.parametrize(
    ("wrong", "meant"),
    [
        ("Date of birth", "DOB"), ("StudentFornames", "StudentForename"), ("Email", "PrimaryEmail"),
        ("Mobile Nummber", "MobileNumber"), ("Surname", "StudentSurname"), ("Admission Number", "StudentID"),
        ("Post code", ""), ("Year Group", "Year"),
    ],
)  # fmt: skip
def test_a_wrong_caption_is_named_with_the_one_it_was_meant_to_be(wrong: str, meant: str) -> None:
    header = [wrong if caption == (meant or "Postcode") else caption for caption in HEADER]
    faults = check(csv(row(), header=header)).header
    assert [fault.cell.caption for fault in faults if fault.cell] == ([meant] if meant else [])


def test_missing_and_doubled_captions_are_named_with_their_columns() -> None:
    header = [{"StudentID": "Ref", "County": "Town"}.get(caption, caption) for caption in HEADER]
    messages = [fault.message for fault in check(csv(row(), header=header)).header]
    assert messages == [
        "The caption Town stands twice: in column S and in column T.",
        "The column is missing from row 1: StudentID.",
    ]
    assert "stands twice" in refused(csv(row(), header=header))


def test_a_file_of_something_else_is_told_which_captions_to_use() -> None:
    assert "no row of captions" in refused(b"name,colour\r\nsofa,blue\r\n")


def test_a_file_with_captions_only_is_of_nobody() -> None:
    snapshot = read(csv())
    assert not snapshot.records
    assert snapshot.complete == {Kind.PUPIL, Kind.CONTACT}
    assert any("no row below" in note for note in snapshot.notes)


# Cells


@pytest.mark.parametrize(
    ("written", "read_as"),
    [
        ("09/03/2015", dt.date(2015, 3, 9)), ("9/3/2015", dt.date(2015, 3, 9)), ("2015-03-09", dt.date(2015, 3, 9)),
        ("09.03.2015", dt.date(2015, 3, 9)), ("42072", dt.date(2015, 3, 9)), ("9/3/15", None), ("03/25/2015", None),
        ("31/02/2015", None), ("soon", None), ("09/03/0215", None), ("15-03-09", None), ("9", None),
    ],
)  # fmt: skip
def test_dates_are_read_where_they_are_certain(written: str, read_as: dt.date | None) -> None:
    found = opened(csv(row(DOB=written)))[(Kind.PUPIL, "42")]
    if read_as:
        assert isinstance(found.record, PupilRecord)
        assert found.record.date_of_birth == read_as
    else:
        assert found.record is None
        assert next(one.reason for one in found.problems if one.field == "DOB") == "not_a_date"


@pytest.mark.parametrize("cell", [dt.date(2015, 3, 9), dt.datetime(2015, 3, 9), 42072, "09/03/2015"])  # noqa: DTZ001
def test_dates_of_a_workbook_are_days(cell: object) -> None:
    assert pupil(xlsx(row(DOB=cell))).date_of_birth == dt.date(2015, 3, 9)


def test_days_counted_from_1904_are_days() -> None:
    from openpyxl.utils.datetime import CALENDAR_MAC_1904

    book = Workbook()
    book.epoch = CALENDAR_MAC_1904
    sheet = book.active
    assert sheet is not None
    sheet.append(HEADER)
    sheet.append(row(DOB=42072 - 1462))
    assert pupil(saved(book)).date_of_birth == dt.date(2015, 3, 9)


@pytest.mark.parametrize(
    ("cell", "number"),
    [
        (7700900123, "07700900123"), ("7700900123", "07700900123"), ("07700 900123", "07700 900123"),
        ("7.70E+09", None), ("7,70E+09", None), ("7.700900123E+9", "07700900123"), (4.47700900123e11, "447700900123"),
    ],
)  # fmt: skip
def test_mobiles_get_back_what_a_spreadsheet_took_and_are_never_guessed(cell: object, number: str | None) -> None:
    data = xlsx(row(MobileNumber=cell))
    assert contact(data).telephones == ((number,) if number else ())
    assert problems(data) == ({} if number else {"shortened_number": Severity.PART})


def test_lost_zeros_of_ids_are_the_same_pupil_and_contact() -> None:
    one, other = opened(csv(row(ContactID="00901"))), opened(xlsx(row(StudentID=42, ContactID=901)))
    assert one.keys() == other.keys() == {(Kind.PUPIL, "42"), (Kind.CONTACT, "901")}


def test_formulas_are_read_by_their_result_and_named_without_one() -> None:
    assert problems(xlsx(row(Reg='="6"&"B"'))) == {"formula_error": Severity.PART}
    assert problems(xlsx(row(Reg="#REF!"))) == {"formula_error": Severity.PART}
    with_result = _with_sheet(
        xlsx(row(Year=6)), lambda xml: xml.replace('<c r="D2" t="n"><v>6</v>', '<c r="D2"><f>3+3</f><v>6</v>')
    )
    assert pupil(with_result).year_group == "6"


def test_merged_cells_say_the_same_in_each_of_their_rows() -> None:
    book = load_workbook(io.BytesIO(xlsx(row(), row(Relationship="Father", ContactForename="Obi", ContactID="902"))))
    sheet = book.worksheets[0]
    for column in "ABCDEFG":
        sheet.merge_cells(f"{column}2:{column}3")
    data = saved(book)
    assert {link.pupil_external_id for link in contact(data, "902").links} == {"42"}
    assert any("merged" in note for note in read(data).notes)


def test_years_and_numbers_that_are_none_are_named() -> None:
    data = csv(row(Year="Six", Priority="first"))
    assert pupil(data).year_group == "Six"
    assert contact(data).links[0].priority is None
    assert problems(data) == {"not_a_year": Severity.WARNING, "not_a_number": Severity.PART}
    read = [pupil(csv(row(Year=year))).year_group for year in ("Year 6", "Yr 06", "reception")]
    assert read == ["6", "6", "Reception"]


# Rows


def test_a_row_for_each_contact_is_one_pupil() -> None:
    found = opened(csv(row(), row(Relationship="Father", ContactForename="Obi", ContactID="902")))
    assert sorted(found) == [(Kind.CONTACT, "901"), (Kind.CONTACT, "902"), (Kind.PUPIL, "42")]


def test_brothers_and_sisters_share_a_contact_by_its_id() -> None:
    data = csv(row(), row(StudentForename="Ben", StudentID="43", Relationship="Carer"))
    links = {link.pupil_external_id: link.relationship for link in contact(data).links}
    assert links == {"42": "Mother", "43": "Carer"}


def test_rows_that_say_two_people_under_one_id_reject_them() -> None:
    data = csv(row(), row(DOB="01/01/2014", ContactID="902"))
    assert opened(data)[(Kind.PUPIL, "42")].record is None
    assert problems(data) == {"two_dates_of_birth": Severity.ROW}


def test_the_same_day_written_twice_is_one_day() -> None:
    assert not problems(csv(row(), row(DOB="2015-03-09", ContactID="902")))


def test_rows_that_differ_elsewhere_are_named_and_the_first_counts() -> None:
    data = csv(row(), row(Reg="6A", ContactID="902"))
    assert pupil(data).registration_group == "6B"
    assert problems(data) == {"rows_differ": Severity.WARNING}


def test_a_row_that_stands_twice_is_read_once_with_a_note() -> None:
    data = csv(row(), row())
    assert any("1 row stands twice" in note for note in read(data).notes)
    assert not problems(data)


def test_a_row_without_an_id_is_named_with_its_row() -> None:
    snapshot = read(csv(row(), row(StudentID="")))
    ((record, problem),) = snapshot.orphans
    assert (record.row, problem.field, problem.reason) == (3, "StudentID", "no_identity")
    where = check(csv(row(), row(StudentID=""))).locate("pupil", "", "StudentID", "", 3)
    assert where is not None
    assert (where.column, where.row) == ("C", 3)


def test_an_address_whose_comma_moved_everything_is_named() -> None:
    data = (
        TEXT + TEXT.splitlines()[1].replace("High Street", "High, Street").replace("0042", "43") + ",x\r\n"
    ).encode()
    assert "beyond_the_captions" in problems(data)


def test_ids_made_by_hand_are_no_admission_numbers() -> None:
    record = opened(csv(row(StudentID="MAN-1")))[(Kind.PUPIL, "MAN-1")].record
    assert isinstance(record, PupilRecord)
    assert record.admission_number is None


def test_contacts_without_ids_are_known_by_pupil_and_name() -> None:
    first = {key for key in opened(csv(row(ContactID=""))) if key[0] is Kind.CONTACT}
    again = set(opened(csv(row(ContactID="", PrimaryEmail="n@example.org", StudentID="42"))))
    other = {key for key in opened(csv(row(ContactID="", ContactForename="Ada"))) if key[0] is Kind.CONTACT}
    assert first < again
    assert not first & other


def test_a_pupil_without_contacts_is_a_pupil() -> None:
    header = columns.OF_PUPIL[:7]
    snapshot = read(csv(row(header), header=header))
    assert [record.kind for record in snapshot.records] == [Kind.PUPIL]
    assert snapshot.complete == {Kind.PUPIL}


def test_staff_are_read_by_the_same_pattern() -> None:
    data = csv(
        ["Tom", "Ashe", "007", "Mr", "TAS", "Teacher", "6B", "t@x.example.org", 7700900124], header=columns.STAFF
    )
    record = opened(data)[(Kind.STAFF, "7")].record
    assert record == StaffRecord(
        code="TAS", title="Mr", forename="Tom", surname="Ashe", role="Teacher", tutor_of="6B",
        telephones=("07700900124",), emails=("t@x.example.org",),
    )  # fmt: skip
    assert read(data).complete == {Kind.STAFF}


# Workbooks


def test_the_sheets_with_captions_are_read_and_the_others_named() -> None:
    book = load_workbook(io.BytesIO(xlsx(row())))
    book.create_sheet("Notes", 0)["A1"] = "Ask Priya"
    staff = book.create_sheet("Our staff")
    staff.append(columns.STAFF)
    staff.append(["Tom", "Ashe", "7"])
    hidden = book.create_sheet("Old")
    hidden.append(HEADER)
    hidden.append(row(StudentID="77"))
    hidden.sheet_state = "hidden"
    snapshot = read(saved(book))
    assert {(record.kind, record.external_id) for record in snapshot.records} == {
        (Kind.PUPIL, "42"), (Kind.CONTACT, "901"), (Kind.STAFF, "7"),
    }  # fmt: skip
    notes = " ".join(snapshot.notes)
    assert "Read: Pupils (pupils), Our staff (staff)." in notes
    assert "Notes" in notes
    assert "“Old” is hidden" in notes


def _zip(**parts: bytes) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, body in parts.items():
            archive.writestr(name.replace("__", "/").replace("_xml", ".xml"), body)
    return made.getvalue()


def _with_sheet(data: bytes, change: Callable[[str], str], part: str = "xl/worksheets/sheet1.xml") -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as new:
        for info in old.infolist():
            body = old.read(info)
            new.writestr(info.filename, change(body.decode()) if info.filename == part else body)
    return made.getvalue()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_a_workbook_that_declares_entities_is_refused(encoding: str) -> None:
    made = io.BytesIO()
    evil = '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><worksheet>&a;</worksheet>'
    with zipfile.ZipFile(io.BytesIO(xlsx(row()))) as old, zipfile.ZipFile(made, "w") as new:
        for info in old.infolist():
            body = old.read(info)
            new.writestr(info.filename, evil.encode(encoding) if info.filename.endswith("sheet1.xml") else body)
    assert "damaged" in refused(made.getvalue(), "people.xlsx")


def test_a_workbook_that_unpacks_beyond_the_limit_is_refused_unread() -> None:
    bomb = _zip(xl__workbook_xml=b"<x/>", xl__worksheets__sheet1_xml=b" " * 30_000_000)
    assert len(bomb) < 100_000
    assert "larger than this hub reads" in refused(bomb, "people.xlsx", limit=10_000_000)


def test_a_cell_at_the_far_end_costs_nothing() -> None:
    book = load_workbook(io.BytesIO(xlsx(row())))
    book.worksheets[0]["XFD90000"] = "x"
    assert pupil(saved(book)).forename == "Amelia"


@pytest.mark.parametrize(
    ("name", "data", "sentence"),
    [
        ("a.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "old Excel file (.xls)"),
        ("a.xlsx", b"\xd0\xcf\x11\xe0" + "EncryptedPackage".encode("utf-16-le"), "locked with a password"),
        ("a.numbers", _zip(Index__Document_iwa=b"x"), "zip, and no Excel"),
        ("a.ods", _zip(mimetype=b"x", content_xml=b"<x/>"), "OpenDocument"),
        ("a.xlsb", _zip(**{"xl__workbook.bin": b"x"}), ".xlsb"),
        ("a.zip", _zip(readme=b"x"), "a zip, and no Excel workbook"),
        ("a.xls", b"<html><table><tr><td>x</td></tr></table></html>", "only looks like a spreadsheet"),
        ("a.csv", b"%PDF-1.4", "PDF"),
        ("a.csv", b"", "empty"),
        ("a.csv", b"\r\n\r\n  ", "empty"),
        ("a.csv", bytes(range(256)) * 20, "not a spreadsheet"),
        ("a.csv", b"\xff\xfea", "damaged"),
        ("a.csv", TEXT.replace("High Street", '"High Street').encode(), "quotation mark"),
    ],
)
def test_other_files_are_refused_with_what_to_do(name: str, data: bytes, sentence: str) -> None:
    assert sentence in refused(data, name)


def test_a_numbers_document_is_told_to_export() -> None:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("Index/Document.iwa", b"x")
    assert "Numbers" in refused(made.getvalue(), "people.numbers")
