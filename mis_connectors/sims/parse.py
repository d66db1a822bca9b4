"""From the reports' bytes to one unopened record per person: fast, for most nights nothing changed.

A row is never taken apart here unless it must be: lxml writes it back as bytes, its identity is found in
those bytes, and the bytes of a person's rows make the digest. Only rows that tell of a pupil and of a contact
(one report with everything in it) and the first rows of each file are read column by column.
"""

from __future__ import annotations

import hashlib
import html
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial

from lxml import etree

from mis_connectors.errors import SnapshotFormatError
from mis_connectors.records import (
    IncomingPayload,
    Kind,
    Opened,
    RecordProblem,
    Severity,
    Snapshot,
    SourceRecord,
)
from mis_connectors.sims import columns, people
from mis_connectors.sims.package import Package, RunFacts, refuse_stale, run_facts, unpacked
from mis_connectors.xml import NotUtf8, Records

__all__ = ["RunFacts", "read", "run_facts"]

LOOKED_AT = 20
"""So many rows of a file are read column by column, to learn how its captions are spelled."""
LONGEST_IDENTITY = 100
"""SIMS's ids are short numbers; what is longer is no id."""
UNKNOWN_SHOWN = 20
NO_IDENTITY = "SIMS left the identity columns out: the report's user is not in the group Third Party Reporter."
_OPEN: dict[Kind, Callable[[Sequence[bytes]], Opened]] = {
    Kind.PUPIL: people.open_pupil,
    Kind.CONTACT: people.open_contact,
    Kind.STAFF: people.open_staff,
}
_OF_OTHERS = re.compile(rb"<(?:contact|staff)", re.IGNORECASE)


@dataclass(slots=True)
class _Rows:
    """All rows of one person."""

    file: str
    row: int
    rows: list[bytes]


@dataclass(slots=True)
class _People:
    """Everybody met so far, over all files."""

    salt: bytes
    groups: dict[Kind, dict[bytes, _Rows]] = field(default_factory=lambda: {kind: {} for kind in Kind})
    complete: set[Kind] = field(default_factory=set)
    schools: set[bytes] = field(default_factory=set)
    unknown: dict[str, None] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    orphans: list[tuple[SourceRecord, RecordProblem]] = field(default_factory=list)


def read(payload: IncomingPayload) -> Snapshot:
    """Return what a payload says; raises `SnapshotFormatError`."""
    everybody = _People(_key(payload.salt))
    with unpacked(payload) as package:
        refuse_stale(package.run)
        for name in package.reports:
            _read_file(package, name, everybody)
        if package.ignored:
            everybody.notes.append(f"Not read, for they are no reports: {', '.join(package.ignored)}.")
    return _snapshot(everybody)


def _key(salt: bytes) -> bytes:
    return salt if len(salt) <= hashlib.blake2b.MAX_KEY_SIZE else hashlib.sha256(salt).digest()


def _read_file(package: Package, name: str, everybody: _People) -> None:
    """Read one report; one that is not the UTF-8 it says it is, is read again as windows-1252."""
    whole, second = _People(everybody.salt), package.budget.fresh()
    try:
        _File(name, whole).read(Records(package.open(name), name=name, budget=package.budget))
    except NotUtf8:
        whole = _People(everybody.salt)
        again = Records(package.open(name), name=name, budget=second, encoding="windows-1252")
        _File(name, whole).read(again)
        whole.notes.append(f"{name} is not the UTF-8 that it says it is; it was read as windows-1252.")
    _merge(everybody, whole)


def _merge(everybody: _People, more: _People) -> None:
    for kind, groups in more.groups.items():
        known = everybody.groups[kind]
        if not known:
            everybody.groups[kind] = groups
            continue
        for key, group in groups.items():
            known.setdefault(key, _Rows(group.file, group.row, [])).rows.extend(group.rows)
    everybody.complete |= more.complete
    everybody.schools |= more.schools
    everybody.unknown |= more.unknown
    everybody.notes += more.notes
    everybody.orphans += more.orphans


