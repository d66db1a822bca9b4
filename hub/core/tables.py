"""Tables to download: CSV that a spreadsheet opens as text and never runs as a formula."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from django.http import StreamingHttpResponse

_RUNS = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""What makes a spreadsheet take a cell for a formula; the full-width forms too."""


class _Echo:
    def write(self, line: str) -> str:
        return line


def safe(cell: Any) -> str:
    """Return a cell's text, with an apostrophe before what a spreadsheet would run. None is empty."""
    text = "" if cell is None else str(cell).replace("\x00", "")
    return f"'{text}" if text.startswith(("\t", "\r", "\n")) or text.lstrip().startswith(_RUNS) else text


def csv_response(filename: str, header: Sequence[str], rows: Iterable[Sequence[Any]]) -> StreamingHttpResponse:
    """Return a CSV that is sent as its rows are read. `filename` names no person."""
    response = StreamingHttpResponse(_lines(header, rows), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{filename}"'
    return response


def _lines(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> Iterator[str]:
    writer = csv.writer(_Echo())
    yield "\ufeff"  # so that Excel reads it as UTF-8
    yield writer.writerow(header)
    for row in rows:
        yield writer.writerow([safe(cell) for cell in row])
