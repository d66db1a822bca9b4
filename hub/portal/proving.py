"""The code that proves a new email or mobile: typing it, another one, and taking the change back."""

from __future__ import annotations

import uuid

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from hub.core.errors import HubError
from hub.portal import presenting, selectors
from hub.portal.forms import CodeForm
from hub.portal.viewer import ParentRequest, parent
from verification.changes import changing
from verification.errors import CodeRefused, CodeTrouble
from verification.models import DetailChange, ProofCode, Status

_CODES = "portal_codes"
"""In the session: which code was sent last for which change."""
_ANOTHER_TRY = (CodeTrouble.WRONG,)


def go_on(request: ParentRequest, batch: uuid.UUID, code: ProofCode | None) -> HttpResponse:
    """Lead to the page on which the code is typed, and remember which one was sent."""
    if code is not None:
        request.session[_CODES] = {**request.session.get(_CODES, {}), str(batch): code.pk}
    return redirect("portal:proof", batch)


@parent
@require_http_methods(["GET", "HEAD", "POST"])
def proof(request: ParentRequest, batch: uuid.UUID) -> HttpResponse:
    """Type the code that was sent to the new address."""
    waiting = _waiting(request, batch)
    if not waiting:
        messages.info(request, _("There is no code to type for this any more. Below is how it stands."))
        return redirect("portal:details")
    form = CodeForm(request.POST if request.method == "POST" else None)
    needs_new = str(batch) not in request.session.get(_CODES, {})
    if request.method == "POST" and form.is_valid():
        try:
            return _prove(request, batch, form.cleaned_data["code"])
        except CodeRefused as refused:
            form.add_error("code", refused.message)
            needs_new = refused.trouble not in _ANOTHER_TRY
        except HubError as refused:
            messages.error(request, refused.message)
            return redirect("portal:details")
    shown = presenting.proofs_of(selectors.records(request.connections), waiting)[0]
    context = {"tab": "details", "proof": shown, "form": form, "needs_new": needs_new}
    return render(request, "portal/proof.html", context, status=422 if form.errors else 200)


def _prove(request: ParentRequest, batch: uuid.UUID, typed: str) -> HttpResponse:
    changing.prove(
        account=request.account,
        batch=batch,
        code_id=request.session.get(_CODES, {}).get(str(batch), 0),
        typed=typed,
        now=timezone.now(),
    )
    _forget(request, batch)
    messages.success(request, _("Confirmed. Your schools reach you there from now on."))
    return redirect("portal:details")


@parent
@require_POST
def again(request: ParentRequest, batch: uuid.UUID) -> HttpResponse:
    """Send another code; the earlier one is good no more."""
    _or_404(request, batch)
    try:
        code = changing.send_again(account=request.account, batch=batch, now=timezone.now())
    except HubError as refused:
        messages.error(request, refused.message)
        return redirect("portal:proof", batch)
    messages.success(request, _("A new code is on its way. Only the newest one counts."))
    return go_on(request, batch, code)


@parent
@require_POST
def cancel(request: ParentRequest, batch: uuid.UUID) -> HttpResponse:
    """Take the change back before it is proved."""
    _or_404(request, batch)
    try:
        changing.cancel(account=request.account, batch=batch, now=timezone.now())
    except HubError as refused:
        messages.error(request, refused.message)
    else:
        _forget(request, batch)
        messages.success(request, _("Taken back. Everything stays as it was."))
    return redirect("portal:details")


def _forget(request: ParentRequest, batch: uuid.UUID) -> None:
    sent = request.session.get(_CODES, {})
    request.session[_CODES] = {key: one for key, one in sent.items() if key != str(batch)}


def _waiting(request: ParentRequest, batch: uuid.UUID) -> list[DetailChange]:
    rows = _or_404(request, batch)
    now = timezone.now()
    return [row for row in rows if row.status == Status.WAITING and row.deadline and row.deadline > now]


def _or_404(request: ParentRequest, batch: uuid.UUID) -> list[DetailChange]:
    rows = list(selectors.changes(request.connections).filter(batch=batch))
    if not rows:
        raise Http404
    return rows
