"""Rows of the lists of people, for the pages and for their CSV. Reads what the selectors have loaded."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django.db.models import QuerySet
from django.urls import reverse

from hub.people.judging import display
from hub.people.models import Contact, Pupil, PupilContact, Staff
from hub.people.why import Standing, standing_of

_CHUNK = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class AdultRow:
    """A parent or a member of staff."""

    name: str
    link: str
    belongs: str
    email: str
    mobile: str
    standing: Standing
    note: str


def contact_row(contact: Contact, slug: str) -> AdultRow:
    """Return the row of a contact loaded by `selectors.with_details`."""
    links: Sequence[PupilContact] = contact.standing_links  # type: ignore[attr-defined]
    belongs = ", ".join(_of(link) for link in links)
    note = "" if links else ("Added by hand" if contact.made_by_hand else "No pupil here now")
    return _adult(contact, reverse("people:contact", args=[slug, contact.pk]), belongs, note)


def staff_row(staff: Staff, slug: str, today: dt.date) -> AdultRow:
    """Return the row of a member of staff loaded by `selectors.staff_with_details`."""
    belongs = ", ".join(part for part in (staff.role, staff.tutor_of and f"tutor of {staff.tutor_of}") if part)
    note = "Left" if staff.leaving_date and staff.leaving_date <= today else ""
    return _adult(staff, reverse("people:staff", args=[slug, staff.pk]), belongs, note)


@dataclass(frozen=True, slots=True)
class LinkRow:
    """A pupil's tie to a parent, with the parent's row."""

    link: PupilContact
    parent: AdultRow


def link_row(link: PupilContact, slug: str) -> LinkRow:
    """Return the row of a link loaded by `selectors.links_of_pupil`."""
    return LinkRow(link, _adult(link.contact, reverse("people:contact", args=[slug, link.contact_id]), "", ""))


def _adult(person: Contact | Staff, link: str, belongs: str, note: str) -> AdultRow:
    values = {detail.kind: display(detail.kind, detail.value) for detail in person.details.all() if detail.deliverable}
    standing = standing_of(next(iter(person.open_connections), None))  # type: ignore[union-attr]
    return AdultRow(
        name=str(person),
        link=link,
        belongs=belongs,
        email=values.get("email", ""),
        mobile=values.get("mobile", ""),
        standing=standing,
        note=note,
    )


def _of(link: PupilContact) -> str:
    form = link.pupil.registration_group or link.pupil.year_group
    return f"{link.pupil}{f' ({form})' if form else ''}{' – says: not my child' if link.denied_at else ''}"


# CSV

PUPIL_HEADER = ["Surname", "Forename", "Year group", "Registration group", "Admission number", "UPN", "Date of birth"]
PARENT_HEADER = ["Surname", "Forename", "Title", "Pupils", "Email", "Mobile", "State"]
STAFF_HEADER = ["Surname", "Forename", "Title", "Role", "Email", "Mobile", "State"]
COURT_ORDER_HEADER = [
    "Pupil surname",
    "Pupil forename",
    "Registration group",
    "Parent",
    "Relationship",
    "Parental responsibility",
    "Receives anything",
]


def pupil_cells(found: QuerySet[Pupil]) -> Iterator[Sequence[str]]:
    """Yield a pupil's cells."""
    for pupil in found.iterator(chunk_size=_CHUNK):
        born = pupil.date_of_birth.isoformat() if pupil.date_of_birth else ""
        yield [
            pupil.surname,
            pupil.forename,
            pupil.year_group,
            pupil.registration_group,
            pupil.admission_number,
            pupil.upn,
            born,
        ]


def contact_cells(found: QuerySet[Contact], slug: str) -> Iterator[Sequence[str]]:
    """Yield a contact's cells; numbers as text that can be dialled."""
    for contact in found.iterator(chunk_size=_CHUNK):
        row = contact_row(contact, slug)
        yield [contact.surname, contact.forename, contact.title, row.belongs, *_reached(row)]


def staff_cells(found: QuerySet[Staff], slug: str, today: dt.date) -> Iterator[Sequence[str]]:
    """Yield a member of staff's cells."""
    for staff in found.iterator(chunk_size=_CHUNK):
        row = staff_row(staff, slug, today)
        yield [staff.surname, staff.forename, staff.title, row.belongs, *_reached(row)]


def court_order_cells(found: QuerySet[PupilContact]) -> Iterator[Sequence[str]]:
    """Yield the cells of a link with a court order."""
    for link in found.iterator(chunk_size=_CHUNK):
        yield [
            link.pupil.surname,
            link.pupil.forename,
            link.pupil.registration_group,
            str(link.contact),
            link.relationship,
            said(link.parental_responsibility),
            said(link.access),
        ]


def said(flag: bool | None) -> str:
    """`Yes`, `No`, or that the MIS did not say: null is never false."""
    return {True: "Yes", False: "No", None: "Not said"}[flag]


def dialled(mobile: str) -> str:
    """A number from abroad without its +, which a spreadsheet would take for a sum."""
    return f"00{mobile[1:]}" if mobile.startswith("+") else mobile


def _reached(row: AdultRow) -> list[str]:
    return [row.email, dialled(row.mobile), row.note or row.standing.text]
