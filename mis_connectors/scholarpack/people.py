"""From ScholarPack's records to the hub's: which of its fields are read, and how; the rules are those of `README.md`.

What cannot be read is left out, named, and costs nobody the rest of their record.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
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

T = TypeVar("T")
Raw = Mapping[str, Any]

OFF_ROLL = "off roll"
PRE_ADMISSION = "pre-admission"
_YEAR = re.compile(r"(?:year|yr|y)?\s*(\d{1,2})", re.IGNORECASE | re.ASCII)
_WHERE = {
    "pupil": "In ScholarPack, open this pupil’s record",
    "contact": "In ScholarPack, open this contact’s details on the pupil’s record",
    "staff": "In ScholarPack, open this person’s staff record",
}


def open_pupil(raw: Raw) -> Opened:
    """Return a pupil."""
    problems: list[RecordProblem] = []
    return Opened(pupil_of(raw, problems), tuple(problems))


def open_contact(raw: Raw, links: Sequence[tuple[str, Raw]]) -> Opened:
    """Return a contact with a link for each of its pupils, named by id: commonly one, for siblings have others."""
    said = _Said(raw, "contact")
    record = ContactRecord(
        title=said.text("title"),
        forename=said.text("forename"),
        surname=said.text("surname"),
        address=said.text("address"),
        postcode=said.text("postcode"),
        telephones=telephones(said),
        emails=_one(said.text("email")),
        links=tuple(_links(links, said.problems)),
    )
    return Opened(record, tuple(said.problems))


def open_staff(raw: Raw) -> Opened:
    """Return a member of staff."""
    said = _Said(raw, "staff")
    record = StaffRecord(
        title=said.text("title"),
        forename=said.text("preferred_forename") or said.text("forename"),
        surname=said.text("surname"),
        role=said.text("role"),
        tutor_of=said.text("form"),
        leaving_date=said.date("leaving_date"),
        telephones=telephones(said),
        emails=_one(said.text("email")),
    )
    return Opened(record, tuple(said.problems))


def pupil_of(raw: Raw, problems: list[RecordProblem] | None = None) -> PupilRecord:
    """Return a pupil: preferred names where there are some, else the legal ones."""
    said = _Said(raw, "pupil", problems)
    status = status_of(raw)
    return PupilRecord(
        upn=said.text("upn"),
        admission_number=said.text("admission_number"),
        forename=said.text("preferred_forename") or said.text("forename"),
        surname=said.text("surname") or said.text("legal_surname"),
        legal_forename=said.text("forename"),
        legal_surname=said.text("legal_surname"),
        middle_names=said.text("middle_names"),
        date_of_birth=said.date("date_of_birth"),
        gender=said.text("gender"),
        year_group=_year_group(said.text("year_group")),
        registration_group=said.text("form"),
        house=said.text("house"),
        admission_date=said.date("admission_date"),
        leaving_date=said.date("leaving_date"),
        pre_admission=status == PRE_ADMISSION if status else None,
    )


def status_of(raw: Raw) -> str:
    """Return a student's status, ready to compare."""
    status = raw.get("status")
    return " ".join(status.split()).casefold() if isinstance(status, str) else ""


def is_on_roll(raw: Raw) -> bool:
    return status_of(raw) not in (OFF_ROLL, PRE_ADMISSION)


def has_left_undated(raw: Raw) -> bool:
    """Say whether ScholarPack no longer counts somebody, off roll or not active, without saying since when.

    Nothing in the payload says it either, so they count as absent: leaving since the night they are missed.
    """
    if raw.get("leaving_date"):
        return False
    try:
        return status_of(raw) == OFF_ROLL or values.yes_no(raw.get("active")) is False
    except ValueError:
        return False


def telephones(said: _Said) -> tuple[str, ...]:
    """Return the distinct numbers, those of location M first, each group as ScholarPack has it: the first M wins.

    Schoolcomms documents this rule; other MIS have other ones.
    """
    numbers: dict[str, bool] = {}
    for phone in said.phones():
        place = phone.get("location")
        is_mobile = isinstance(place, str) and place.strip().upper() == "M"
        if number := said.text("phones", phone.get("number")):
            numbers[number] = numbers.get(number, False) or is_mobile
    return tuple(sorted(numbers, key=lambda number: not numbers[number]))


def _links(links: Sequence[tuple[str, Raw]], problems: list[RecordProblem]) -> Iterator[LinkRecord]:
    """One link per pupil; where ScholarPack has two of the same, what gives less access counts."""
    by_pupil: dict[str, list[_Said]] = {}
    for pupil, raw in links:
        by_pupil.setdefault(pupil, []).append(_Said(raw, "contact", problems))
    for pupil, same in by_pupil.items():
        responsibility = {said.yes_no("responsibility") for said in same}
        orders = [order for said in same if (order := said.whole("contact_order")) is not None]
        yield LinkRecord(
            pupil_external_id=pupil,
            relationship=next(filter(None, (said.text("relationship") for said in same)), None),
            priority=min(orders, default=None),
            parental_responsibility=False if False in responsibility else True if True in responsibility else None,
        )


def _one(value: str | None) -> tuple[str, ...]:
    return (value,) if value else ()


def _year_group(text: str | None) -> str | None:
    """Return `6` for `Year 6`; `Reception`, `Nursery` stay as they are."""
    found = _YEAR.fullmatch(text) if text else None
    return str(int(found.group(1))) if found else text


class _Said:
    """What one record says, and what of it cannot be read."""

    def __init__(self, raw: Raw, who: str, problems: list[RecordProblem] | None = None) -> None:
        self._raw, self._who = raw, who
        self.problems = problems if problems is not None else []

    def text(self, name: str, value: object = ...) -> str | None:
        return self._read(values.text, name, "is not text", "type it again", value)

    def date(self, name: str) -> dt.date | None:
        return self._read(values.date_of, name, "is not a date", "correct the date")

    def whole(self, name: str) -> int | None:
        return self._read(values.whole, name, "is not a whole number", "give the contact a number")

    def yes_no(self, name: str) -> bool | None:
        return self._read(values.yes_no, name, "is neither yes nor no", "tick or clear the box")

    def phones(self) -> list[Raw]:
        found = self._raw.get("phones")
        if found is None:
            return []
        if not isinstance(found, list) or not all(isinstance(phone, Mapping) for phone in found):
            self._problem("phones", found, "is no list of numbers", "type the numbers again")
            return []
        return found

    def _read(self, read: Callable[[object], T], name: str, what: str, do: str, value: object = ...) -> T | None:
        raw = self._raw.get(name) if value is ... else value
        try:
            return read(raw)
        except ValueError:
            self._problem(name, raw, what, do)
            return None

    def _problem(self, name: str, raw: object, what: str, do: str) -> None:
        shown = SHOWN.get(name, name.replace("_", " "))
        problem = RecordProblem(
            severity=Severity.PART,
            reason=f"bad_{name}",
            message=f"{shown}: “{str(raw)[:60]}” {what}, so it was left out.",
            advice=f"{_WHERE[self._who]} and {do}; it comes tonight.",
            field=shown,
            value=str(raw)[:200],
        )
        if problem not in self.problems:
            self.problems.append(problem)


SHOWN = {
    "contact_order": "Contact Order",
    "responsibility": "Responsibility",
    "date_of_birth": "Date of birth",
    "leaving_date": "Leaving date",
    "admission_date": "Admission date",
    "phones": "Phone",
    "email": "Email",
    "form": "Form",
}
"""Field → as ScholarPack's screens show it."""
