"""From reports to a snapshot: who is told of, what is complete, what a digest covers, what is refused."""

from __future__ import annotations

import pytest

from mis_connectors.errors import SnapshotFormatError
from mis_connectors.records import ContactRecord, Kind, PupilRecord, Severity
from mis_connectors.sims import parse
from tests.factories.sims import CONTACT, PUPIL, STAFF, by_key, packed, payload, read, report

NO_ID = {"Forename": "Amelia", "Surname": "Okafor"}


def three(**changed: bytes) -> bytes:
    files = {"pupils.xml": report(PUPIL), "contacts.xml": report(CONTACT), "staff.xml": report(STAFF)}
    return packed({**files, **{f"{name}.xml": data for name, data in changed.items()}})


def refusal(data: bytes, name: str = "report.xml") -> str:
    with pytest.raises(SnapshotFormatError) as caught:
        read(data, name=name)
    return caught.value.message


def digests(data: bytes, salt: bytes = b"") -> dict[tuple[Kind, str], bytes]:
    return {key: record.digest for key, record in by_key(read(data, salt=salt)).items()}


def many(count: int, *, change: str = "") -> bytes:
    """Contacts of one report beyond the rows that are looked at closely, each with two rows."""
    rows = []
    for number in range(count):
        for place in "ab":
            email = f"{place}{number}@example.org"
            rows.append(
                {**CONTACT, "ContactID": str(number), "Email": "changed@example.org" if email == change else email}
            )
    return report(*rows)


def test_three_reports_tell_of_three_kinds_and_all_are_complete() -> None:
    snapshot = read(three())
    assert list(by_key(snapshot)) == [(Kind.PUPIL, "2447"), (Kind.CONTACT, "6420"), (Kind.STAFF, "91")]
    assert snapshot.complete == frozenset(Kind)
    assert (snapshot.notes, snapshot.orphans, snapshot.dfe_numbers) == ((), (), frozenset())


def test_the_reader_goes_by_captions_and_not_by_file_names() -> None:
    data = packed({"c.xml": report(PUPIL), "a.xml": report(CONTACT), "b.xml": report(STAFF)})
    assert set(by_key(read(data))) == {(Kind.PUPIL, "2447"), (Kind.CONTACT, "6420"), (Kind.STAFF, "91")}
    assert by_key(read(data))[Kind.PUPIL, "2447"].file == "c.xml"


def test_a_single_report_is_complete_for_its_kind_only() -> None:
    assert read(report(STAFF)).complete == {Kind.STAFF}
    assert read(report(CONTACT)).complete == {Kind.CONTACT}


def test_primary_id_accompanies_every_record_and_names_a_pupil_only_where_nothing_else_does() -> None:
    assert list(by_key(read(report({**STAFF, "primary_id": "1"})))) == [(Kind.STAFF, "91")]
    (record,) = read(report({**CONTACT, "primary_id": "6420", "ID": "1"})).records
    opened = record.open().record
    assert isinstance(opened, ContactRecord)
    assert [link.pupil_external_id for link in opened.links] == ["2447"]


def test_rows_of_one_person_are_one_record_with_the_number_of_the_first() -> None:
    rows = [CONTACT, {**CONTACT, "ContactID": "7"}, {**CONTACT, "PupilID": "2448"}]
    found = by_key(read(report(*rows)))
    assert {key: record.row for key, record in found.items()} == {(Kind.CONTACT, "6420"): 1, (Kind.CONTACT, "7"): 2}


def test_a_person_told_of_in_two_files_is_one_record() -> None:
    other = report({**CONTACT, "PupilID": "2448"})
    (record,) = read(packed({"a.xml": report(CONTACT), "b.xml": other})).records
    opened = record.open().record
    assert isinstance(opened, ContactRecord)
    assert [link.pupil_external_id for link in opened.links] == ["2447", "2448"]
    assert (record.file, record.row) == ("a.xml", 1)


def test_the_same_bytes_have_the_same_digests() -> None:
    assert digests(three()) == digests(three())
    assert len(set(digests(three()).values())) == 3
    assert {len(digest) for digest in digests(three()).values()} == {16}


def test_the_salt_is_in_every_digest_however_long_it_is() -> None:
    one, two, long = digests(three()), digests(three(), b"v2"), digests(three(), b"v2" * 100)
    assert all(one[key] != two[key] != long[key] for key in one)


def test_a_change_in_one_row_changes_the_digest_of_its_person_only() -> None:
    before, after = digests(many(60)), digests(many(60, change="b40@example.org"))
    assert {key for key in before if before[key] != after[key]} == {(Kind.CONTACT, "40")}


