"""What one cell means: dates, numbers, mobiles, yes and no; and what is wrong with it, in words. Pure."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass, field

from mis_connectors.records import RecordProblem, Severity
from mis_connectors.spreadsheet.grid import Value
from mis_connectors.spreadsheet.tables import Line

_DAY_FIRST = re.compile(r"(\d{1,2})[/.\-](\d{1,2})[/.\-](\d{4})(?: 0{1,2}:00(?::00)?)?", re.ASCII)
_ISO = re.compile(r"(\d{4})-(\d{2})-(\d{2})(?:[T ]00:00(?::00)?)?", re.ASCII)
_TWO_DIGITS = re.compile(r"\d{1,2}[/.\-]\d{1,2}[/.\-]\d{2}", re.ASCII)
_SCIENTIFIC = re.compile(r"([+-]?\d(?:[.,](\d+))?)[eE]\+?(\d{1,2})", re.ASCII)
_YEAR = re.compile(r"(?:(?:year|yr|y)\.? *)?(\d{1,2})", re.IGNORECASE | re.ASCII)
_RECEPTION, _NURSERY = "Reception", "Nursery"
_OTHER_YEARS = {
    "r": _RECEPTION, "yearr": _RECEPTION, "reception": _RECEPTION, "n": _NURSERY, "nursery": _NURSERY,
    "n1": "N1", "n2": "N2", "nursery1": "N1", "nursery2": "N2",
}  # fmt: skip
_LOST_ZERO = re.compile(r"7\d{9}", re.ASCII)
_ERRORS = frozenset({"#N/A", "#REF!", "#VALUE!", "#NAME?", "#DIV/0!", "#NUM!", "#NULL!", "#SPILL!", "#####"})
_SERIALS = range(20_000, 80_000)
"""Days since 1900 that can be somebody's date of birth."""
_YES = frozenset({"yes", "y", "true", "t", "1", "x"})
_NO = frozenset({"no", "n", "false", "f", "0"})
FIRST_YEAR, LAST_YEAR = 1930, 2060


@dataclass(slots=True)
class Judge:
    """Reads the cells of one line and keeps what is wrong."""

    line: Line
    problems: list[RecordProblem] = field(default_factory=list)

    def say(self, severity: Severity, reason: str, caption: str, message: str, advice: str, value: object = "") -> None:
        self.problems.append(
            RecordProblem(
                severity=severity, reason=reason, message=message, advice=advice, field=caption, value=str(value)[:200]
            )
        )

    def text(self, caption: str) -> str | None:
        """Return a cell as text; a date as it is written here, a whole number as its digits."""
        value = self.line.said.get(caption)
        if value is None:
            return self._unreckoned(caption)
        said = as_text(value)
        if said.upper() in _ERRORS:
            self.say(
                Severity.PART, "formula_error", caption, f"The formula in this cell has no result ({said}).",
                "Type the value itself into the cell.", said,
            )  # fmt: skip
            return None
        return said

    def _unreckoned(self, caption: str) -> str | None:
        index = self.line.table.at.get(caption)
        if index is not None and (self.line.number, index) in self.line.table.unreckoned:
            self.say(
                Severity.PART, "formula_error", caption, "The formula in this cell was saved without its result.",
                "Open the file in Excel, save it and upload it again, or type the value itself.",
            )  # fmt: skip
        return None

    def date(self, caption: str) -> dt.date | None:
        """Return a day: a real date, Excel's count of days, or day/month/year with a year of four digits."""
        value = self.line.said.get(caption)
        found = value if isinstance(value, dt.date) else None
        if found is None:
            said = self.text(caption)
            if said is None:
                return None
            found = self._date_of(caption, said)
        if found is not None and not FIRST_YEAR <= found.year <= LAST_YEAR:
            self._no_date(caption, f"{found:%d/%m/%Y}", "This year cannot be right.")
            return None
        return found

    def _date_of(self, caption: str, said: str) -> dt.date | None:
        if said.isdecimal() and len(said) == 5 and int(said) in _SERIALS:
            return self.line.table.epoch + dt.timedelta(days=int(said))
        if _TWO_DIGITS.fullmatch(said):
            self._no_date(caption, said, "The year has two digits, so the century is a guess.")
            return None
        if found := _DAY_FIRST.fullmatch(said):
            day, month, year = map(int, found.groups())
        elif found := _ISO.fullmatch(said):
            year, month, day = map(int, found.groups())
        else:
            self._no_date(caption, said, "This is not a date.")
            return None
        try:
            return dt.date(year, month, day)
        except ValueError:
            turned = month > 12 and day <= 12
            self._no_date(
                caption, said,
                "The month seems to stand before the day." if turned else "There is no such day.",
            )  # fmt: skip
            return None

    def _no_date(self, caption: str, said: str, message: str) -> None:
        self.say(Severity.PART, "not_a_date", caption, message, "Write it as day/month/year: 09/03/2015.", said)

    def whole(self, caption: str) -> int | None:
        said = self.text(caption)
        if said is None:
            return None
        if not re.fullmatch(r"\d{1,4}", said, re.ASCII):
            self.say(
                Severity.PART, "not_a_number", caption, "This is not a whole number.",
                "Write 1, 2, 3 …, or leave the cell empty.", said,
            )  # fmt: skip
            return None
        return int(said)

    def yes_no(self, caption: str) -> bool | None:
        said = self.text(caption)
        if said is None:
            return None
        word = said.casefold()
        if word not in _YES and word not in _NO:
            self.say(
                Severity.PART,
                "not_yes_or_no",
                caption,
                "This is neither yes nor no.",
                "Write Yes, No or nothing.",
                said,
            )
            return None
        return word in _YES

    def number(self, caption: str) -> str | None:
        """Return a telephone number; the zero that a spreadsheet took from a mobile is put back."""
        said = self.text(caption)
        if said is None:
            return None
        if found := _SCIENTIFIC.fullmatch(said.replace(" ", "")):
            mantissa, decimals, power = found[1], found[2] or "", int(found[3])
            if len(decimals) != power:
                self.say(
                    Severity.PART, "shortened_number", caption,
                    "The spreadsheet has shortened this number, and its last digits are lost.",
                    "Format the column as text, type the number again, and save the file.", said,
                )  # fmt: skip
                return None
            said = re.sub(r"\D", "", mantissa)
        digits = said.replace(" ", "")
        return f"0{digits}" if _LOST_ZERO.fullmatch(digits) else said

    def year(self, caption: str) -> str | None:
        """Return `6` for `Year 6`, `Reception` for `R`; what is no year is kept as it is, and named."""
        said = self.text(caption)
        if said is None:
            return None
        if (found := _YEAR.fullmatch(said)) and int(found[1]) <= 14:
            return str(int(found[1]))
        if known := _OTHER_YEARS.get(said.casefold().replace(" ", "")):
            return known
        self.say(
            Severity.WARNING, "not_a_year", caption, "This is not a year group that is known here.",
            "Write 1 to 13, R for Reception or N for Nursery. It was taken as it is.", said,
        )  # fmt: skip
        return said


def as_text(value: Value) -> str:
    if isinstance(value, dt.date):
        return f"{value:%d/%m/%Y}"
    if isinstance(value, float):
        return repr(value)
    return "" if value is None else str(value)


def without_zeros(identity: str) -> str:
    """Return an id of digits without leading zeros, which spreadsheets lose; any other as it is."""
    return identity.lstrip("0") or "0" if identity.isdecimal() else identity
