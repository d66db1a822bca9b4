"""The Verified User Changes Report on paper: A4, pupil by pupil, as somebody works through it beside the MIS."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import TYPE_CHECKING

from django.utils import timezone

from hub.core import paper
from hub.core.models import School
from verification.models import DetailChange
from verification.reporting.report import PupilRows, Row, Writer
from verification.selectors import Mis

if TYPE_CHECKING:
    from fpdf import FPDF

MOST = 2_000
"""Rows on paper; more than that nobody works through with a pencil."""
_WIDTHS = (34, 26, 46, 46, 38)
_GREY, _LINE, _HEAD = (96, 96, 96), (205, 205, 200), (238, 237, 232)


def pdf(
    *,
    school: School,
    mis: Mis,
    changes: Sequence[DetailChange],
    total: int,
    filters: Sequence[str],
    by: str,
    now: dt.datetime,
) -> bytes:
    """Return the report as a PDF. `changes` are at most `MOST` of `total`; the first page says if some are left out."""
    made = f"{timezone.localtime(now):%a %-d %b %Y, %H:%M}"
    page = _document(school, made)
    _head(page, school, mis, len(changes), total, filters, f"{made} by {by}")
    for group in Writer(school, mis=mis, now=now).by_pupil(changes):
        _group(page, group, mis)
    if not changes:
        page.cell(0, 8, paper.printable(f"Nothing to copy. {mis.name} and Schoolgate agree."))
    return bytes(page.output())


def _document(school: School, made: str) -> FPDF:
    page = paper.document(title="Verified User Changes Report")
    page.set_margins(10, 12, 10)
    page.set_auto_page_break(True, margin=16)
    foot = paper.printable(f"{school.name} ({school.dfe_display}) · {made}")

    def footer() -> None:
        page.set_y(-11)
        page.set_font(paper.FAMILY, size=8)
        page.set_text_color(*_GREY)
        page.cell(95, 5, foot)
        page.cell(95, 5, f"Page {page.page_no()} of {{nb}}", align="R")
        page.set_text_color(0, 0, 0)

    page.footer = footer  # type: ignore[method-assign]
    page.add_page()
    return page


def _head(page: FPDF, school: School, mis: Mis, shown: int, total: int, filters: Sequence[str], made: str) -> None:
    page.set_font(paper.FAMILY, "B", 15)
    page.cell(0, 8, "Verified User Changes Report", new_x="LMARGIN", new_y="NEXT")
    page.set_font(paper.FAMILY, size=9)
    page.set_text_color(*_GREY)
    shown_words = f"{shown:,} of {total:,} changes" if shown < total else f"{total:,} change{'' if total == 1 else 's'}"
    for line in (f"{school.name} ({school.dfe_display})", f"{shown_words}: {', '.join(filters)}", f"Printed {made}"):
        page.cell(0, 5, paper.printable(line), new_x="LMARGIN", new_y="NEXT")
    if shown < total:
        sentence = f"Paper ends after {MOST:,} changes. Narrow the report, or download it as CSV, to see the rest."
        page.set_text_color(150, 40, 30)
        page.multi_cell(0, 5, sentence, new_x="LMARGIN", new_y="NEXT")
    page.set_text_color(0, 0, 0)
    page.ln(3)


def _group(page: FPDF, group: PupilRows, mis: Mis) -> None:
    from fpdf.enums import TableBordersLayout  # with fpdf: as `paper` has it
    from fpdf.fonts import FontFace

    if page.will_page_break(24):
        page.add_page()
    page.set_font(paper.FAMILY, "B", 10.5)
    page.cell(0, 7, paper.printable(group.heading), new_x="LMARGIN", new_y="NEXT")
    page.set_font(paper.FAMILY, size=8.5)
    page.set_draw_color(*_LINE)
    heading = FontFace(emphasis="", fill_color=_HEAD, color=_GREY)
    with page.table(
        col_widths=_WIDTHS,
        width=190,
        align="LEFT",
        text_align="LEFT",
        line_height=4.4,
        padding=(1, 1.2),
        headings_style=heading,
        borders_layout=TableBordersLayout.HORIZONTAL_LINES,
    ) as table:
        table.row(["Person", "Field", "New value", f"Old value; {mis.name} says now", "State"])
        for row in group.rows:
            table.row([paper.printable(text) for text in _cells(row, mis)])
    page.ln(3)


def _cells(row: Row, mis: Mis) -> list[str]:
    state = row.state.text if row.state else row.status.text
    beside = row.old if row.old == row.mis or not row.mis else f"{row.old}\n{mis.name}: {row.mis}"
    made = f"{row.origin}, {timezone.localtime(row.change.made_at):%-d %b %Y}"
    person = f"{row.person}\nalso {row.also}" if row.also else row.person
    return [person, row.field_in_mis, row.new, beside, "\n".join(filter(None, [state, row.waiting_words, made]))]