def test_digests_do_not_depend_on_declarations_or_on_other_people() -> None:
    plain = report(PUPIL, {**PUPIL, "primary_id": "9", "Surname": "Zoë"})
    latin = report(
        PUPIL, {**PUPIL, "primary_id": "9", "Surname": "Zoë"}, {**PUPIL, "primary_id": "10"},
        declaration='<?xml version="1.0" encoding="iso-8859-1"?>', encoding="windows-1252",
    )  # fmt: skip
    assert digests(plain).items() <= digests(latin).items()


def test_rows_are_read_alike_before_and_after_the_captions_are_known() -> None:
    early, late = by_key(read(many(4))), by_key(read(many(60)))
    assert early.keys() <= late.keys()
    assert all(early[key].digest == late[key].digest for key in early)
    assert late[Kind.CONTACT, "50"].row == 101


def test_one_report_with_everything_tells_of_pupils_and_contacts() -> None:
    rows = [
        {**PUPIL, **CONTACT, "Email": "a@example.org"},
        {**PUPIL, **CONTACT, "Email": "b@example.org"},
        {**PUPIL, **CONTACT, "ContactID": "6421"},
        {**PUPIL, "primary_id": "2448"},
    ]
    snapshot = read(report(*rows))
    found = by_key(snapshot)
    assert list(found) == [
        (Kind.PUPIL, "2447"), (Kind.PUPIL, "2448"), (Kind.CONTACT, "6420"), (Kind.CONTACT, "6421"),
    ]  # fmt: skip
    assert snapshot.complete == {Kind.PUPIL, Kind.CONTACT}
    mother = found[Kind.CONTACT, "6420"].open().record
    assert isinstance(mother, ContactRecord)
    assert mother.emails == ("a@example.org", "b@example.org")
    child = found[Kind.PUPIL, "2447"].open().record
    assert isinstance(child, PupilRecord)
    assert (child.forename, child.surname) == ("Amelia", "Okafor")


def test_in_one_report_a_pupils_digest_covers_the_pupils_columns_only() -> None:
    def both(**changed: str) -> dict[tuple[Kind, str], bytes]:
        return digests(report({**PUPIL, **CONTACT, **changed}))

    def moved(**changed: str) -> set[Kind]:
        before, after = both(), both(**changed)
        return {kind for (kind, key) in before if before[kind, key] != after[kind, key]}

    assert moved(Email="a@example.org") == {Kind.CONTACT}
    assert moved(Forename="Mia") == {Kind.PUPIL}
    assert moved() == set()


def test_contacts_that_begin_late_in_a_report_of_pupils_are_found() -> None:
    rows = [{**PUPIL, "primary_id": str(number)} for number in range(60)]
    for spelled in ("ContactID", "CONTACTID"):
        snapshot = read(report(*rows, {**PUPIL, "PupilID": "7", spelled: "6420", "ContactSurname": "Okafor"}))
        assert (Kind.CONTACT, "6420") in by_key(snapshot)
        assert snapshot.complete == {Kind.PUPIL, Kind.CONTACT}


def test_a_pupil_without_contacts_in_the_report_of_contacts_is_nobody_new() -> None:
    snapshot = read(report(CONTACT, {"PupilID": "2448", "PupilExternalID": "x"}))
    assert list(by_key(snapshot)) == [(Kind.CONTACT, "6420")]
    assert (snapshot.orphans, snapshot.complete) == ((), {Kind.CONTACT})


@pytest.mark.parametrize(
    "row",
    [NO_ID, {"ContactSurname": "Okafor", "PupilID": "1"}, {"ContactID": "5", "ContactSurname": "Okafor"},
     {"StaffSurname": "Marsh", "primary_id": "91"}, {"Something": "else"}, {**PUPIL, "primary_id": ""}],
)  # fmt: skip
def test_a_report_without_identity_columns_fails_with_the_reason(row: dict[str, str]) -> None:
    assert refusal(report(row, row)) == (
        "SIMS left the identity columns out: the report's user is not in the group Third Party Reporter."
    )


def test_one_report_of_three_without_identity_columns_fails_the_run() -> None:
    assert "Third Party Reporter" in refusal(three(contacts=report({"ContactSurname": "Okafor", "PupilID": "1"})))


