"""What every connector keeps to: its tests inherit `ConnectorContract`, or `pull.PullContract` if it fetches.

class TestMyMis(ConnectorContract):
    def connector(self): return MyMisConnector()
    def payload(self, school): return the_file_of(school)
"""

from __future__ import annotations

import gc
import logging
import re
import tracemalloc
from abc import abstractmethod
from random import Random
from typing import ClassVar

import pytest

from mis_connectors import registry
from mis_connectors.base import ChecksSettings, Connector, Delivery
from mis_connectors.errors import ConnectorError, SnapshotFormatError
from mis_connectors.records import ContactRecord, Kind, Severity, Snapshot, StaffRecord
from mis_connectors.simulators.school import School, generate, night
from mis_connectors.testing import schools
from mis_connectors.testing.schools import CANONICAL, RELATIONSHIP, ROLE, TITLE, incoming, opened, said, supplied

CUTS = 40
SPOILED = 60


class ConnectorContract:
    """Inherit, name the class `Test…`, and give the two methods below; the rest has answers that mostly fit."""

    filename: ClassVar[str] = "run.zip"
    """What the payload's file is called."""
    cuts_are_told: ClassVar[bool] = True
    """Whether a payload that is cut short can be told from a shorter one. That of a bare CSV cannot."""
    contacts_stand_apart: ClassVar[bool] = True
    """Whether a contact's detail changes no pupil's record. Where a row holds both, it does."""
    bytes_of_a_pupil: ClassVar[int] = 60_000
    """Memory that reading may take for each pupil, at most."""

    @abstractmethod
    def connector(self) -> Connector:
        """Return the connector, made anew."""

    @abstractmethod
    def payload(self, school: School) -> bytes:
        """Return what the MIS of this simulated school delivers on a night."""

    def withheld(self, school: School) -> bytes | None:
        """Return the payload of a school that withholds optional fields; None where nothing is optional."""
        return None

    def read(self, data: bytes, *, salt: bytes = b"contract", limit: int = 1 << 26) -> Snapshot:
        return self.connector().read(incoming(data, self.filename, salt=salt, limit=limit))

    # How it describes itself

    def test_it_is_installed_and_describes_itself_whole(self) -> None:
        info = self.connector().info
        assert registry.connector(info.slug).info == info, "one line in INSTALLED_APPS installs it"
        assert re.fullmatch(r"[a-z][a-z0-9_]{1,19}", info.slug)
        assert info.mis_name
        assert info.mis_name[0].isupper()
        assert info.version >= 1
        assert info.supplies <= CANONICAL, sorted(info.supplies - CANONICAL)
        assert info.optional <= info.supplies
        assert info.partly.keys() <= info.supplies
        assert all(sentence.endswith(".") for sentence in info.partly.values())
        assert {"pupil.surname", "contact.surname", "link.relationship"} <= info.supplies or info.partly
        names = [field.name for field in (*info.setting_fields, *info.platform_fields)]
        assert len(set(names)) == len(names)
        assert set(info.field_names) <= {"email", "mobile"}

    def test_its_set_up_steps_are_a_template_of_its_own(self) -> None:
        from django.template.loader import get_template

        info = self.connector().info
        if info.delivery is not Delivery.UPLOAD or info.setup_template:
            assert f"mis_{info.slug}/" in info.setup_template
            assert 'class="steps' in get_template(info.setup_template).template.source  # type: ignore[attr-defined]

    def test_settings_that_cannot_be_right_are_told_in_a_sentence_by_field(self) -> None:
        connector = self.connector()
        if not isinstance(connector, ChecksSettings):
            pytest.skip("it checks no settings")
        names = {field.name for field in connector.info.setting_fields}
        problems = connector.problems_of(dict.fromkeys(names, "\u202e; DROP"), dfe_number="8233001")
        assert problems.keys() <= names
        assert all(sentence.endswith((".", "?")) for sentence in problems.values())
        assert connector.problems_of({}, dfe_number="8233001").keys() <= names

    # What it reads

    def test_the_same_payload_says_the_same_whoever_reads_it(self) -> None:
        data = self.payload(schools.full())
        assert said(self.read(data)) == said(self.read(data))
        digests = {self.connector().content_digest(incoming(data, self.filename)) for _ in range(2)}
        assert len(digests) == 1
        assert len(digests.pop()) == 32

    def test_the_same_school_gives_the_same_payload(self) -> None:
        first, second = self.payload(schools.small()), self.payload(schools.small())
        digest = self.connector().content_digest
        assert digest(incoming(first, self.filename)) == digest(incoming(second, self.filename))

    def test_a_record_opens_twice_as_once(self) -> None:
        for record in self.read(self.payload(schools.small())).records:
            assert record.open() == record.open()

    def test_everybody_is_there_once_under_an_id_that_stays(self) -> None:
        school = schools.small()
        before = opened(self.read(self.payload(school)))
        assert all(0 < len(external_id) <= 100 for _, external_id in before)
        assert sum(kind is Kind.PUPIL for kind, _ in before) == len(school.pupils)
        night(school, 1)
        after = opened(self.read(self.payload(school)))
        assert len(before.keys() & after.keys()) > 0.9 * len(before)

    def test_links_lead_to_pupils_who_are_there(self) -> None:
        found = opened(self.read(self.payload(schools.full())))
        contacts = [one.record for one in found.values() if isinstance(one.record, ContactRecord)]
        assert contacts
        for contact in contacts:
            ids = [link.pupil_external_id for link in contact.links]
            assert len(set(ids)) == len(ids), "a contact is linked to a pupil twice"
            assert all((Kind.PUPIL, one) in found for one in ids)
        assert sum(bool(contact.links) for contact in contacts) > 0.9 * len(contacts)

    def test_a_change_changes_the_digests_of_those_it_is_about(self) -> None:
        school = schools.small()
        contact = school.reachable_parents()[0]
        number = contact.telephones[0].number
        before = {(one.kind, one.external_id): one for one in self.read(self.payload(school)).records}
        first = self.connector().content_digest(incoming(self.payload(school), self.filename))
        school.change_mobile(contact.id, "07700 900999")
        data = self.payload(school)
        after = {(one.kind, one.external_id): one for one in self.read(data).records}
        assert self.connector().content_digest(incoming(data, self.filename)) != first
        assert before.keys() == after.keys()
        changed = {key for key in after if after[key].digest != before[key].digest}
        assert changed
        linked = sum(link.contact_id == contact.id for link in school.all_links())
        assert sum(kind is Kind.CONTACT for kind, _ in changed) <= linked
        for key in changed:
            record = after[key].open().record
            if isinstance(record, ContactRecord):
                assert "07700 900999" in record.telephones
                assert number not in record.telephones
        if self.contacts_stand_apart:
            assert {kind for kind, _ in changed} == {Kind.CONTACT}

    def test_the_salt_is_in_every_digest(self) -> None:
        data = self.payload(schools.small())
        one, other = ({record.digest for record in self.read(data, salt=salt).records} for salt in (b"a", b"b" * 90))
        assert not one & other
        assert all(len(digest) == 16 for digest in one)

    # The capability table

    def test_every_field_it_supplies_is_supplied_and_no_other(self) -> None:
        snapshot, info = self.read(self.payload(schools.full())), self.connector().info
        found = supplied(snapshot)
        assert not info.supplies - found, f"named and never given: {sorted(info.supplies - found)}"
        assert not found - info.supplies, f"given and not named: {sorted(found - info.supplies)}"
        assert snapshot.lacking == frozenset()

    def test_a_field_that_is_withheld_is_lacking_and_never_empty_for_being_so(self) -> None:
        info, school = self.connector().info, schools.full()
        data = self.withheld(school)
        if data is None:
            assert not info.optional, "`withheld` must show what a school can withhold"
            return
        snapshot = self.read(data)
        assert snapshot.lacking
        assert snapshot.lacking <= info.optional
        found = supplied(snapshot)
        assert not snapshot.lacking & found
        assert info.supplies - snapshot.lacking <= found

    def test_it_says_of_whom_it_is_and_what_is_complete(self) -> None:
        snapshot = self.read(self.payload(schools.full()))
        assert snapshot.dfe_numbers <= {"8233001"}
        kinds = {record.kind for record in snapshot.records}
        assert Kind.PUPIL in kinds
        assert snapshot.complete <= kinds
        assert not snapshot.orphans

    # What is wrong

    def test_codes_nobody_knows_are_kept_as_they_are(self) -> None:
        usual = opened(self.read(self.payload(schools.small())))
        found, supplies = opened(self.read(self.payload(schools.strange()))), self.connector().info.supplies
        assert found.keys() == usual.keys()
        for one in found.values():
            assert one.record is not None
            assert all(problem.severity is not Severity.ROW for problem in one.problems)
            if isinstance(one.record, ContactRecord):
                assert "contact.title" not in supplies or one.record.title == TITLE
                for link in one.record.links:
                    assert "link.relationship" not in supplies or link.relationship == RELATIONSHIP
            if isinstance(one.record, StaffRecord):
                assert "staff.role" not in supplies or one.record.role == ROLE

    def test_every_text_can_be_stored(self) -> None:
        for one in opened(self.read(self.payload(schools.strange()))).values():
            assert one.record is not None
            for text in schools.texts(one.record):
                assert text.encode()
                assert text == text.strip()

    def test_cut_anywhere_it_is_refused_in_a_sentence(self, caplog: pytest.LogCaptureFixture) -> None:
        caplog.set_level(logging.DEBUG)
        school = schools.small()
        data = self.payload(school)
        lengths = {0, 1, len(data) - 1, *(len(data) * part // CUTS for part in range(CUTS))}
        for length in sorted(lengths):
            refused = self._refused(data[:length], school)
            assert refused or not self.cuts_are_told, f"cut to {length} of {len(data)} bytes and read all the same"
        self._nothing_private([record.getMessage() for record in caplog.records], school)

    def test_whatever_the_bytes_only_its_own_errors_are_raised(self) -> None:
        school = schools.small()
        data, rng = self.payload(school), Random(11)  # noqa: S311 - no secret
        for _ in range(SPOILED):
            place = rng.randrange(len(data))
            hurt = data[:place] + rng.randbytes(rng.choice((1, 1, 4, 40))) + data[place + rng.choice((0, 1, 40)) :]
            self._refused(hurt, school)
        for other in (b"", b"PK\x03\x04", b"{}", b"\x00" * 1000, b"<html></html>", rng.randbytes(3000)):
            self._refused(other, school)

    def _refused(self, data: bytes, school: School) -> bool:
        """Return whether it is refused, and the sentence is fit for an office; opening what is read never raises."""
        refused = False
        try:
            self.connector().content_digest(incoming(data, self.filename))
        except SnapshotFormatError as error:
            self._fit(error, school)
            refused = True
        try:
            opened(self.read(data))
        except SnapshotFormatError as error:
            self._fit(error, school)
            refused = True
        return refused

    def _fit(self, error: ConnectorError, school: School) -> None:
        assert re.fullmatch(r"[^\s].{10,}[.?!]", error.message, re.DOTALL), error.message
        self._nothing_private([error.message, error.detail, repr(error)], school)

    @staticmethod
    def _nothing_private(told: list[str], school: School) -> None:
        everything = "\n".join(told)
        for text in schools.private(school):
            assert text not in everything

    def test_unpacked_it_may_not_pass_the_limit(self) -> None:
        data = self.payload(schools.small())
        with pytest.raises(SnapshotFormatError):
            self.read(data, limit=2000)

    # Memory

    def test_memory_grows_with_the_school_and_no_faster(self) -> None:
        peaks = [self._peak(self.payload(generate(seed=3, size=size))) for size in (30, 120)]
        assert peaks[1] < 4 * peaks[0] + 500_000, peaks
        assert peaks[1] < 120 * self.bytes_of_a_pupil + 2_500_000, peaks

    def _peak(self, data: bytes) -> int:
        """Return the memory that reading takes, with every record opened and let go again."""
        gc.collect()
        with tracing():
            snapshot = self.read(data)
            for record in snapshot.records:
                record.open()
            return tracemalloc.get_traced_memory()[1]


class tracing:
    """Counts what Python takes while it lasts."""

    def __enter__(self) -> None:
        tracemalloc.start()

    def __exit__(self, *error: object) -> None:
        tracemalloc.stop()
