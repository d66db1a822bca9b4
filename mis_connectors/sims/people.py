"""From a person's rows, saved as lxml wrote them, to the record the hub asks for.

Opened only where the digest of the rows is new. The rules are those of `README.md`.
"""

from __future__ import annotations

import datetime as dt
import html
import re
from collections.abc import Callable, Iterable, Sequence

from mis_connectors.records import (
    ContactRecord,
    LinkRecord,
    Opened,
    PupilRecord,
    RecordProblem,
    Severity,
    StaffRecord,
)
from mis_connectors.rows import by_rank
from mis_connectors.sims import columns

Fields = dict[str, str]

_FIELD = re.compile(r"<([^\s/>!?]+)(?:\s[^>]*)?(?:/>|>([^<]*)</)")
_IN_SIMS = {
    "pupil": "In SIMS, open Focus > Pupil > Pupil Details for this pupil",
    "contact": "In SIMS, open Focus > Person > Contacts for this contact",
    "staff": "In SIMS, open Focus > Person > Staff for this person",
}
_NAMES = {
    "dob": ("two_dates_of_birth", "two dates of birth"),
    "surname": ("two_surnames", "two surnames"),
    "legalsurname": ("two_surnames", "two legal surnames"),
    "forename": ("two_forenames", "two forenames"),
    "upn": ("two_upns", "two UPNs"),
    "adno": ("two_admission_numbers", "two admission numbers"),
    "contactsurname": ("two_surnames", "two surnames"),
    "contactforename": ("two_forenames", "two forenames"),
    "staffsurname": ("two_surnames", "two surnames"),
    "staffforename": ("two_forenames", "two forenames"),
}
"""Columns in which rows that differ cannot be of one person."""
_MANY = frozenset({"class", "staffrole", "telephone", "email"})
"""Columns of which one person may well have several: the first is taken and nothing is said."""
_OWN = {"pupil": columns.PUPIL_COLUMNS, "contact": columns.CONTACT_COLUMNS, "staff": columns.STAFF_COLUMNS}
_LINK = (
    "relationship",
    "priority",
    "parentalresponsibility",
    "courtorder",
    "liveswith",
    "correspondence",
)


def fields(row: bytes) -> Fields:
    """Return what a row says, by caption; a column that is absent or empty is not in it."""
    found: Fields = {}
    caption = columns.caption
    for tag, text in _FIELD.findall(row.decode()):
        if text and (value := (html.unescape(text) if "&" in text else text).strip()):
            found.setdefault(caption(tag), value)
    return found


def tags(row: bytes) -> list[str]:
    """Return the names of a row's columns, empty ones too."""
    return [tag for tag, _ in _FIELD.findall(row.decode())]


def open_pupil(rows: Sequence[bytes]) -> Opened:
    """Return a pupil. The preferred name is `ChosenName`, else `Forename`."""
    said = _Said(rows, "pupil")
    if said.rejected:
        return Opened(None, tuple(said.problems))
    get = said.first.get
    record = PupilRecord(
        upn=get("upn"),
        former_upn=get("formerupn"),
        admission_number=get("adno"),
        forename=get("chosenname") or get("forename"),
        surname=get("surname"),
        legal_forename=get("forename"),
        legal_surname=get("legalsurname"),
        middle_names=get("middlenames"),
        date_of_birth=said.date("dob"),
        gender=get("gender"),
        year_group=columns.year_group(get("year", "")) or None,
        registration_group=get("reg"),
        house=get("house"),
        class_name=get("class"),
        admission_date=said.date("dateofadmission"),
        leaving_date=said.date("leavingdate"),
        pre_admission=said.truth("preadmission"),
    )
    return Opened(record, tuple(said.problems))


def open_contact(rows: Sequence[bytes]) -> Opened:
    """Return a contact with one link per pupil, its telephones and emails in order of preference."""
    said = _Said(rows, "contact", apart=_LINK)
    if said.rejected:
        return Opened(None, tuple(said.problems))
    get = said.first.get
    record = ContactRecord(
        title=get("contacttitle"),
        forename=get("contactforename"),
        surname=get("contactsurname"),
        gender=get("contactgender"),
        address=get("contactaddress"),
        postcode=get("contactpostcode"),
        language=get("contactlanguage"),
        telephones=telephones(said.rows),
        emails=emails(said.rows),
        links=tuple(_links(said)),
    )
    return Opened(record, tuple(said.problems))


