"""From the pages as they came to one unopened record per person."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

from mis_connectors import archive, lists, values
from mis_connectors.integris import people, permissions
from mis_connectors.integris.client import ANSWERS, IDENTITIES
from mis_connectors.integris.permissions import CONTACT, STAFF, STUDENT, Permissions
from mis_connectors.lists import Links, Listed
from mis_connectors.records import IncomingPayload, Kind, Opened, RecordProblem, Snapshot, SourceRecord
from mis_connectors.replies import object_in, rows_in

ABOUT = "about.json"
_PART = re.compile(r"(\w+)/(\d+)/(\d+)\.json", re.ASCII)
_KINDS = {Kind.PUPIL: (STUDENT, "students"), Kind.CONTACT: (CONTACT, "contacts"), Kind.STAFF: (STAFF, "staff")}
_IN_ROWS: Mapping[tuple[str, str], str] = {(CONTACT, "Email"): "Emails", (CONTACT, "Phone"): "Phones"}
"""Fields that stand in a row under another name than in the permission."""
_FAMILY = ("contactLinks", "students", "contacts")
_IN_LINKS = frozenset({"Relationship", "ParentalResponsibility", "EmergencyRanking"})


def part_name(name: str, number: int, place: int) -> str:
    """Return how a page is kept: list, pass and page."""
    return f"{name}/{number}/{place:04d}.json"


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
        self._about: dict[str, Any] | None = None
        self._lists: dict[str, Listed] = {}
        self._schools: set[str] = set()

    def take(self, name: str, body: bytes) -> None:
        """Read one part; raises `SnapshotFormatError`."""
        said = object_in(body, ANSWERS.wrong(name.partition("/")[0]))
        if school := said.get("schoolDfe"):
            self._schools.add(dfe_number(school))
        if name == ABOUT:
            self._about = said
        elif (part := _PART.fullmatch(name)) and part[1] in IDENTITIES:
            self._rows(part[1], int(part[2]), name, said)

    def _rows(self, name: str, number: int, file: str, said: dict[str, Any]) -> None:
        rows, total = rows_in(said, name, ANSWERS.wrong(name)), said.get("total")
        if not isinstance(total, int):
            raise ANSWERS.not_its_own(name, detail=f"{file}: no total")
        held = lists.of_turn(self._lists, name, number)
        held.promised = total
        held.add(rows, IDENTITIES[name], file=file)

    def granted(self) -> Permissions:
        """Return what we were let see; raises `SnapshotFormatError` where that, or a list of it, did not come whole."""
        if self._about is None:
            raise ANSWERS.not_its_own("about", detail="it is missing")
        granted = permissions.read(self._about)
        for name in granted.lists:
            held = self._lists.get(name)
            got = len(held.found) + len(held.nameless) if held else -1
            if held is None or got < held.promised:
                raise ANSWERS.not_its_own(
                    name, detail=f"{got} of {held.promised if held else 'a list that is missing'}"
                )
        return granted

    def snapshot(self, granted: Permissions, salt: bytes) -> Snapshot:
        """Return everything as records to be opened."""
        kinds = [kind for kind, (noun, _) in _KINDS.items() if noun not in granted.refused]
        links, stray = self._links()
        notes = [f"RM Integris links {stray} contacts or pupils that are not in its lists."] if stray else []
        return Snapshot(
            records=[record for kind in kinds for record in self._records(kind, links, salt)],
            complete=frozenset(kinds),
            dfe_numbers=frozenset(self._schools),
            lacking=granted.lacking | self._never_said(granted),
            notes=tuple(notes),
            orphans=tuple(orphan for kind in kinds for orphan in self._orphans(kind, salt)),
        )

    def _links(self) -> tuple[Links, int]:
        """Return the links by contact, and how many lead nowhere."""
        held, contacts, students = (
            self._lists.get(name, Listed()) for name in ("contactLinks", "contacts", "students")
        )
        links, strays = lists.links_by_contact(held, pupils=students, contacts=contacts)
        return links, strays + len(held.nameless)

    def _records(self, kind: Kind, links: Links, salt: bytes) -> Iterator[SourceRecord]:
        for (external_id,), found in self._lists[_KINDS[kind][1]].found.items():
            own = [row for _, row in links.get(external_id, [])] if kind is Kind.CONTACT else []
            digest = values.digest_of(salt, found.row, *own)
            opener: dict[Kind, Callable[[], Opened]] = {
                Kind.PUPIL: partial(people.open_pupil, found.row),
                Kind.CONTACT: partial(people.open_contact, found.row, own),
                Kind.STAFF: partial(people.open_staff, found.row),
            }
            yield lists.record(kind, external_id, found, digest=digest, opener=opener[kind])

    def _never_said(self, granted: Permissions) -> frozenset[str]:
        """Return the fields that no row of a list has a name for: withheld, whatever the permissions said before."""
        lacking: set[str] = set()
        for noun, fields in permissions.FIELDS.items():
            for name, canonical in fields.items():
                found = "contactLinks" if name in _IN_LINKS else permissions.LISTS[noun][0]
                held = self._lists.get(found)
                if held and held.names and _IN_ROWS.get((noun, name), name) not in held.names:
                    lacking.update(canonical)
        return frozenset(lacking)

    def _orphans(self, kind: Kind, salt: bytes) -> Iterator[tuple[SourceRecord, RecordProblem]]:
        name = _KINDS[kind][1]
        (column,) = IDENTITIES[name]
        return lists.orphans(kind, self._lists[name], salt=salt, mis=ANSWERS.mis, column=column)


def dfe_number(value: object) -> str:
    """Return `8233001` for `823/3001` and `823 3001` too; anything else as it stands."""
    text = " ".join(str(value or "").split())[:40]
    digits = re.sub(r"[\s/\\-]", "", text)
    return digits if digits.isdigit() else text[:20]
