"""From the rows of one person to the record the hub asks for, opened only where they are new.

What cannot be read is left out and named in the words of RM Integris; the rest of the person goes on.
"""

from __future__ import annotations

from collections.abc import Sequence

from mis_connectors.records import ContactRecord, LinkRecord, Opened, PupilRecord, StaffRecord
from mis_connectors.rows import Row, Said, ranked

_YEARS = {"r": "Reception", "n": "Nursery"}
_EMAILS = {"personal": 0, "work": 1, "other": 2}
_PUPIL = "In RM Integris, open this pupil's details"
_CONTACT = "In RM Integris, open this contact's details"
_STAFF = "In RM Integris, open this member of staff's details"


def open_pupil(row: Row) -> Opened:
    """Return a pupil, who goes by KnownName and else by FirstName."""
    said = Said(row, _PUPIL)
    first = said.text("FirstName")
    record = PupilRecord(
        upn=said.text("UPN"),
        forename=said.text("KnownName") or first,
        surname=said.text("Surname"),
        legal_forename=first,
        legal_surname=said.text("LegalSurname"),
        date_of_birth=said.date("DateOfBirth"),
        year_group=_year(said.text("CurrentYearGroup")),
        registration_group=said.text("CurrentClass"),
    )
    return Opened(record, tuple(said.problems))


def open_contact(row: Row, links: Sequence[Row]) -> Opened:
    """Return a contact with a link per pupil; a couple kept as one stays one here (`imports.canonical`)."""
    said = Said(row, _CONTACT)
    record = ContactRecord(
        title=said.text("Title"),
        forename=said.text("FirstName"),
        surname=said.text("Surname"),
        telephones=_phones(said),
        emails=_emails(said),
        links=tuple(_link(said.beside(link)) for link in links),
    )
    return Opened(record, tuple(said.problems))


def open_staff(row: Row) -> Opened:
    """Return a member of staff."""
    said = Said(row, _STAFF)
    email = said.text("Email")
    record = StaffRecord(
        forename=said.text("KnownName") or said.text("Forename"),
        surname=said.text("Surname"),
        role=said.text("BusinessRole"),
        emails=(email,) if email else (),
    )
    return Opened(record, tuple(said.problems))


def _link(said: Said) -> LinkRecord:
    """Read one link. A ranking that is not there stays unknown: it is nobody's first."""
    return LinkRecord(
        pupil_external_id=said.text("StudentID") or "",
        relationship=said.text("Relationship"),
        priority=said.whole("EmergencyRanking"),
        parental_responsibility=said.yes_no("ParentalResponsibility"),
    )


def _emails(said: Said) -> tuple[str, ...]:
    """Return the distinct emails: the default first, then Personal, Work and Other, as they come."""

    def rank(email: Said) -> int:
        if email.yes_no("Default"):
            return -1
        return _EMAILS.get((email.text("Type") or "").casefold(), len(_EMAILS))

    return ranked(said.several("Emails"), "Email", rank)


def _phones(said: Said) -> tuple[str, ...]:
    """Return the distinct telephones: the one set as mobile first, then mobiles, then the main one, then the rest."""

    def rank(phone: Said) -> int:
        if phone.yes_no("SetAsMobile"):
            return 0
        main = phone.yes_no("Main") is True
        return 2 - main if (phone.text("Type") or "").casefold() == "mobile" else 4 - main

    return ranked(said.several("Phones"), "Phone", rank)


def _year(text: str | None) -> str | None:
    """Return `6` for `Year 6`, `Reception` for `R`; anything else as it stands."""
    if text is None:
        return None
    short = text[4:].strip() if text.casefold().startswith("year") else text
    return str(int(short)) if short.isascii() and short.isdigit() else _YEARS.get(short.casefold(), text)
