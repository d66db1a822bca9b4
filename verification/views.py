"""The Verified User Changes Report, in its first version: values kept that differ from the MIS."""

from __future__ import annotations

from django.core.paginator import Paginator
from django.http import HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_safe

from hub.accounts.models import Role
from hub.accounts.viewer import SchoolRequest, require
from hub.core.tables import csv_response
from verification import report as rows
from verification import selectors

PER_PAGE = 50
_CHUNK = 500
KINDS = {"all": "All", "kept": "Kept for the connected", "offers": "Offers", "office": "Changed by the office"}


@require(Role.ADMINISTRATOR, Role.OFFICE)
@require_safe
def report(request: SchoolRequest, school: str) -> HttpResponseBase:
    """What is kept although the MIS says otherwise, pupil by pupil."""
    kind = _kind(request)
    counts = selectors.counts(request.school)
    page = Paginator(selectors.of_kind(selectors.drift_by_pupil(request.school), kind), PER_PAGE).get_page(
        request.GET.get("page")
    )
    context = {
        "nav": "reports",
        "kind": kind,
        "kinds": [(name, label, counts[name]) for name, label in KINDS.items()],
        "total": counts["all"],
        "page": page,
        "groups": rows.by_pupil(page, school),
        "query": "" if kind == "all" else f"show={kind}",
    }
    return render(request, "verification/report.html", context)


@require(Role.ADMINISTRATOR, Role.OFFICE)
@require_safe
def report_csv(request: SchoolRequest, school: str) -> HttpResponseBase:
    """The same as CSV."""
    found = selectors.of_kind(selectors.drift_by_pupil(request.school), _kind(request))
    name = f"verified-user-changes-{request.school.dfe_number}.csv"
    return csv_response(name, rows.HEADER, rows.cells(found.iterator(chunk_size=_CHUNK), school))


def _kind(request: SchoolRequest) -> str:
    wanted = request.GET.get("show", "")
    return wanted if wanted in KINDS else "all"
