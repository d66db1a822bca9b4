"""What a connector that fetches keeps to besides: against its simulator, over real sockets, with each fault in turn.

class TestMyMis(PullContract):
    api_class = MyMisApi
    def connector(self): return MyMisConnector()
"""

from __future__ import annotations

import gc
import io
import json
import logging
import re
import tempfile
import time
import tracemalloc
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from enum import Enum
from random import Random
from typing import Any, ClassVar

import pytest

from mis_connectors.archive import ArchiveSink, parts
from mis_connectors.base import Access, Check, CheckState, PullConnector
from mis_connectors.errors import (
    ConnectorAuthError,
    ConnectorError,
    ConnectorPlatformError,
    ConnectorUnavailable,
    SnapshotFormatError,
)
from mis_connectors.http import Http, Outgoing
from mis_connectors.records import Kind
from mis_connectors.simulators.hosting import Hosted, Simulation
from mis_connectors.simulators.school import School, generate
from mis_connectors.simulators.server import Api, Fault, SimulatorServer
from mis_connectors.testing import schools
from mis_connectors.testing.contract import ConnectorContract, tracing
from mis_connectors.testing.schools import incoming, opened
from mis_connectors.testing.serving import Recorded, Recorder, Replayed, paths, put, quick

KEYS = ["address", "credentials", "permissions", "fields", "sample"]
LIMIT = 1 << 26
WRONG = "planted-and-wrong-credential"
ODD: tuple[Any, ...] = ("", 0, -1, 1.5, True, [], {}, ["x"], {"a": 1}, "x" * 5000, "\u0000\ud800", 10**40, " ")
"""What a field may hold all of a sudden."""

USUAL: Mapping[Fault, type[ConnectorError] | None] = {
    Fault.SERVER_ERROR: ConnectorUnavailable,
    Fault.HANG: ConnectorUnavailable,
    Fault.TRUNCATED: ConnectorUnavailable,
    Fault.TOO_MANY: ConnectorUnavailable,
    Fault.WRONG_TYPE: SnapshotFormatError,
    Fault.GARBAGE: SnapshotFormatError,
    Fault.PENDING: ConnectorAuthError,
    Fault.WITHDRAWN: ConnectorAuthError,
    Fault.EXPIRED_TOKEN: ConnectorAuthError,
    Fault.SLOW: None,
    Fault.HALF: None,
    Fault.UNTICKED: None,
}
"""What `collect` raises under each fault; None: it gets by."""


class Wrong(Enum):
    """Whose credentials are wrong: `ConnectorInfo` declares which are the operator's."""

    NOTHING = "nothing"
    OF_THE_SCHOOL = "of the school"
    """What a link holds, or the school typed in."""
    OF_THE_PLATFORM = "of the platform"
    """The secret ones of `platform_fields`."""
    BOTH = "both"


