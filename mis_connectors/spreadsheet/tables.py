"""From sheets to tables: where the captions stand, what is wrong with them, and each row by caption."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass, field

from mis_connectors.files import Cell, HeaderFault
from mis_connectors.spreadsheet import columns
from mis_connectors.spreadsheet.grid import Book, Row, Sheet, Value

LOOKED_AT = 20
"""So many rows are looked at for the captions."""
ENOUGH = 2
"""So many known captions make a row the row of captions."""
UNKNOWN_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Line:
    """One row by caption; a cell that is empty is not in it."""

    table: Table
    number: int
    said: dict[str, Value]
    beyond: bool = False
    """It has text beyond the last caption."""

    def cell(self, caption: str) -> Cell:
        index = self.table.at.get(caption)
        letter = columns.letter(index) if index is not None else ""
        return Cell(self.table.name, self.number, letter, caption if index is not None else "", self.who(caption))

    def who(self, caption: str) -> str:
        """Return the names in the row: the contact's where a cell is about one, else the pupil's or staff's."""
        owner = "Contact" if caption in columns.OF_CONTACT else "Student"
        owner = "Staff" if self.table.kind == "staff" else owner
        return " ".join(str(self.said[part]) for part in (f"{owner}Forename", f"{owner}Surname") if part in self.said)


@dataclass(slots=True)
class Table:
    """A sheet whose captions were found."""

    name: str
    kind: str
    """`pupils` or `staff`."""
    at: dict[str, int]
    header_row: int
    width: int
    epoch: dt.date
    rows: list[Row]
    unreckoned: dict[tuple[int, int], None]
    ignored: list[str] = field(default_factory=list)

    def lines(self) -> Iterator[Line]:
        """Yield each row below the captions."""
        for row in self.rows:
            if row.number <= self.header_row:
                continue
            said: dict[str, Value] = {
                caption: value
                for caption, index in self.at.items()
                if index < len(row.cells) and (value := row.cells[index]) is not None
            }
            beyond = any(cell is not None for cell in row.cells[self.width :])
            if said or beyond:
                yield Line(self, row.number, said, beyond)

    @property
    def has_contacts(self) -> bool:
        return self.kind == "pupils" and bool(self.at.keys() & set(columns.OF_CONTACT))

    @property
    def lacking(self) -> frozenset[str]:
        """Canonical fields for which no column stands."""
        fills = columns.FILLS[self.kind].items()
        return frozenset(
            name
            for name, captions in fills
            if (self.has_contacts or name.startswith(("pupil.", "staff."))) and not self.at.keys() & set(captions)
        )


def tables_of(book: Book) -> tuple[list[Table], list[HeaderFault], list[str]]:
    """Return the tables of a book, what is wrong with their captions, and what an office should know."""
    tables: list[Table] = []
    faults: list[HeaderFault] = []
    notes = list(book.notes)
    others: list[str] = []
    for sheet in book.sheets:
        found = _table(sheet)
        if found is None:
            if sheet.rows:
                others.append(sheet.name)
            continue
        table, wrong = found
        tables.append(table)
        faults += wrong
    if not tables:
        faults.append(_no_header(book))
    elif others:
        notes.append(f"Not read, for no row of it has the captions: {_listed(others)}.")
    if tables and len(book.sheets) > 1:
        notes.append(f"Read: {_listed([f'{table.name} ({table.kind})' for table in tables])}.")
    ignored = list(dict.fromkeys(caption for table in tables for caption in table.ignored))[:UNKNOWN_SHOWN]
    if ignored:
        notes.append(f"Columns that are not needed, and were not read: {', '.join(ignored)}.")
    return tables, faults, notes


def _listed(names: list[str]) -> str:
    return ", ".join(names[:UNKNOWN_SHOWN])


def _no_header(book: Book) -> HeaderFault:
    if not any(sheet.rows for sheet in book.sheets):
        return HeaderFault("The file has no rows.", "Choose the file that holds your people.")
    return HeaderFault(
        "The file has no row of captions that is known here.",
        "Its first row must name the columns: StudentForename, StudentSurname, StudentID and so on for pupils,"
        " StaffForename, StaffSurname, StaffID for staff. Download the template, and copy its first row.",
    )