def open_staff(rows: Sequence[bytes]) -> Opened:
    """Return a member of staff. The work email comes first: it is the one they sign in with."""
    said = _Said(rows, "staff")
    if said.rejected:
        return Opened(None, tuple(said.problems))
    get = said.first.get
    record = StaffRecord(
        code=get("staffcode"),
        title=get("stafftitle"),
        forename=get("staffchosenname") or get("staffforename"),
        surname=get("staffsurname"),
        role=get("staffrole"),
        tutor_of=get("staffreg"),
        leaving_date=said.date("staffleavingdate"),
        telephones=telephones(said.rows, prefix="staff"),
        emails=_ranked(said.rows, "staffemail", lambda row: _place(row, "staffemaillocation") != "W"),
    )
    return Opened(record, tuple(said.problems))


def telephones(rows: Iterable[Fields], prefix: str = "") -> tuple[str, ...]:
    """Return the distinct telephones, the likeliest mobile first.

    Numbers whose digits are those of a UK mobile: location M and main, then location M, then main
    elsewhere, then the rest; after them the others, location M first. Document order breaks ties.
    Digits count more than the location, for schools keep mobiles under Home and Work. The vendors
    differ here (Schoolcomms goes by location, IRIS Reach by main); this rule is our own.
    """
    column = f"{prefix}telephone"

    def rank(row: Fields) -> int:
        mobile_place = _place(row, f"{column}location") == "M"
        if not columns.looks_mobile(row[column]):
            return 4 if mobile_place else 5
        main = columns.truth(row.get(f"{column}main", "")) is True
        return 1 - main if mobile_place else 3 - main

    return _ranked(rows, column, rank)


def emails(rows: Iterable[Fields]) -> tuple[str, ...]:
    """Return the distinct emails: home and main, home, work and main, then the rest as they come.

    IRIS Reach and SchoolCloud document the same beginning (home and main).
    """

    def rank(row: Fields) -> int:
        main = columns.truth(row.get("emailmain", "")) is True
        place = _place(row, "emaillocation")
        if place == "H":
            return 1 - main
        return 2 if place == "W" and main else 3

    return _ranked(rows, "email", rank)


def _ranked(rows: Iterable[Fields], column: str, rank: Callable[[Fields], int]) -> tuple[str, ...]:
    return by_rank((value, rank(row)) for row in rows if (value := row.get(column)))


def _place(row: Fields, column: str) -> str:
    return row.get(column, "")[:1].upper()


def _links(said: _Said) -> Iterable[LinkRecord]:
    """One link per pupil; rows of an application count only where no other row links the two."""
    by_pupil: dict[str, list[Fields]] = {}
    for row in said.rows:
        if pupil := row.get("pupilid") or row.get("primary_id"):
            by_pupil.setdefault(pupil, []).append(row)
        else:
            said.problem("link_without_pupil", "A row of this contact does not say which pupil it belongs to.")
    for pupil, rows in by_pupil.items():
        standing = [row for row in rows if columns.truth(row.get("applicantlink", "")) is not True]
        yield _link(said, pupil, standing or rows, applicant_only=not standing)


def _link(said: _Said, pupil: str, rows: list[Fields], *, applicant_only: bool) -> LinkRecord:
    values = {column: _distinct(rows, column) for column in _LINK}
    for column, found in values.items():
        if len(found) > 1:
            said.two_values(column, found)
    return LinkRecord(
        pupil_external_id=pupil,
        relationship=next(iter(values["relationship"]), None),
        priority=said.number("priority", values["priority"]),
        parental_responsibility=said.truth_of("parentalresponsibility", values, safe=False),
        court_order=said.truth_of("courtorder", values, safe=True),
        lives_with=said.truth_of("liveswith", values, safe=False),
        correspondence=said.truth_of("correspondence", values, safe=False),
        applicant_only=applicant_only,
    )


def _distinct(rows: Iterable[Fields], column: str) -> list[str]:
    return list(dict.fromkeys([row[column] for row in rows if column in row]))


