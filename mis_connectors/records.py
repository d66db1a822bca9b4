"""What a connector hands over: raw values as the MIS gave them, grouped by record.

Text is stripped of surrounding white space and otherwise untouched; normalising and judging
happen in `imports.canonical`. None always means that the MIS did not say.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from mis_connectors.files import Locate


class Kind(StrEnum):
    PUPIL = "pupil"
    CONTACT = "contact"
    STAFF = "staff"


class Severity(StrEnum):
    """How much of a record a problem cost."""

    ROW = "row"
    PART = "part"
    WARNING = "warning"


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordProblem:
    """One thing wrong with one record, in words an office understands."""

    severity: Severity
    reason: str
    """A stable code: `two_dates_of_birth`."""
    message: str
    advice: str
    """What to do in the MIS."""
    field: str = ""
    """The caption or field name as the MIS shows it."""
    value: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PupilRecord:
    upn: str | None = None
    former_upn: str | None = None
    admission_number: str | None = None
    forename: str | None = None
    """Preferred, where the MIS has one; else the legal forename."""
    surname: str | None = None
    legal_forename: str | None = None
    legal_surname: str | None = None
    middle_names: str | None = None
    date_of_birth: dt.date | None = None
    gender: str | None = None
    year_group: str | None = None
    registration_group: str | None = None
    house: str | None = None
    class_name: str | None = None
    admission_date: dt.date | None = None
    leaving_date: dt.date | None = None
    pre_admission: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkRecord:
    """How a contact belongs to the pupil with this external id."""

    pupil_external_id: str
    relationship: str | None = None
    priority: int | None = None
    parental_responsibility: bool | None = None
    court_order: bool | None = None
    lives_with: bool | None = None
    correspondence: bool | None = None
    applicant_only: bool = False
    """The link stands on an application only and makes nobody a recipient."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactRecord:
    title: str | None = None
    forename: str | None = None
    surname: str | None = None
    gender: str | None = None
    address: str | None = None
    postcode: str | None = None
    language: str | None = None
    telephones: tuple[str, ...] = ()
    """All numbers, in the connector's order of preference for a mobile; landlines may be among them."""
    emails: tuple[str, ...] = ()
    """In the connector's order of preference."""
    links: tuple[LinkRecord, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class StaffRecord:
    code: str | None = None
    title: str | None = None
    forename: str | None = None
    """Chosen name, where the MIS has one."""
    surname: str | None = None
    role: str | None = None
    tutor_of: str | None = None
    leaving_date: dt.date | None = None
    telephones: tuple[str, ...] = ()
    emails: tuple[str, ...] = ()


Record = PupilRecord | ContactRecord | StaffRecord


@dataclass(frozen=True, slots=True)
class Opened:
    """A record read in full. `record` is None where it was rejected whole."""

    record: Record | None
    problems: tuple[RecordProblem, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceRecord:
    """One person's record, not yet read: opening is put off until its digest is known to be new."""

    kind: Kind
    external_id: str
    digest: bytes
    """16 bytes over the record's raw content and the reader's salt."""
    file: str
    row: int
    """1-based number of its first row in `file`; 0, and no file, where neither tells an office anything."""
    open: Callable[[], Opened]


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """Everything one payload says. Each `(kind, external_id)` stands once."""

    records: Sequence[SourceRecord]
    complete: frozenset[Kind]
    """Kinds of which this is everybody: only their absent records can be ended."""
    dfe_numbers: frozenset[str]
    """The schools the payload says it is about; empty where it does not say."""
    lacking: frozenset[str] = frozenset()
    """Canonical fields, as `pupil.upn`, that the MIS could supply and the school withholds: left as they are."""
    notes: tuple[str, ...] = ()
    orphans: tuple[tuple[SourceRecord, RecordProblem], ...] = ()
    """Rows that name nobody: rejected, and named."""
    locate: Locate | None = None
    """Of a file that a person uploaded: where what is wrong with it stands."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IncomingPayload:
    """What came, as a file that can be opened again and again."""

    filename: str
    open: Callable[[], BinaryIO]
    """A fresh, seekable binary file at its beginning."""
    unpacked_limit: int
    """Bytes beyond which unpacking stops with `SnapshotFormatError`."""
    salt: bytes = b""
    """Goes into every digest: connector version, link settings and schema version."""
