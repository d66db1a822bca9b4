"""From the rows of one person to the record the hub asks for, opened only where they are new.

What cannot be read is left out and named in the words of RM Integris; the rest of the person goes on.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from mis_connectors import values
from mis_connectors.records import (
    ContactRecord,
    LinkRecord,
    Opened,
    PupilRecord,
    RecordProblem,
    Severity,
    StaffRecord,
)

Row = dict[str, Any]
T = TypeVar("T")
_YEARS = {"r": "Reception", "n": "Nursery"}
_EMAILS = {"personal": 0, "work": 1, "other": 2}
_WHERE = {
    "pupil": "In RM Integris, open this pupil's details",
    "contact": "In RM Integris, open this contact's details",
    "staff": "In RM Integris, open this member of staff's details",
}


def open_pupil(row: Row) -> Opened:
    """Return a pupil, who goes by KnownName and else by FirstName."""
    said = _Said(row, "pupil")
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
    said = _Said(row, "contact")
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
    said = _Said(row, "staff")
    email = said.text("Email")
    record = StaffRecord(
        forename=said.text("KnownName") or said.text("Forename"),
        surname=said.text("Surname"),
        role=said.text("BusinessRole"),
        emails=(email,) if email else (),
    )
    return Opened(record, tuple(said.problems))


def _link(said: _Said) -> LinkRecord:
    """Read one link. A ranking that is not there stays unknown: it is nobody's first."""
    return LinkRecord(
        pupil_external_id=said.text("StudentID") or "",
        relationship=said.text("Relationship"),
        priority=said.whole("EmergencyRanking"),
        parental_responsibility=said.yes_no("ParentalResponsibility"),
    )


def _emails(said: _Said) -> tuple[str, ...]:
    """Return the distinct emails: the default first, then Personal, Work and Other, as they come."""

    def rank(email: _Said) -> int:
        if email.yes_no("Default"):
            return -1
        return _EMAILS.get((email.text("Type") or "").casefold(), len(_EMAILS))

    return _ranked(said.several("Emails"), "Email", rank)


def _phones(said: _Said) -> tuple[str, ...]:
    """Return the distinct telephones: the one set as mobile first, then mobiles, then the main one, then the rest."""

    def rank(phone: _Said) -> int:
        if phone.yes_no("SetAsMobile"):
            return 0
        main = phone.yes_no("Main") is True
        return 2 - main if (phone.text("Type") or "").casefold() == "mobile" else 4 - main

    return _ranked(said.several("Phones"), "Phone", rank)


def _ranked(found: Sequence[_Said], name: str, rank: Callable[[_Said], int]) -> tuple[str, ...]:
    best: dict[str, int] = {}
    for one in found:
        if value := one.text(name):
            place = rank(one)
            best[value] = min(place, best.get(value, place))
    return tuple(sorted(best, key=best.__getitem__))


def _year(text: str | None) -> str | None:
    """Return `6` for `Year 6`, `Reception` for `R`; anything else as it stands."""
    if text is None:
        return None
    short = text[4:].strip() if text.casefold().startswith("year") else text
    return str(int(short)) if short.isascii() and short.isdigit() else _YEARS.get(short.casefold(), text)


class _Said:
    """What one object says, and what is wrong with it."""

    def __init__(self, row: Row, who: str, problems: list[RecordProblem] | None = None) -> None:
        self._row = row
        self._who = who
        self.problems: list[RecordProblem] = [] if problems is None else problems

    def beside(self, row: Row) -> _Said:
        """Return another object of the same person; its problems are named together."""
        return _Said(row, self._who, self.problems)

    def several(self, name: str) -> list[_Said]:
        """Return the objects of a list; what is not one is named."""
        given = self._row.get(name)
        if given is None:
            return []
        listed = given if isinstance(given, list) else [given]
        found = [self.beside(one) for one in listed if isinstance(one, dict)]
        if len(found) < len(listed):
            self._unreadable(name, "is not in the form that Schoolgate knows")
        return found

    def text(self, name: str) -> str | None:
        return self._read(values.text, name)

    def date(self, name: str) -> dt.date | None:
        return self._read(values.date_of, name)

    def whole(self, name: str) -> int | None:
        return self._read(values.whole, name)

    def yes_no(self, name: str) -> bool | None:
        return self._read(values.yes_no, name)

    def _read(self, reader: Callable[[object], T | None], name: str) -> T | None:
        try:
            return reader(self._row.get(name))
        except ValueError as error:
            self._unreadable(name, str(error))
            return None

    def _unreadable(self, name: str, what: str) -> None:
        value = self._row.get(name)
        shown = f" “{value[:60]}”" if isinstance(value, str) else ""
        problem = RecordProblem(
            severity=Severity.PART,
            reason="unreadable",
            message=f"{name}:{shown} {what}, so it was left out.",
            advice=f"{_WHERE[self._who]} and correct it there; it comes tonight.",
            field=name,
            value=value[:200] if isinstance(value, str) else "",
        )
        if problem not in self.problems:
            self.problems.append(problem)
