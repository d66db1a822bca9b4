"""What the simulator writes is SIMS's manner, and our own reader understands all of it."""

from __future__ import annotations

import datetime as dt
import io
import os
import subprocess
import sys
import time
from contextlib import redirect_stdout
from pathlib import Path
from unittest import mock

import pytest

from mis_connectors.errors import SnapshotFormatError
from mis_connectors.records import ContactRecord, Kind, PupilRecord, StaffRecord
from mis_connectors.sims import columns, parse
from mis_connectors.simulators import command_reporter, sims_xml
from mis_connectors.simulators.school import School, generate
from tests.factories.sims import by_key, payload, read

BEGAN = dt.datetime(2026, 11, 23, 2, 0, tzinfo=dt.UTC)
STATE = '{"seed": 4, "size": 40, "night": 2, "users": {"agent": "secret"}}'


@pytest.fixture(scope="module")
def made() -> School:
    return generate(seed=4, size=160)


def test_the_reader_finds_everybody_and_understands_everything(made: School) -> None:
    snapshot = read(sims_xml.bundle(made, "r-1", BEGAN))
    found = by_key(snapshot)
    assert {int(key) for kind, key in found if kind is Kind.PUPIL} == set(made.pupils)
    assert {int(key) for kind, key in found if kind is Kind.CONTACT} == set(made.contacts)
    assert {int(key) for kind, key in found if kind is Kind.STAFF} == set(made.staff)
    assert (snapshot.complete, snapshot.dfe_numbers) == (frozenset(Kind), {"8233001"})
    assert (snapshot.notes, snapshot.orphans) == ((), ())
    assert [problem for record in snapshot.records for problem in record.open().problems] == []


def test_values_come_back_as_they_were(made: School) -> None:
    found = by_key(read(sims_xml.bundle(made, "r-1", BEGAN)))
    for pupil in made.pupils.values():
        record = found[Kind.PUPIL, str(pupil.id)].open().record
        assert isinstance(record, PupilRecord)
        assert record.forename == (pupil.chosen_name or pupil.forename)
        assert (record.surname, record.upn, record.admission_number) == (pupil.surname, pupil.upn, pupil.adno)
        assert (record.date_of_birth, record.leaving_date) == (pupil.dob, pupil.leaving_date)
        assert (record.registration_group, record.pre_admission) == (pupil.reg, pupil.pre_admission)
    for contact in made.contacts.values():
        record = found[Kind.CONTACT, str(contact.id)].open().record
        assert isinstance(record, ContactRecord)
        assert (record.title, record.forename, record.surname) == (contact.title, contact.forename, contact.surname)
        assert set(record.telephones) == {telephone.number for telephone in contact.telephones}
        assert set(record.emails) == {email.address for email in contact.emails}
        links = [link for link in made.all_links() if link.contact_id == contact.id]
        assert [link.parental_responsibility for link in record.links] == [link.responsibility for link in links]
        assert [link.applicant_only for link in record.links] == [link.applicant for link in links]
    for member in made.staff.values():
        record = found[Kind.STAFF, str(member.id)].open().record
        assert isinstance(record, StaffRecord)
        assert record.tutor_of == member.reg
        assert record.emails == tuple(email.address for email in member.emails)


def test_one_report_with_everything_says_the_same(made: School) -> None:
    out = io.BytesIO()
    sims_xml.write_everything(made, out)
    one = by_key(read(out.getvalue()))
    three = by_key(read(sims_xml.bundle(made, "r-1", BEGAN)))
    assert one.keys() == {key for key in three if key[0] is not Kind.STAFF}
    assert all(one[key].open() == three[key].open() for key in one)


def test_it_is_written_in_the_manner_of_sims(made: School) -> None:
    pupils, contacts = sims_xml.reports(made)["pupils.xml"], sims_xml.reports(made)["contacts.xml"]
    assert pupils.startswith(b'<?xml version="1.0" encoding="iso-8859-1" standalone="yes"?>')
    for wart in (b"<xs:schema", b"Year  6", b"Legal_x0020_Surname", b"<House />", b"<Adno>00", b"T00:00:00", b"\xeb"):
        assert wart in pupils, wart
    assert b"\x92" in pupils + contacts
    assert contacts.count(b"<Record>") > len(list(made.all_links()))
    assert b"Parental_x0020_Responsibility" in contacts


def test_captions_are_those_that_are_read() -> None:
    written = {*sims_xml.PUPIL_COLUMNS, *sims_xml.CONTACT_COLUMNS, *sims_xml.STAFF_COLUMNS}
    assert {columns.caption(tag) for tag in written} == columns.KNOWN - {"id"}


def test_a_bundle_is_the_same_every_time(made: School) -> None:
    assert sims_xml.bundle(made, "r-1", BEGAN) == sims_xml.bundle(made, "r-1", BEGAN)
    facts = parse.run_facts(payload(sims_xml.bundle(made, "r-1", BEGAN)))
    assert facts is not None
    assert (facts.run_id, facts.started_at, len(facts.files)) == ("r-1", BEGAN, 3)


