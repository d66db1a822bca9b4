"""The office changes the email or mobile of one person: at once, or by asking somebody who is connected."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods
from django_htmx.http import HttpResponseClientRedirect

from hub.accounts.models import Role
from hub.accounts.viewer import SchoolRequest, require
from hub.core.errors import HubError
from hub.core.templatetags.frame import when
from hub.people import selectors as people
from hub.people.finding import PAGES, person_or_404
from hub.people.forms import DetailForm
from hub.people.models import DetailKind
from hub.people.why import detail_row
from verification import services
from verification.changes import selectors
from verification.models import DetailChange, Status
from verification.owners import Owner, login_of

_OFFICE = (Role.ADMINISTRATOR, Role.OFFICE)


@require(*_OFFICE)
@require_http_methods(["GET", "HEAD", "POST"])
def edit_detail(request: SchoolRequest, school: str, owner: str, person_id: int, kind: str) -> HttpResponseBase:
    """Change the email or mobile of a person, or ask them."""
    if kind not in DetailKind.values:
        raise Http404
    person, label = person_or_404(request, owner, person_id), DetailKind(kind)
    if request.method != "POST":
        held = people.details_of(person).filter(kind=kind).first()
        shown = detail_row(label, held, connected=False).value
        return _form(request, person, owner, label, DetailForm(label, initial={"value": shown}))
    form = DetailForm(label, request.POST)
    if form.is_valid():
        try:
            change = services.edit_or_propose(
                owner=person, kind=kind, value=form.cleaned_data["value"], by=request.account, now=timezone.now()
            )
        except HubError as refusal:
            form.add_error(None, refusal.message)
        else:
            return _edited(request, person, owner, label, change)
    return _form(request, person, owner, label, form, status=422)


def _form(
    request: SchoolRequest, person: Owner, owner: str, kind: DetailKind, form: DetailForm, status: int = 200
) -> HttpResponseBase:
    context = {
        "nav": "people",
        "person": person,
        "owner": owner,
        "kind": kind,
        "form": form,
        "connected": login_of(person) is not None,
        "asked": selectors.open_question(person, kind, timezone.now()),
    }
    template = "verification/_edit_detail.html" if request.htmx else "verification/edit_detail.html"
    return render(request, template, context, status=status)


def _edited(
    request: SchoolRequest, person: Owner, owner: str, kind: DetailKind, change: DetailChange | None
) -> HttpResponseBase:
    asked = change is not None and change.status == Status.PENDING
    if asked or not request.htmx:
        messages.success(request, _said(person, kind, change))
        return _to_page(request, owner, person)
    connected = login_of(person) is not None
    row = detail_row(kind, people.details_of(person).filter(kind=kind).first(), connected=connected)
    context = {"detail": row, "person": person, "owner": owner, "may_edit": True, "connected": connected}
    return render(request, "people/_detail.html", context | {"saved": True})


def _said(person: Owner, kind: DetailKind, change: DetailChange | None) -> str:
    if change is None:
        return f"Nothing was changed: that is {person}’s {kind.label.lower()} already."
    if change.status == Status.PENDING:
        return f"{person} is asked, and has until {when(change.deadline)} to answer."
    return f"{kind.label} saved."


def _to_page(request: SchoolRequest, owner: str, person: Owner) -> HttpResponseBase:
    place = reverse(PAGES[owner], args=[request.school.slug, person.pk])
    return HttpResponseClientRedirect(place) if request.htmx else redirect(place)
