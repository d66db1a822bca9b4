"""The office makes two records of one again."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from hub.accounts.models import Role
from hub.accounts.viewer import SchoolRequest, require
from hub.core.errors import HubError
from verification.lifecycle import merging
from verification.models import DetailChange, Field, Merge, Status

_OFFICE = (Role.ADMINISTRATOR, Role.OFFICE)


@require(*_OFFICE)
@require_http_methods(["GET", "HEAD", "POST"])
def undo_merge(request: SchoolRequest, school: str, change_id: int) -> HttpResponseBase:
    """Ask, then make two records of one again."""
    standing = DetailChange.objects.filter(school=request.school, field=Field.RECORD, status=Status.APPROVED)
    change = get_object_or_404(standing.select_related("contact"), pk=change_id)
    merge = Merge.objects.filter(school=request.school, pk=change.previous.get("merge"), undone_at=None).first()
    if merge is None:
        raise Http404
    back = reverse("people:contact", args=[school, change.contact_id])
    if request.method != "POST":
        context = {"nav": "reports", "change": change, "merge": merge, "back": back}
        return render(request, "verification/undo_merge.html", context)
    try:
        undone = merging.undo_merge(merge=merge, by=request.account, now=timezone.now())
    except HubError as refusal:
        messages.error(request, refusal.message)
    else:
        messages.success(request, "They are two records again.")
        for sentence in undone.left:
            messages.warning(request, sentence)
    return redirect(back)
