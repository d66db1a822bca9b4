"""ScholarPack's records: what becomes of each field, and of what cannot be read."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from mis_connectors.errors import SnapshotFormatError
from mis_connectors.records import ContactRecord, Kind, LinkRecord, PupilRecord, Severity, StaffRecord
from mis_connectors.scholarpack import people
from tests.connectors.scholarpack_things import (
    connector,
    contact,
    link,
    made_of,
    member,
    night,
    of_kind,
    student,
)


def the_contact(raw: dict[str, Any], *links: dict[str, Any]) -> ContactRecord:
    record = people.open_contact(raw, [(str(one["student_id"]), one) for one in links]).record
    assert isinstance(record, ContactRecord)
    return record


def test_a_pupil_goes_by_the_preferred_forename_and_keeps_the_legal_names() -> None:
    raw = student(31207, upn="Q823300115001", preferred_forename="Millie", legal_surname="Okafor-Hale")
    assert people.open_pupil(raw).record == PupilRecord(
        upn="Q823300115001",
        admission_number="031207",
        forename="Millie",
        surname="Okafor",
        legal_forename="Amelia",
        legal_surname="Okafor-Hale",
        date_of_birth=dt.date(2015, 3, 9),
        gender="Female",
        year_group="6",
        registration_group="6C",
        pre_admission=False,
    )


@pytest.mark.parametrize(("said", "read"), [("Year 6", "6"), ("Y06", "6"), ("Reception", "Reception"), (None, None)])
def test_a_year_group_is_read_as_every_other_mis_says_it(said: str | None, read: str | None) -> None:
    assert people.pupil_of(student(1, year_group=said)).year_group == read


def test_a_pupil_still_to_come_is_a_pre_admission_and_one_without_a_status_is_unknown() -> None:
    assert people.pupil_of(student(1, status="Pre-Admission")).pre_admission is True
    assert people.pupil_of(student(1, status=None)).pre_admission is None


def test_the_first_phone_of_location_m_wins_and_the_others_come_after() -> None:
    phones = [
        {"location": "H", "number": "01632 960001"},
        {"location": "m ", "number": "07700 900001"},
        {"location": "W", "number": "07700 900003"},
        {"location": "M", "number": "07700 900002"},
        {"location": None, "number": None},
    ]
    assert the_contact(contact(1, phones=phones)).telephones == (
        "07700 900001",
        "07700 900002",
        "01632 960001",
        "07700 900003",
    )


def test_email_is_read_and_email_2_is_not() -> None:
    assert the_contact(contact(1, email_2="work@example.org")).emails == ("ngozi@example.org",)
    assert the_contact(contact(1, email=None, email_2="work@example.org")).emails == ()


def test_contact_order_is_the_priority_and_responsibility_is_parental_responsibility() -> None:
    said = link(5, 1, contact_order=3, responsibility="No", relationship="Grandmother")
    assert the_contact(contact(1), said).links == (
        LinkRecord(pupil_external_id="5", relationship="Grandmother", priority=3, parental_responsibility=False),
    )


def test_what_scholarpack_does_not_say_of_a_link_stays_unknown() -> None:
    (unsaid,) = the_contact(contact(1), link(5, 1, contact_order=None, responsibility=None, relationship=None)).links
    assert (unsaid.priority, unsaid.parental_responsibility, unsaid.relationship) == (None, None, None)
    assert (unsaid.court_order, unsaid.lives_with, unsaid.correspondence) == (None, None, None)


def test_of_two_links_between_the_same_two_the_one_that_gives_less_access_counts() -> None:
    (one,) = the_contact(contact(1), link(5, 1), link(5, 1, responsibility=False, contact_order=4)).links
    assert (one.parental_responsibility, one.priority) == (False, 1)


def test_what_cannot_be_read_is_named_in_scholarpacks_words_and_the_rest_is_kept() -> None:
    opened = people.open_contact(
        contact(1, phones="07700 900123", email={"home": "x"}), [("5", link(5, 1, contact_order="first"))]
    )
    assert isinstance(opened.record, ContactRecord)
    assert (opened.record.forename, opened.record.telephones, opened.record.emails) == ("Ngozi", (), ())
    assert {problem.field for problem in opened.problems} == {"Phone", "Email", "Contact Order"}
    assert {problem.severity for problem in opened.problems} == {Severity.PART}
    assert all("In ScholarPack, open this contact’s details" in problem.advice for problem in opened.problems)


def test_a_member_of_staff_goes_by_the_preferred_forename() -> None:
    phones = [{"location": "M", "number": "07700 900009"}]
    assert people.open_staff(member(9, preferred_forename="Shan", phones=phones)).record == StaffRecord(
        title="Ms",
        forename="Shan",
        surname="Pryce",
        role="Teacher",
        tutor_of="6C",
        telephones=("07700 900009",),
        emails=("sian@school.example.org",),
    )


def test_off_roll_and_not_active_with_a_date_leave_on_that_date() -> None:
    gone = student(1, status="Off Roll", leaving_date="2026-10-23")
    left = member(9, active="No", leaving_date="23/10/2026")
    snapshot = connector.read(made_of(night([gone], staff=[left])))
    assert of_kind(snapshot, Kind.PUPIL)["1"].leaving_date == dt.date(2026, 10, 23)
    assert of_kind(snapshot, Kind.STAFF)["9"].leaving_date == dt.date(2026, 10, 23)


def test_off_roll_and_not_active_without_a_date_are_read_as_no_longer_there_and_counted() -> None:
    lists = night([student(1), student(2, status="Off  roll")], staff=[member(8), member(9, active="No")])
    snapshot = connector.read(made_of(lists))
    assert set(of_kind(snapshot, Kind.PUPIL)) == {"1"}
    assert set(of_kind(snapshot, Kind.STAFF)) == {"8"}
    assert snapshot.complete == {Kind.PUPIL, Kind.CONTACT, Kind.STAFF}
    assert len(snapshot.notes) == 2
    assert all("without a leaving date" in note for note in snapshot.notes)


def test_every_sibling_keeps_contacts_of_their_own_under_the_ids_that_scholarpack_gives() -> None:
    snapshot = connector.read(
        made_of(night([student(1), student(2)], [contact(71), contact(72)], [link(1, 71), link(2, 72)]))
    )
    contacts = of_kind(snapshot, Kind.CONTACT)
    assert {key: [one.pupil_external_id for one in record.links] for key, record in contacts.items()} == {
        "71": ["1"],
        "72": ["2"],
    }


def test_a_contact_is_read_again_when_a_link_of_theirs_changes_and_nobody_else_is() -> None:
    def digests(order: int) -> dict[str, bytes]:
        links = [link(1, 71), link(2, 72, contact_order=order)]
        snapshot = connector.read(made_of(night([student(1), student(2)], [contact(71), contact(72)], links)))
        return {record.external_id: record.digest for record in snapshot.records}

    before, after = digests(1), digests(2)
    assert {key for key in before if before[key] != after[key]} == {"72"}


def test_the_same_records_in_another_order_have_the_same_digests() -> None:
    pupils, contacts, links = [student(1), student(2)], [contact(71)], [link(1, 71), link(2, 71)]
    one = connector.read(made_of(night(pupils, contacts, links)))
    other = connector.read(made_of(night(pupils[::-1], contacts, links[::-1])))
    assert {r.external_id: r.digest for r in one.records} == {r.external_id: r.digest for r in other.records}


def test_a_field_that_is_in_no_record_is_lacking_and_an_empty_one_is_empty() -> None:
    bare = contact(71, email=None)
    del bare["phones"]
    snapshot = connector.read(made_of(night([student(1)], [bare], [link(1, 71)], [member(9)])))
    assert snapshot.lacking == {"contact.telephones"}


def test_a_list_without_records_says_nothing_of_its_fields() -> None:
    snapshot = connector.read(made_of(night()))
    assert not snapshot.lacking
    assert snapshot.complete == {Kind.PUPIL, Kind.CONTACT, Kind.STAFF}, "that nobody is left is for the guards to see"


def test_staff_that_were_refused_are_lacking_and_nobody_of_them_is_gone() -> None:
    parts = night([student(1)], [contact(71)], [link(1, 71)], [member(9)])
    del parts["staff/01/0001.json"]
    snapshot = connector.read(made_of({**parts, "about.json": {"staff": "refused"}}))
    assert Kind.STAFF not in snapshot.complete
    assert snapshot.lacking == connector.info.optional == {n for n in connector.info.supplies if n.startswith("staff.")}


def test_only_the_last_reading_of_a_list_counts() -> None:
    parts = night([student(1), student(2)])
    second = {"students/03/0001.json": {"data": [student(2)]}, "students/03/0002.json": {"data": [student(3)]}}
    assert set(of_kind(connector.read(made_of({**parts, **second})), Kind.PUPIL)) == {"2", "3"}


def test_a_record_that_two_pages_bring_is_one_person_as_it_stood_last() -> None:
    parts = night([student(1, forename="Old")])
    snapshot = connector.read(made_of({**parts, "students/01/0002.json": {"data": [student(1, forename="New")]}}))
    assert [record.forename for record in of_kind(snapshot, Kind.PUPIL).values()] == ["New"]


def test_a_record_without_an_id_names_nobody_and_is_named_itself() -> None:
    snapshot = connector.read(made_of(night([student(1), student(2, id=None)])))
    ((record, problem),) = snapshot.orphans
    assert (record.row, problem.severity, problem.reason) == (2, Severity.ROW, "no_identity")
    assert set(of_kind(snapshot, Kind.PUPIL)) == {"1"}


def test_links_to_people_who_are_not_in_the_lists_are_passed_over_with_a_note() -> None:
    snapshot = connector.read(made_of(night([student(1)], [contact(71)], [link(1, 71), link(9, 71), link(1, 99)])))
    (record,) = of_kind(snapshot, Kind.CONTACT).values()
    assert [one.pupil_external_id for one in record.links] == ["1"]
    assert any("links 2 contacts and pupils" in note for note in snapshot.notes)


def test_the_school_that_consented_is_named_by_its_number() -> None:
    assert connector.read(made_of(night())).dfe_numbers == {"8233001"}
    unsaid = {**night(), "school.json": {"data": {"name": "Larch Hill"}}}
    assert connector.read(made_of(unsaid)).dfe_numbers == frozenset()


@pytest.mark.parametrize(
    "gone", ["students/01/0001.json", "contacts/01/0001.json", "student-contacts/01/0001.json", "about.json"]
)
def test_a_payload_that_ended_too_early_is_refused(gone: str) -> None:
    parts = night([student(1)])
    del parts[gone]
    with pytest.raises(SnapshotFormatError, match="ended too early"):
        connector.read(made_of(parts))


@pytest.mark.parametrize("page", [b"<html>", b"[]", b'{"data": {}}', b'{"data": [1]}', b'{"data":' + b"[" * 100_000])
def test_a_page_that_is_no_page_is_refused_in_plain_words(page: bytes) -> None:
    with pytest.raises(SnapshotFormatError) as refused:
        connector.read(made_of({**night(), "students/01/0001.json": page}))
    assert "not its usual data" in refused.value.message
