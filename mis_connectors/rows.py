"""One object of an answer, read field by field: what cannot be read is left out and named, and the rest goes on.

Knows no MIS: where a field is to be corrected, in the words of its menus, is given.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from mis_connectors import values
from mis_connectors.records import RecordProblem, Severity

Row = Mapping[str, Any]
T = TypeVar("T")


class Said:
    """What one object says, and what is wrong with it."""

    def __init__(self, row: Row, where: str, problems: list[RecordProblem] | None = None) -> None:
        """Read `row`; `where` is how advice begins: `In Hilltop, open this pupil's record`."""
        self._row = row
        self._where = where
        self.problems: list[RecordProblem] = [] if problems is None else problems

    def beside(self, row: Row) -> Said:
        """Return another object of the same person; its problems are named together."""
        return Said(row, self._where, self.problems)

    def several(self, name: str) -> list[Said]:
        """Return the objects of a list; what is not one is named."""
        given = self._row.get(name)
        listed = given if isinstance(given, list) else [] if given is None else [given]
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
        given = self._row.get(name)
        value = (values.text(given) or "") if isinstance(given, str) else ""
        shown = f" “{value[:60]}”" if value else ""
        problem = RecordProblem(
            severity=Severity.PART,
            reason="unreadable",
            message=f"{name}:{shown} {what}, so it was left out.",
            advice=f"{self._where} and correct it there; it comes tonight.",
            field=name,
            value=value[:200],
        )
        if problem not in self.problems:
            self.problems.append(problem)


def ranked(found: Iterable[Said], name: str, rank: Callable[[Said], int]) -> tuple[str, ...]:
    """Return the distinct texts under a name, the lowest rank first and then as they come."""
    return by_rank((value, rank(one)) for one in found if (value := one.text(name)))


def by_rank(found: Iterable[tuple[str, int]]) -> tuple[str, ...]:
    """Return the distinct texts of pairs of a text and its rank, the lowest rank first and then as they come."""
    best: dict[str, int] = {}
    for value, rank in found:
        best[value] = min(rank, best.get(value, rank))
    return tuple(sorted(best, key=best.__getitem__))
