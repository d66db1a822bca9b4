"""Saying that a child is not one's own, and that two records of a school are the same person."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from hub.core.errors import HubError
from hub.portal import presenting, selectors
from hub.portal.viewer import ParentRequest, parent
from verification import children
from verification.lifecycle import merging

_METHODS = ["GET", "HEAD", "POST"]


@parent
@require_http_methods(_METHODS)
def not_mine(request: ParentRequest, pupil_id: int) -> HttpResponse:
    """Say that a pupil is not one's child: out of sight at once, and the office looks into it."""
    links = selectors.links_to(request.connections, pupil_id, selectors.today())
    if not links:
        raise Http404
    pupil = links[0].pupil
    if request.method == "POST":
        now = timezone.now()
        try:
            for link in links:
                children.not_my_child(account=request.account, link=link, by_name=str(request.account), now=now)
        except HubError as refused:
            messages.error(request, refused.message)
        else:
            said = _("{child} is out of your sight now, and the school office has been told.")
            messages.success(request, said.format(child=pupil.forename))
        return redirect("portal:children")
    return render(request, "portal/not_mine.html", {"tab": "children", "pupil": pupil, "school": links[0].school})


@parent
@require_http_methods(_METHODS)
def merge(request: ParentRequest, kept_id: int, gone_id: int) -> HttpResponse:
    """Confirm that two records of one school are oneself: they become one."""
    records = selectors.records(request.connections)
    pair = next(
        (pair for pair in selectors.pairs(records) if (pair[0].owner.pk, pair[1].owner.pk) == (kept_id, gone_id)), None
    )
    if pair is None:
        raise Http404
    twins = presenting.Twins(kept=pair[0], gone=pair[1])
    kept, gone = pair[0].connection.contact, pair[1].connection.contact
    assert kept is not None
    assert gone is not None
    if request.method == "POST":
        try:
            merging.merge(
                account=request.account,
                kept=kept,
                gone=gone,
                take=[one.kind for one in twins.choices if request.POST.get(f"take-{one.kind}") == "gone"],
                by_name=str(request.account),
                now=timezone.now(),
            )
        except HubError as refused:
            messages.error(request, refused.message)
        else:
            messages.success(request, _("You are one record there now. The school office can undo it."))
        return redirect("portal:home")
    return render(request, "portal/merge.html", {"tab": "home", "twins": twins})
