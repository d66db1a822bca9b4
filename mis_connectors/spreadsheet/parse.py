"""From a file to one unopened record per person: rows are put together by StudentID, ContactID and StaffID."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial

from mis_connectors.errors import SnapshotFormatError
from mis_connectors.files import Cell, FileCheck, HeaderFault
from mis_connectors.records import (
    IncomingPayload,
    Kind,
    Opened,
    RecordProblem,
    Severity,
    Snapshot,
    SourceRecord,
)
from mis_connectors.spreadsheet import columns, grid, people, workbook
from mis_connectors.spreadsheet.cells import as_text, without_zeros
from mis_connectors.spreadsheet.tables import Line, Table, tables_of
from mis_connectors.values import digest_of

LONGEST_IDENTITY = 60
_OPEN: dict[Kind, Callable[[Sequence[Line]], Opened]] = {
    Kind.PUPIL: people.open_pupil,
    Kind.CONTACT: people.open_contact,
    Kind.STAFF: people.open_staff,
}
_CAPTIONS = {
    Kind.PUPIL: columns.OF_PUPIL,
    Kind.CONTACT: ("StudentID", *columns.OF_CONTACT),
    Kind.STAFF: columns.STAFF,
}
_PLACES = {"email": "PrimaryEmail", "telephone": "MobileNumber", "upn": "UPN", "name": "ContactSurname"}
"""What the hub calls a field, and its caption."""
_NAMED_BY = {Kind.PUPIL: "StudentID", Kind.CONTACT: "ContactID", Kind.STAFF: "StaffID"}


@dataclass(slots=True)
class _File:
    """A file taken apart: its tables, what is wrong with them, and everybody in them."""

    label: str
    tables: list[Table]
    faults: list[HeaderFault]
    notes: list[str]
    groups: dict[Kind, dict[str, list[Line]]] = field(default_factory=lambda: {kind: {} for kind in Kind})
    nobody: list[tuple[Kind, Line, RecordProblem]] = field(default_factory=list)
    twice: int = 0


def content_digest(payload: IncomingPayload) -> bytes:
    """Return 32 bytes over what the file holds; raises `SnapshotFormatError` for no spreadsheet."""
    data = grid.whole_of(payload)
    if workbook.is_zip(data):
        return workbook.content_digest(data, limit=payload.unpacked_limit)
    grid.refuse_others(data, payload.filename)
    return hashlib.sha256(data).digest()


def read(payload: IncomingPayload) -> Snapshot:
    """Return what the file says; raises `SnapshotFormatError`, also while a caption is wrong."""
    file = _taken_apart(payload)
    if file.faults:
        more = f" {len(file.faults) - 1} more captions are wrong, too." if len(file.faults) > 1 else ""
        raise SnapshotFormatError(f"{file.faults[0].message} {file.faults[0].advice}{more}", detail="captions")
    _group(file)
    kinds = {Kind.PUPIL for table in file.tables if table.kind == "pupils"}
    kinds |= {Kind.CONTACT for table in file.tables if table.has_contacts}
    kinds |= {Kind.STAFF for table in file.tables if table.kind == "staff"}
    if not any(line for table in file.tables for line in table.lines()):
        file.notes.append("The file has captions, and no row below them.")
    records = [
        _record(file, kind, identity, lines, payload.salt)
        for kind, groups in file.groups.items()
        for identity, lines in groups.items()
    ]
    return Snapshot(
        records=records,
        complete=frozenset(kinds),
        dfe_numbers=frozenset(),
        lacking=_lacking(file.tables),
        notes=(*file.notes, *_notes_of(file)),
        orphans=tuple(
            (_record(file, kind, "", [line], payload.salt), problem) for kind, line, problem in file.nobody
        ),
        locate=partial(_locate, file),
    )  # fmt: skip


def check(payload: IncomingPayload) -> FileCheck:
    """Return what is wrong with the captions, and where each person's cells are; raises `SnapshotFormatError`."""
    file = _taken_apart(payload)
    if not file.faults:
        _group(file)
    return FileCheck(header=tuple(file.faults), locate=partial(_locate, file))


def _taken_apart(payload: IncomingPayload) -> _File:
    data = grid.whole_of(payload)
    if workbook.is_zip(data):
        book = workbook.read(data, limit=payload.unpacked_limit)
    else:
        grid.refuse_others(data, payload.filename)
        book = grid.read_csv(data)
    tables, faults, notes = tables_of(book)
    return _File(payload.filename, tables, faults, notes)


def _lacking(tables: Iterable[Table]) -> frozenset[str]:
    """Return the fields that no table of their kind has a column for."""
    found: frozenset[str] | None = None
    of_kind: dict[str, frozenset[str]] = {}
    for table in tables:
        known = of_kind.get(table.kind)
        of_kind[table.kind] = table.lacking if known is None else known & table.lacking
    for lacking in of_kind.values():
        found = lacking if found is None else found | lacking
    return found or frozenset()