class _Said:
    """What a person's rows say together, and what is wrong with it."""

    def __init__(self, rows: Sequence[bytes], who: str, apart: Sequence[str] = ()) -> None:
        self.rows = [fields(row) for row in rows]
        self.first: Fields = self.rows[0]
        self.problems: list[RecordProblem] = []
        self.rejected = False
        self._who = who
        self._advice = _IN_SIMS[who]
        if len(self.rows) > 1:
            self._merge(frozenset(apart))

    def _merge(self, apart: frozenset[str]) -> None:
        """Take the first value of each column, and find the columns in which rows differ that should not."""
        merged, differing = dict(self.first), set()
        for row in self.rows[1:]:
            for column, value in row.items():
                if merged.setdefault(column, value) != value:
                    differing.add(column)
        for column in sorted(differing & _OWN[self._who] - apart):
            found = _distinct(self.rows, column)
            if len({value.casefold() for value in found}) > 1 and not _of_a_detail(column):
                self._differs(column, found)
        self.first = merged

    def _differs(self, column: str, found: list[str]) -> None:
        if column in _NAMES:
            reason, words = _NAMES[column]
            self.rejected = True
            self._add(
                Severity.ROW, reason, f"SIMS gives {words} for one {self._person}: {_few(found, ' and ')}.", column
            )
        else:
            self.two_values(column, found, severity=Severity.WARNING)

    @property
    def _person(self) -> str:
        return "member of staff" if self._who == "staff" else self._who

    def two_values(self, column: str, found: list[str], *, severity: Severity = Severity.PART) -> None:
        shown = columns.SHOWN[column]
        self._add(severity, "two_values", f"SIMS gives several values for {shown}: {_few(found, ', ')}.", column)

    def problem(self, reason: str, message: str) -> None:
        if all(problem.reason != reason for problem in self.problems):
            self._add(Severity.PART, reason, message, "")

    def date(self, column: str) -> dt.date | None:
        text = self.first.get(column)
        if text is None:
            return None
        day = columns.date(text)
        if day is None:
            self._unreadable("bad_date", "is not a date", column, text, "correct the date")
        return day

    def truth(self, column: str) -> bool | None:
        text = self.first.get(column)
        return None if text is None else self._truth(column, text)

    def truth_of(self, column: str, values: dict[str, list[str]], *, safe: bool) -> bool | None:
        """Return what a box of a link says; where rows differ, the answer that gives less access."""
        said = {self._truth(column, text) for text in values[column]} - {None}
        return safe if len(said) > 1 else next(iter(said), None)

    def number(self, column: str, values: list[str]) -> int | None:
        """Return the smallest whole number among the values."""
        good = [int(text) for text in values if text.isascii() and text.isdigit() and len(text) < 5]
        for text in values:
            if not (text.isascii() and text.isdigit() and len(text) < 5):
                self._unreadable("bad_priority", "is not a whole number", column, text, "give the contact a number")
        return min(good, default=None)

    def _truth(self, column: str, text: str) -> bool | None:
        answer = columns.truth(text)
        if answer is None:
            self._unreadable("bad_yes_no", "is neither yes nor no", column, text, "tick or clear the box")
        return answer

    def _unreadable(self, reason: str, what: str, column: str, text: str, do: str) -> None:
        shown = columns.SHOWN[column]
        message = f"{shown}: “{text[:60]}” {what}, so it was left out."
        self._add(Severity.PART, reason, message, column, value=text[:200], do=do)

    def _add(
        self, severity: Severity, reason: str, message: str, column: str, *, value: str = "", do: str = ""
    ) -> None:
        problem = RecordProblem(
            severity=severity,
            reason=reason,
            message=message,
            advice=f"{self._advice} and {do or 'keep the right one'}; it comes tonight.",
            field=columns.SHOWN.get(column, ""),
            value=value,
        )
        if problem not in self.problems:
            self.problems.append(problem)


def _few(found: list[str], between: str) -> str:
    return between.join(value[:60] for value in found[:3])


def _of_a_detail(column: str) -> bool:
    """Columns that rightly differ between the rows of a cross product."""
    return column in _MANY or "telephone" in column or "email" in column or column == "applicantlink"
