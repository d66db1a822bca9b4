"""The page that answers, for one email or mobile, why it says that."""

from __future__ import annotations

from django.http import Http404, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from hub.accounts.models import Role
from hub.accounts.viewer import SchoolRequest, require
from hub.people import selectors as people
from hub.people import why as standing
from hub.people.finding import PAGES, person_or_404
from hub.people.models import DetailKind
from imports import provenance
from verification import selectors as verification


@require(Role.ADMINISTRATOR, Role.OFFICE)
@require_safe
def why(request: SchoolRequest, school: str, owner: str, person_id: int, kind: str) -> HttpResponseBase:
    """Show where a value comes from, step by step, the latest first."""
    if kind not in DetailKind.values:
        raise Http404
    person = person_or_404(request, owner, person_id)
    mis = verification.mis(request.school)
    told = provenance.story(school=request.school, owner=person, kind=kind, mis=mis)
    connection = people.open_connection(person)
    connected = connection is not None and connection.connected_at is not None
    context = {
        "nav": "people",
        "person": person,
        "back": reverse(PAGES[owner], args=[school, person.pk]),
        "detail": standing.detail_row(DetailKind(kind), told.detail, connected=connected),
        "raw": told.detail,
        "events": told.events,
        "mis": mis,
    }
    return render(request, "imports/why.html", context)
