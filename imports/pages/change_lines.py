"""Turns stored changes into the rows of "What changed": looks up the people of one page, set by set."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from hub.people.models import Connection, Contact, ContactDetail, DetailSource, Pupil, PupilContact, Staff
from imports.models import Import, ImportChange
from imports.pages import wording
from imports.pages.wording import Line, Person

Owner = tuple[str, int]
CHUNK = 500
GONE = "Somebody no longer here"
_THINGS = {
    "pupil": "Pupil",
    "contact": "Parent",
    "staff": "Member of staff",
    "link": "Link to a pupil",
    "detail": "Email or mobile",
    "identity": "MIS record",
}


@dataclass(slots=True)
class _Looked:
    """What the words need to know about the people of some changes."""

    people: dict[Owner, Person] = field(default_factory=dict)
    links: dict[int, tuple[str, str]] = field(default_factory=dict)
    """Link id to the names of its contact and its pupil."""
    details: dict[int, ContactDetail] = field(default_factory=dict)


def lines_of(changes: Sequence[ImportChange], *, school_id: int, mis_name: str, now: dt.datetime) -> list[Line]:
    """Return the rows for these changes of one school, in six queries at most, however many there are."""
    looked = _look_up(changes, school_id)
    return [line for change in changes for line in _lines(change, looked, mis_name=mis_name, now=now)]


def every_line(run: Import, changes: Iterable[ImportChange], *, mis_name: str, now: dt.datetime) -> Iterator[Line]:
    """Yield the rows of a whole import chunk by chunk, for a download."""
    chunk: list[ImportChange] = []
    for change in changes:
        chunk.append(change)
        if len(chunk) == CHUNK:
            yield from lines_of(chunk, school_id=run.school_id, mis_name=mis_name, now=now)
            chunk = []
    yield from lines_of(chunk, school_id=run.school_id, mis_name=mis_name, now=now)


def left_lines(rows: Sequence[Mapping[str, Any]], *, school_id: int) -> list[Line]:
    """Return what an undo named and left (`Import.left_by_undo`), each person and thing once."""
    ids: dict[str, set[int]] = defaultdict(set)
    for row in rows:
        ids[row["kind"]].add(row["person_id"])
    people = _people(ids, school_id)
    found: dict[tuple[str, int, str], Line] = {}
    for row in rows:
        kind, person_id, why = row["kind"], row["person_id"], row["why"]
        person = people.get((kind, person_id)) or Person(kind=kind, id=0, name=GONE)
        what = _THINGS.get(row["model"], "Record")
        found[(kind, person_id, why)] = Line(person=person, action="left", what=what, after="left", why=why)
    return list(found.values())


def would_lines(rows: Sequence[Mapping[str, Any]], *, school_id: int, mis_name: str) -> list[Line]:
    """Return rows of `Import.would` with what is known of the people they are about."""
    ids: dict[str, set[int]] = defaultdict(set)
    for row in rows:
        ids[str(row.get("kind", ""))].add(int(row.get("person_id") or 0))
    people = _people(ids, school_id)
    found = (wording.would_line(row, mis_name=mis_name) for row in rows)
    return [replace(line, person=people.get((line.person.kind, line.person.id), line.person)) for line in found]


def _lines(change: ImportChange, looked: _Looked, *, mis_name: str, now: dt.datetime) -> Iterator[Line]:
    owner = (change.person_kind, change.person_id)
    detail = looked.details.get(change.row_id) if change.model == "detail" else None
    contact, pupil = looked.links.get(change.row_id, ("", "")) if change.model == "link" else ("", "")
    facts = wording.Change(
        action=change.action,
        model=change.model,
        before=change.before,
        after=change.after,
        why=change.why,
        person=looked.people.get(owner) or _gone(change),
        other=contact if change.person_kind == "pupil" else pupil,
        verified_at=detail.verified_at if detail else None,
        value_by=detail.changed_by if detail and detail.source == DetailSource.ORGANISATION else "",
    )
    return wording.lines(facts, mis_name=mis_name, now=now)


def _look_up(changes: Sequence[ImportChange], school_id: int) -> _Looked:
    ids: dict[str, set[int]] = defaultdict(set)
    for change in changes:
        ids[change.person_kind].add(change.person_id)
        ids[change.model].add(change.row_id)
    looked = _Looked(people=_people(ids, school_id))
    if ids["link"]:
        links = PupilContact.objects.filter(school_id=school_id, pk__in=ids["link"]).select_related("pupil", "contact")
        looked.links = {link.pk: (str(link.contact), str(link.pupil)) for link in links}
    if kept := [change.row_id for change in changes if change.model == "detail" and change.action == "kept"]:
        looked.details = ContactDetail.objects.filter(school_id=school_id).in_bulk(kept)
    return looked


def _people(ids: Mapping[str, set[int]], school_id: int) -> dict[Owner, Person]:
    return {
        **dict(_pupils(school_id, ids.get("pupil", set()))),
        **dict(_contacts(school_id, ids.get("contact", set()))),
        **dict(_staff(school_id, ids.get("staff", set()))),
    }


def _gone(change: ImportChange) -> Person:
    """Return somebody whose record an undo took away, by the name the change itself tells."""
    said = {**change.before, **change.after}
    name = " ".join(str(said[part]) for part in ("title", "forename", "surname") if said.get(part))
    kind = change.person_kind
    return Person(kind=kind, id=0, name=name or GONE, about=f"{wording.PERSON.get(kind, kind)}, no longer here")


def _pupils(school_id: int, ids: set[int]) -> Iterator[tuple[Owner, Person]]:
    for pupil in Pupil.objects.filter(school_id=school_id, pk__in=ids) if ids else ():
        about = ", ".join(part for part in ("pupil", pupil.registration_group or pupil.year_group) if part)
        yield (
            ("pupil", pupil.pk),
            Person(
                kind="pupil",
                id=pupil.pk,
                name=str(pupil),
                about=about,
                pronoun=wording.pronoun(pupil.gender),
            ),
        )


def _contacts(school_id: int, ids: set[int]) -> Iterator[tuple[Owner, Person]]:
    if not ids:
        return
    families: dict[int, list[tuple[str, str]]] = defaultdict(list)
    links = PupilContact.objects.filter(school_id=school_id, contact_id__in=ids).order_by("ended_on", "pupil_id")
    for contact_id, relationship, forename in links.values_list("contact_id", "relationship", "pupil__forename"):
        families[contact_id].append((relationship, forename))
    connected = set(
        Connection.objects.filter(
            school_id=school_id, contact_id__in=ids, connected_at__isnull=False, ended_at=None
        ).values_list("contact_id", flat=True)
    )
    for contact in Contact.objects.filter(school_id=school_id, pk__in=ids):
        yield (
            ("contact", contact.pk),
            Person(
                kind="contact",
                id=contact.pk,
                name=str(contact),
                about=wording.family(families[contact.pk]) or "parent",
                pronoun=wording.pronoun(contact.gender),
                connected=contact.pk in connected,
            ),
        )


def _staff(school_id: int, ids: set[int]) -> Iterator[tuple[Owner, Person]]:
    for member in Staff.objects.filter(school_id=school_id, pk__in=ids) if ids else ():
        about = ", ".join(part for part in ("staff", member.role) if part)
        yield ("staff", member.pk), Person(kind="staff", id=member.pk, name=str(member), about=about)