class _File:
    """One report being read."""

    def __init__(self, name: str, people: _People) -> None:
        self._name = name
        self._people = people
        self._captions: set[str] = set()
        self._tags: dict[str, bytes] = {}
        self._named: set[Kind] = set()
        self._links = False

    def read(self, stream: Records) -> None:
        """Take every row; raises `SnapshotFormatError`."""
        rows = self._rows(stream)
        for number, row in rows:
            self._place(number, row)
            if number >= LOOKED_AT and (kind := self._only_kind()):
                self._quickly(kind, rows)
        if stream.count:
            self._require_identities()
        else:
            self._captions = {columns.caption(tag) for tag in stream.declared}
        self._people.complete |= self._kinds() if stream.count else self._kinds_of_empty(stream.root)

    def _rows(self, stream: Records) -> Iterator[tuple[int, bytes]]:
        tostring = etree.tostring
        for number, element in enumerate(stream, 1):
            yield number, tostring(element, encoding="utf-8", with_tail=False)

    def _only_kind(self) -> Kind | None:
        """Return the kind of which the report tells, if its rows tell of one and were named so far."""
        kinds = self._kinds()
        if len(kinds) != 1 or not kinds <= self._named:
            return None
        (kind,) = kinds
        return None if kind is Kind.CONTACT and not self._links else kind

    def _kinds(self) -> set[Kind]:
        if self._captions & columns.STAFF_COLUMNS:
            return {Kind.STAFF}
        kinds = {Kind.CONTACT} if self._captions & columns.CONTACT_COLUMNS else set()
        if self._captions & columns.PUPIL_COLUMNS:
            kinds.add(Kind.PUPIL)
        return kinds

    def _quickly(self, kind: Kind, rows: Iterator[tuple[int, bytes]]) -> None:
        """Group rows by identity as long as they are what they were; the first that is not ends it, placed."""
        tag, links_to, school = self._spelled(kind)
        groups, schools, name = self._people.groups[kind], self._people.schools, self._name
        skip, school_skip = len(tag), len(school)
        for number, row in rows:
            start = row.find(tag) + skip
            identity = row[start : row.find(b"<", start)].strip() if start >= skip else b""
            odd = _OF_OTHERS.search(row) if kind is Kind.PUPIL else kind is Kind.CONTACT and links_to not in row
            if odd or not 0 < len(identity) <= LONGEST_IDENTITY:
                self._place(number, row)
                if self._only_kind() is not kind:
                    return
                continue
            group = groups.get(identity)
            if group is None:
                groups[identity] = _Rows(name, number, [row])
            else:
                group.rows.append(row)
            start = row.find(school)
            if start >= 0:
                start += school_skip
                schools.add(row[start : row.find(b"<", start)])

    def _spelled(self, kind: Kind) -> tuple[bytes, bytes, bytes]:
        pupil = next((self._tags[one] for one in columns.PUPIL_IDS if one in self._tags), b"<primary_id>")
        own = {Kind.PUPIL: pupil, Kind.CONTACT: self._tags.get(columns.CONTACT_ID, b"")}
        own[Kind.STAFF] = self._tags.get(columns.STAFF_ID, b"")
        return own[kind], pupil, self._tags.get(columns.SCHOOL, b"<SchoolDfE>")

    def _place(self, number: int, row: bytes) -> None:
        """Read one row column by column and put it where it belongs."""
        self._learn(row)
        said = people.fields(row)
        if school := said.get(columns.SCHOOL):
            self._people.schools.add(school.encode())
        if said.keys() & columns.STAFF_COLUMNS:
            self._add(Kind.STAFF, said.get(columns.STAFF_ID), number, row)
            return
        pupil = next((said[one] for one in columns.PUPIL_IDS if one in said), None)
        of_contact = bool(said.keys() & columns.CONTACT_COLUMNS)
        of_pupil = bool(said.keys() & columns.PUPIL_COLUMNS)
        if of_pupil:
            part = _part(said, columns.PUPIL_COLUMNS) if of_contact else row
            self._add(Kind.PUPIL, pupil, number, part, once=True)
        if of_contact:
            part = _part(said, columns.CONTACT_COLUMNS | set(columns.PUPIL_IDS)) if of_pupil else row
            self._links = self._links or pupil is not None
            self._add(Kind.CONTACT, said.get(columns.CONTACT_ID), number, part)

    def _learn(self, row: bytes) -> None:
        for tag in people.tags(row):
            caption = columns.caption(tag)
            self._captions.add(caption)
            self._tags.setdefault(caption, f"<{tag}>".encode())
            if caption not in columns.KNOWN and len(self._people.unknown) < UNKNOWN_SHOWN:
                self._people.unknown.setdefault(columns.spoken(tag)[:60])

    def _add(self, kind: Kind, identity: str | None, number: int, row: bytes, *, once: bool = False) -> None:
        if identity is None or len(identity) > LONGEST_IDENTITY:
            self._people.orphans.append(self._orphan(kind, number, row))
            return
        self._named.add(kind)
        group = self._people.groups[kind].setdefault(_escaped(identity), _Rows(self._name, number, []))
        if not (once and row in group.rows):
            group.rows.append(row)

    def _orphan(self, kind: Kind, number: int, row: bytes) -> tuple[SourceRecord, RecordProblem]:
        column = {Kind.PUPIL: "primary_id", Kind.CONTACT: "ContactID", Kind.STAFF: "StaffID"}[kind]
        problem = RecordProblem(
            severity=Severity.ROW,
            reason="no_identity",
            message=f"This row has no {column} that could be read, so it names nobody.",
            advice=f"Run the report in SIMS and look at row {number}, where {column} is empty or far too long.",
            field=column,
        )
        opened = Opened(None, (problem,))
        record = SourceRecord(
            kind=kind,
            external_id="",
            digest=hashlib.blake2b(row, digest_size=16, key=self._people.salt).digest(),
            file=self._name,
            row=number,
            open=lambda: opened,
        )
        return record, problem

    def _require_identities(self) -> None:
        """A report without an identity column tells of nobody: SIMS leaves such columns out without a word."""
        kinds = self._kinds()
        if not kinds or not kinds <= self._named or (Kind.CONTACT in kinds and not self._links):
            raise SnapshotFormatError(NO_IDENTITY, detail=self._name)

    def _kinds_of_empty(self, root: str) -> set[Kind]:
        """Return of what a report without records would have told, by its inline schema or else by its name."""
        lowered = self._name.lower()
        by_name = {kind for kind in Kind if kind.value in lowered}
        kinds = self._kinds() or by_name
        if not kinds:
            what = "It has no records" if root.lower() == "superstarreport" else "It is XML, but no report of SIMS"
            raise SnapshotFormatError(f"{self._name} tells of nobody. {what}.", detail=f"root {root[:40]}")
        self._people.notes.append(f"{self._name} has no records at all.")
        return kinds


