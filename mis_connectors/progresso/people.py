"""From the rows of one person to the record the hub asks for, opened only where they are new.

What cannot be read is left out and named in the words of Progresso; the rest of the person goes on.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

from mis_connectors.records import ContactRecord, LinkRecord, Opened, PupilRecord, StaffRecord
from mis_connectors.rows import Row, Said, ranked

_YEAR = re.compile(r"(?:year|yr)?\s*(\d{1,2})", re.IGNORECASE | re.ASCII)
_PLACES = {"mobile": 0, "home": 1, "work": 2}
_EMAILS = {"home": 0, "work": 1}
_OF_STAFF = {"work": 0, "home": 1}
_PUPIL = "In Progresso, open this pupil’s record"
_CONTACT = "In Progresso, open this contact’s record"
_STAFF = "In Progresso, open this member of staff’s record"


def open_pupil(row: Row) -> Opened:
    """Return a pupil, who goes by `Forename` and `Surname`; the legal ones have names of their own."""
    said = Said(row, _PUPIL)
    record = PupilRecord(
        upn=said.text("UPN"),
        admission_number=said.text("AdmissionNumber"),
        forename=said.text("Forename") or said.text("LegalForename"),
        surname=said.text("Surname") or said.text("LegalSurname"),
        legal_forename=said.text("LegalForename"),
        legal_surname=said.text("LegalSurname"),
        date_of_birth=said.date("DateOfBirth"),
        gender=said.text("Gender"),
        year_group=year_group(said.text("YearGroup")),
        registration_group=said.text("TutorGroup"),
        house=said.text("House"),
        admission_date=said.date("AdmissionDate"),
        leaving_date=said.date("LeavingDate"),
    )
    return Opened(record, tuple(said.problems))


def open_contact(row: Row, links: Sequence[Row]) -> Opened:
    """Return a contact with a link per pupil."""
    said = Said(row, _CONTACT)
    record = ContactRecord(
        title=said.text("Title"),
        forename=said.text("Forename"),
        surname=said.text("Surname"),
        address=said.text("Address"),
        postcode=said.text("Postcode"),
        telephones=_telephones(said),
        emails=_emails(said, _EMAILS),
        links=tuple(_link(said.beside(link)) for link in links),
    )
    return Opened(record, tuple(said.problems))


def open_staff(row: Row) -> Opened:
    """Return a member of staff, work email first: it is the one they sign in with."""
    said = Said(row, _STAFF)
    record = StaffRecord(
        code=said.text("StaffCode"),
        title=said.text("Title"),
        forename=said.text("Forename"),
        surname=said.text("Surname") or said.text("LegalSurname"),
        role=said.text("Role"),
        tutor_of=said.text("TutorGroup"),
        leaving_date=said.date("LeavingDate"),
        telephones=_telephones(said),
        emails=_emails(said, _OF_STAFF),
    )
    return Opened(record, tuple(said.problems))


def year_group(text: str | None) -> str | None:
    """Return `6` for `Year 6`; `Reception` and anything else as it stands."""
    if text is None:
        return None
    found = _YEAR.fullmatch(text)
    return str(int(found[1])) if found else text


def _link(said: Said) -> LinkRecord:
    """Read one link. A flag that is not there stays unknown: it is neither yes nor no."""
    return LinkRecord(
        pupil_external_id=said.text("StudentId") or "",
        relationship=said.text("Relationship"),
        priority=said.whole("Priority"),
        parental_responsibility=said.yes_no("ParentalResponsibility"),
    )


def _telephones(said: Said) -> tuple[str, ...]:
    return ranked(said.several("Telephones"), "Number", _by_type(_PLACES))


def _emails(said: Said, places: Mapping[str, int]) -> tuple[str, ...]:
    return ranked(said.several("Emails"), "Address", _by_type(places))


def _by_type(places: Mapping[str, int]) -> Callable[[Said], int]:
    """Return a rank by type, the main one first within it."""

    def rank(one: Said) -> int:
        place = places.get((one.text("Type") or "").casefold(), len(places))
        return 2 * place + (one.yes_no("IsMain") is not True)

    return rank
