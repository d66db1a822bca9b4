"""Lists that came page by page: what names a row, what was fetched last, whose links are whose, and who has no name.

Pure; knows no MIS. What makes a list whole, its connector judges.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from mis_connectors import values
from mis_connectors.records import Kind, Opened, RecordProblem, Severity, SourceRecord
from mis_connectors.rows import Row

LONGEST_IDENTITY = 100
"""Ids are short; what is longer is none."""
Identity = tuple[str, ...]
Links = Mapping[str, list[tuple[str, Row]]]
"""By contact: each of their pupils, and what stands of the two."""
_A = {Kind.PUPIL: "pupil", Kind.CONTACT: "contact", Kind.STAFF: "member of staff"}


def identity(row: Row, keys: Iterable[str]) -> Identity:
    """Return what names a row; an empty text for what is missing or no id."""
    return tuple(_id(row.get(key)) for key in keys)


def is_whole(named: Identity) -> bool:
    """Say whether this names a row."""
    return all(0 < len(one) <= LONGEST_IDENTITY for one in named)


def _id(value: object) -> str:
    try:
        return values.text(value) or ""
    except ValueError:
        return ""


@dataclass(frozen=True, slots=True)
class Found:
    """A row, and where in the payload it stands."""

    row: Row
    file: str
    number: int


@dataclass(slots=True)
class Listed:
    """One list as it came when it was fetched last."""

    turn: int = 0
    """Which time that was."""
    pages: int = 0
    """How many pages came."""
    promised: int = 0
    """How many rows or pages its last page said there are, whichever its MIS counts."""
    found: dict[Identity, Found] = field(default_factory=dict)
    """A row that comes again is the same one, as it stood last."""
    nameless: list[Found] = field(default_factory=list)
    names: set[str] = field(default_factory=set)
    """Every field that a row has."""

    def add(self, rows: Sequence[Row], keys: Sequence[str], *, file: str) -> None:
        """Take a page; `keys` name its rows."""
        self.pages += 1
        for number, row in enumerate(rows, 1):
            self.names |= row.keys()
            found, named = Found(row, file, number), identity(row, keys)
            if is_whole(named):
                self.found[named] = found
            else:
                self.nameless.append(found)


def of_turn(lists: dict[str, Listed], name: str, turn: int) -> Listed:
    """Return the list that a page of this turn belongs to; what came of it in an earlier turn is forgotten."""
    held = lists.setdefault(name, Listed(turn))
    if turn > held.turn:
        held = lists[name] = Listed(turn)
    return held


def links_by_contact(links: Listed, *, pupils: Listed, contacts: Listed) -> tuple[Links, int]:
    """Return each contact's links with their pupils, in the order of these, and how many lead to nobody there is.

    A link is named by pupil and contact.
    """
    held: dict[str, list[tuple[str, Row]]] = {}
    strays = 0
    for (pupil, contact), found in sorted(links.found.items(), key=lambda item: item[0]):
        if (pupil,) in pupils.found and (contact,) in contacts.found:
            held.setdefault(contact, []).append((pupil, found.row))
        else:
            strays += 1
    return held, strays


def record(kind: Kind, external_id: str, found: Found, *, digest: bytes, opener: Callable[[], Opened]) -> SourceRecord:
    """Return the record of a row that names somebody."""
    return SourceRecord(
        kind=kind, external_id=external_id, digest=digest, file=found.file, row=found.number, open=opener
    )


def orphan(kind: Kind, found: Found, *, salt: bytes = b"") -> SourceRecord:
    """Return the record of a row that names nobody."""
    opened = Opened(None)
    return record(kind, "", found, digest=values.digest_of(salt, found.row), opener=lambda: opened)


def nameless(kind: Kind, found: Found, *, mis: str, column: str) -> RecordProblem:
    """Return what is wrong with a row of this MIS without an id in `column`."""
    surname = found.row.get("Surname")
    who = f" (surname {surname[:40]})" if isinstance(surname, str) and surname.strip() else ""
    return RecordProblem(
        severity=Severity.ROW,
        reason="no_identity",
        message=f"{mis} gives a {_A[kind]}{who} without {column}, so nobody can tell who it is.",
        advice=f"Look the record up in {mis}, save it once more, and tell support if it comes again.",
        field=column,
    )


def orphans(
    kind: Kind, listed: Listed, *, salt: bytes, mis: str, column: str
) -> Iterator[tuple[SourceRecord, RecordProblem]]:
    """Yield the rows of a list that name nobody, each with what is wrong."""
    for found in listed.nameless:
        yield orphan(kind, found, salt=salt), nameless(kind, found, mis=mis, column=column)