def _group(file: _File) -> None:
    for table in file.tables:
        seen: set[tuple[tuple[str, str], ...]] = set()
        for line in table.lines():
            said = tuple((caption, as_text(value)) for caption, value in line.said.items())
            if said in seen:
                file.twice += 1
                continue
            seen.add(said)
            if table.kind == "staff":
                _place(file, Kind.STAFF, line)
            else:
                _place_pupil(file, line)


def _place_pupil(file: _File, line: Line) -> None:
    pupil = _place(file, Kind.PUPIL, line)
    tells_of_contact = any(caption in line.said for caption in columns.OF_CONTACT)
    if not tells_of_contact or not pupil:
        return
    identity = as_text(line.said.get("ContactID"))
    key = without_zeros(identity) if identity else _made_identity(pupil, line)
    if len(key) > LONGEST_IDENTITY:
        file.nobody.append((Kind.CONTACT, line, _too_long("ContactID", key)))
        return
    file.groups[Kind.CONTACT].setdefault(key, []).append(line)


def _place(file: _File, kind: Kind, line: Line) -> str:
    caption = _NAMED_BY[kind]
    identity = without_zeros(as_text(line.said.get(caption)))
    if not line.said.get(caption):
        file.nobody.append((kind, line, _unnamed(caption)))
        return ""
    if len(identity) > LONGEST_IDENTITY:
        file.nobody.append((kind, line, _too_long(caption, identity)))
        return ""
    file.groups[kind].setdefault(identity, []).append(line)
    return identity


def _made_identity(pupil: str, line: Line) -> str:
    """Return a stable id for a contact without one: who they are to this pupil, by pupil and name alone.

    An email or mobile may change without making somebody else of them.
    """
    names = [as_text(line.said.get(caption)).casefold() for caption in ("ContactForename", "ContactSurname")]
    if not any(names):
        names = [f"row {line.number}"]
    return f"of-{hashlib.blake2b(repr((pupil, names)).encode(), digest_size=12).hexdigest()}"


def _unnamed(caption: str) -> RecordProblem:
    advice = "Type the admission number, or MAN-1, MAN-2 … for a pupil without one."
    return RecordProblem(
        severity=Severity.ROW, reason="no_identity", field=caption,
        message=f"This row has no {caption}, so nobody can tell whom it is about next time.",
        advice=advice if caption == "StudentID" else "Type a number or code of their own that never changes.",
    )  # fmt: skip


def _too_long(caption: str, value: str) -> RecordProblem:
    return RecordProblem(
        severity=Severity.ROW, reason="no_identity", field=caption, value=value[:100],
        message=f"This {caption} is too long to be one.", advice="Look whether a column has moved to the right.",
    )  # fmt: skip


def _notes_of(file: _File) -> list[str]:
    notes = []
    if file.twice:
        rows = "1 row stands" if file.twice == 1 else f"{file.twice:,} rows stand"
        notes.append(f"{rows} twice in the file, the same in every cell; each was read once.")
    early = sum(
        any(as_text(line.said.get("PreAdmission")).casefold() in ("yes", "y", "true", "t", "1", "x") for line in lines)
        for lines in file.groups[Kind.PUPIL].values()
    )
    if early:
        pupils = "1 pupil is" if early == 1 else f"{early:,} pupils are"
        notes.append(
            f"{pupils} marked PreAdmission. They come in, in a group of their own,"
            " if Settings, Who is imported, includes pre-admissions."
        )
    unnamed = sum(key.startswith("of-") for key in file.groups[Kind.CONTACT])
    if unnamed and "ContactID" in {caption for table in file.tables for caption in table.at}:
        contacts = "1 contact has" if unnamed == 1 else f"{unnamed:,} contacts have"
        notes.append(f"{contacts} no ContactID: they are known by their pupil and their name.")
    return notes


def _record(file: _File, kind: Kind, identity: str, lines: list[Line], salt: bytes) -> SourceRecord:
    captions = _CAPTIONS[kind]
    said = {
        tuple((caption, as_text(value)) for caption in captions if (value := line.said.get(caption)) is not None)
        for line in lines
    }
    beyond = any(line.beyond for line in lines)
    return SourceRecord(
        kind=kind,
        external_id=identity,
        digest=digest_of(salt, kind.value, sorted(said), *(["beyond"] if beyond else [])),
        file=lines[0].table.name or file.label[:100],
        row=lines[0].number,
        open=partial(_OPEN[kind], lines),
    )


def _locate(file: _File, kind: str, external_id: str, field_name: str, value: str, row: int | None) -> Cell | None:
    """Return where a person's value stands: the row that says it, else their first."""
    if external_id:
        known = file.groups[Kind(kind)].get(external_id)
    else:
        known = [line for of, line, _ in file.nobody if of == kind and line.number == row]
    if not known:
        return None
    caption = _PLACES.get(field_name, field_name)
    if kind == Kind.STAFF and field_name == "name":
        caption = "StaffSurname"
    if kind == Kind.PUPIL and field_name == "name":
        caption = "StudentSurname"
    saying = [line for line in known if as_text(line.said.get(caption)) == value]
    blank = [line for line in known if caption not in line.said]
    return (saying or (blank if not value else []) or known)[0].cell(caption)