def _escaped(identity: str) -> bytes:
    """Return the identity as it stands in a row's bytes."""
    return html.escape(identity, quote=False).encode()


def _part(said: people.Fields, wanted: frozenset[str]) -> bytes:
    """Return those columns of a row that tell of one of its two people, as a row of their own."""
    kept = "".join(
        f"<{name}>{html.escape(text, quote=False)}</{name}>" for name, text in said.items() if name in wanted
    )
    return f"<Record>{kept}</Record>".encode()


def _snapshot(everybody: _People) -> Snapshot:
    schools = frozenset(_dfe_number(html.unescape(school.decode())) for school in everybody.schools) - {""}
    notes = list(everybody.notes)
    if everybody.unknown:
        notes.append(f"Columns that are not read: {', '.join(sorted(everybody.unknown))}.")
    if len(schools) > 1:
        notes.append(f"The reports name more than one school: {', '.join(sorted(schools)[:5])}.")
    records = [
        _source_record(kind, key, group, everybody.salt)
        for kind in Kind
        for key, group in everybody.groups[kind].items()
    ]
    return Snapshot(
        records=records,
        complete=frozenset(everybody.complete),
        dfe_numbers=schools,
        notes=tuple(notes),
        orphans=tuple(everybody.orphans),
    )


def _source_record(kind: Kind, key: bytes, group: _Rows, salt: bytes) -> SourceRecord:
    rows = group.rows
    said = rows[0] if len(rows) == 1 else b"".join(rows)
    identity = key.decode()
    return SourceRecord(
        kind=kind,
        external_id=html.unescape(identity) if "&" in identity else identity,
        digest=hashlib.blake2b(said, digest_size=16, key=salt).digest(),
        file=group.file,
        row=group.row,
        open=partial(_OPEN[kind], rows),
    )


def _dfe_number(text: str) -> str:
    """Return `8233001` for `823/3001` too; anything else as it stands."""
    text = " ".join(text.split())[:40]
    digits = re.sub(r"[\s/\\-]", "", text)
    return digits if digits.isdigit() else text[:20]