def test_a_row_that_names_nobody_is_an_orphan_and_the_rest_goes_on() -> None:
    rows = [{**PUPIL, "primary_id": str(number)} for number in range(1, 40)]
    snapshot = read(report(*rows, NO_ID))
    assert len(snapshot.records) == 39
    ((record, problem),) = snapshot.orphans
    assert (record.kind, record.row, record.open().record) == (Kind.PUPIL, 40, None)
    assert (problem.severity, problem.reason) == (Severity.ROW, "no_identity")


@pytest.mark.parametrize("before", [1, 40])
def test_an_identity_that_is_far_too_long_is_none(before: int) -> None:
    rows = [{**PUPIL, "primary_id": str(number)} for number in range(before)]
    snapshot = read(report(*rows, {**PUPIL, "primary_id": "9" * 101}))
    assert (len(snapshot.records), len(snapshot.orphans)) == (before, 1)


def test_nothing_that_is_told_grows_with_what_was_sent() -> None:
    rows = [{**PUPIL, "SchoolDfE": "x" * 5000, **{f"Odd{number}": "" for number in range(300)}}]
    snapshot = read(report(*rows, *[{**rows[0], "Surname": letter * 5000} for letter in "ab"]))
    assert sum(map(len, snapshot.notes)) < 500
    assert all(len(number) <= 40 for number in snapshot.dfe_numbers)
    assert all(len(problem.message) < 500 for problem in snapshot.records[0].open().problems)


def test_unknown_columns_are_noted_once() -> None:
    snapshot = read(report({**PUPIL, "Shoe_x0020_Size": "3"}, {**PUPIL, "primary_id": "9", "Shoe_x0020_Size": "4"}))
    assert snapshot.notes == ("Columns that are not read: Shoe Size.",)


def test_the_school_is_told_as_seven_digits_and_two_are_both_told() -> None:
    rows = [{**PUPIL, "primary_id": str(number), "SchoolDfE": "823/3001"} for number in range(60)]
    assert read(report(*rows)).dfe_numbers == {"8233001"}
    two = read(report(*rows, {**PUPIL, "primary_id": "99", "SchoolDfE": "8234002"}))
    assert two.dfe_numbers == {"8233001", "8234002"}
    assert two.notes == ("The reports name more than one school: 8233001, 8234002.",)


def test_a_report_without_records_is_complete_all_the_same() -> None:
    schema = '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"><xs:element name="StaffID"/></xs:schema>'
    by_schema = read(f"<SuperStarReport>{schema}</SuperStarReport>".encode())
    by_name = read(b"<SuperStarReport/>", name="Contacts of tonight.xml")
    assert (by_schema.complete, by_schema.records) == ({Kind.STAFF}, [])
    assert by_name.complete == {Kind.CONTACT}
    assert by_name.notes == ("Contacts of tonight.xml has no records at all.",)


def test_a_file_that_tells_of_nobody_is_refused() -> None:
    assert "It has no records" in refusal(b"<SuperStarReport/>")
    assert "no report of SIMS" in refusal(b"<html><body/></html>")


def test_bytes_that_are_not_utf_8_are_read_as_windows_1252_with_a_note() -> None:
    rows = [
        {**PUPIL, "primary_id": str(number), "Surname": "O’Neill" if number > 5000 else "Hale"}
        for number in range(5002)
    ]
    snapshot = read(report(*rows, encoding="windows-1252"))
    assert snapshot.notes == ("report.xml is not the UTF-8 that it says it is; it was read as windows-1252.",)
    last = by_key(snapshot)[Kind.PUPIL, "5001"].open().record
    assert isinstance(last, PupilRecord)
    assert last.surname == "O’Neill"


def test_an_identity_with_an_ampersand_is_itself_early_and_late() -> None:
    rows = [{**PUPIL, "primary_id": f"a&amp;{number}"} for number in range(40)]
    assert {key for _, key in by_key(read(report(*rows)))} == {f"a&{number}" for number in range(40)}


def test_the_error_text_of_sims_fails_the_run_with_its_message() -> None:
    text = b"<CommandReporterError><Message>Login failed</Message></CommandReporterError>"
    assert refusal(text).endswith("Login failed")
    assert "Login failed" in refusal(three(staff=text))


def test_a_torn_report_names_its_file() -> None:
    assert refusal(three(contacts=report(CONTACT)[:-40])).startswith("contacts.xml is cut short")


def test_reading_again_gives_the_same(tmp_path: object) -> None:
    incoming = payload(three(), name="run.zip")
    assert [record.digest for record in parse.read(incoming).records] == [
        record.digest for record in parse.read(incoming).records
    ]
