"""The office's verbs about one change: ask again, withdraw a question, lift a freeze."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_http_methods, require_POST

from hub.accounts.models import Role
from hub.accounts.viewer import SchoolRequest, require
from hub.core.errors import HubError
from hub.core.templatetags.frame import when
from verification import services
from verification.changes.rules import EMAIL, MOBILE
from verification.models import DetailChange, Status
from verification.owners import owner_of

_OFFICE = (Role.ADMINISTRATOR, Role.OFFICE)


@require(*_OFFICE)
@require_POST
def ask_again(request: SchoolRequest, school: str, change_id: int) -> HttpResponseBase:
    """Put a question once more, with seven new days."""
    change = _change(request, change_id)
    try:
        made = services.ask_again(change=change, by=request.account, now=timezone.now())
    except HubError as refusal:
        messages.error(request, refusal.message)
    else:
        messages.success(request, f"{owner_of(made)} is asked again, until {when(made.deadline)}.")
    return _back(request, change)


@require(*_OFFICE)
@require_POST
def withdraw(request: SchoolRequest, school: str, change_id: int) -> HttpResponseBase:
    """Take back what the school asks."""
    change = _change(request, change_id)
    try:
        services.withdraw(change=change, by=request.account, now=timezone.now())
    except HubError as refusal:
        messages.error(request, refusal.message)
    else:
        messages.success(request, f"The question is taken back, and {owner_of(change)} is told.")
    return _back(request, change)


@require(*_OFFICE)
@require_http_methods(["GET", "HEAD", "POST"])
def lift(request: SchoolRequest, school: str, change_id: int) -> HttpResponseBase:
    """Ask, then let a person change their details again."""
    change = _change(request, change_id)
    if request.method != "POST":
        if change.status != Status.FROZEN or change.settled_at is not None:
            messages.error(request, "There is nothing to lift: these details are not frozen.")
            return _back(request, change)
        context = {"nav": "people", "change": change, "person": owner_of(change), "back": _place(request, change)}
        return render(request, "verification/lift.html", context)
    try:
        services.lift(change=change, by=request.account, now=timezone.now())
    except HubError as refusal:
        messages.error(request, refusal.message)
    else:
        messages.success(request, f"{owner_of(change)} can change their details again, and is told.")
    return _back(request, change)


def _change(request: SchoolRequest, change_id: int) -> DetailChange:
    """Return a change of an email or mobile; what is said of a child or a record is answered elsewhere."""
    mine = DetailChange.objects.filter(school=request.school, field__in=(EMAIL, MOBILE))
    mine = mine.select_related("contact__school", "staff__school")
    return get_object_or_404(mine, pk=change_id)


def _place(request: SchoolRequest, change: DetailChange) -> str:
    """Return where the verb was chosen, if that is a page of ours; else the person's page."""
    wanted = request.POST.get("next") or request.GET.get("next", "")
    if wanted.startswith("/") and url_has_allowed_host_and_scheme(wanted, allowed_hosts=None):
        return wanted
    name = "people:staff" if change.staff_id else "people:contact"
    return redirect(name, request.school.slug, change.staff_id or change.contact_id)["Location"]


def _back(request: SchoolRequest, change: DetailChange) -> HttpResponseBase:
    return redirect(_place(request, change))