def _table(sheet: Sheet) -> tuple[Table, list[HeaderFault]] | None:
    """Return the table of a sheet with the faults of its captions; None where it has no captions."""
    best: tuple[int, str, Row] | None = None
    for row in sheet.rows[:LOOKED_AT]:
        for kind in ("pupils", "staff"):
            score = sum(columns.folded(cell) in columns.KNOWN[kind] for cell in row.cells if isinstance(cell, str))
            if score >= ENOUGH and (best is None or score > best[0]):
                best = (score, kind, row)
    if best is None:
        best = _guessed(sheet)
    if best is None:
        return None
    _, kind, row = best
    return _named(sheet, kind, row)


def _guessed(sheet: Sheet) -> tuple[int, str, Row] | None:
    """Return the first row, if its cells are captions under other names."""
    for row in sheet.rows[:1]:
        for kind in ("pupils", "staff"):
            texts = [cell for cell in row.cells if isinstance(cell, str)]
            known = columns.KNOWN[kind].values()
            score = len({found for text in texts if (found := columns.suggestion(text, known))})
            if score > ENOUGH:
                return score, kind, row
    return None


def _named(sheet: Sheet, kind: str, row: Row) -> tuple[Table, list[HeaderFault]]:
    at: dict[str, int] = {}
    unknown: list[tuple[int, str]] = []
    faults: list[HeaderFault] = []
    for index, cell in enumerate(row.cells):
        if cell is None:
            continue
        caption = columns.KNOWN[kind].get(columns.folded(cell), "")
        if caption and caption in at:
            faults.append(_twice(sheet, row, caption, at[caption], index))
        elif caption:
            at[caption] = index
        else:
            unknown.append((index, str(cell)[:60]))
    width = max((index for index, cell in enumerate(row.cells) if cell is not None), default=0) + 1
    table = Table(sheet.name, kind, at, row.number, width, sheet.epoch, sheet.rows, sheet.unreckoned)
    faults += _misspelled(table, unknown)
    faults += _missing(table, {fault.cell.caption for fault in faults if fault.cell})
    return table, faults


def _twice(sheet: Sheet, row: Row, caption: str, first: int, second: int) -> HeaderFault:
    here, there = columns.letter(first), columns.letter(second)
    return HeaderFault(
        f"The caption {caption} stands twice: in column {here} and in column {there}.",
        "Keep the column that is right, and delete the other or give it another caption.",
        Cell(sheet.name, row.number, there, caption),
    )


def _misspelled(table: Table, unknown: list[tuple[int, str]]) -> list[HeaderFault]:
    faults, taken = [], set(table.at)
    for index, said in unknown:
        missing = [caption for caption in columns.KNOWN[table.kind].values() if caption not in taken]
        meant = columns.suggestion(said, missing)
        if not meant:
            table.ignored.append(said)
            continue
        taken.add(meant)
        letter = columns.letter(index)
        faults.append(
            HeaderFault(
                f"Column {letter} is called “{said}”, which is no caption. Did you mean {meant}?",
                f"Change cell {letter}{table.header_row} to {meant}. If it is something else, give it another caption.",
                Cell(table.name, table.header_row, letter, meant),
            )
        )
    return faults


def _missing(table: Table, suggested: set[str]) -> list[HeaderFault]:
    needed = [*columns.NEEDED[table.kind], *(columns.NEEDED_OF_CONTACTS if table.has_contacts else ())]
    missing = [caption for caption in needed if caption not in table.at and caption not in suggested]
    if not missing:
        return []
    where = f" of the sheet “{table.name}”" if table.name else ""
    words = "The column is" if len(missing) == 1 else "The columns are"
    return [
        HeaderFault(
            f"{words} missing from row {table.header_row}{where}: {', '.join(missing)}.",
            "Add it with this caption, anywhere in the row; the order of columns does not matter."
            if len(missing) == 1
            else "Add them with these captions, anywhere in the row; the order of columns does not matter.",
        )
    ]
