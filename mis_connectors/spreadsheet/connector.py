"""A spreadsheet that a person uploads: how it describes itself, the contract's two verbs, and what helps fill it in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from mis_connectors.base import ConnectorInfo, Delivery, SetUp
from mis_connectors.files import FileCheck, Template
from mis_connectors.records import IncomingPayload, Snapshot
from mis_connectors.spreadsheet import columns, making, parse


class SpreadsheetConnector:
    """Reads pupils with their contacts, and staff, from CSV and Excel workbooks, by their captions."""

    info: ClassVar[ConnectorInfo] = ConnectorInfo(
        slug="spreadsheet",
        mis_name="Spreadsheet",
        delivery=Delivery.UPLOAD,
        set_up=SetUp.FILE,
        version=1,
        supplies=columns.NEVER_LACKING | {name for fills in columns.FILLS.values() for name in fills},
        optional=frozenset(name for fills in columns.FILLS.values() for name in fills),
        partly={
            "pupil.upn": "Only if you add a column UPN.",
            "pupil.pre_admission": "Only if you add a column PreAdmission.",
            "pupil.admission_number": "The StudentID, unless it begins with MAN-.",
        },
        setup_template="mis_spreadsheet/setup.html",
        field_names={"email": "PrimaryEmail", "mobile": "MobileNumber"},
    )
    accepts: ClassVar[str] = ".csv,.txt,.tsv,.xlsx,.xlsm"

    def content_digest(self, payload: IncomingPayload) -> bytes:
        """Return 32 bytes over what the file holds; raises `SnapshotFormatError` for no spreadsheet."""
        return parse.content_digest(payload)

    def read(self, payload: IncomingPayload) -> Snapshot:
        """Return what the file says; raises `SnapshotFormatError`."""
        return parse.read(payload)

    def check(self, payload: IncomingPayload) -> FileCheck:
        """Return what is wrong with the captions and where cells are; raises `SnapshotFormatError`."""
        return parse.check(payload)

    def templates(self) -> Sequence[Template]:
        """Return the files to fill in: pupils and staff, each as a workbook and as CSV."""
        return making.TEMPLATES
