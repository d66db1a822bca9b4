"""From the pages as they came to one unopened record per person."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

from mis_connectors import archive, lists, values
from mis_connectors.lists import Links, Listed
from mis_connectors.progresso import people
from mis_connectors.progresso.client import ANSWERS, IDENTITIES, rows_of, total_pages
from mis_connectors.records import IncomingPayload, Kind, Opened, Snapshot, SourceRecord
from mis_connectors.replies import object_in
from mis_connectors.rows import Row

SCHOOL = "school.json"
_PART = re.compile(r"(\d+)/(\w+)/(\d+)\.json", re.ASCII)
_LISTS = {Kind.PUPIL: "students", Kind.CONTACT: "contacts", Kind.STAFF: "staff"}


def part_name(turn: int, name: str, number: int) -> str:
    """Return how a page is kept: which time it was fetched, list and page."""
    return f"{turn}/{name}/{number:04d}.json"


def read(payload: IncomingPayload) -> Snapshot:
    """Return what a payload says; raises `SnapshotFormatError`."""
    held = {name: Listed() for name in IDENTITIES}
    schools: set[str] = set()
    for name, body in archive.parts(payload):
        said = object_in(body, ANSWERS.wrong(name.split("/")[1] if "/" in name else "school"))
        if name == SCHOOL:
            schools.add(dfe_number(said))
        elif (part := _PART.fullmatch(name)) and part[2] in held:
            _take(held, part[2], int(part[1]), name, said)
    if not schools:
        raise ANSWERS.not_its_own("school", detail="it is missing")
    last = max(listed.turn for listed in held.values())
    for name, listed in held.items():
        if listed.turn != last or listed.pages != max(1, listed.promised):
            raise ANSWERS.not_its_own(name, detail=f"{listed.pages} of {listed.promised} pages")
    return _snapshot(held, schools, payload.salt)


def dfe_number(said: Mapping[str, Any]) -> str:
    """Return `8233001` of `{"LA": 823, "Estab": "3001"}`; raises `SnapshotFormatError`."""
    try:
        la, estab = values.text(said.get("LA")), values.text(said.get("Estab"))
    except ValueError:
        la = estab = None
    if not la or not estab:
        raise ANSWERS.not_its_own("school", detail="no LA or Estab")
    return f"{la}{estab}"[:20]


def _take(held: dict[str, Listed], name: str, turn: int, file: str, said: Row) -> None:
    rows, pages = rows_of(name, said), total_pages(name, said)
    listed = lists.of_turn(held, name, turn)
    listed.promised = pages
    listed.add(rows, IDENTITIES[name], file=file)


def _snapshot(held: Mapping[str, Listed], schools: set[str], salt: bytes) -> Snapshot:
    linked = held["studentcontacts"]
    links, strays = lists.links_by_contact(linked, pupils=held["students"], contacts=held["contacts"])
    strays += len(linked.nameless)
    notes = [f"Progresso links {strays} pupils or contacts that are not in its lists."] if strays else []
    return Snapshot(
        records=[record for kind in Kind for record in _records(kind, held[_LISTS[kind]], links, salt)],
        complete=frozenset(Kind),
        dfe_numbers=frozenset(schools),
        notes=tuple(notes),
        orphans=tuple(
            orphan
            for kind, name in _LISTS.items()
            for orphan in lists.orphans(kind, held[name], salt=salt, mis=ANSWERS.mis, column=IDENTITIES[name][0])
        ),
    )


def _records(kind: Kind, listed: Listed, links: Links, salt: bytes) -> Iterator[SourceRecord]:
    for (external_id,), found in listed.found.items():
        own = [row for _, row in links.get(external_id, [])] if kind is Kind.CONTACT else []
        opener: dict[Kind, Callable[[], Opened]] = {
            Kind.PUPIL: partial(people.open_pupil, found.row),
            Kind.CONTACT: partial(people.open_contact, found.row, own),
            Kind.STAFF: partial(people.open_staff, found.row),
        }
        yield lists.record(kind, external_id, found, digest=values.digest_of(salt, found.row, own), opener=opener[kind])
