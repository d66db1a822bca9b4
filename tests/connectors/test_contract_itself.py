"""The contract has teeth: a connector that breaks one of its rules fails the very test of that rule."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, ClassVar

import pytest

from mis_connectors.base import Access, Check, ConnectorInfo, Sink
from mis_connectors.errors import (
    ConnectorAuthError,
    ConnectorError,
    ConnectorPlatformError,
    ConnectorUnavailable,
    SnapshotFormatError,
)
from mis_connectors.integris.connector import IntegrisConnector
from mis_connectors.progresso.connector import ProgressoConnector
from mis_connectors.records import ContactRecord, IncomingPayload, Kind, Opened, Snapshot, SourceRecord
from mis_connectors.simulators.faults import Fault
from mis_connectors.simulators.integris_api import IntegrisApi
from mis_connectors.simulators.progresso_api import ProgressoApi
from mis_connectors.testing.pull import PullContract

Mutated = Callable[[Any], Any]
COUNT = itertools.count()


class Whole(ProgressoConnector):
    """Changes what `read` gives, as a mutant says."""

    mutate: ClassVar[Mutated] = staticmethod(lambda snapshot: snapshot)

    def read(self, payload: IncomingPayload) -> Snapshot:
        changed: Snapshot = type(self).mutate(super().read(payload))
        return changed


def each(change: Callable[[SourceRecord], SourceRecord]) -> type[Whole]:
    """A connector that changes every record."""

    def mutate(snapshot: Snapshot) -> Snapshot:
        return replace(snapshot, records=[change(record) for record in snapshot.records])

    return type("Each", (Whole,), {"mutate": staticmethod(mutate)})


def contacts(**changed: Any) -> type[Whole]:
    """A connector that says something else of every contact."""

    def change(record: SourceRecord) -> SourceRecord:
        if record.kind is not Kind.CONTACT:
            return record
        contact = record.open().record
        assert isinstance(contact, ContactRecord)
        return replace(record, open=lambda: Opened(replace(contact, **changed)))

    return each(change)


def described(**changed: Any) -> type[Whole]:
    info: ConnectorInfo = replace(ProgressoConnector.info, **changed)
    return type("Described", (Whole,), {"info": info})


SUPPLIES = ProgressoConnector.info.supplies


class Clocked(Whole):
    def collect(self, access: Access, sink: Sink) -> None:
        sink.write("about.json", str(next(COUNT)).encode())
        super().collect(access, sink)


class Leaking(Whole):
    """Says the password where it fails."""

    def collect(self, access: Access, sink: Sink) -> None:
        try:
            super().collect(access, sink)
        except ConnectorError as error:
            error.detail += access.secrets.get("password", "")
            raise


class Forgiving(Whole):
    """Takes a refusal for an MIS that does not answer."""

    def collect(self, access: Access, sink: Sink) -> None:
        try:
            super().collect(access, sink)
        except ConnectorAuthError as error:
            raise ConnectorUnavailable(error.message) from None


class Giddy(Whole):
    """Reads whatever is left of a payload."""

    def read(self, payload: IncomingPayload) -> Snapshot:
        try:
            return super().read(payload)
        except SnapshotFormatError:
            return Snapshot(records=[], complete=frozenset(), dfe_numbers=frozenset())

    def content_digest(self, payload: IncomingPayload) -> bytes:
        return bytes(32)


class Endless(Whole):
    """Goes on after a part that failed."""

    def test(self, access: Access) -> Iterator[Check]:
        checks = list(super().test(access))
        yield from checks
        yield checks[-1]


class Fragile(Whole):
    """Falls over a row without what it expects."""

    def read(self, payload: IncomingPayload) -> Snapshot:
        snapshot = super().read(payload)
        for record in snapshot.records:
            contact = record.open().record
            if isinstance(contact, ContactRecord):
                assert contact.surname is not None
        return snapshot


BROKEN: dict[str, tuple[type[Whole], str]] = {
    "a field named and never given": (
        described(supplies=SUPPLIES | {"link.court_order"}), "test_every_field_it_supplies_is_supplied_and_no_other",
    ),
    "a field given and not named": (
        described(supplies=SUPPLIES - {"contact.postcode"}), "test_every_field_it_supplies_is_supplied_and_no_other",
    ),
    "an optional field that nobody can withhold": (
        described(optional=frozenset({"pupil.upn"})),
        "test_a_field_that_is_withheld_is_lacking_and_never_empty_for_being_so",
    ),
    "a digest that differs each time": (
        each(lambda record: replace(record, digest=next(COUNT).to_bytes(16))),
        "test_the_same_payload_says_the_same_whoever_reads_it",
    ),
    "a digest that never differs": (
        each(lambda record: replace(record, digest=record.external_id.encode().ljust(16, b"0"))),
        "test_a_change_changes_the_digests_of_those_it_is_about",
    ),
    "a digest without its salt": (
        each(lambda record: replace(record, digest=record.external_id.encode().ljust(16, b"0"))),
        "test_the_salt_is_in_every_digest",
    ),
    "everybody twice": (
        type("Twice", (Whole,), {"mutate": staticmethod(lambda one: replace(one, records=[*one.records] * 2))}),
        "test_everybody_is_there_once_under_an_id_that_stays",
    ),
    "an id of its own every night": (
        each(lambda record: replace(record, external_id=f"{next(COUNT)}")),
        "test_everybody_is_there_once_under_an_id_that_stays",
    ),
    "a code put into words of its own": (contacts(title="Mx"), "test_codes_nobody_knows_are_kept_as_they_are"),
    "nobody linked": (contacts(links=()), "test_links_lead_to_pupils_who_are_there"),
    "text that nothing can store": (contacts(surname="x\ud800"), "test_every_text_can_be_stored"),
    "half a payload read as a whole": (Giddy, "test_cut_anywhere_it_is_refused_in_a_sentence"),
    "a clock in the payload": (Clocked, "test_the_same_answers_are_the_same_bytes"),
    "a password in the log": (Leaking, "test_no_secret_is_in_any_message_log_payload_or_address"),
    "a refusal taken for a silence": (Forgiving, "test_wrong_credentials_are_refused_in_a_sentence"),
    "a test that goes on": (Endless, "test_test_link_stops_after_the_part_that_failed_and_says_what_to_do"),
    "a row that is not as ever": (Fragile, "test_a_field_that_is_of_another_kind_all_of_a_sudden_breaks_nothing"),
}  # fmt: skip


class Blaming(IntegrisConnector):
    """Tells a school of the operator's key as if it were the school's to mend."""

    def collect(self, access: Access, sink: Sink) -> None:
        try:
            super().collect(access, sink)
        except ConnectorPlatformError as error:
            raise ConnectorAuthError(error.message) from None


def test_a_school_that_is_blamed_for_the_operators_key_fails_it() -> None:
    class Contract(PullContract):
        api_class: ClassVar = IntegrisApi

        def connector(self) -> IntegrisConnector:
            return Blaming()

    with pytest.raises(ConnectorAuthError):
        Contract().test_a_refusal_of_what_the_operator_set_is_the_operators()


def contract_of(connector: type[Whole]) -> PullContract:
    class Contract(PullContract):
        api_class: ClassVar = ProgressoApi

        def connector(self) -> ProgressoConnector:
            return connector()

    return Contract()


@pytest.mark.parametrize("broken", BROKEN)
def test_a_connector_that_breaks_a_rule_fails_the_test_of_it(broken: str, caplog: pytest.LogCaptureFixture) -> None:
    connector, rule = BROKEN[broken]
    given: dict[str, Any] = {"caplog": caplog} if "secret" in rule or "cut" in rule else {}
    if "stops_after" in rule:
        given["fault"] = Fault.WITHDRAWN
    verify = getattr(contract_of(connector), rule)
    with pytest.raises((AssertionError, ConnectorError, UnicodeEncodeError)):
        verify(**given)
