"""Changing one's own email or mobile, taking it out, and saying "this was not me"."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from hub.core.errors import HubError
from hub.people.models import DetailKind
from hub.portal import history, presenting, proving, selectors, words
from hub.portal.forms import ValueForm, WhereForm
from hub.portal.frozen import unless_frozen
from hub.portal.selectors import Record
from hub.portal.viewer import ParentRequest, parent
from verification.changes import changing, freezing

_METHODS = ["GET", "HEAD", "POST"]


@parent
@require_http_methods(_METHODS)
@unless_frozen
def change(request: ParentRequest, kind: str) -> HttpResponse:
    """A new email or mobile, at all schools or some; it counts once the code sent to it is typed."""
    records = _records(request, kind)
    form = ValueForm(kind, records, request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            started = changing.start_change(
                account=request.account,
                connections=form.connections(),
                kind=kind,
                value=form.cleaned_data["value"],
                by_name=str(request.account),
                now=timezone.now(),
            )
        except HubError as refused:
            form.add_error("value", refused.message)
        else:
            if started.code is not None:
                return proving.go_on(request, started.batch, started.code)
            messages.success(request, _("Changed. You had confirmed it before, so no code was needed."))
            return redirect("portal:details")
    return _form_page(request, "portal/change.html", kind, records, form)


@parent
@require_http_methods(_METHODS)
@unless_frozen
def take_out(request: ParentRequest, kind: str) -> HttpResponse:
    """Say that there is no such email or mobile any more."""
    records = [one for one in _records(request, kind) if (held := one.details.get(kind)) and held.value]
    if not records:
        return redirect("portal:details")
    # A form without a value for a single school is empty: the button is what was pressed.
    form = WhereForm(records, request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            changing.take_out(
                account=request.account,
                connections=form.connections(),
                kind=kind,
                by_name=str(request.account),
                now=timezone.now(),
            )
        except HubError as refused:
            form.add_error(None, refused.message)
        else:
            messages.success(request, _("Taken out. The schools have been told."))
            return redirect("portal:details")
    return _form_page(request, "portal/take_out.html", kind, records, form)


@parent
@require_http_methods(_METHODS)
def not_me(request: ParentRequest, batch: uuid.UUID) -> HttpResponse:
    """Say that a change was made by somebody else: it goes back, and everything is frozen."""
    now = timezone.now()
    rows = list(selectors.changes(request.connections).filter(batch=batch))
    lines = history.history_of(selectors.records(request.connections), rows, now)
    if not lines:
        raise Http404
    if not any(line.may_deny for line in lines):
        messages.info(request, _("This change cannot be taken back here any more. Ask the school office."))
        return redirect("portal:details")
    if request.method == "POST":
        try:
            freezing.not_me_signed_in(account=request.account, batch=batch, keep=request.session.session_key, now=now)
        except HubError as refused:
            messages.error(request, refused.message)
        else:
            messages.success(request, _("It went back to what it was. The school office has been told at once."))
        return redirect("portal:details")
    return render(request, "portal/not_me.html", {"tab": "details", "lines": lines})


def _records(request: ParentRequest, kind: str) -> list[Record]:
    """Return the person's records; 404 for no kind of detail, or a login that has none."""
    if kind not in DetailKind.values or not request.connections:
        raise Http404
    return selectors.records(request.connections)


def _form_page(
    request: ParentRequest, template: str, kind: str, records: Sequence[Record], form: WhereForm
) -> HttpResponse:
    context: dict[str, Any] = {
        "tab": "details",
        "kind": kind,
        "title": words.change_words(kind, any(one.details.get(kind) for one in records)),
        "card": presenting.cards_of(records, presenting.Waiting())[list(DetailKind).index(DetailKind(kind))],
        "several_schools": len(records) > 1,
        "form": form,
    }
    return render(request, template, context, status=422 if form.errors else 200)
