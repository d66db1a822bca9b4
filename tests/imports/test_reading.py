"""Which records of a snapshot are opened: the new, the changed, and the others of whoever has several."""

from __future__ import annotations

from imports.reading import _to_open
from imports.types import CONTACT, Identity, Key
from mis_connectors.records import Kind, Opened, Snapshot, SourceRecord


def a_record(external_id: str, digest: bytes) -> SourceRecord:
    return SourceRecord(
        kind=Kind.CONTACT, external_id=external_id, digest=digest, file="", row=0, open=lambda: Opened(None)
    )


def known(external_id: str, part: int, person: int) -> tuple[Key, Identity]:
    key = (CONTACT, external_id, part)
    return key, Identity(id=person, key=key, person_id=person, digest=b"as it was", gone=False)


def test_a_joint_record_that_changes_opens_the_other_records_of_both_its_people() -> None:
    identities = dict([known("1", 0, 10), known("1", 1, 11), known("2", 0, 11), known("3", 0, 12)])
    records = [a_record("1", b"changed"), a_record("2", b"as it was"), a_record("3", b"as it was")]
    snapshot = Snapshot(records=records, complete=frozenset(), dfe_numbers=frozenset())
    opened = _to_open(snapshot, identities, [], {}, full=False)
    assert [record.external_id for record in opened] == ["1", "2"]
