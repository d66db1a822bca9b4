"""Small SIMS reports, written by hand, and payloads of them."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping

from mis_connectors.records import (
    ContactRecord,
    IncomingPayload,
    Kind,
    Opened,
    PupilRecord,
    Snapshot,
    SourceRecord,
    StaffRecord,
)
from mis_connectors.sims.connector import SimsConnector

MEGABYTE = 1024 * 1024
Columns = Mapping[str, str]

PUPIL = {"primary_id": "2447", "Forename": "Amelia", "Surname": "Okafor", "DOB": "2015-03-09T00:00:00"}
CONTACT = {"PupilID": "2447", "ContactID": "6420", "ContactForename": "Ngozi", "ContactSurname": "Okafor"}
STAFF = {"StaffID": "91", "StaffCode": "TMA", "StaffForename": "Tom", "StaffSurname": "Marsh"}


def payload(data: bytes, *, name: str = "report.xml", limit: int = 64 * MEGABYTE, salt: bytes = b"") -> IncomingPayload:
    """Return these bytes as what came."""
    return IncomingPayload(filename=name, open=lambda: io.BytesIO(data), unpacked_limit=limit, salt=salt)


def packed(files: Mapping[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    """Return a zip of these files."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", compression) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return out.getvalue()


def report(
    *rows: Columns, declaration: str = '<?xml version="1.0" encoding="utf-8"?>', encoding: str = "utf-8"
) -> bytes:
    """Return rows as SIMS would write them; values stand as they are given, mark-up and all."""
    records = "".join(
        "  <Record>\n" + "".join(f"    <{name}>{value}</{name}>\n" for name, value in row.items()) + "  </Record>\n"
        for row in rows
    )
    return f"{declaration}<SuperStarReport>\n{records}</SuperStarReport>".encode(encoding)


def read(data: bytes, *, name: str = "report.xml", salt: bytes = b"") -> Snapshot:
    return SimsConnector().read(payload(data, name=name, salt=salt))


def by_key(snapshot: Snapshot) -> dict[tuple[Kind, str], SourceRecord]:
    found = {(record.kind, record.external_id): record for record in snapshot.records}
    assert len(found) == len(snapshot.records)
    return found


def opened(*rows: Columns) -> Opened:
    """Return the only person these rows tell of."""
    (record,) = read(report(*rows)).records
    return record.open()


def pupil(*rows: Columns) -> PupilRecord:
    record = opened(*rows).record
    assert isinstance(record, PupilRecord)
    return record


def contact(*rows: Columns) -> ContactRecord:
    record = opened(*rows).record
    assert isinstance(record, ContactRecord)
    return record


def staff(*rows: Columns) -> StaffRecord:
    record = opened(*rows).record
    assert isinstance(record, StaffRecord)
    return record
