"""Answering what a school asks: yes at one school or all, no with a reason, and no to an offer."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from hub.core.errors import HubError
from hub.portal import presenting, proving, selectors, words
from hub.portal.forms import ReasonForm
from hub.portal.frozen import unless_frozen
from hub.portal.viewer import ParentRequest, parent
from verification.changes import answering, declining
from verification.models import DetailChange, Origin, Status


def _asked(request: ParentRequest, change_id: int) -> DetailChange:
    """Return a proposal to this person; 404 for another family's."""
    rows = selectors.changes(request.connections).exclude(origin=Origin.PERSON)
    return get_object_or_404(rows.select_related("school"), pk=change_id)


@parent
@require_POST
def yes(request: ParentRequest, change_id: int) -> HttpResponse:
    """Agree, at every school or at the one that asks; a code follows where the value is not proved yet."""
    change = _asked(request, change_id)
    everywhere = bool(request.POST.get("everywhere"))
    try:
        answered = answering.approve(
            account=request.account,
            change=change,
            everywhere=everywhere,
            by_name=str(request.account),
            now=timezone.now(),
        )
    except HubError as refused:
        messages.error(request, refused.message)
        return redirect("portal:approval", change.pk)
    if answered.needs_proof:
        return proving.go_on(request, answered.batch, answered.code)
    messages.success(request, _("Thank you. It is changed, and your schools know."))
    return redirect("portal:approvals")


@parent
@require_http_methods(["GET", "HEAD", "POST"])
@unless_frozen
def no(request: ParentRequest, change_id: int) -> HttpResponse:
    """Say no, with a reason, to every school that asks for the same; everything stays as it is."""
    change, now = _asked(request, change_id), timezone.now()
    if change.status != Status.PENDING or (change.deadline and change.deadline <= now):
        return redirect("portal:approval", change.pk)
    form = ReasonForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            still_asked = selectors.asking_the_same(request.connections, change, now)
            for asked in still_asked:
                answering.reject(
                    account=request.account, change=asked, reason=form.reason(), by_name=str(request.account), now=now
                )
        except HubError as refused:
            messages.error(request, refused.message)
            return redirect("portal:approval", change.pk)
        if not still_asked:  # answered in another tab, between two looks
            return redirect("portal:approval", change.pk)
        messages.success(request, _("It stays as it is. The school office reads what you said."))
        return redirect("portal:approvals")
    records = selectors.records(request.connections)
    same = selectors.asking_the_same(request.connections, change, now)
    if not same:
        return redirect("portal:approval", change.pk)
    question = presenting.questions_of(records, same, now)[0]
    context = {"tab": "approvals", "ask": question.asks[0], "form": form, "kind": words.kind_name(change.field)}
    return render(request, "portal/no.html", context, status=422 if form.is_bound else 200)


@parent
@require_POST
def decline(request: ParentRequest, change_id: int) -> HttpResponse:
    """Say that what the school's own records have is not one's own."""
    offer = get_object_or_404(selectors.changes(request.connections), pk=change_id, status=Status.OFFER)
    try:
        declining.decline(account=request.account, offer=offer, by_name=str(request.account), now=timezone.now())
    except HubError as refused:
        messages.error(request, refused.message)
    else:
        messages.success(request, _("Thank you. The school will not use it for you."))
    return redirect("portal:home")
