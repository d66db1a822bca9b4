"""From the pages as they came to one unopened record per person."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from mis_connectors import archive, values
from mis_connectors.progresso import people
from mis_connectors.progresso.client import IDENTITIES, Identity, identity, not_its_own, rows_of, total_pages
from mis_connectors.records import IncomingPayload, Kind, Opened, RecordProblem, Severity, Snapshot, SourceRecord

SCHOOL = "school.json"
LONGEST_IDENTITY = 100
_PART = re.compile(r"(\d+)/(\w+)/(\d+)\.json", re.ASCII)
_LISTS = {Kind.PUPIL: "students", Kind.CONTACT: "contacts", Kind.STAFF: "staff"}
Row = dict[str, Any]


def part_name(turn: int, name: str, number: int) -> str:
    """Return how a page is kept: which time it was fetched, list and page."""
    return f"{turn}/{name}/{number:04d}.json"


@dataclass(slots=True)
class _Found:
    file: str
    number: int
    row: Row


@dataclass(slots=True)
class _List:
    """One list, of the last time it was fetched."""

    turn: int = 0
    pages: int = 0
    came: int = 0
    found: dict[Identity, _Found] = field(default_factory=dict)
    nameless: list[_Found] = field(default_factory=list)


def read(payload: IncomingPayload) -> Snapshot:
    """Return what a payload says; raises `SnapshotFormatError`."""
    lists = {name: _List() for name in IDENTITIES}
    schools: set[str] = set()
    for name, body in archive.parts(payload):
        said = _object(name, body)
        if name == SCHOOL:
            schools.add(dfe_number(said))
        elif (part := _PART.fullmatch(name)) and part[2] in lists:
            _take(lists, part[2], int(part[1]), name, said)
    if not schools:
        raise not_its_own("school", detail="it is missing")
    last = max(held.turn for held in lists.values())
    for name, held in lists.items():
        if held.turn != last or held.came != max(1, held.pages):
            raise not_its_own(name, detail=f"{held.came} of {held.pages} pages")
    return _snapshot(lists, schools, payload.salt)


def dfe_number(said: Mapping[str, Any]) -> str:
    """Return `8233001` of `{"LA": 823, "Estab": "3001"}`; raises `SnapshotFormatError`."""
    try:
        la, estab = values.text(said.get("LA")), values.text(said.get("Estab"))
    except ValueError:
        la = estab = None
    if not la or not estab:
        raise not_its_own("school", detail="no LA or Estab")
    return f"{la}{estab}"[:20]


def _object(name: str, body: bytes) -> Row:
    list_name = name.split("/")[1] if "/" in name else "school"
    try:
        said = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise not_its_own(list_name, detail=f"{name}: {type(error).__name__}") from None
    if not isinstance(said, dict):
        raise not_its_own(list_name, detail=f"{name}: not an object")
    return said


def _take(lists: dict[str, _List], name: str, turn: int, file: str, said: Row) -> None:
    rows, pages = rows_of(name, said), total_pages(name, said)
    if turn > lists[name].turn:
        lists[name] = _List(turn)
    held = lists[name]
    held.pages, held.came = pages, held.came + 1
    for place, row in enumerate(rows, 1):
        found, key = _Found(file, place, row), identity(name, row)
        if all(0 < len(one) <= LONGEST_IDENTITY for one in key):
            held.found[key] = found
        else:
            held.nameless.append(found)


def _snapshot(lists: Mapping[str, _List], schools: set[str], salt: bytes) -> Snapshot:
    links, stray = _links(lists)
    notes = [f"Progresso links {stray} pupils or contacts that are not in its lists."] if stray else []
    return Snapshot(
        records=[record for kind in Kind for record in _records(kind, lists, links, salt)],
        complete=frozenset(Kind),
        dfe_numbers=frozenset(schools),
        notes=tuple(notes),
        orphans=tuple(
            (_orphan(kind, found, salt), _nameless(kind, found))
            for kind in Kind
            for found in lists[_LISTS[kind]].nameless
        ),
    )


def _links(lists: Mapping[str, _List]) -> tuple[dict[str, list[Row]], int]:
    """Return the links by contact, sorted by pupil, and how many lead to somebody who is not there."""
    held = lists["studentcontacts"]
    links: dict[str, list[Row]] = {}
    stray = len(held.nameless)
    for student, contact in sorted(held.found):
        if (student,) in lists["students"].found and (contact,) in lists["contacts"].found:
            links.setdefault(contact, []).append(held.found[student, contact].row)
        else:
            stray += 1
    return links, stray


def _records(kind: Kind, lists: Mapping[str, _List], links: Mapping[str, list[Row]], salt: bytes) -> list[SourceRecord]:
    records = []
    for (external_id,), found in lists[_LISTS[kind]].found.items():
        own = links.get(external_id, []) if kind is Kind.CONTACT else []
        reading: dict[Kind, Callable[[], Opened]] = {
            Kind.PUPIL: partial(people.open_pupil, found.row),
            Kind.CONTACT: partial(people.open_contact, found.row, own),
            Kind.STAFF: partial(people.open_staff, found.row),
        }
        records.append(
            SourceRecord(
                kind=kind,
                external_id=external_id,
                digest=values.digest_of(salt, found.row, own),
                file=found.file,
                row=found.number,
                open=reading[kind],
            )
        )
    return records


def _orphan(kind: Kind, found: _Found, salt: bytes) -> SourceRecord:
    opened = Opened(None)
    digest = values.digest_of(salt, found.row)
    return SourceRecord(
        kind=kind, external_id="", digest=digest, file=found.file, row=found.number, open=lambda: opened
    )


def _nameless(kind: Kind, found: _Found) -> RecordProblem:
    (column,) = IDENTITIES[_LISTS[kind]]
    surname = found.row.get("Surname")
    who = f" (surname {surname[:40]})" if isinstance(surname, str) and surname.strip() else ""
    return RecordProblem(
        severity=Severity.ROW,
        reason="no_identity",
        message=f"Progresso gives a {_WHO[kind]}{who} without {column}, so nobody can tell who it is.",
        advice="Look the record up in Progresso, save it once more, and tell support if it comes again.",
        field=column,
    )


_WHO = {Kind.PUPIL: "pupil", Kind.CONTACT: "contact", Kind.STAFF: "member of staff"}
