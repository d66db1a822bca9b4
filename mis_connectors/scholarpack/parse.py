"""From the parts of a payload to one unopened record per person, with its digest.

A contact's record is the contact and its links together; ids stay as ScholarPack gives them, one per sibling and all.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Set
from functools import partial
from typing import Any

from mis_connectors import archive, lists, values
from mis_connectors.errors import SnapshotFormatError
from mis_connectors.lists import Found, Links, Listed
from mis_connectors.records import IncomingPayload, Kind, Opened, RecordProblem, Severity, Snapshot, SourceRecord
from mis_connectors.replies import object_in, rows_in
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


def read(payload: IncomingPayload) -> Snapshot:
    """Return what a payload says; raises `SnapshotFormatError`."""
    held: dict[str, Listed] = {}
    about: Raw = {}
    school: Raw = {}
    for name, body in archive.parts(payload):
        if found := _PART.fullmatch(name):
            _take(held, found, name, body)
        elif name == "about.json":
            about = object_in(body, wording.not_its_format(name))
        elif name == "school.json":
            said = object_in(body, wording.not_its_format(name))
            school = said["data"] if isinstance(said.get("data"), dict) else said
    for resource in (client.STUDENTS, client.CONTACTS, client.LINKS):
        if resource.path not in held:
            raise SnapshotFormatError(
                f"ScholarPack’s {resource.what} are not in what was fetched: it ended too early.", detail=resource.path
            )
    if not about:
        raise SnapshotFormatError("What was fetched from ScholarPack ended too early.", detail="no about.json")
    return _snapshot(held, about, school, payload.salt)


def _take(held: dict[str, Listed], found: re.Match[str], name: str, body: bytes) -> None:
    resource = next((one for one in client.RESOURCES if one.path == found["path"]), None)
    if resource is None:
        return
    wrong = wording.not_its_format(name)
    records = rows_in(object_in(body, wrong), "data", wrong)
    lists.of_turn(held, resource.path, int(found["reading"])).add(records, resource.identity, file=name)


def _snapshot(held: dict[str, Listed], about: Raw, school: Raw, salt: bytes) -> Snapshot:
    notes: list[str] = []
    links = _links_by_contact(held, notes)
    staff = held.get(client.STAFF.path) if about.get("staff") == "read" else None
    given = {path: one.names for path, one in held.items() if path != client.STAFF.path or staff}
    records = [
        *_records(Kind.PUPIL, held[client.STUDENTS.path], salt, notes),
        *_contacts(held[client.CONTACTS.path], links, salt),
        *(_records(Kind.STAFF, staff, salt, notes) if staff else ()),
    ]
    number = schools.number_of(school)
    return Snapshot(
        records=records,
        complete=frozenset({Kind.PUPIL, Kind.CONTACT} | ({Kind.STAFF} if staff else set())),
        dfe_numbers=frozenset({number} - {""}),
        lacking=lacking(given),
        notes=tuple(notes),
        orphans=tuple(_orphans(held)),
    )


def _records(kind: Kind, listed: Listed, salt: bytes, notes: list[str]) -> Iterator[SourceRecord]:
    opener = people.open_pupil if kind is Kind.PUPIL else people.open_staff
    undated = 0
    for (identity,), found in listed.found.items():
        if people.has_left_undated(found.row):
            undated += 1
        else:
            yield _record(kind, identity, found, values.digest_of(salt, found.row), partial(opener, found.row))
    if undated and kind is Kind.PUPIL:
        notes.append(f"Off roll in ScholarPack without a leaving date, and read as no longer there: {undated} pupils.")
    elif undated:
        notes.append(f"Not active in ScholarPack without a leaving date, and read as no longer there: {undated} staff.")


def _contacts(contacts: Listed, links: Links, salt: bytes) -> Iterator[SourceRecord]:
    for (identity,), found in contacts.found.items():
        own = links.get(identity, [])
        digest = values.digest_of(salt, found.row, own)
        yield _record(Kind.CONTACT, identity, found, digest, partial(people.open_contact, found.row, own))


def _record(kind: Kind, identity: str, found: Found, digest: bytes, opener: Callable[[], Opened]) -> SourceRecord:
    """Return a record. In which page it stood tells an office nothing: only of who has no id is that said."""
    return lists.record(kind, identity, Found(found.row, "", 0), digest=digest, opener=opener)


def _links_by_contact(held: Mapping[str, Listed], notes: list[str]) -> Links:
    """Return each contact's links with their pupils' ids; those that name nobody in the lists are counted only."""
    linked, students, contacts = (held[one.path] for one in (client.LINKS, client.STUDENTS, client.CONTACTS))
    links, strays = lists.links_by_contact(linked, pupils=students, contacts=contacts)
    if strays:
        notes.append(f"ScholarPack links {strays} contacts and pupils of whom it gives us only one; passed over.")
    return links


def _orphans(held: Mapping[str, Listed]) -> Iterator[tuple[SourceRecord, RecordProblem]]:
    kinds = {client.STUDENTS: Kind.PUPIL, client.STAFF: Kind.STAFF}
    for resource in client.RESOURCES:
        for found in held[resource.path].nameless if resource.path in held else ():
            problem = RecordProblem(
                severity=Severity.ROW,
                reason="no_identity",
                message=f"A record among ScholarPack’s {resource.what} has no id, so it names nobody.",
                advice="Tell ScholarPack’s support desk: every record of its API has one.",
                field=resource.identity[0],
            )
            yield lists.orphan(kinds.get(resource, Kind.CONTACT), found), problem
