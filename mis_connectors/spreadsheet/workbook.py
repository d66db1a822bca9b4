"""From an Excel workbook's bytes to rows of cells: nothing of it is run, resolved or unpacked without bound.

openpyxl is loaded with the first workbook: every process that asks for any connector comes by here.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import io
import re
import zipfile
from collections.abc import Iterator
from typing import Any

from mis_connectors.errors import SnapshotFormatError
from mis_connectors.spreadsheet.grid import MOST_COLUMNS, MOST_ROWS, Book, Row, Sheet, Value, clean

MOST_PARTS = 1000
MOST_MERGED = 20_000
DAMAGED = (
    "This workbook is damaged, or was not sent whole. Open it in Excel, save it again as “Excel Workbook (.xlsx)”"
    " and upload that."
)
_CHUNK = 1 << 20
_FORBIDDEN = re.compile(rb"<!(?:DOCTYPE|ENTITY)", re.IGNORECASE)
_MERGED = re.compile(rb'<(?:\w+:)?mergeCell\b[^>]*\bref="([A-Z]{1,3}\d{1,7}:[A-Z]{1,3}\d{1,7})"')
_UNRECKONED = re.compile(
    rb'<c\b[^>]*\br="([A-Z]{1,3})(\d{1,7})"[^>]*>\s*<f\b(?:[^>]*/>|[^>]*>[^<]*</f>)\s*(?:<v\s*/>|<v>\s*</v>)?\s*</c>'
)
_KEPT_OUT = ("docprops/", "xl/calcchain")
"""Parts that change each time the same cells are saved."""
_FIRST = {False: dt.date(1899, 12, 30), True: dt.date(1904, 1, 1)}


def is_zip(data: bytes) -> bool:
    return data.startswith(b"PK")


def read(data: bytes, *, limit: int) -> Book:
    """Return the visible sheets of a workbook; raises `SnapshotFormatError`."""
    with _opened(data, limit) as archive:
        try:
            return _read(data, archive)
        except SnapshotFormatError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever a damaged workbook makes of the library
            raise SnapshotFormatError(DAMAGED, detail=type(error).__name__) from None


def content_digest(data: bytes, *, limit: int) -> bytes:
    """Return 32 bytes over the parts that hold cells; raises `SnapshotFormatError`."""
    made = hashlib.sha256()
    with _opened(data, limit) as archive:
        for info in sorted(archive.infolist(), key=lambda one: one.filename):
            if info.filename.casefold().startswith(_KEPT_OUT):
                continue
            made.update(f"{len(info.filename)}:{info.filename}:{info.file_size}:".encode(errors="replace"))
            for chunk in _chunks(archive, info):
                made.update(chunk)
    return made.digest()


def _opened(data: bytes, limit: int) -> zipfile.ZipFile:
    """Return the archive once its sizes and every part of it have been looked at."""
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
        parts = archive.infolist()
    except Exception as error:  # noqa: BLE001 - zipfile raises a dozen kinds for damaged bytes
        raise SnapshotFormatError(DAMAGED, detail=type(error).__name__) from None
    _refuse_others(archive, {info.filename for info in parts})
    if len(parts) > MOST_PARTS or sum(info.file_size for info in parts) > limit:
        raise SnapshotFormatError("Unpacked, this workbook is larger than this hub reads. Delete what is not needed.")
    if any(info.flag_bits & 1 for info in parts):
        raise SnapshotFormatError("This workbook is locked with a password. Save it without one and try again.")
    for info in parts:
        _refuse_hostile(archive, info)
    return archive


def _refuse_others(archive: zipfile.ZipFile, names: set[str]) -> None:
    if "xl/workbook.xml" in names:
        return
    if "xl/workbook.bin" in names:
        raise SnapshotFormatError("This is a binary workbook (.xlsb). In Excel save it as “Excel Workbook (.xlsx)”.")
    if "Index/Document.iwa" in names or any(name.endswith(".iwa") for name in names):
        raise SnapshotFormatError(
            "This is a Numbers document. In Numbers choose File, Export To, Excel, and upload the file that it makes."
        )
    if "content.xml" in names and "mimetype" in names:
        raise SnapshotFormatError(
            "This is an OpenDocument spreadsheet (.ods). In LibreOffice choose File, Save As, and there"
            " “Excel 2007-365 (.xlsx)”, and upload the file that it makes."
        )
    raise SnapshotFormatError(
        "This is a zip, and no Excel workbook. Unpack it and upload the spreadsheet that is in it."
    )


def _refuse_hostile(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> None:
    """Raises for a part that declares entities, in whatever encoding, and for one that is cut short."""
    tail = b""
    for chunk in _chunks(archive, info):
        if info.filename.casefold().endswith((".xml", ".rels", ".vml")) and _FORBIDDEN.search(
            tail + chunk.replace(b"\x00", b"")
        ):
            raise SnapshotFormatError(DAMAGED, detail="a part declares a document type")
        tail = chunk.replace(b"\x00", b"")[-16:]


def _chunks(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Iterator[bytes]:
    try:
        with archive.open(info) as part:
            while chunk := part.read(_CHUNK):
                yield chunk
    except SnapshotFormatError:
        raise
    except Exception as error:  # noqa: BLE001 - as above
        raise SnapshotFormatError(DAMAGED, detail=type(error).__name__) from None


def _read(data: bytes, archive: zipfile.ZipFile) -> Book:
    from openpyxl import load_workbook

    book = load_workbook(io.BytesIO(data), read_only=True, data_only=True, keep_links=False)
    try:
        epoch = _FIRST[bool(book.epoch.year == 1904)]
        found = Book([])
        for sheet in book.worksheets:
            if sheet.sheet_state != "visible":
                found.notes.append(f"The sheet “{sheet.title}” is hidden and was not read.")
                continue
            found.sheets.append(_sheet(sheet, archive, epoch, found.notes))
        return found
    finally:
        book.close()


def _sheet(sheet: Any, archive: zipfile.ZipFile, epoch: dt.date, notes: list[str]) -> Sheet:
    from openpyxl.utils.cell import column_index_from_string

    sheet.reset_dimensions()
    rows: list[Row] = []
    for number, raw in enumerate(sheet.iter_rows(max_col=MOST_COLUMNS, values_only=True), 1):
        if raw.count(None) == len(raw):  # up to a stray cell far below there may be a million of these
            continue
        cells = tuple(_value(one) for one in raw)
        if any(cell is not None for cell in cells):
            if len(rows) >= MOST_ROWS:
                raise SnapshotFormatError(f"The sheet “{sheet.title}” has more than {MOST_ROWS:,} rows. Split it.")
            rows.append(Row(number, cells))
    made = Sheet(str(sheet.title), rows, epoch)
    xml = archive.read(sheet._worksheet_path)
    for column, row in _UNRECKONED.findall(xml):
        made.unreckoned[(int(row), column_index_from_string(column.decode()) - 1)] = None
    _fill_merged(made, xml, notes)
    return made


def _value(raw: object) -> Value:
    if isinstance(raw, dt.datetime):
        return raw.date()
    if isinstance(raw, bool):
        return "Yes" if raw else "No"
    if isinstance(raw, float) and raw.is_integer() and abs(raw) < 1e15:
        return int(raw)
    if raw is None or isinstance(raw, (str, int, float, dt.date)):
        return clean(raw)
    return clean(str(raw))


def _fill_merged(sheet: Sheet, xml: bytes, notes: list[str]) -> None:
    """Let every row of a merged cell say what the cell says; across columns it stays where it stands."""
    from openpyxl.utils.cell import range_boundaries

    ranges = _MERGED.findall(xml)[:MOST_MERGED]
    by_number = {row.number: at for at, row in enumerate(sheet.rows)}
    filled = 0
    for found in ranges:
        left, top, _right, bottom = range_boundaries(found.decode())
        if not (left and top and bottom) or bottom == top or bottom - top > 100 or left > MOST_COLUMNS:
            continue
        first = by_number.get(top)
        value = _at(sheet.rows[first].cells, left - 1) if first is not None else None
        for number in range(top + 1, bottom + 1) if value is not None else ():
            if (at := by_number.get(number)) is not None and _at(sheet.rows[at].cells, left - 1) is None:
                cells = list(sheet.rows[at].cells)
                cells += [None] * (left - len(cells))
                cells[left - 1] = value
                sheet.rows[at] = Row(number, tuple(cells))
                filled += 1
    if filled:
        notes.append(f"The sheet “{sheet.name}” has merged cells: each of their rows was read as saying the same.")


def _at(cells: tuple[Value, ...], index: int) -> Value:
    return cells[index] if index < len(cells) else None
