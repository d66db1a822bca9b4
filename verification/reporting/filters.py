"""What the report is asked to show: parsed leniently from an address, turned into a condition and back. No queries.

What somebody searches for is a name or an address, so it is never in the address of the page: see `report_views`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.db.models import Q

from verification.models import OPEN_STATUSES, TO_COPY, Field, MisState, Origin, Status

LONDON = ZoneInfo("Europe/London")
LONGEST_SEARCH = 100


@dataclass(frozen=True, slots=True)
class Show:
    """One of the views of the report: rows of these statuses and these states of the MIS; None: any."""

    label: str
    statuses: frozenset[str] | None = None
    states: frozenset[str] | None = None

    def condition(self) -> Q:
        found = Q() if self.statuses is None else Q(status__in=sorted(self.statuses))
        return found if self.states is None else found & Q(mis_state__in=sorted(self.states))

    def holds(self, status: str, state: str) -> bool:
        return (self.statuses is None or status in self.statuses) and (self.states is None or state in self.states)


def _some(*values: str) -> frozenset[str]:
    return frozenset(str(value) for value in values)


COPY = "copy"
SHOWS = {
    COPY: Show("To copy", states=_some(*TO_COPY)),
    "open": Show("Waiting for an answer", statuses=_some(*OPEN_STATUSES)),
    "kept": Show(
        "Kept and offered",
        statuses=_some(Status.KEPT, Status.OFFER),
        states=_some(MisState.NOTHING, MisState.TO_UPDATE, MisState.DIFFERS, MisState.DONE),
    ),
    "done": Show("Done", states=_some(MisState.UPDATED, MisState.DONE)),
    "closed": Show("Not taken", statuses=_some(Status.REJECTED, Status.EXPIRED, Status.WITHDRAWN, Status.FROZEN)),
    "all": Show("All"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What to show. Blank: everything."""

    show: str = COPY
    since: dt.date | None = None
    until: dt.date | None = None
    status: str = ""
    state: str = ""
    origin: str = ""
    field: str = ""
    year: str = ""
    search: str = ""

    @classmethod
    def of(cls, said: Mapping[str, str], *, search: str = "") -> Wanted:
        """Return what an address asks for; what it says wrongly counts as not said."""
        since, until = _date(said.get("from", "")), _date(said.get("to", ""))
        if since and until and since > until:
            since, until = until, since
        return cls(
            show=_one_of(said.get("show", ""), SHOWS) or COPY,
            since=since,
            until=until,
            status=_one_of(said.get("status", ""), Status.values),
            state=_one_of(said.get("state", ""), MisState.values),
            origin=_one_of(said.get("origin", ""), Origin.values),
            field=_one_of(said.get("field", ""), Field.values),
            year=said.get("year", "").replace("\x00", "")[:30],
            search=" ".join(search.replace("\x00", "").split())[:LONGEST_SEARCH],
        )

    @property
    def is_narrowed(self) -> bool:
        """Whether anything but the view is chosen."""
        return replace(self, show=COPY) != Wanted()

    def condition(self) -> Q:
        """Return the rows wanted, within a school."""
        found = SHOWS[self.show].condition()
        for column in ("status", "origin", "field"):
            if value := getattr(self, column):
                found &= Q(**{column: value})
        if self.state:
            found &= Q(mis_state=self.state)
        if self.since:
            found &= Q(made_at__gte=_midnight(self.since))
        if self.until:
            found &= Q(made_at__lt=_midnight(self.until + dt.timedelta(days=1)))
        if self.year:
            found &= Q(year_groups__contains=[self.year])
        return found & self._searched()

    def _searched(self) -> Q:
        if not self.search:
            return Q()
        found = Q()
        for word in self.search.split():
            found &= Q(person_name__icontains=word) | Q(pupil_names__icontains=word) | _in_values(word)
        return found | _in_values(self.search)

    def query(self, **other: str) -> str:
        """Return the address's part after the question mark, without the words searched for."""
        said = {
            "show": "" if self.show == COPY else self.show,
            "from": self.since.isoformat() if self.since else "",
            "to": self.until.isoformat() if self.until else "",
            "status": self.status,
            "state": self.state,
            "origin": self.origin,
            "field": self.field,
            "year": self.year,
            "search": "1" if self.search else "",
        } | other
        return urlencode({name: value for name, value in said.items() if value})

    def words(self) -> list[str]:
        """Return what is shown in words, for paper: `To copy`, `from 1 Nov 2026`, `Year 6`."""
        parts = [
            SHOWS[self.show].label,
            f"from {_day(self.since)}" if self.since else "",
            f"to {_day(self.until)}" if self.until else "",
            Status(self.status).label if self.status else "",
            MisState(self.state).label if self.state else "",
            Origin(self.origin).label if self.origin else "",
            Field(self.field).label if self.field else "",
            self.year,
            f"“{self.search}”" if self.search else "",
        ]
        return [str(part) for part in parts if part]


def _in_values(text: str) -> Q:
    """Match an address, or a number however it is written."""
    digits = "".join(char for char in text if char.isdigit())
    found = Q(new_value__icontains=text) | Q(old_value__icontains=text)
    if len(digits) >= 4 and not any(char.isalpha() for char in text):
        national = digits.removeprefix("44").removeprefix("0")
        found |= Q(new_value__contains=national) | Q(old_value__contains=national)
    return found


def _one_of(value: str, known: Iterable[str]) -> str:
    return value if value in known else ""


def _date(text: str) -> dt.date | None:
    try:
        day = dt.date.fromisoformat(text)
    except ValueError:
        return None
    return day if dt.MINYEAR < day.year < dt.MAXYEAR else None


def _midnight(day: dt.date) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(), tzinfo=LONDON)


def _day(day: dt.date | None) -> str:
    return f"{day.day} {day:%b} {day.year}" if day else ""
