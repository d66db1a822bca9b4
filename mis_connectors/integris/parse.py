"""From the pages as they came to one unopened record per person."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from mis_connectors import archive, values
from mis_connectors.integris import people, permissions
from mis_connectors.integris.client import IDENTITIES, identity, not_its_own
from mis_connectors.integris.permissions import CONTACT, STAFF, STUDENT, Permissions
from mis_connectors.records import (
    IncomingPayload,
    Kind,
    Opened,
    RecordProblem,
    Severity,
    Snapshot,
    SourceRecord,
)

ABOUT = "about.json"
LONGEST_IDENTITY = 100
_PART = re.compile(r"(\w+)/(\d+)/(\d+)\.json", re.ASCII)
_KINDS = {Kind.PUPIL: (STUDENT, "students"), Kind.CONTACT: (CONTACT, "contacts"), Kind.STAFF: (STAFF, "staff")}
_IN_ROWS: Mapping[tuple[str, str], str] = {(CONTACT, "Email"): "Emails", (CONTACT, "Phone"): "Phones"}
"""Fields that stand in a row under another name than in the permission."""
_IN_LINKS = frozenset({"Relationship", "ParentalResponsibility", "EmergencyRanking"})
Row = dict[str, Any]


def part_name(name: str, number: int, place: int) -> str:
    """Return how a page is kept: list, pass and page."""
    return f"{name}/{number}/{place:04d}.json"


@dataclass(slots=True)
class _Found:
    file: str
    number: int
    row: Row


@dataclass(slots=True)
class _List:
    """One list, of its newest pass."""

    number: int = 0
    total: int = 0
    found: dict[tuple[str, ...], _Found] = field(default_factory=dict)
    nameless: list[_Found] = field(default_factory=list)
    keys: set[str] = field(default_factory=set)


def read(payload: IncomingPayload) -> Snapshot:
    """Return what a payload says; raises `SnapshotFormatError`."""
    said = _Said()
    for name, body in archive.parts(payload):
        said.take(name, body)
    granted = said.granted()
    return said.snapshot(granted, payload.salt)


class _Said:
    """Everything that was fetched."""

    def __init__(self) -> None:
        self._about: Row | None = None
        self._lists: dict[str, _List] = {}
        self._schools: set[str] = set()

    def take(self, name: str, body: bytes) -> None:
        """Read one part; raises `SnapshotFormatError`."""
        try:
            said = json.loads(body)
        except ValueError as error:
            raise not_its_own(name.partition("/")[0], detail=f"{name}: {str(error)[:80]}") from None
        if not isinstance(said, dict):
            raise not_its_own(name.partition("/")[0], detail=f"{name}: not an object")
        if school := said.get("schoolDfe"):
            self._schools.add(dfe_number(school))
        if name == ABOUT:
            self._about = said
        elif (part := _PART.fullmatch(name)) and part[1] in IDENTITIES:
            self._rows(part[1], int(part[2]), name, said)

    def _rows(self, name: str, number: int, file: str, said: Row) -> None:
        rows, total = said.get(name), said.get("total")
        if not isinstance(rows, list) or not isinstance(total, int):
            raise not_its_own(name, detail=f"{file}: no rows")
        held = self._lists.setdefault(name, _List())
        if number > held.number:
            held = self._lists[name] = _List(number)
        held.total = total
        for place, row in enumerate(rows, 1):
            if not isinstance(row, dict):
                raise not_its_own(name, detail=f"{file}: row {place}")
            held.keys |= row.keys()
            found, key = _Found(file, place, row), identity(name, row)
            if all(0 < len(one) <= LONGEST_IDENTITY for one in key):
                held.found[key] = found
            else:
                held.nameless.append(found)

    def granted(self) -> Permissions:
        """Return what we were let see; raises `SnapshotFormatError` where that, or a list of it, did not come whole."""
        if self._about is None:
            raise not_its_own("about", detail="it is missing")
        granted = permissions.read(self._about)
        for name in granted.lists:
            held = self._lists.get(name)
            got = len(held.found) + len(held.nameless) if held else -1
            if held is None or got < held.total:
                raise not_its_own(name, detail=f"{got} of {held.total if held else 'a list that is missing'}")
        return granted

    def snapshot(self, granted: Permissions, salt: bytes) -> Snapshot:
        """Return everything as records to be opened."""
        kinds = [kind for kind, (noun, _) in _KINDS.items() if noun not in granted.refused]
        links, stray = self._links()
        records = [record for kind in kinds for record in self._records(kind, links, salt)]
        notes = [f"RM Integris links {stray} contacts or pupils that are not in its lists."] if stray else []
        return Snapshot(
            records=records,
            complete=frozenset(kinds),
            dfe_numbers=frozenset(self._schools),
            lacking=granted.lacking | self._never_said(granted),
            notes=tuple(notes),
            orphans=tuple(orphan for kind in kinds for orphan in self._orphans(kind, salt)),
        )

    def _links(self) -> tuple[dict[str, list[Row]], int]:
        """Return the links by contact, and how many lead nowhere."""
        held = self._lists.get("contactLinks", _List())
        contacts = self._lists.get("contacts", _List()).found
        students = self._lists.get("students", _List()).found
        links: dict[str, list[Row]] = {}
        stray = len(held.nameless)
        for (contact, student), found in held.found.items():
            if (contact,) in contacts and (student,) in students:
                links.setdefault(contact, []).append(found.row)
            else:
                stray += 1
        return links, stray

    def _records(self, kind: Kind, links: Mapping[str, list[Row]], salt: bytes) -> list[SourceRecord]:
        records = []
        for (external_id,), found in self._lists[_KINDS[kind][1]].found.items():
            own = sorted(links.get(external_id, []), key=lambda link: identity("contactLinks", link))
            raw = [found.row, *own] if kind is Kind.CONTACT else [found.row]
            reading: Callable[[], Opened] = (
                partial(people.open_contact, found.row, own)
                if kind is Kind.CONTACT
                else partial(people.open_pupil if kind is Kind.PUPIL else people.open_staff, found.row)
            )
            records.append(
                SourceRecord(
                    kind=kind,
                    external_id=external_id,
                    digest=values.digest_of(salt, *raw),
                    file=found.file,
                    row=found.number,
                    open=reading,
                )
            )
        return records

    def _never_said(self, granted: Permissions) -> frozenset[str]:
        """Return the fields that no row of a list has a name for: withheld, whatever the permissions said before."""
        lacking: set[str] = set()
        for noun, fields in permissions.FIELDS.items():
            for name, canonical in fields.items():
                found = "contactLinks" if name in _IN_LINKS else permissions.LISTS[noun][0]
                held = self._lists.get(found)
                if held and held.keys and _IN_ROWS.get((noun, name), name) not in held.keys:
                    lacking.update(canonical)
        return frozenset(lacking)

    def _orphans(self, kind: Kind, salt: bytes) -> list[tuple[SourceRecord, RecordProblem]]:
        name = _KINDS[kind][1]
        (column,) = IDENTITIES[name]
        return [(_orphan(kind, found, salt), _nameless(kind, column, found)) for found in self._lists[name].nameless]


def _orphan(kind: Kind, found: _Found, salt: bytes) -> SourceRecord:
    opened = Opened(None)
    return SourceRecord(
        kind=kind,
        external_id="",
        digest=values.digest_of(salt, found.row),
        file=found.file,
        row=found.number,
        open=lambda: opened,
    )


def _nameless(kind: Kind, column: str, found: _Found) -> RecordProblem:
    surname = found.row.get("Surname")
    who = f" (surname {surname[:40]})" if isinstance(surname, str) and surname.strip() else ""
    return RecordProblem(
        severity=Severity.ROW,
        reason="no_identity",
        message=f"RM Integris gives a {kind.value}{who} without {column}, so nobody can tell who it is.",
        advice="Look the record up in RM Integris, save it once more, and tell support if it comes again.",
        field=column,
    )


def dfe_number(value: object) -> str:
    """Return `8233001` for `823/3001` and `823 3001` too; anything else as it stands."""
    text = " ".join(str(value or "").split())[:40]
    digits = re.sub(r"[\s/\\-]", "", text)
    return digits if digits.isdigit() else text[:20]
