"""From a file's bytes to rows of cells: which kind of file it is, its encoding and separators; CSV itself.

Knows no captions but by asking which separator finds most of them. Every refusal is a `SnapshotFormatError`.
"""

from __future__ import annotations

import codecs
import csv
import datetime as dt
import io
from collections.abc import Iterator
from dataclasses import dataclass, field

from mis_connectors.errors import SnapshotFormatError
from mis_connectors.records import IncomingPayload
from mis_connectors.spreadsheet import columns

Value = str | int | float | dt.date | None
"""What a cell holds; text is stripped, and empty text is None."""
SEPARATORS = ",;\t|"
MOST_ROWS = 100_000
MOST_COLUMNS = 100
_AS = "In your spreadsheet program choose File, Save As, and save it as “Excel Workbook (.xlsx)” or “CSV UTF-8”."
_INVISIBLE = {ord(char): None for char in "\x00\u200b\u200c\u200d\u2060\ufeff\u00ad"} | {0xA0: " ", 0x202F: " "}


@dataclass(frozen=True, slots=True)
class Row:
    """A row by the number the spreadsheet program shows."""

    number: int
    cells: tuple[Value, ...]


@dataclass(slots=True)
class Sheet:
    """One sheet, or the only one of a file without sheets (its name is then empty)."""

    name: str
    rows: list[Row]
    epoch: dt.date = dt.date(1899, 12, 30)
    """The day from which the program counts days."""
    unreckoned: dict[tuple[int, int], None] = field(default_factory=dict)
    """Row number and column index of formulas that were saved without their result."""


@dataclass(slots=True)
class Book:
    sheets: list[Sheet]
    notes: list[str] = field(default_factory=list)


def clean(value: Value) -> Value:
    """Return text without invisible characters and white space around it; nothing for nothing."""
    if isinstance(value, str):
        return " ".join(value.translate(_INVISIBLE).split()) or None
    return value


def whole_of(payload: IncomingPayload) -> bytes:
    """Return a payload's bytes; raises `SnapshotFormatError` past its limit."""
    with payload.open() as file:
        data = file.read(payload.unpacked_limit + 1)
    if len(data) > payload.unpacked_limit:
        raise SnapshotFormatError("This file is larger than this hub reads. Split it, or ask whoever runs Schoolgate.")
    return data


def refuse_others(data: bytes, filename: str) -> None:
    """Raises `SnapshotFormatError` for what is neither CSV nor an Excel workbook, with what to do."""
    name, head = filename.casefold(), data[:512].lstrip().lower()
    if not data.strip(b"\x00 \r\n\t\xef\xbb\xbf\xff\xfe"):
        raise SnapshotFormatError("This file is empty. Choose the one that holds your people.")
    if data.startswith(b"\xd0\xcf\x11\xe0"):
        if "EncryptedPackage".encode("utf-16-le") in data:
            raise SnapshotFormatError("This workbook is locked with a password. Save it without one and try again.")
        raise SnapshotFormatError(f"This is an old Excel file (.xls), which is not read here. {_AS}")
    if data.startswith(b"%PDF"):
        raise SnapshotFormatError("This is a PDF, which has no cells to read. Choose the spreadsheet it was made from.")
    if head.startswith((b"<html", b"<!doctype", b"<table", b"<meta")):
        raise SnapshotFormatError(
            f"This is a web page that only looks like a spreadsheet. Open it in Excel first. {_AS}"
        )
    if head.startswith((b"<?xml", b"<superstarreport", b"{", b"[{")):
        raise SnapshotFormatError(f"This is not a spreadsheet, but a file for another program. {_AS}")
    if name.endswith(".numbers"):
        raise SnapshotFormatError(
            "This is a Numbers document. In Numbers choose File, Export To, Excel, and upload the file that it makes."
        )


def read_csv(data: bytes) -> Book:
    """Return the rows of a CSV, whatever its encoding and separator; raises `SnapshotFormatError`."""
    text, note = decoded(data)
    if text.casefold().startswith("sep=") and "\n" in text:
        first, _, rest = text.partition("\n")
        return Book([Sheet("", list(_rows(rest, first.strip()[4:5] or ",", begin=2)))], note)
    return Book([Sheet("", list(_rows(text, _separator(text))))], note)


def decoded(data: bytes) -> tuple[str, list[str]]:
    """Return a file's text and a note where its encoding was not the usual one; raises `SnapshotFormatError`."""
    for mark, encoding in ((codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16")):
        if data.startswith(mark):
            return _strictly(data, encoding), []
    if data.startswith(codecs.BOM_UTF8):
        return _strictly(data, "utf-8-sig"), []
    head = data[:2000]
    if head.count(0) > len(head) // 4:
        return _strictly(data, "utf-16-le" if head[1::2].count(0) >= head[::2].count(0) else "utf-16-be"), []
    if head.count(0):
        raise SnapshotFormatError(f"This is not a spreadsheet that can be read here. {_AS}")
    try:
        return data.decode("utf-8"), []
    except UnicodeDecodeError:
        note = "The file is not UTF-8; it was read as Windows text (windows-1252). Look whether accents are right."
        return data.decode("windows-1252", errors="replace"), [note]


def _strictly(data: bytes, encoding: str) -> str:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        raise SnapshotFormatError(
            f"The text of this file is damaged, or cut short. {_AS}", detail=f"{encoding} at {error.start}"
        ) from None


def _separator(text: str) -> str:
    """Return the separator by which the first lines have most known captions, else the commonest."""
    lines = [line for line in text[:20_000].splitlines()[:20] if line.strip()]

    def found(separator: str) -> tuple[int, int]:
        captions = [sum(_is_caption(cell) for cell in line.split(separator)) for line in lines]
        return max(captions, default=0), lines[0].count(separator) if lines else 0

    return max(SEPARATORS, key=found)


def _is_caption(cell: str) -> bool:
    said = columns.folded(cell)
    return any(said in known for known in columns.KNOWN.values())


def _rows(text: str, separator: str, *, begin: int = 1) -> Iterator[Row]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    number = begin - 1
    while True:
        number += 1
        try:
            raw = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise SnapshotFormatError(
                f"Row {number:,} cannot be taken apart: a quotation mark in it is never closed, or text follows one."
                " Open the file in a spreadsheet program, correct that row and save it again.",
                detail=str(error),
            ) from None
        if number > MOST_ROWS:
            raise SnapshotFormatError(
                f"This file has more than {MOST_ROWS:,} rows. Delete the empty ones, or split it."
            )
        cells = tuple(clean(cell) for cell in raw[:MOST_COLUMNS])
        if any(cell is not None for cell in cells):
            yield Row(number, cells)
