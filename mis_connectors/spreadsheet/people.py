"""From the rows of one person to a pupil, a contact or a member of staff, opened only where they say something new."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from typing import TypeVar

from mis_connectors.records import ContactRecord, LinkRecord, Opened, PupilRecord, RecordProblem, Severity, StaffRecord
from mis_connectors.spreadsheet import columns
from mis_connectors.spreadsheet.cells import Judge, as_text, without_zeros
from mis_connectors.spreadsheet.tables import Line

_NAMES = {
    caption: caption.removeprefix("Student").removeprefix("Contact").removeprefix("Staff").casefold()
    for caption in ("StudentForename", "StudentSurname", "ContactSurname", "StaffForename", "StaffSurname")
}
MADE_BY_HAND = "MAN-"
"""How an id begins that the school made up: it is no admission number."""
_T = TypeVar("_T")
_ONE_PERSON = {
    "StudentForename": "forenames", "StudentSurname": "surnames", "DOB": "dates of birth", "UPN": "UPNs",
    "ContactForename": "forenames", "ContactSurname": "surnames",
    "StaffForename": "forenames", "StaffSurname": "surnames",
}  # fmt: skip
"""Columns in which rows that differ cannot be of one person."""


def open_pupil(lines: Sequence[Line]) -> Opened:
    """Return a pupil; rows that say two names or dates of birth under one StudentID reject them."""
    said = _Said(lines, columns.OF_PUPIL, "StudentID")
    if said.rejected:
        return said.nobody()
    number = said.text("StudentID") or ""
    born = _born(said)
    if not _required(said, "StudentForename", "StudentSurname") or born is None:
        return said.nobody()
    _rows_that_do_not_fit(said)
    forename, surname = said.text("StudentForename"), said.text("StudentSurname")
    record = PupilRecord(
        upn=said.text("UPN"),
        admission_number=None if number.upper().startswith(MADE_BY_HAND) else number,
        forename=forename,
        surname=surname,
        date_of_birth=born,
        gender=said.text("Gender"),
        year_group=said.first("Year", Judge.year),
        registration_group=said.text("Reg"),
        pre_admission=said.first("PreAdmission", Judge.yes_no),
    )
    return Opened(record, tuple(said.problems))


def open_contact(lines: Sequence[Line]) -> Opened:
    """Return a contact with one link per pupil, its emails and mobiles in the order of the rows."""
    said = _Said(lines, columns.OF_CONTACT, "ContactID")
    if said.rejected:
        return said.nobody()
    if not _required(said, "ContactSurname"):
        return said.nobody()
    _rows_that_do_not_fit(said)
    record = ContactRecord(
        title=said.text("Title"),
        forename=said.text("ContactForename"),
        surname=said.text("ContactSurname"),
        address=_address(said),
        postcode=said.text("Postcode"),
        telephones=said.every("MobileNumber", Judge.number),
        emails=said.every("PrimaryEmail", Judge.text),
        links=tuple(_links(said)),
    )
    return Opened(record, tuple(said.problems))


def open_staff(lines: Sequence[Line]) -> Opened:
    """Return a member of staff."""
    said = _Said(lines, columns.STAFF, "StaffID")
    if said.rejected:
        return said.nobody()
    if not _required(said, "StaffForename", "StaffSurname"):
        return said.nobody()
    _rows_that_do_not_fit(said)
    record = StaffRecord(
        code=said.text("StaffCode"),
        title=said.text("Title"),
        forename=said.text("StaffForename"),
        surname=said.text("StaffSurname"),
        role=said.text("Role"),
        tutor_of=said.text("Reg"),
        telephones=said.every("MobileNumber", Judge.number),
        emails=said.every("PrimaryEmail", Judge.text),
    )
    return Opened(record, tuple(said.problems))


class _Said:
    """What the rows of one person say together, and what is wrong with them."""

    def __init__(self, lines: Sequence[Line], captions: Sequence[str], identity: str) -> None:
        self.problems: list[RecordProblem] = []
        self._judges = [Judge(line, self.problems) for line in lines]
        self._captions = captions
        self.rejected = False
        for caption, words in _ONE_PERSON.items():
            if caption in captions and len(self._values(caption)) > 1:
                self.refuse(
                    f"two_{words.replace(' ', '_').casefold()}", caption,
                    f"The rows with this {identity} say two {words}: are they two people?",
                    f"Make the rows say the same, or give each person a {identity} of their own.",
                    ", ".join(sorted(self._values(caption).values())),
                )  # fmt: skip

    def _values(self, caption: str) -> dict[str, str]:
        """Return the different values of a column; case apart, the first spelling counts."""
        found: dict[str, str] = {}
        for judge in self._judges:
            if (value := judge.line.said.get(caption)) is not None:
                text = as_text(value)
                found.setdefault(_date_aside(judge, caption, text), text)
        return found

    def refuse(self, reason: str, caption: str, message: str, advice: str, value: str = "") -> None:
        """Leave the person out, and say why."""
        self.rejected = True
        self._judges[0].say(Severity.ROW, reason, caption, message, advice, value)

    def refuse_all(self, caption: str) -> None:
        """Leave the person out for what is wrong already in this column."""
        self.rejected = True
        self.problems[:] = [
            _as_row(problem) if problem.field == caption else problem for problem in self.problems
        ]  # fmt: skip

    def nobody(self) -> Opened:
        return Opened(None, tuple(self.problems))

    def text(self, caption: str) -> str | None:
        return self.first(caption, Judge.text)

    def first(self, caption: str, read: Callable[[Judge, str], _T | None]) -> _T | None:
        """Return the first value; where other rows say another, it is named."""
        values = self._values(caption)
        if len(values) > 1 and caption not in _ONE_PERSON:
            first, other = list(values.values())[:2]
            self._judges[0].say(
                Severity.WARNING, "rows_differ", caption,
                f"The rows of this person say two things: “{first}” and “{other}”. The first was taken.",
                "Make the rows say the same.", other,
            )  # fmt: skip
        for judge in self._judges:
            if judge.line.said.get(caption) is not None or _is_formula(judge.line, caption):
                return read(judge, caption)
        return None

    def every(self, caption: str, read: Callable[[Judge, str], str | None]) -> tuple[str, ...]:
        """Return the distinct values in the order of the rows."""
        seen: dict[str, None] = {}
        tried: set[str] = set()
        for judge in self._judges:
            raw = as_text(judge.line.said.get(caption))
            if raw in tried and raw:
                continue
            tried.add(raw)
            if value := read(judge, caption):
                seen[value] = None
        return tuple(seen)

    def by_pupil(self) -> dict[str, list[Judge]]:
        found: dict[str, list[Judge]] = {}
        for judge in self._judges:
            if pupil := as_text(judge.line.said.get("StudentID")):
                found.setdefault(without_zeros(pupil), []).append(judge)
        return found

    @property
    def judges(self) -> list[Judge]:
        return self._judges


def _is_formula(line: Line, caption: str) -> bool:
    index = line.table.at.get(caption)
    return index is not None and (line.number, index) in line.table.unreckoned


def _date_aside(judge: Judge, caption: str, text: str) -> str:
    """Return what is compared: one day is one day, however each row writes it; case says nothing."""
    if caption == "DOB":
        day = Judge(judge.line).date(caption)
        return day.isoformat() if day else text.casefold()
    return text.casefold()


def _as_row(problem: RecordProblem) -> RecordProblem:
    return RecordProblem(
        severity=Severity.ROW, reason=problem.reason, message=problem.message,
        advice=problem.advice, field=problem.field, value=problem.value,
    )  # fmt: skip


def _required(said: _Said, *captions: str) -> bool:
    """Say whether the names are there; leaves the person out where one is not."""
    missing = [caption for caption in captions if said.text(caption) is None]
    for caption in missing:
        said.refuse("no_name", caption, f"The {_NAMES[caption]} is missing.", f"Type it in the column {caption}.")
    return not missing


def _born(said: _Said) -> dt.date | None:
    """Return a pupil's date of birth; leaves out who has none, for pupils are told apart by it."""
    born = said.first("DOB", Judge.date)
    if born is None and any(problem.field == "DOB" for problem in said.problems):
        said.refuse_all("DOB")
    elif born is None:
        said.refuse(
            "no_date_of_birth", "DOB", "This pupil has no date of birth, by which pupils are told apart.",
            "Type it as day/month/year: 09/03/2015.",
        )  # fmt: skip
    return born


def _rows_that_do_not_fit(said: _Said) -> None:
    for judge in said.judges:
        if judge.line.beyond:
            judge.say(
                Severity.WARNING, "beyond_the_captions", "", "This row has text to the right of the last caption.",
                "Delete it. In a CSV, a text with a comma in it needs quotation marks around it,"
                " or all that follows it moves to the right.",
            )  # fmt: skip


def _address(said: _Said) -> str | None:
    name, number, street = (said.text(caption) for caption in ("HouseName", "HouseNumber", "Street"))
    parts = [name, " ".join(filter(None, (number, street))) or None]
    parts += [said.text(caption) for caption in ("District", "Town", "County")]
    return ", ".join(filter(None, parts)) or None


def _links(said: _Said) -> list[LinkRecord]:
    links = []
    for pupil, judges in said.by_pupil().items():
        first = next((judge for judge in judges if "Relationship" in judge.line.said), judges[0])
        ranked = next((judge for judge in judges if "Priority" in judge.line.said), judges[0])
        links.append(
            LinkRecord(
                pupil_external_id=pupil, relationship=first.text("Relationship"), priority=ranked.whole("Priority")
            )
        )
    return links
