"""A simulated school as an office would keep it in a workbook: a sheet of pupils with their contacts, one of staff."""

from __future__ import annotations

import io
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any

from openpyxl import Workbook

from mis_connectors.simulators.model import Contact, Link, People, Pupil

PUPILS = (
    "StudentForename", "StudentSurname", "StudentID", "Year", "Reg", "DOB", "Gender", "Relationship", "Title",
    "ContactForename", "ContactSurname", "ContactID", "PrimaryEmail", "MobileNumber", "HouseName", "HouseNumber",
    "Street", "District", "Town", "County", "Postcode", "Priority", "UPN", "PreAdmission",
)  # fmt: skip
STAFF = (
    "StaffForename", "StaffSurname", "StaffID", "Title", "StaffCode", "Role", "Reg", "PrimaryEmail", "MobileNumber",
)  # fmt: skip


def workbook(school: People, *, leaving_out: Collection[str] = ()) -> bytes:
    """Return the school as one .xlsx, less the columns that are left out."""
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "Pupils"
    _fill(sheet, PUPILS, pupil_rows(school), leaving_out)
    _fill(book.create_sheet("Staff"), STAFF, staff_rows(school), leaving_out)
    made = io.BytesIO()
    book.save(made)
    return made.getvalue()


def _fill(sheet: Any, captions: Sequence[str], rows: Iterable[Sequence[object]], leaving_out: Collection[str]) -> None:
    kept = [place for place, caption in enumerate(captions) if caption not in leaving_out]
    for row in (captions, *rows):
        sheet.append([row[place] for place in kept])


def pupil_rows(school: People) -> Iterator[tuple[object, ...]]:
    """Yield a row for each contact of each pupil, and one for a pupil without any."""
    for pupil in school.pupils.values():
        if pupil.leaving_date is not None and pupil.leaving_date <= school.today:
            continue
        links = [link for link in school.links.get(pupil.id, []) if not link.applicant]
        if not links:
            yield (*_of_pupil(pupil), *[None] * 15, *_more(pupil))
        for link in links:
            yield from _of_link(pupil, link, school.contacts[link.contact_id])


def _of_pupil(pupil: Pupil) -> tuple[object, ...]:
    year = None if pupil.pre_admission else {0: "Reception", -1: "N2", -2: "N1"}.get(pupil.year, str(pupil.year))
    return pupil.chosen_name or pupil.forename, pupil.surname, pupil.adno, year, pupil.reg, pupil.dob, pupil.gender


def _more(pupil: Pupil) -> tuple[object, ...]:
    early = pupil.pre_admission
    return pupil.upn, None if early is None else "Yes" if early else "No"


def _of_link(pupil: Pupil, link: Link, contact: Contact) -> Iterator[tuple[object, ...]]:
    """Yield as many rows as the contact has emails or numbers: each row holds one of either."""
    emails = [one.address for one in contact.emails]
    numbers = [one.number for one in contact.telephones]
    for at in range(max(1, len(emails), len(numbers))):
        yield (
            *_of_pupil(pupil),
            link.relationship,
            contact.title,
            contact.forename,
            contact.surname,
            str(contact.id),
            emails[at] if at < len(emails) else None,
            numbers[at] if at < len(numbers) else None,
            None,
            None,
            contact.address,
            None,
            None,
            None,
            contact.postcode,
            link.priority,
            *_more(pupil),
        )


def staff_rows(school: People) -> Iterator[tuple[object, ...]]:
    for member in school.staff.values():
        if member.leaving_date is None:
            yield (
                member.chosen_name or member.forename,
                member.surname,
                str(member.id),
                member.title,
                member.code,
                member.role,
                member.reg,
                member.emails[0].address if member.emails else None,
                member.telephone.number if member.telephone else None,
            )
