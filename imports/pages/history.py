"""Why does it say that? What imports have changed of one person, the latest first."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from itertools import groupby

from django.http import Http404, HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from hub.accounts.models import Role
from hub.accounts.viewer import SchoolRequest, require
from hub.core.models import School
from hub.people.models import Contact, IdentityKind, Pupil, Staff
from imports import moments, selectors
from imports.models import Import, ImportChange, ImportState
from imports.pages import change_lines
from imports.pages.wording import Line

MOST = 100
"""Changes that are shown; older ones are on the pages of their imports."""


@dataclass(frozen=True, slots=True)
class ImportOfPerson:
    """What one import did to the person."""

    run: Import
    when: str
    undone: bool
    lines: list[Line]


@require(Role.ADMINISTRATOR, Role.OFFICE)
@require_safe
def person_history(request: SchoolRequest, school: str, kind: str, person_id: int) -> HttpResponseBase:
    """Show what imports have changed of a person; within the person's page, the list alone."""
    if kind not in IdentityKind.values:
        raise Http404
    found = history_of(request.school, kind, person_id, now=timezone.now())
    if not found and not _is_here(request.school, kind, person_id):
        raise Http404
    context = {"nav": "people", "history": found, "most": MOST, "back": f"people:{kind}", "person_id": person_id}
    template = "imports/_person_history.html" if request.htmx else "imports/person_history.html"
    return render(request, template, context)


def _is_here(school: School, kind: str, person_id: int) -> bool:
    found = {
        IdentityKind.PUPIL: Pupil.objects.filter(school=school, pk=person_id),
        IdentityKind.CONTACT: Contact.objects.filter(school=school, pk=person_id),
        IdentityKind.STAFF: Staff.objects.filter(school=school, pk=person_id),
    }
    return found[IdentityKind(kind)].exists()


def history_of(school: School, kind: str, person_id: int, *, now: dt.datetime) -> list[ImportOfPerson]:
    """Return the person's changes import by import, the latest first."""
    changes = list(
        ImportChange.objects.filter(school=school, person_kind=kind, person_id=person_id)
        .select_related("run__link__source")
        .defer(*(f"run__{column}" for column in selectors.BULKY))
        .order_by("-run_id", "id")[:MOST]
    )
    return [_of_run(run, list(group), now) for run, group in groupby(changes, lambda change: change.run)]


def _of_run(run: Import, changes: list[ImportChange], now: dt.datetime) -> ImportOfPerson:
    mis = selectors.mis_of(run.link)
    when = moments.stamp(run.finished_at or run.created_at, now=now)
    lines = change_lines.lines_of(changes, school_id=run.school_id, mis_name=mis.source, now=now)
    return ImportOfPerson(run, when, run.state == ImportState.UNDONE, lines)
