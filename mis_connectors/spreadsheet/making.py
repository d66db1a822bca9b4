"""Sheets that we make: the templates an office fills in, each with a page that says what belongs in each column."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from functools import partial

from mis_connectors.files import Template
from mis_connectors.spreadsheet import columns

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
CSV = "text/csv; charset=utf-8"


def csv_of(rows: Iterable[Sequence[object]]) -> bytes:
    """Return rows as a CSV that Excel opens as UTF-8."""
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue().encode("utf-8-sig")


def _xlsx_template(title: str, captions: Sequence[str]) -> bytes:
    from openpyxl import Workbook  # as `workbook` has it
    from openpyxl.styles import Alignment, Font, PatternFill
    from openpyxl.utils import get_column_letter

    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = title
    sheet.append(list(captions))
    for index, caption in enumerate(captions, 1):
        head = sheet.cell(1, index)
        head.font, head.fill = Font(bold=True), PatternFill("solid", fgColor="E8EEF4")
        letter = get_column_letter(index)
        sheet.column_dimensions[letter].width = max(12, len(caption) + 3)
        sheet.column_dimensions[letter].number_format = "@"  # as text: no zero and no date is changed while typing
    sheet.freeze_panes = "A2"
    guide = book.create_sheet("How to fill it in")
    guide.append(["Column", "What belongs there"])
    for caption in captions:
        guide.append([caption, columns.HELP[caption]])
    guide.column_dimensions["A"].width, guide.column_dimensions["B"].width = 20, 90
    for row in guide.iter_rows():
        row[1].alignment = Alignment(wrap_text=True, vertical="top")
    made = io.BytesIO()
    book.save(made)
    return made.getvalue()


_PUPILS, _STAFF = (*columns.PUPILS, "PreAdmission"), columns.STAFF
TEMPLATES = (
    Template("pupils", "Pupils and contacts, Excel", "pupils.xlsx", XLSX, partial(_xlsx_template, "Pupils", _PUPILS)),
    Template("pupils-csv", "Pupils and contacts, CSV", "pupils.csv", CSV, partial(csv_of, [columns.PUPILS])),
    Template("staff", "Staff, Excel", "staff.xlsx", XLSX, partial(_xlsx_template, "Staff", _STAFF)),
    Template("staff-csv", "Staff, CSV", "staff.csv", CSV, partial(csv_of, [_STAFF])),
)