class PullContract(ConnectorContract):
    """Inherit, name the class `Test…`, and give `api_class` and `connector`; see below what else may differ."""

    api_class: ClassVar[type[Api]]
    """Its simulator. What an operator and a school set comes from its `platform` and `settings`."""
    expected: ClassVar[Mapping[Fault, type[ConnectorError] | None]] = {}
    """What `collect` raises under a fault where it is not what `USUAL` says."""
    platform_is_used_under: ClassVar[Fault | None] = None
    """The fault under which collecting needs what the operator set, where it otherwise does without."""
    several_pages: ClassVar[int] = 260
    """Pupils who come on two pages at least."""
    collected_bytes_of_a_pupil: ClassVar[int] = 4_000
    """Memory that fetching may take for each pupil more, at most: it keeps ids, and no records."""

    def connector(self) -> PullConnector:
        """Return the connector, made anew."""
        raise NotImplementedError

    def secrets(self, server: SimulatorServer, dfe_number: str) -> dict[str, str]:
        """Return what a link holds beside what the school types in; for an MIS that asks for consent, its tokens."""
        return {}

    # How it is reached

    def payload(self, school: School) -> bytes:
        with self.serving(school) as server:
            return self.collected(self.access(server, school.dfe_number))

    def withheld(self, school: School) -> bytes | None:
        if not self.connector().info.optional:
            return None
        with self.serving(school, Fault.UNTICKED) as server:
            return self.collected(self.access(server, school.dfe_number))

    @contextmanager
    def serving(
        self, school: School, fault: Fault | None = None, *, seconds: float = 1.0, times: int | None = None
    ) -> Iterator[Recorded]:
        """Run the simulator with this one school in it."""
        simulation = Simulation()
        simulation.schools[school.dfe_number] = hosted = Hosted(school)
        with Recorded(self.api_class(simulation)) as server:
            server.patience = 0.05 if fault is Fault.HANG else 10
            server.ready = lambda: hosted.set(fault, seconds=seconds, times=times)
            yield server

    def access(
        self,
        server: Recorded,
        dfe_number: str,
        *,
        http: Http | None = None,
        wrong: Wrong = Wrong.NOTHING,
        **changed: Any,
    ) -> Access:
        """Return the access of a link that was set up as it should be; the fault begins after that."""
        info = self.connector().info
        secret = {field.name for field in (*info.setting_fields, *info.platform_fields) if field.secret}
        typed, platform = server.api.settings(dfe_number), server.api.platform(server.address)
        kept = {name: value for name, value in typed.items() if name in secret} | self.secrets(server, dfe_number)
        if wrong in (Wrong.OF_THE_SCHOOL, Wrong.BOTH):
            kept = dict.fromkeys(kept, WRONG)
        if wrong in (Wrong.OF_THE_PLATFORM, Wrong.BOTH):
            platform = {name: WRONG if name in secret else value for name, value in platform.items()}
        server.ready()
        return Access(
            dfe_number=dfe_number,
            http=http or quick(server.patience),
            settings={name: value for name, value in typed.items() if name not in secret},
            secrets=kept,
            platform=platform,
            save_secrets=server.saved.update,
            **changed,
        )

    def collected(self, access: Access) -> bytes:
        """Return the payload that collecting gives; it can be read even where collecting broke off."""
        out = io.BytesIO()
        try:
            with access.http, ArchiveSink(out, limit=LIMIT) as sink:
                self.connector().collect(access, sink)
        finally:
            assert list(parts(incoming(out.getvalue(), "run.zip"))) is not None
        return out.getvalue()

    def under(self, fault: Fault, school: School | None = None, **given: Any) -> bytes | ConnectorError:
        """Return the payload that is collected under a fault, or what is raised."""
        school = school or schools.small()
        with self.serving(school, fault, **given) as server:
            try:
                return self.collected(self.access(server, school.dfe_number))
            except ConnectorError as error:
                self._fit(error, school)
                return error

    # Collecting

    def test_the_same_answers_are_the_same_bytes(self) -> None:
        school = schools.small()
        with self.serving(school) as server:
            first, second = (self.collected(self.access(server, school.dfe_number)) for _ in range(2))
        assert first == second
        assert self.payload(schools.small()) == first

    def test_what_was_collected_is_about_this_school(self) -> None:
        assert self.read(self.payload(schools.small())).dfe_numbers == {"8233001"}

    @pytest.mark.parametrize("fault", [Fault.SERVER_ERROR, Fault.TRUNCATED, Fault.TOO_MANY])
    def test_what_goes_wrong_once_is_tried_again_and_leaves_no_trace(self, fault: Fault) -> None:
        school = schools.small()
        with self.serving(school, fault, seconds=0, times=1) as server:
            assert self.collected(self.access(server, school.dfe_number)) == self.payload(schools.small())

    @pytest.mark.parametrize("fault", sorted(USUAL))
    def test_each_fault_is_what_it_is(self, fault: Fault) -> None:
        began = time.monotonic()
        came = self.under(fault, seconds=120 if fault is Fault.TOO_MANY else 0.02)
        assert time.monotonic() - began < 12
        expected = {**USUAL, **self.expected}[fault]
        if expected is None:
            assert isinstance(came, bytes), came
            assert self.read(came).records
        elif isinstance(came, bytes) and expected is SnapshotFormatError:
            with pytest.raises(SnapshotFormatError):
                self.read(came)
        else:
            assert isinstance(came, expected), repr(came)
        if fault is Fault.TOO_MANY:
            assert isinstance(came, ConnectorUnavailable)
            assert came.retry_after == 120

    def test_wrong_credentials_are_refused_in_a_sentence(self) -> None:
        """What lets this one school in: a key, a password, tokens."""
        self._denied(Wrong.OF_THE_SCHOOL, ConnectorAuthError)

    def test_a_refusal_of_what_the_operator_set_is_the_operators(self) -> None:
        """A school that was let in yesterday has not lost anything, and cannot put it right by connecting again."""
        error = self._denied(Wrong.OF_THE_PLATFORM, ConnectorPlatformError)
        assert re.search(r"whoever runs", error.message), "it says who has to act"

    def _denied(self, wrong: Wrong, kind: type[ConnectorError]) -> ConnectorError:
        school = schools.small()
        with self.asking_with(wrong, school) as access, pytest.raises(kind) as caught:
            self.collected(access)
        self._fit(caught.value, school)
        assert WRONG not in f"{caught.value.message} {caught.value.detail} {caught.value!r}"
        return caught.value

    @contextmanager
    def asking_with(self, wrong: Wrong, school: School) -> Iterator[Access]:
        """Give an access with one kind of credentials wrong; skips where there is none of the kind."""
        under = self.platform_is_used_under if wrong is Wrong.OF_THE_PLATFORM else None
        with self.serving(school, under) as server:
            access = self.access(server, school.dfe_number, wrong=wrong)
            if WRONG not in (*access.secrets.values(), *access.platform.values()):
                pytest.skip(f"it holds no secret {wrong.value}")
            yield access

    @pytest.mark.parametrize("fault", [Fault.DUPLICATE_PAGE, Fault.ADDED_BETWEEN_PAGES])
    def test_pages_that_overlap_lose_nobody_in_silence(self, fault: Fault) -> None:
        """Each is there once; who is missing is never taken for somebody who left."""
        school = generate(seed=5, size=self.several_pages)
        known = {(kind, one) for kind, one in opened(self.read(self.payload(school))) if kind is Kind.PUPIL}
        came = self.under(fault, school)
        if isinstance(came, ConnectorError):
            return
        snapshot = self.read(came)
        there = opened(snapshot).keys()
        assert known <= there or Kind.PUPIL not in snapshot.complete

    def test_another_schools_people_are_never_taken_for_ours(self) -> None:
        came = self.under(Fault.WRONG_SCHOOL)
        if isinstance(came, bytes):
            assert self.read(came).dfe_numbers - {"8233001"}

    def test_a_run_ends_at_its_deadline(self) -> None:
        school = schools.small()
        with self.serving(school, Fault.SLOW, seconds=0.2) as server:
            access = self.access(server, school.dfe_number, http=Http(Outgoing(loopback=True, total_seconds=0.3)))
            began = time.monotonic()
            with pytest.raises(ConnectorUnavailable):
                self.collected(access)
        assert time.monotonic() - began < 3

    def test_fetching_takes_no_more_memory_for_a_larger_school(self) -> None:
        peaks = []
        for size in (40, 160):
            school = generate(seed=3, size=size)
            with self.serving(school) as server:
                recorder = Recorder()
                self.collected(self.access(server, school.dfe_number, http=recorder))
                access = self.access(server, school.dfe_number, http=Replayed(recorder.replies))
                gc.collect()
                with tempfile.TemporaryFile() as file, tracing(), ArchiveSink(file, limit=LIMIT) as sink:
                    self.connector().collect(access, sink)
                    peaks.append(tracemalloc.get_traced_memory()[1])
        assert peaks[1] - peaks[0] < 120 * self.collected_bytes_of_a_pupil, peaks

    # Secrets

    def test_no_secret_is_in_any_message_log_payload_or_address(self, caplog: pytest.LogCaptureFixture) -> None:
        caplog.set_level(logging.DEBUG)
        school, told, secrets = schools.small(size=8), [], set[str]()
        payloads: list[bytes] = []
        for fault in (None, *Fault):
            with self.serving(school, fault, seconds=0.01) as server:
                for wrong in (Wrong.NOTHING, Wrong.BOTH):
                    access = self.access(server, school.dfe_number, wrong=wrong)
                    secrets |= self._secrets_of(access)
                    told += [repr(access), str(access)]
                    told += [repr(check) for check in self.connector().test(access)]
                    try:
                        payloads.append(self.collected(access))
                    except ConnectorError as error:
                        told += [error.message, error.detail, repr(error), repr(error.__cause__)]
                secrets |= {value for value in server.saved.values() if len(value) > 3}
                told += server.asked
        told += [f"{record.getMessage()} {record.exc_text or ''} {record.__dict__}" for record in caplog.records]
        everything = "\n".join(told)
        assert secrets, "it has secrets"
        for secret in secrets:
            assert secret not in everything
            for data in payloads:
                assert not any(secret.encode() in body for _, body in parts(incoming(data, "run.zip")))
        for check in told:
            assert "Authorization" not in check
        self._nothing_private([record.getMessage() for record in caplog.records], school)

    def _secrets_of(self, access: Access) -> set[str]:
        names = {field.name for field in self.connector().info.platform_fields if field.secret}
        found = {value for name, value in access.platform.items() if name in names} | set(access.secrets.values())
        return {value for value in found if len(value) > 3}

    # Test link

    def test_test_link_tries_each_part_in_order_and_shows_a_few_pupils(self) -> None:
        school = schools.small()
        checks = self._tested(school)
        assert [check.key for check in checks] == KEYS
        assert all(check.state is CheckState.OK for check in checks), checks
        sample = checks[-1].sample
        assert 1 <= len(sample) <= 5
        assert all(pupil.name for pupil in sample)
        assert not any(check.lacking for check in checks)

    @pytest.mark.parametrize("fault", sorted(set(Fault) - {Fault.SLOW, Fault.TOO_MANY}))
    def test_test_link_stops_after_the_part_that_failed_and_says_what_to_do(self, fault: Fault) -> None:
        school = schools.small()
        checks = self._tested(school, fault)
        keys = [check.key for check in checks]
        assert keys == [key for key in KEYS if key in keys]
        assert checks
        assert all(check.state is CheckState.OK for check in checks[:-1])
        for check in checks:
            assert check.sentence.endswith((".", "?", ":")), check
            whole = f"{check.sentence} {check.advice}".strip()
            fails = check.state in (CheckState.FAILED, CheckState.UNANSWERED)
            assert not fails or len(re.findall(r"[a-z][.?](?: |$)", whole)) > 1, check
        self._nothing_private([check.sentence + check.advice for check in checks], school)
        if fault is Fault.UNTICKED and self.connector().info.optional:
            lacking = frozenset().union(*(check.lacking for check in checks))
            assert lacking
            assert lacking <= self.connector().info.optional
        if {**USUAL, **self.expected}.get(fault) is not None:
            assert checks[-1].state is not CheckState.OK, checks
        if fault in (Fault.SERVER_ERROR, Fault.HANG, Fault.TRUNCATED):
            assert checks[-1].state is CheckState.UNANSWERED, "an MIS that does not answer has no wrong address"

    @pytest.mark.parametrize("wrong", [Wrong.OF_THE_SCHOOL, Wrong.OF_THE_PLATFORM])
    def test_test_link_with_wrong_credentials_fails_at_the_credentials(self, wrong: Wrong) -> None:
        with self.asking_with(wrong, schools.small()) as access:
            last = list(self.connector().test(access))[-1]
        assert last.key in ("credentials", "permissions")
        assert last.state is CheckState.FAILED

    def _tested(self, school: School, fault: Fault | None = None) -> list[Check]:
        with self.serving(school, fault, seconds=0.02) as server:
            return list(self.connector().test(self.access(server, school.dfe_number)))

    # What an MIS may send one day

    def test_a_field_that_is_of_another_kind_all_of_a_sudden_breaks_nothing(self) -> None:
        school = schools.small(size=4)
        data, rng = self.payload(school), Random(3)  # noqa: S311 - no secret
        came = list(parts(incoming(data, "run.zip")))
        spoiled = [
            (name, json.dumps(value).encode())
            for name, body in came
            for _, places in sorted(paths(json.loads(body)).items())
            for odd in (None, *rng.sample(ODD, 2))
            for value in (put(json.loads(body), rng.choice(places), odd),)
        ]
        assert len(spoiled) > 80
        for name, body in spoiled:
            out = io.BytesIO()
            with ArchiveSink(out, limit=LIMIT) as sink:
                for other, kept in came:
                    sink.write(other, body if other == name else kept)
            try:
                snapshot = self.read(out.getvalue())
            except SnapshotFormatError as error:
                self._fit(error, school)
                continue
            for one in opened(snapshot).values():
                for text in schools.texts(one.record) if one.record else ():
                    assert text.encode()