def asked(folder: Path, arguments: tuple[str, ...], fault: str) -> tuple[tuple[str, ...], dict[str, str], Path]:
    """Return what the stand-in is given: arguments, environment, and the file they name."""
    state, output = folder / "state.json", folder / "out.xml"
    state.write_text(STATE, encoding="utf-8")
    environment = {
        "PATH": os.environ["PATH"],
        "STANDIN_SIMS_STATE": str(state),
        "STANDIN_SIMS_FAULT": fault,
        "STANDIN_SIMS_SECONDS": "0.5",
    }
    return arguments or ("/TRUSTED", '/REPORT:"Schoolgate Pupils"', f"/OUTPUT:{output}", "/QUIET"), environment, output


def started(folder: Path, *arguments: str, fault: str = "", seconds: float = 20) -> tuple[str, Path]:
    """Run the stand-in as the agent does: a program of its own."""
    given, environment, output = asked(folder, arguments, fault)
    done = subprocess.run(
        [sys.executable, command_reporter.__file__, *given],
        capture_output=True, env=environment, cwd=folder, timeout=seconds, check=True,
    )  # fmt: skip
    return done.stdout.decode("windows-1252"), output


def run(folder: Path, *arguments: str, fault: str = "") -> tuple[str, Path]:
    """Run what is in the program, in this process."""
    given, environment, output = asked(folder, arguments, fault)
    said = io.BytesIO()
    with mock.patch.dict(os.environ, environment, clear=True), redirect_stdout(io.TextIOWrapper(said)):
        assert command_reporter.main(list(given)) == 0
        sys.stdout.flush()
        return said.getvalue().decode("windows-1252"), output


def test_the_stand_in_runs_a_report_by_name(tmp_path: Path) -> None:
    said, output = started(tmp_path)
    assert said == ""
    assert len(read(output.read_bytes()).records) > 40


def test_the_stand_in_writes_to_standard_output_where_no_file_is_named(tmp_path: Path) -> None:
    said, _ = started(tmp_path, "/user:agent", "/password:secret", "/report:Schoolgate Staff", "/quiet")
    assert read(said.encode("windows-1252")).complete == {Kind.STAFF}
    said, _ = run(tmp_path, "/TRUSTED", "/REPORT:Schoolgate Staff")
    assert said.startswith("SIMS .net")


@pytest.mark.parametrize(
    "arguments",
    [("/USER:agent", "/PASSWORD:wrong", "/REPORT:Schoolgate Pupils", "/QUIET"), ("/REPORT:Schoolgate Pupils", "/QUIET"),
     ("/TRUSTED", "/REPORT:Schoolgate Peoples", "/QUIET")],
)  # fmt: skip
def test_the_stand_in_refuses_in_sims_own_way(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    said, output = run(tmp_path, *arguments)
    assert said.startswith("<CommandReporterError>")
    assert not output.exists()


@pytest.mark.parametrize("fault", ["error", "login_refused"])
def test_faults_that_are_said_on_standard_output(tmp_path: Path, fault: str) -> None:
    said, output = run(tmp_path, fault=fault)
    assert said.startswith("<CommandReporterError>")
    assert not output.exists()


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [("error_file", "error instead of"), ("empty", "is empty"), ("truncated", "cut short"),
     ("no_identities", "Third Party Reporter")],
)  # fmt: skip
def test_faults_that_the_reader_refuses(tmp_path: Path, fault: str, sentence: str) -> None:
    _, output = run(tmp_path, fault=fault)
    with pytest.raises(SnapshotFormatError, match=sentence):
        read(output.read_bytes())


def test_faults_that_only_a_guard_can_see(tmp_path: Path) -> None:
    whole = read(run(tmp_path)[1].read_bytes())
    half = read(run(tmp_path, fault="half")[1].read_bytes())
    nobody = read(run(tmp_path, fault="nobody")[1].read_bytes())
    wrong = read(run(tmp_path, fault="wrong_school")[1].read_bytes())
    assert len(half.records) == len(whole.records) // 2
    assert (nobody.records, nobody.complete) == ([], {Kind.PUPIL})
    assert wrong.dfe_numbers == {"8889999"}


def test_an_old_file_is_left_and_a_missing_one_stays_missing(tmp_path: Path) -> None:
    assert not run(tmp_path, fault="missing")[1].exists()
    (tmp_path / "out.xml").write_bytes(b"old")
    assert run(tmp_path, fault="stale")[1].read_bytes() == b"old"


def test_a_fault_may_be_of_one_report_only(tmp_path: Path) -> None:
    assert run(tmp_path, fault="missing:Schoolgate Staff")[1].exists()


def test_a_slow_file_grows_after_the_program_has_ended(tmp_path: Path) -> None:
    _, output = started(tmp_path, fault="slow")
    first = output.stat().st_size
    until = time.monotonic() + 20
    while time.monotonic() < until and not output.read_bytes().rstrip().endswith(b"</SuperStarReport>"):
        time.sleep(0.05)
    assert output.stat().st_size > first * 5
    assert read(output.read_bytes()).records


def test_a_hung_program_says_nothing(tmp_path: Path) -> None:
    with pytest.raises(subprocess.TimeoutExpired):
        started(tmp_path, fault="hang", seconds=1)
