"""Progresso: what it says is read as it is meant, and its lists are whole or refused."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from mis_connectors.archive import ArchiveSink, parts
from mis_connectors.base import Access, CheckState
from mis_connectors.errors import ConnectorAuthError, ConnectorConfigError, ConnectorUnavailable, SnapshotFormatError
from mis_connectors.progresso import people
from mis_connectors.progresso.connector import ProgressoConnector
from mis_connectors.records import ContactRecord, IncomingPayload, Kind, PupilRecord, Snapshot, StaffRecord
from mis_connectors.simulators.progresso_api import PASSWORD, ProgressoApi
from mis_connectors.simulators.server import Fault, Request, Simulation, SimulatorServer
from mis_connectors.testing.serving import quick

NUMBER = "8233001"
CONNECTOR = ProgressoConnector()
STUDENT = {
    "StudentId": 8812, "UPN": "Q823300115001", "LegalSurname": "Okafor-Hale", "Surname": "Okafor", "Forename": "Millie",
    "LegalForename": "Amelia", "DateOfBirth": "2015-03-09", "YearGroup": "Year 6", "TutorGroup": "6HB",
}  # fmt: skip


@pytest.fixture
def server() -> Iterator[SimulatorServer]:
    with SimulatorServer(ProgressoApi(Simulation([{"dfe_number": NUMBER, "seed": 4, "size": 30}]))) as running:
        yield running


def access(server: SimulatorServer, **changed: Any) -> Access:
    platform = server.api.platform(server.address)
    given: dict[str, Any] = {
        "dfe_number": NUMBER,
        "http": quick(),
        "settings": {"username": f"SG{NUMBER}"},
        "secrets": {"password": PASSWORD},
        "platform": platform,
    }
    return Access(**{**given, **changed})


def payload(files: Mapping[str, Any]) -> IncomingPayload:
    out = io.BytesIO()
    with ArchiveSink(out, limit=1 << 24) as sink:
        for name, value in files.items():
            sink.write(name, json.dumps(value).encode())
    return IncomingPayload(
        filename="run.zip", open=lambda: io.BytesIO(out.getvalue()), unpacked_limit=1 << 24, salt=b"x"
    )


def collected(server: SimulatorServer, **changed: Any) -> IncomingPayload:
    out = io.BytesIO()
    with ArchiveSink(out, limit=1 << 24) as sink:
        CONNECTOR.collect(access(server, **changed), sink)
    return IncomingPayload(
        filename="run.zip", open=lambda: io.BytesIO(out.getvalue()), unpacked_limit=1 << 24, salt=b"x"
    )


def page(key: str, *rows: Mapping[str, Any], number: int = 1, pages: int = 1) -> dict[str, Any]:
    return {"Page": number, "PageSize": 200, "TotalPages": pages, key: list(rows)}


def said(**lists: dict[str, Any]) -> dict[str, Any]:
    """Everything of a small school; `students={"1": page(…)}` puts other pages in place."""
    whole: dict[str, Any] = {"school.json": {"LA": 823, "Estab": "3001"}}
    empty = {
        "students": page("Students"), "contacts": page("Contacts"), "studentcontacts": page("StudentContacts"),
        "staff": page("Staff"),
    }  # fmt: skip
    for name, one in empty.items():
        for part, value in lists.get(name, {"1/0001": one}).items():
            turn, _, number = part.partition("/")
            whole[f"{turn}/{name}/{number}.json"] = value
    return whole


def read(**lists: dict[str, Any]) -> Snapshot:
    return CONNECTOR.read(payload(said(**lists)))


# Setting up


def test_a_username_of_ours_for_this_school_is_right() -> None:
    values = {"username": f" SG{NUMBER} ", "password": "x"}
    assert CONNECTOR.problems_of(values, dfe_number=NUMBER) == {}


@pytest.mark.parametrize(
    ("username", "says"),
    [
        ("PP9251236", "school with DfE number 9251236, and yours is 8233001"),
        ("8233001", "for your school it ends in 8233001"),
        ("SG823/3001", "for your school it ends in 8233001"),
        ("office@school.example.org", "for your school it ends in 8233001"),
        ("SG٨٢٣٣٠٠١", "for your school it ends in 8233001"),
    ],
)
def test_a_username_that_cannot_be_right_is_told_with_what_was_expected(username: str, says: str) -> None:
    problems = CONNECTOR.problems_of({"username": username, "password": "x"}, dfe_number=NUMBER)
    assert says in problems["username"]


def test_a_password_copied_with_a_space_is_told_without_repeating_it() -> None:
    problems = CONNECTOR.problems_of({"username": f"SG{NUMBER}", "password": "hush "}, dfe_number=NUMBER)
    assert "space" in problems["password"]
    assert "hush" not in problems["password"]


def test_what_is_not_given_yet_is_named(server: SimulatorServer) -> None:
    with pytest.raises(ConnectorConfigError, match="have not been typed in"):
        collected(server, secrets={})
    with pytest.raises(ConnectorConfigError, match="address of Progresso"):
        collected(server, platform={})
    (check,) = CONNECTOR.test(access(server, settings={}))
    assert (check.key, check.state) == ("address", CheckState.FAILED)


def test_another_companys_username_is_recognised_by_its_letters(server: SimulatorServer) -> None:
    *_, last = CONNECTOR.test(access(server, settings={"username": f"PP{NUMBER}"}))
    assert (last.key, last.state) == ("credentials", CheckState.FAILED)
    assert last.advice == "A username made for Schoolgate begins with SG. This one is another company’s."


def test_credentials_that_are_withdrawn_say_where_to_look(server: SimulatorServer) -> None:
    server.simulation.set_fault(Fault.WITHDRAWN)
    with pytest.raises(ConnectorAuthError, match="System > Web API V2 > Manage Companies Access"):
        collected(server)


def test_another_schools_answers_stop_the_test(server: SimulatorServer) -> None:
    server.simulation.set_fault(Fault.WRONG_SCHOOL)
    *_, last = CONNECTOR.test(access(server))
    assert (last.key, last.state) == ("permissions", CheckState.FAILED)
    assert last.sentence == "Progresso answers about another school: 8239999, not 8233001."


# Fetching


def test_all_pages_are_fetched_and_kept_as_they_came() -> None:
    with SimulatorServer(ProgressoApi(Simulation([{"dfe_number": NUMBER, "seed": 4, "size": 450}]))) as server:
        came = collected(server)
        names = [name for name, _ in parts(came)]
        assert names[0] == "school.json"
        assert [name for name in names if "/students/" in name] == [f"1/students/000{n}.json" for n in (1, 2, 3)]
        school = server.simulation.schools[NUMBER].school
    pupils = [one for one in CONNECTOR.read(came).records if one.kind is Kind.PUPIL]
    assert len(pupils) == sum(not pupil.pre_admission for pupil in school.pupils.values())


def test_lists_that_move_while_they_are_fetched_are_fetched_again() -> None:
    with SimulatorServer(ProgressoApi(Simulation([{"dfe_number": NUMBER, "seed": 4, "size": 230}]))) as server:
        server.simulation.set_fault(Fault.ADDED_BETWEEN_PAGES)
        came = collected(server)
        assert {name[0] for name, _ in parts(came)} == {"s", "1", "2"}
        pupils = {one.external_id for one in CONNECTOR.read(came).records if one.kind is Kind.PUPIL}
        school = server.simulation.schools[NUMBER].school
        assert pupils == {str(pupil.id) for pupil in school.pupils.values() if not pupil.pre_admission}
        server.simulation.set_fault(Fault.DUPLICATE_PAGE)
        with pytest.raises(ConnectorUnavailable, match="changed 3 times"):
            collected(server)


def test_a_link_to_nobody_that_stays_is_no_reason_to_wait_and_is_noted(server: SimulatorServer) -> None:
    real = server.api.handle

    def handle(request: Request) -> Any:
        response = real(request)
        if request.path.endswith("/studentcontacts"):
            whole = json.loads(response.body)
            whole["StudentContacts"].append({"StudentId": 1, "ContactId": 2})
            return type(response)(status=200, headers=response.headers, body=json.dumps(whole).encode())
        return response

    server.api.handle = handle  # type: ignore[method-assign]
    came = collected(server)
    assert {name[0] for name, _ in parts(came)} == {"s", "1", "2"}
    assert CONNECTOR.read(came).notes == ("Progresso links 1 pupils or contacts that are not in its lists.",)


# Reading


def test_a_pupil_goes_by_the_preferred_names_and_keeps_the_legal_ones() -> None:
    (record,) = read(students={"1/0001": page("Students", STUDENT)}).records
    pupil = record.open().record
    assert isinstance(pupil, PupilRecord)
    assert (pupil.forename, pupil.surname) == ("Millie", "Okafor")
    assert (pupil.legal_forename, pupil.legal_surname) == ("Amelia", "Okafor-Hale")
    assert (pupil.year_group, pupil.registration_group) == ("6", "6HB")
    assert record.external_id == "8812"


def test_a_flag_that_is_not_there_is_neither_yes_nor_no() -> None:
    students = [{**STUDENT, "StudentId": number} for number in (1, 2, 3, 4)]
    flags: list[dict[str, Any]] = [
        {"ParentalResponsibility": True}, {"ParentalResponsibility": False}, {"ParentalResponsibility": None}, {},
    ]  # fmt: skip
    links = [{"StudentId": n, "ContactId": 7, **flag} for n, flag in enumerate(flags, 1)]
    snapshot = read(
        students={"1/0001": page("Students", *students)},
        contacts={"1/0001": page("Contacts", {"ContactId": 7, "Surname": "Okafor"})},
        studentcontacts={"1/0001": page("StudentContacts", *links)},
    )
    contact = next(one for one in snapshot.records if one.kind is Kind.CONTACT).open().record
    assert isinstance(contact, ContactRecord)
    assert [link.parental_responsibility for link in contact.links] == [True, False, None, None]
    assert all(link.priority is None and link.court_order is None for link in contact.links)


def test_brothers_and_sisters_share_one_contact(server: SimulatorServer) -> None:
    snapshot = CONNECTOR.read(collected(server))
    contacts = [one.open().record for one in snapshot.records if one.kind is Kind.CONTACT]
    assert any(isinstance(one, ContactRecord) and len(one.links) > 1 for one in contacts)


def test_the_order_of_telephones_and_emails_is_by_type_and_then_main() -> None:
    row = {
        "Surname": "Okafor",
        "Telephones": [
            {"Number": "01632 960001", "Type": "Work", "IsMain": True},
            {"Number": "01632 960002", "Type": "Home"},
            {"Number": "07700 900001", "Type": "Mobile", "IsMain": None},
            {"Number": "07700 900002", "Type": "Mobile", "IsMain": True},
            {"Number": "07700 900002", "Type": "Pager"},
            {"Number": "01632 960003", "Type": "Fax"},
        ],
        "Emails": [
            {"Address": "work@example.org", "Type": "Work", "IsMain": True},
            {"Address": "home@example.org", "Type": "home"},
        ],
    }  # fmt: skip
    contact = people.open_contact(row, []).record
    assert isinstance(contact, ContactRecord)
    assert contact.telephones == ("07700 900002", "07700 900001", "01632 960002", "01632 960001", "01632 960003")
    assert contact.emails == ("home@example.org", "work@example.org")
    member = people.open_staff(row).record
    assert isinstance(member, StaffRecord)
    assert member.emails == ("work@example.org", "home@example.org")


def test_what_cannot_be_read_is_left_out_and_named_where_to_correct_it() -> None:
    opened = people.open_pupil({**STUDENT, "DateOfBirth": "9 March", "UPN": ["x"]})
    assert opened.record is not None
    assert [problem.message for problem in opened.problems] == [
        "UPN: is not text, so it was left out.",
        "DateOfBirth: “9 March” is not a date, so it was left out.",
    ]
    assert opened.problems[0].advice.startswith("In Progresso, open this pupil’s record")


def test_somebody_without_an_id_is_named_and_left_out() -> None:
    snapshot = read(
        students={"1/0001": page("Students", STUDENT, {"Surname": "Nobody"}, {"StudentId": True, "Surname": ["x"]})}
    )
    assert len(snapshot.records) == 1
    assert [problem.message for _, problem in snapshot.orphans] == [
        "Progresso gives a pupil (surname Nobody) without StudentId, so nobody can tell who it is.",
        "Progresso gives a pupil without StudentId, so nobody can tell who it is.",
    ]


@pytest.mark.parametrize(
    "lists",
    [
        {"students": {}},
        {"students": {"1/0001": page("Students", STUDENT, pages=2)}},
        {"students": {"1/0001": page("Pupils", STUDENT)}},
        {"students": {"1/0001": {"Students": [STUDENT]}}},
        {"students": {"2/0001": page("Students", STUDENT)}},
        {"staff": {"1/0001": [1]}},
        {"staff": {"1/0001": page("Staff", *["x"])}},  # type: ignore[arg-type]
    ],
)
def test_a_list_that_is_not_whole_is_refused(lists: dict[str, Any]) -> None:
    with pytest.raises(SnapshotFormatError, match="cannot be read"):
        read(**lists)


def test_the_school_is_known_by_its_numbers_however_they_are_written() -> None:
    assert read().dfe_numbers == {NUMBER}
    files = said()
    for odd in ({}, {"LA": 823}, {"LA": None, "Estab": "3001"}, {"LA": ["823"], "Estab": "3001"}):
        with pytest.raises(SnapshotFormatError):
            CONNECTOR.read(payload({**files, "school.json": odd}))


def test_the_newest_turn_is_read() -> None:
    lists = {
        name: {f"{turn}/0001": page(key) for turn in (1, 2)}
        for name, key in (("contacts", "Contacts"), ("studentcontacts", "StudentContacts"), ("staff", "Staff"))
    }
    pupils = {"1/0001": page("Students", STUDENT), "2/0001": page("Students", {**STUDENT, "Surname": "New"})}
    (record,) = read(students=pupils, **lists).records
    pupil = record.open().record
    assert isinstance(pupil, PupilRecord)
    assert pupil.surname == "New"
