"""The pages of the Verified User Changes Report: what is to be copied into the MIS, and everything else that changed.

What somebody searches for is kept in their session, never in the address: it is a name, a number or an email.
"""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from hub.accounts.models import Role
from hub.accounts.viewer import SchoolRequest, require
from hub.core.tables import csv_response
from verification import selectors
from verification.models import DetailChange, Field, MisState, Origin, Status
from verification.reporting import marking, pdf
from verification.reporting import report as rows
from verification.reporting.filters import COPY, SHOWS, Wanted

PER_PAGE = 25
office = require(Role.ADMINISTRATOR, Role.OFFICE)


@office
@require_safe
def report(request: SchoolRequest, school: str) -> HttpResponseBase:
    """Show the changes asked for, pupil by pupil; unless told otherwise what is still to be copied."""
    wanted, now = _wanted(request), timezone.now()
    counts = selectors.counts(request.school)
    mis = selectors.mis(request.school)
    page = _pages(request, wanted, counts).get_page(request.GET.get("page"))
    context = {
        "nav": "reports",
        "wanted": wanted,
        "shows": [(name, show.label, counts.get(name), wanted.query(show=_name(name))) for name, show in SHOWS.items()],
        "to_copy": counts[COPY],
        "reports_count": counts[COPY],  # the frame would count it again
        "mis": mis,
        "page": page,
        "groups": rows.Writer(request.school, mis=mis, now=now).by_pupil(list(page)),
        "query": wanted.query(),
        "may_mark": wanted.show not in ("open", "closed"),
        "undo": _just_marked(request),
        "filters": _filters(request, wanted),
        "words": wanted.words(),
        "most_on_paper": pdf.MOST,
    }
    return render(request, "verification/report.html", context)


@office
@require_safe
def report_csv(request: SchoolRequest, school: str) -> HttpResponseBase:
    """Send everything asked for as CSV, row by row as it is read."""
    mis = selectors.mis(request.school)
    writer = rows.Writer(request.school, mis=mis, now=timezone.now())
    found = selectors.changes(request.school, _wanted(request)).iterator(chunk_size=rows.CHUNK)
    name = f"verified-user-changes-{request.school.dfe_number}.csv"
    return csv_response(name, rows.header(mis), map(rows.cells, writer.stream(found)))


@office
@require_safe
def report_pdf_file(request: SchoolRequest, school: str) -> HttpResponseBase:
    """Send what is asked for on paper, as far as paper goes."""
    wanted, now = _wanted(request), timezone.now()
    found = selectors.changes(request.school, wanted)
    made = pdf.pdf(
        school=request.school,
        mis=selectors.mis(request.school),
        changes=list(found[: pdf.MOST]),
        total=found.count(),
        filters=wanted.words(),
        by=str(request.account),
        now=now,
    )
    response = HttpResponse(made, content_type="application/pdf")
    name = f"verified-user-changes-{request.school.dfe_number}.pdf"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


@office
@require_POST
def search(request: SchoolRequest, school: str) -> HttpResponseBase:
    """Remember what is searched for, and show it."""
    wanted = Wanted.of(request.POST, search=request.POST.get("search", ""))
    request.session[_search_key(request)] = wanted.search
    return redirect(_address(school, wanted.query()))


@office
@require_POST
def mark_done(request: SchoolRequest, school: str) -> HttpResponseBase:
    """Mark the row whose button was pressed, or every ticked one, as typed into the MIS."""
    marked = marking.mark_done(school=request.school, ids=_chosen(request), by=request.account, now=timezone.now())
    request.session[_marked_key(request)] = marked
    if not marked:
        messages.warning(request, "Nothing was marked done. Tick the rows that you have typed in, or look again.")
    return redirect(_address(school, _back(request)))


@office
@require_POST
def mark_open(request: SchoolRequest, school: str) -> HttpResponseBase:
    """Take back that rows were done."""
    opened = marking.mark_open(school=request.school, ids=_chosen(request), by=request.account, now=timezone.now())
    if opened:
        messages.success(request, f"{_many(len(opened))} open again.")
    return redirect(_address(school, _back(request)))


def _wanted(request: SchoolRequest) -> Wanted:
    search = request.session.get(_search_key(request), "") if request.GET.get("search") else ""
    return Wanted.of(request.GET.dict(), search=search)


def _pages(request: SchoolRequest, wanted: Wanted, counts: dict[str, int]) -> Paginator[DetailChange]:
    """Return the pages of what is wanted; a view that has been counted already is not counted again."""
    pages = Paginator(selectors.changes(request.school, wanted), PER_PAGE)
    if not wanted.is_narrowed and wanted.show in counts:
        pages.count = counts[wanted.show]
    return pages


def _filters(request: SchoolRequest, wanted: Wanted) -> list[dict[str, Any]]:
    years = selectors.year_groups(request.school)
    return [
        _choice("status", "Status", Status.choices, wanted.status),
        _choice("state", "In the MIS", [pair for pair in MisState.choices if pair[0]], wanted.state),
        _choice("origin", "Made by", Origin.choices, wanted.origin),
        _choice("field", "Field", Field.choices, wanted.field),
        _choice("year", "Year group", [(year, year) for year in years], wanted.year),
    ]


def _choice(name: str, label: str, options: Any, chosen: str) -> dict[str, Any]:
    return {"name": name, "label": label, "options": options, "chosen": chosen}


def _chosen(request: SchoolRequest) -> list[int]:
    """Return the one row whose own button was pressed, else those ticked."""
    said = [request.POST["only"]] if "only" in request.POST else request.POST.getlist("row")
    return [int(value) for value in said[: 10 * PER_PAGE] if value.isascii() and value.isdigit() and len(value) < 19]


def _back(request: SchoolRequest) -> str:
    """Return the filters the form was shown with, cleaned."""
    said = {name: request.POST.get(f"back_{name}", "") for name in ("show", "from", "to", *_NAMES)}
    searched = request.session.get(_search_key(request), "") if request.POST.get("back_search") else ""
    page = request.POST.get("back_page", "")
    return Wanted.of(said, search=searched).query(page=page if page.isdigit() else "")


_NAMES = ("status", "state", "origin", "field", "year")


def _just_marked(request: SchoolRequest) -> list[DetailChange]:
    """Return what was marked done just before this page, once, so that it can be taken back."""
    marked = request.session.pop(_marked_key(request), None)
    if not marked:
        return []
    return list(DetailChange.objects.filter(school=request.school, pk__in=marked, mis_state=MisState.DONE))


def _address(school: str, query: str) -> str:
    address = reverse("verification:report", args=[school])
    return f"{address}?{query}" if query else address


def _search_key(request: SchoolRequest) -> str:
    return f"report_search_{request.school.pk}"


def _marked_key(request: SchoolRequest) -> str:
    return f"report_marked_{request.school.pk}"


def _name(show: str) -> str:
    return "" if show == COPY else show


def _many(count: int) -> str:
    return f"{count:,} {'change is' if count == 1 else 'changes are'}"
