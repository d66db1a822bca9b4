"""From the rows of one person to the record the hub asks for, opened only where they are new.

What cannot be read is left out and named in the words of Progresso; the rest of the person goes on.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
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

Row = Mapping[str, Any]
T = TypeVar("T")
_YEAR = re.compile(r"(?:year|yr)?\s*(\d{1,2})", re.IGNORECASE | re.ASCII)
_PLACES = {"mobile": 0, "home": 1, "work": 2}
_EMAILS = {"home": 0, "work": 1}
_OF_STAFF = {"work": 0, "home": 1}
_WHERE = {
    "pupil": "In Progresso, open this pupil’s record",
    "contact": "In Progresso, open this contact’s record",
    "staff": "In Progresso, open this member of staff’s record",
}


def open_pupil(row: Row) -> Opened:
    """Return a pupil, who goes by `Forename` and `Surname`; the legal ones have names of their own."""
    said = _Said(row, "pupil")
    record = PupilRecord(
        upn=said.text("UPN"),
        admission_number=said.text("AdmissionNumber"),
        forename=said.text("Forename") or said.text("LegalForename"),
        surname=said.text("Surname") or said.text("LegalSurname"),
        legal_forename=said.text("LegalForename"),
        legal_surname=said.text("LegalSurname"),
        date_of_birth=said.read(values.date_of, "DateOfBirth"),
        gender=said.text("Gender"),
        year_group=year_group(said.text("YearGroup")),
        registration_group=said.text("TutorGroup"),
        house=said.text("House"),
        admission_date=said.read(values.date_of, "AdmissionDate"),
        leaving_date=said.read(values.date_of, "LeavingDate"),
    )
    return Opened(record, tuple(said.problems))


def open_contact(row: Row, links: Sequence[Row]) -> Opened:
    """Return a contact with a link per pupil."""
    said = _Said(row, "contact")
    record = ContactRecord(
        title=said.text("Title"),
        forename=said.text("Forename"),
        surname=said.text("Surname"),
        address=said.text("Address"),
        postcode=said.text("Postcode"),
        telephones=_ranked(said, "Telephones", "Number", _PLACES),
        emails=_ranked(said, "Emails", "Address", _EMAILS),
        links=tuple(_link(said.beside(link)) for link in links),
    )
    return Opened(record, tuple(said.problems))


def open_staff(row: Row) -> Opened:
    """Return a member of staff, work email first: it is the one they sign in with."""
    said = _Said(row, "staff")
    record = StaffRecord(
        code=said.text("StaffCode"),
        title=said.text("Title"),
        forename=said.text("Forename"),
        surname=said.text("Surname") or said.text("LegalSurname"),
        role=said.text("Role"),
        tutor_of=said.text("TutorGroup"),
        leaving_date=said.read(values.date_of, "LeavingDate"),
        telephones=_ranked(said, "Telephones", "Number", _PLACES),
        emails=_ranked(said, "Emails", "Address", _OF_STAFF),
    )
    return Opened(record, tuple(said.problems))


def year_group(text: str | None) -> str | None:
    """Return `6` for `Year 6`; `Reception` and anything else as it stands."""
    if text is None:
        return None
    found = _YEAR.fullmatch(text)
    return str(int(found[1])) if found else text


def _link(said: _Said) -> LinkRecord:
    """Read one link. A flag that is not there stays unknown: it is neither yes nor no."""
    student = said.read(values.text, "StudentId")
    return LinkRecord(
        pupil_external_id=student or "",
        relationship=said.text("Relationship"),
        priority=said.read(values.whole, "Priority"),
        parental_responsibility=said.read(values.yes_no, "ParentalResponsibility"),
    )


def _ranked(said: _Said, name: str, what: str, places: Mapping[str, int]) -> tuple[str, ...]:
    """Return the distinct values of a list: by type, the main one first within it, and then as they come."""
    best: dict[str, int] = {}
    for one in said.several(name):
        if value := one.text(what):
            place = 2 * places.get((one.text("Type") or "").casefold(), len(places))
            rank = place + (one.read(values.yes_no, "IsMain") is not True)
            best[value] = min(rank, best.get(value, rank))
    return tuple(sorted(best, key=best.__getitem__))


class _Said:
    """What one object says, and what is wrong with it."""

    def __init__(self, row: Row, who: str, problems: list[RecordProblem] | None = None) -> None:
        self._row = row
        self._who = who
        self.problems: list[RecordProblem] = [] if problems is None else problems

    def beside(self, row: Row) -> _Said:
        """Return another object of the same person; its problems are named together."""
        return _Said(row, self._who, self.problems)

    def text(self, name: str) -> str | None:
        return self.read(values.text, name)

    def read(self, reader: Callable[[object], T | None], name: str) -> T | None:
        """Return a field as `reader` takes it, None for what it cannot take, which is named."""
        try:
            return reader(self._row.get(name))
        except ValueError as error:
            self._unreadable(name, str(error))
            return None

    def several(self, name: str) -> list[_Said]:
        """Return the objects of a list; what is not one is named."""
        given = self._row.get(name)
        listed = given if isinstance(given, list) else [] if given is None else [given]
        found = [self.beside(one) for one in listed if isinstance(one, dict)]
        if len(found) < len(listed):
            self._unreadable(name, "is not in the form that Schoolgate knows")
        return found

    def _unreadable(self, name: str, what: str) -> None:
        given = self._row.get(name)
        value = (values.text(given) or "") if isinstance(given, str) else ""
        shown = f" “{value[:60]}”" if value else ""
        problem = RecordProblem(
            severity=Severity.PART,
            reason="unreadable",
            message=f"{name}:{shown} {what}, so it was left out.",
            advice=f"{_WHERE[self._who]} and correct it there; it comes tonight.",
            field=name,
            value=value[:200],
        )
        if problem not in self.problems:
            self.problems.append(problem)
