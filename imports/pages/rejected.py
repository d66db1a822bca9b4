"""Rejected records: what the MIS says that could not be taken, and what to do there."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlencode

from django.core.paginator import Paginator
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_safe

from hub.accounts.models import Role
from hub.accounts.viewer import SchoolRequest, require
from hub.core.tables import csv_response
from imports import selectors
from imports.link.links import current_link
from imports.models import RejectedRecord, Rejection
from imports.pages import wording
from imports.pages.runs import KINDS, PER_PAGE, Filter

_TONES = {Rejection.ROW: "bad", Rejection.PART: "warn", Rejection.WARNING: "quiet"}


@require(Role.ADMINISTRATOR, Role.OFFICE)
@require_safe
def rejected(request: SchoolRequest, school: str) -> HttpResponseBase:
    """List what stands, the gravest first."""
    severity, kind = _severity(request), _kind(request)
    mis = selectors.mis_of(current_link(request.school))
    counts = selectors.rejection_counts(request.school)
    kinds = selectors.rejection_kinds(request.school, severity=severity)
    found = selectors.standing_rejections(request.school, severity=severity, kind=kind)
    page = Paginator(found, PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "nav": "imports",
        "mis": mis,
        "page": page,
        "records": [(record, _TONES[Rejection(record.severity)], _person(record)) for record in page],
        "total": sum(counts.values()),
        "to_mend": selectors.to_mend(counts),
        "warnings": counts.get(Rejection.WARNING, 0),
        "severities": _severities(counts, severity),
        "kinds": _kinds(kinds, kind, severity),
        "query": _query(severity=severity, kind=kind),
    }
    return render(request, "imports/rejected.html", context)


@require(Role.ADMINISTRATOR, Role.OFFICE)
@require_safe
def rejected_csv(request: SchoolRequest, school: str) -> HttpResponseBase:
    """Download what stands."""
    mis = selectors.mis_of(current_link(request.school))
    header = ("How much", "File", "Row", "Who", "Kind", "Field", "Value", "Reason", f"What to do in {mis.name}")
    found = selectors.standing_rejections(request.school, severity=_severity(request), kind=_kind(request))
    return csv_response("rejected-records.csv", header, _rows(found.iterator(chunk_size=2000)))


def _rows(found: Iterator[RejectedRecord]) -> Iterator[tuple[object, ...]]:
    for record in found:
        yield (
            Rejection(record.severity).label,
            record.file,
            record.row,
            record.label,
            _person(record),
            record.field,
            record.value,
            record.message,
            record.advice,
        )


def _person(record: RejectedRecord) -> str:
    return wording.PERSON.get(record.kind, record.kind)


def _severity(request: SchoolRequest) -> str:
    asked = request.GET.get("severity", "")
    return asked if asked in Rejection.values else ""


def _kind(request: SchoolRequest) -> str:
    asked = request.GET.get("kind", "")
    return asked if asked in dict(KINDS) else ""


def _query(**chosen: str) -> str:
    return urlencode({name: value for name, value in chosen.items() if value})


def _severities(counts: dict[str, int], current: str) -> list[Filter]:
    return [
        Filter("All", "", sum(counts.values()), not current),
        *(
            Filter(severity.label, _query(severity=severity.value), counts[severity], severity.value == current)
            for severity in Rejection
            if counts.get(severity)
        ),
    ]


def _kinds(counts: dict[str, int], current: str, severity: str) -> list[Filter]:
    return [
        Filter("Everybody", _query(severity=severity), sum(counts.values()), not current),
        *(
            Filter(label, _query(severity=severity, kind=kind), counts[kind], kind == current)
            for kind, label in KINDS
            if counts.get(kind)
        ),
    ]
