"""RM Integris over HTTP from its simulator: what is fetched, how it reads, and a sentence for each fault."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from typing import Any

import pytest

from imports.canonical import split_joint
from mis_connectors.archive import ArchiveSink
from mis_connectors.base import Access, Check, CheckState
from mis_connectors.errors import (
    ConnectorAuthError,
    ConnectorConfigError,
    ConnectorError,
    ConnectorPlatformError,
    ConnectorUnavailable,
    SnapshotFormatError,
)
from mis_connectors.http import Http, Outgoing
from mis_connectors.integris import people, permissions
from mis_connectors.integris.client import Datashare, Page
from mis_connectors.integris.connector import IntegrisConnector
from mis_connectors.records import ContactRecord, IncomingPayload, Kind, PupilRecord, Snapshot, StaffRecord
from mis_connectors.simulators.integris_api import PARTNER_KEY, IntegrisApi
from mis_connectors.simulators.server import Fault, Simulation, SimulatorServer

DFE = "8233001"
STATE = {"dfe_number": DFE, "seed": 11, "size": 60, "phase": "primary"}
connector = IntegrisConnector()


@pytest.fixture
def server() -> Iterator[SimulatorServer]:
    with SimulatorServer(IntegrisApi(Simulation([STATE]))) as running:
        yield running


def patience_with(server: SimulatorServer) -> float:
    """No longer than the test of it needs where no answer comes in time, and ample else."""
    return 0.1 if server.simulation.schools[DFE].fault in (Fault.HANG, Fault.SLOW) else 5


def access_to(server: SimulatorServer, **platform: str) -> Access:
    outgoing = Outgoing(loopback=True, attempts=2, read_seconds=patience_with(server), total_seconds=20)
    return Access(
        dfe_number=DFE,
        http=Http(outgoing, sleep=lambda seconds: None),
        platform={**server.api.platform(server.address), **platform},
    )


def collected(server: SimulatorServer) -> IncomingPayload:
    out = io.BytesIO()
    with ArchiveSink(out, limit=1 << 24) as sink:
        connector.collect(access_to(server), sink)
    return payload_of(out.getvalue())


def payload_of(data: bytes) -> IncomingPayload:
    return IncomingPayload(filename="night.zip", open=lambda: io.BytesIO(data), unpacked_limit=1 << 24, salt=b"salt")


def made_of(parts: dict[str, Any]) -> IncomingPayload:
    out = io.BytesIO()
    with ArchiveSink(out, limit=1 << 24) as sink:
        for name, said in parts.items():
            sink.write(name, said if isinstance(said, bytes) else json.dumps(said).encode())
    return payload_of(out.getvalue())


def listed(name: str, rows: list[dict[str, Any]], total: int | None = None) -> dict[str, Any]:
    return {"schoolDfe": DFE, "total": len(rows) if total is None else total, name: rows}


def everything(**lists: list[dict[str, Any]]) -> dict[str, Any]:
    parts: dict[str, Any] = {"about.json": {"schoolDfe": DFE, "permissions": []}}
    for name in ("students", "contacts", "contactLinks", "staff"):
        parts[f"{name}/1/0001.json"] = listed(name, lists.get(name, []))
    return parts


def of_kind(snapshot: Snapshot, kind: Kind) -> dict[str, Any]:
    return {record.external_id: record.open().record for record in snapshot.records if record.kind is kind}


def only_problem(row: dict[str, Any]) -> str:
    (problem,) = people.open_pupil(row).problems
    return problem.message


# --- What is fetched


def test_everybody_on_roll_and_whoever_is_linked_to_them_comes(server: SimulatorServer) -> None:
    school = server.simulation.schools[DFE].school
    snapshot = connector.read(collected(server))
    pupils, contacts = of_kind(snapshot, Kind.PUPIL), of_kind(snapshot, Kind.CONTACT)
    assert set(pupils) == {str(pupil.id) for pupil in school.on_roll()}
    assert {link.pupil_external_id for contact in contacts.values() for link in contact.links} <= set(pupils)
    assert snapshot.complete == frozenset(Kind)
    assert snapshot.dfe_numbers == {DFE}
    assert snapshot.lacking == frozenset()
    assert snapshot.orphans == ()


def test_the_same_answers_are_the_same_bytes_and_the_same_digests(server: SimulatorServer) -> None:
    first, second = collected(server), collected(server)
    with first.open() as one, second.open() as other:
        assert one.read() == other.read()
    assert connector.content_digest(first) == connector.content_digest(second)
    digests = [[record.digest for record in connector.read(payload).records] for payload in (first, second)]
    assert digests[0] == digests[1]


def test_a_change_touches_the_digest_of_the_person_and_of_nobody_else(server: SimulatorServer) -> None:
    before = {record.external_id: record.digest for record in connector.read(collected(server)).records}
    parent = server.simulation.schools[DFE].school.reachable_parents()[0].id
    server.simulation.edit([["change_mobile", parent, "07700 900999"]])
    after = {record.external_id: record.digest for record in connector.read(collected(server)).records}
    assert {name for name in after if after[name] != before[name]} == {str(parent)}


def test_lists_longer_than_a_page_come_whole(server: SimulatorServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mis_connectors.integris.client.Datashare.page.__kwdefaults__", {"limit": 7})
    snapshot = connector.read(collected(server))
    assert len(of_kind(snapshot, Kind.PUPIL)) == 60


# --- How it reads


def test_a_couple_kept_as_one_contact_becomes_two_people() -> None:
    row = {"ContactID": "55012", "Title": "Mr & Mrs", "FirstName": "N & T", "Surname": "Okafor"}
    contact = people.open_contact({**row, "Emails": [{"Email": "okafors@example.org"}]}, []).record
    assert isinstance(contact, ContactRecord)
    values = {name: getattr(contact, name) or "" for name in ("title", "forename", "surname", "gender")}
    assert [(one["title"], one["forename"], one["surname"]) for one in split_joint(values)] == [
        ("Mr", "N", "Okafor"),
        ("Mrs", "T", "Okafor"),
    ]
    assert contact.emails == ("okafors@example.org",)


@pytest.mark.parametrize("ranking", [{}, {"EmergencyRanking": None}, {"EmergencyRanking": ""}])
def test_a_priority_that_is_not_there_is_unknown_and_never_invented(ranking: dict[str, Any]) -> None:
    record = people.open_contact({"ContactID": "1", "Surname": "Okafor"}, [{"StudentID": "7", **ranking}]).record
    assert isinstance(record, ContactRecord)
    assert record.links[0].priority is None
    assert record.links[0].parental_responsibility is None


def test_the_default_email_comes_first_then_personal_work_and_other() -> None:
    emails = [
        {"Email": "other@example.org", "Type": "Other", "Default": False},
        {"Email": "work@example.org", "Type": "Work", "Default": False},
        {"Email": "personal@example.org", "Type": "Personal", "Default": False},
        {"Email": "default@example.org", "Type": "Work", "Default": True},
    ]
    record = people.open_contact({"ContactID": "1", "Surname": "A", "Emails": emails}, []).record
    assert isinstance(record, ContactRecord)
    assert [email.partition("@")[0] for email in record.emails] == ["default", "personal", "work", "other"]


def test_of_several_mobiles_the_one_set_as_mobile_comes_first() -> None:
    phones = [
        {"Phone": "01632 960001", "Type": "Home", "Main": True},
        {"Phone": "07700 900001", "Type": "Mobile", "SetAsMobile": False, "Main": True},
        {"Phone": "07700 900002", "Type": "Mobile", "SetAsMobile": True},
    ]
    record = people.open_contact({"ContactID": "1", "Surname": "A", "Phones": phones}, []).record
    assert isinstance(record, ContactRecord)
    assert record.telephones == ("07700 900002", "07700 900001", "01632 960001")


def test_a_pupil_goes_by_the_known_name_and_keeps_the_legal_ones() -> None:
    row = {"StudentID": "1", "FirstName": "Amelia", "KnownName": "Millie", "Surname": "Okafor"}
    row |= {"LegalSurname": "Okafor-Hale", "DateOfBirth": "2015-03-09", "CurrentYearGroup": "Year 6"}
    pupil = people.open_pupil(row).record
    assert isinstance(pupil, PupilRecord)
    assert (pupil.forename, pupil.legal_forename, pupil.legal_surname) == ("Millie", "Amelia", "Okafor-Hale")
    assert pupil.year_group == "6"
    assert pupil.date_of_birth is not None


@pytest.mark.parametrize(("said", "read"), [("R", "Reception"), ("reception", "reception"), ("06", "6"), ("N1", "N1")])
def test_year_groups_are_read_as_schools_say_them(said: str, read: str) -> None:
    pupil = people.open_pupil({"CurrentYearGroup": said}).record
    assert isinstance(pupil, PupilRecord)
    assert pupil.year_group == read


def test_staff_have_their_role_and_one_email() -> None:
    row = {"StaffID": "9", "Forename": "Catherine", "KnownName": "Kate", "Surname": "Lee", "BusinessRole": "Teacher"}
    record = people.open_staff({**row, "Email": "k.lee@example.org"}).record
    assert isinstance(record, StaffRecord)
    assert (record.forename, record.role, record.emails) == ("Kate", "Teacher", ("k.lee@example.org",))


def test_what_cannot_be_read_is_left_out_and_named_while_the_rest_goes_on() -> None:
    assert only_problem({"DateOfBirth": "soon"}) == "DateOfBirth: “soon” is not a date, so it was left out."
    assert only_problem({"Surname": ["A", "B"]}) == "Surname: is not text, so it was left out."
    opened = people.open_contact({"ContactID": "1", "Surname": "A", "Emails": "a@example.org", "Phones": [7]}, [])
    assert [problem.field for problem in opened.problems] == ["Phones", "Emails"]
    assert opened.record is not None


def test_a_row_without_an_id_is_named_and_rejected() -> None:
    snapshot = connector.read(made_of(everything(students=[{"StudentID": None, "Surname": "Okafor"}])))
    ((record, problem),) = snapshot.orphans
    assert record.external_id == ""
    assert (
        problem.message == "RM Integris gives a pupil (surname Okafor) without StudentID, so nobody can tell who it is."
    )


def test_two_rows_without_an_id_are_two_of_as_many_as_the_list_says(
    server: SimulatorServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [{"StudentID": "1"}, {"StudentID": None}, {"StudentID": ""}]
    page = Page(body=b"", total=3, rows=rows)
    monkeypatch.setattr(Datashare, "page", lambda *_, **__: page)
    assert list(Datashare(access_to(server)).pages("students")) == [(1, 1, page)]


def test_links_that_lead_nowhere_are_counted_in_a_note() -> None:
    contact = {"ContactID": "5", "Surname": "A"}
    links = [{"ContactID": "5", "StudentID": "404"}]
    snapshot = connector.read(made_of(everything(contacts=[contact], contactLinks=links)))
    assert snapshot.notes == ("RM Integris links 1 contacts or pupils that are not in its lists.",)
    assert of_kind(snapshot, Kind.CONTACT)["5"].links == ()


# --- What the school withholds


def test_fields_that_are_unticked_are_lacking_and_not_empty(server: SimulatorServer) -> None:
    server.simulation.set_fault("unticked")
    snapshot = connector.read(collected(server))
    assert snapshot.lacking == {"contact.emails", "pupil.upn"}
    assert snapshot.lacking <= connector.info.optional <= connector.info.supplies


def test_a_field_that_no_row_has_a_name_for_is_lacking_whatever_the_permissions_say() -> None:
    parts = everything(students=[{"StudentID": "1", "FirstName": "A", "Surname": "B"}])
    assert "pupil.upn" in connector.read(made_of(parts)).lacking


def test_without_the_permission_for_staff_nobody_of_the_staff_is_taken_to_have_left() -> None:
    parts = everything()
    del parts["staff/1/0001.json"]
    parts["about.json"]["permissions"] = [{"name": "Staff", "object": "Staff", "granted": False}]
    snapshot = connector.read(made_of(parts))
    assert snapshot.complete == {Kind.PUPIL, Kind.CONTACT}
    assert {"staff.surname", "staff.emails"} <= snapshot.lacking


def test_nothing_is_supplied_that_no_permission_names() -> None:
    assert "pupil.gender" not in permissions.SUPPLIES
    assert "link.court_order" not in permissions.SUPPLIES


# --- Each fault


FAULTS: dict[Fault, tuple[type[ConnectorError], str]] = {
    Fault.SERVER_ERROR: (ConnectorUnavailable, "RM Integris says that something is wrong on its side"),
    Fault.HANG: (ConnectorUnavailable, "RM Integris does not answer in time"),
    Fault.SLOW: (ConnectorUnavailable, "RM Integris does not answer in time"),
    Fault.TRUNCATED: (ConnectorUnavailable, "What RM Integris sent was cut short"),
    Fault.TOO_MANY: (ConnectorUnavailable, "RM Integris asks us to wait"),
    Fault.WRONG_TYPE: (SnapshotFormatError, "RM Integris answered with a web page in place of its data"),
    Fault.GARBAGE: (SnapshotFormatError, "cannot be read: it is not in the form that Schoolgate knows"),
    Fault.EXPIRED_TOKEN: (ConnectorPlatformError, "RM Integris does not accept Schoolgate's partner key"),
    Fault.PENDING: (ConnectorAuthError, "RM Integris takes that long"),
    Fault.WITHDRAWN: (ConnectorAuthError, "Modules > System Management > Integris Datashare"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_ends_the_run_with_its_error_and_a_sentence(server: SimulatorServer, fault: Fault) -> None:
    expected, words = FAULTS[fault]
    server.simulation.set_fault(fault)
    with pytest.raises(expected) as raised:
        collected(server)
    assert type(raised.value) is expected or issubclass(type(raised.value), expected)
    assert words in raised.value.message
    assert PARTNER_KEY not in f"{raised.value.message} {raised.value.detail}"


def test_a_fault_that_passes_is_got_over(server: SimulatorServer) -> None:
    server.simulation.set_fault("server_error", times=1)
    assert len(of_kind(connector.read(collected(server)), Kind.PUPIL)) == 60


def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mis_connectors.integris.client.Datashare.page.__kwdefaults__", {"limit": 25})


def test_a_page_that_comes_twice_in_place_of_another_ends_the_run(
    server: SimulatorServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    small_pages(monkeypatch)
    server.simulation.set_fault("duplicate_page")
    with pytest.raises(ConnectorUnavailable) as raised:
        collected(server)
    assert "RM Integris says that it has 60 pupils, and gave" in raised.value.message


def test_a_pupil_added_between_pages_is_fetched_and_nobody_twice(
    server: SimulatorServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    small_pages(monkeypatch)
    server.simulation.set_fault("added_between_pages")
    snapshot = connector.read(collected(server))
    assert len(of_kind(snapshot, Kind.PUPIL)) == 61
    assert not snapshot.notes


def test_half_the_pupils_are_read_as_they_came_for_the_guards_to_see(server: SimulatorServer) -> None:
    server.simulation.set_fault("half")
    assert 20 < len(of_kind(connector.read(collected(server)), Kind.PUPIL)) < 40


def test_nothing_of_another_school_is_fetched(server: SimulatorServer) -> None:
    server.simulation.set_fault("wrong_school")
    with pytest.raises(ConnectorConfigError, match=r"another school: 8239999, not 8233001\. Nothing was fetched"):
        collected(server)
    assert server.simulation.schools[DFE].requests == 1


def test_a_page_that_is_another_schools_is_for_the_guards_to_see() -> None:
    parts = everything()
    parts["students/1/0001.json"]["schoolDfe"] = "823/9999"
    assert connector.read(made_of(parts)).dfe_numbers == {DFE, "8239999"}


def test_two_records_merged_overnight_leave_one_with_the_links_of_both(server: SimulatorServer) -> None:
    school = server.simulation.schools[DFE].school
    parent = next(
        one for one in school.reachable_parents() if sum(link.contact_id == one.id for link in school.all_links()) > 1
    )
    child = next(link.pupil_id for link in school.all_links() if link.contact_id == parent.id)
    server.simulation.edit([["record_again", parent.id, child, "07700 900998", "again@example.org"]])
    before = of_kind(connector.read(collected(server)), Kind.CONTACT)
    server.simulation.set_fault("merged")
    after = of_kind(connector.read(collected(server)), Kind.CONTACT)
    (gone,) = before.keys() - after.keys()
    linked = {link.pupil_external_id for link in after[str(parent.id)].links}
    assert linked == {link.pupil_external_id for name in (gone, str(parent.id)) for link in before[name].links}


@pytest.mark.parametrize("missing", ["address", "partner_key"])
def test_what_the_operator_has_not_set_is_the_operators(server: SimulatorServer, missing: str) -> None:
    with pytest.raises(ConnectorConfigError, match="Ask whoever runs this Schoolgate"):
        connector.collect(access_to(server, **{missing: ""}), ArchiveSink(io.BytesIO(), limit=1000))


@pytest.mark.parametrize(
    "spoiled",
    [
        {"students/1/0001.json": b"[1, 2]"},
        {"students/1/0001.json": {"students": None, "total": 1}},
        {"students/1/0001.json": listed("students", [], total=12)},
        {"about.json": b"\x00"},
    ],
)
def test_a_payload_that_is_not_whole_is_refused(spoiled: dict[str, Any]) -> None:
    with pytest.raises(SnapshotFormatError):
        connector.read(made_of({**everything(), **spoiled}))


def test_a_payload_without_a_list_that_is_granted_is_refused() -> None:
    parts = everything()
    del parts["contacts/1/0001.json"]
    with pytest.raises(SnapshotFormatError):
        connector.read(made_of(parts))


# --- Test link


def checks(server: SimulatorServer, **platform: str) -> dict[str, Check]:
    return {check.key: check for check in connector.test(access_to(server, **platform))}


def test_testing_the_link_goes_through_every_part_and_shows_five_pupils(server: SimulatorServer) -> None:
    found = checks(server)
    assert list(found) == ["address", "credentials", "permissions", "fields", "sample"]
    assert all(check.state is CheckState.OK and check.sentence for check in found.values())
    sample = found["sample"].sample
    school = server.simulation.schools[DFE].school
    assert [pupil.name.split()[-1] for pupil in sample] == [one.surname for one in school.on_roll()[:5]]
    expected = [sum(not link.applicant for link in school.links[pupil.id]) for pupil in school.on_roll()[:5]]
    assert [pupil.contacts for pupil in sample] == expected


@pytest.mark.parametrize(
    ("fault", "key", "state", "words"),
    [
        (Fault.HANG, "address", CheckState.UNANSWERED, "does not answer"),
        (Fault.WRONG_TYPE, "address", CheckState.UNANSWERED, "a web page"),
        (Fault.SERVER_ERROR, "address", CheckState.UNANSWERED, "something is wrong on its side (500)"),
        (Fault.TOO_MANY, "address", CheckState.UNANSWERED, "asks us to wait"),
        (Fault.EXPIRED_TOKEN, "credentials", CheckState.FAILED, "partner key"),
        (Fault.PENDING, "permissions", CheckState.WAITING, "yet"),
        (Fault.WITHDRAWN, "permissions", CheckState.WAITING, "taken away"),
        (Fault.WRONG_SCHOOL, "permissions", CheckState.FAILED, "another school: 8239999, not 8233001"),
    ],
)
def test_testing_the_link_stops_at_what_fails_and_says_what_to_do(
    server: SimulatorServer, fault: Fault, key: str, state: CheckState, words: str
) -> None:
    server.simulation.set_fault(fault)
    found = checks(server)
    last = list(found.values())[-1]
    assert (last.key, last.state) == (key, state)
    assert words in last.sentence
    assert PARTNER_KEY not in str(found)


def test_testing_the_link_names_the_fields_that_are_unticked(server: SimulatorServer) -> None:
    server.simulation.set_fault("unticked")
    found = checks(server)["fields"]
    assert found.sentence.startswith("Your school does not share: Email of a contact, UPN of a student.")
    assert found.lacking == {"contact.emails", "pupil.upn"}
