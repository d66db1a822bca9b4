"""From the parts of a payload to one unopened record per person, with its digest.

A contact's record is the contact and its links together; ids stay as ScholarPack gives them, one per sibling and all.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Set
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from mis_connectors import archive, values
from mis_connectors.errors import SnapshotFormatError
from mis_connectors.records import IncomingPayload, Kind, Opened, RecordProblem, Severity, Snapshot, SourceRecord
from mis_connectors.scholarpack import client, people, schools, wording

Raw = Mapping[str, Any]

_PART = re.compile(r"(?P<path>[a-z-]+)/(?P<reading>\d{2})/(?P<page>\d{4})\.json", re.ASCII)
_FIELDS: dict[str, dict[str, tuple[str, ...]]] = {
    client.STUDENTS.path: {
        "pupil.upn": ("upn",),
        "pupil.admission_number": ("admission_number",),
        "pupil.legal_surname": ("legal_surname",),
        "pupil.middle_names": ("middle_names",),
        "pupil.gender": ("gender",),
        "pupil.year_group": ("year_group",),
        "pupil.registration_group": ("form",),
        "pupil.house": ("house",),
        "pupil.admission_date": ("admission_date",),
        "pupil.leaving_date": ("leaving_date",),
        "pupil.pre_admission": ("status",),
    },
    client.CONTACTS.path: {
        "contact.title": ("title",),
        "contact.address": ("address",),
        "contact.postcode": ("postcode",),
        "contact.telephones": ("phones",),
        "contact.emails": ("email",),
    },
    client.LINKS.path: {
        "link.relationship": ("relationship",),
        "link.priority": ("contact_order",),
        "link.parental_responsibility": ("responsibility",),
    },
    client.STAFF.path: {
        "staff.title": ("title",),
        "staff.role": ("role",),
        "staff.tutor_of": ("form",),
        "staff.leaving_date": ("leaving_date",),
        "staff.telephones": ("phones",),
        "staff.emails": ("email",),
    },
}
"""List → what the hub reads from which of its fields; names and dates of birth are in every record."""
STAFF_FIELDS = frozenset({"staff.forename", "staff.surname", *_FIELDS[client.STAFF.path]})


def lacking(given: Mapping[str, Set[str]]) -> frozenset[str]:
    """Return the canonical fields of which no record has even the name: withheld, which is not the same as empty.

    `given` is the names of all fields met, by list; a list without records says nothing of its fields, and staff
    that are not there at all are withheld.
    """
    missing = {
        canonical
        for path, wanted in _FIELDS.items()
        if given.get(path)
        for canonical, names in wanted.items()
        if not given[path] & set(names)
    }
    return frozenset(missing | (STAFF_FIELDS if client.STAFF.path not in given else set()))


@dataclass(frozen=True, slots=True)
class _Row:
    raw: Raw
    file: str
    number: int


@dataclass(slots=True)
class _List:
    """One list in its last reading."""

    reading: str = ""
    rows: dict[tuple[str, ...], _Row] = field(default_factory=dict)
    nameless: list[_Row] = field(default_factory=list)
    names: set[str] = field(default_factory=set)

    def add(self, resource: client.Resource, raw: Raw, file: str, number: int) -> None:
        """Take a record; one that a page brings again is the same person, as it stood last."""
        self.names |= raw.keys()
        key, row = resource.key_of(raw), _Row(raw, file, number)
        if key:
            self.rows[key] = row
        else:
            self.nameless.append(row)


def read(payload: IncomingPayload) -> Snapshot:
    """Return what a payload says; raises `SnapshotFormatError`."""
    lists: dict[str, _List] = {}
    about: Raw = {}
    school: Raw = {}
    for name, body in archive.parts(payload):
        if found := _PART.fullmatch(name):
            _take(lists, found, name, body)
        elif name == "about.json":
            about = _object(name, body)
        elif name == "school.json":
            said = _object(name, body)
            school = said["data"] if isinstance(said.get("data"), dict) else said
    for resource in (client.STUDENTS, client.CONTACTS, client.LINKS):
        if resource.path not in lists:
            raise SnapshotFormatError(
                f"ScholarPack’s {resource.what} are not in what was fetched: it ended too early.", detail=resource.path
            )
    if not about:
        raise SnapshotFormatError("What was fetched from ScholarPack ended too early.", detail="no about.json")
    return _snapshot(lists, about, school, payload.salt)


def _take(lists: dict[str, _List], found: re.Match[str], name: str, body: bytes) -> None:
    resource = next((one for one in client.RESOURCES if one.path == found["path"]), None)
    if resource is None:
        return
    current = lists.setdefault(resource.path, _List(found["reading"]))
    if found["reading"] > current.reading:  # it did not hold still the first time
        current = lists[resource.path] = _List(found["reading"])
    records = _object(name, body).get("data")
    if not isinstance(records, list) or not all(isinstance(record, dict) for record in records):
        raise SnapshotFormatError(wording.NOT_ITS_FORMAT, detail=f"{name}: no data")
    for number, raw in enumerate(records, 1):
        current.add(resource, raw, name, number)


def _object(name: str, body: bytes) -> dict[str, Any]:
    try:
        said = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise SnapshotFormatError(wording.NOT_ITS_FORMAT, detail=f"{name}: {type(error).__name__}") from None
    if not isinstance(said, dict):
        raise SnapshotFormatError(wording.NOT_ITS_FORMAT, detail=f"{name}: no object")
    return said


def _snapshot(lists: dict[str, _List], about: Raw, school: Raw, salt: bytes) -> Snapshot:
    notes: list[str] = []
    links = _links_by_contact(lists, notes)
    staff = lists.get(client.STAFF.path) if about.get("staff") == "read" else None
    read_lists = {path: one for path, one in lists.items() if path != client.STAFF.path or staff}
    records = [
        *_records(Kind.PUPIL, lists[client.STUDENTS.path], salt, notes),
        *_contacts(lists[client.CONTACTS.path], links, salt),
        *(_records(Kind.STAFF, staff, salt, notes) if staff else ()),
    ]
    number = schools.number_of(school)
    return Snapshot(
        records=records,
        complete=frozenset({Kind.PUPIL, Kind.CONTACT} | ({Kind.STAFF} if staff else set())),
        dfe_numbers=frozenset({number} - {""}),
        lacking=lacking({path: one.names for path, one in read_lists.items()}),
        notes=tuple(notes),
        orphans=tuple(_orphans(lists)),
    )


def _records(kind: Kind, people_list: _List, salt: bytes, notes: list[str]) -> Iterator[SourceRecord]:
    opener = people.open_pupil if kind is Kind.PUPIL else people.open_staff
    undated = 0
    for (identity,), row in people_list.rows.items():
        if people.has_left_undated(row.raw):
            undated += 1
        else:
            yield _record(kind, identity, row, values.digest_of(salt, row.raw), partial(opener, row.raw))
    if undated and kind is Kind.PUPIL:
        notes.append(f"Off roll in ScholarPack without a leaving date, and read as no longer there: {undated} pupils.")
    elif undated:
        notes.append(f"Not active in ScholarPack without a leaving date, and read as no longer there: {undated} staff.")


def _contacts(contacts: _List, links: Mapping[str, list[tuple[str, Raw]]], salt: bytes) -> Iterator[SourceRecord]:
    for (identity,), row in contacts.rows.items():
        own = links.get(identity, [])
        digest = values.digest_of(salt, row.raw, own)
        yield _record(Kind.CONTACT, identity, row, digest, partial(people.open_contact, row.raw, own))


def _record(kind: Kind, identity: str, row: _Row, digest: bytes, opener: Callable[[], Opened]) -> SourceRecord:
    """Return a record. In which page it stood tells an office nothing: only of who has no id is that said."""
    file, number = ("", 0) if identity else (row.file, row.number)
    return SourceRecord(kind=kind, external_id=identity, digest=digest, file=file, row=number, open=opener)


def _links_by_contact(lists: Mapping[str, _List], notes: list[str]) -> dict[str, list[tuple[str, Raw]]]:
    """Return each contact's links with their pupils' ids; those that name nobody in the lists are counted only."""
    students, contacts = lists[client.STUDENTS.path].rows, lists[client.CONTACTS.path].rows
    found: dict[str, list[tuple[str, Raw]]] = {}
    strays = 0
    for (student, contact), row in sorted(lists[client.LINKS.path].rows.items()):
        if (student,) in students and (contact,) in contacts:
            found.setdefault(contact, []).append((student, row.raw))
        else:
            strays += 1
    if strays:
        notes.append(f"ScholarPack links {strays} contacts and pupils of whom it gives us only one; passed over.")
    return found


def _orphans(lists: Mapping[str, _List]) -> Iterator[tuple[SourceRecord, RecordProblem]]:
    kinds = {client.STUDENTS: Kind.PUPIL, client.STAFF: Kind.STAFF}
    for resource in client.RESOURCES:
        for row in lists[resource.path].nameless if resource.path in lists else ():
            problem = RecordProblem(
                severity=Severity.ROW,
                reason="no_identity",
                message=f"A record among ScholarPack’s {resource.what} has no id, so it names nobody.",
                advice="Tell ScholarPack’s support desk: every record of its API has one.",
                field=resource.identity[0],
            )
            kind = kinds.get(resource, Kind.CONTACT)
            yield _record(kind, "", row, values.digest_of(b"", row.raw), partial(Opened, None, (problem,))), problem
