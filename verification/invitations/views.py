"""What the office does about one person's invitation, from their page or a row of the report."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from hub.accounts.viewer import SchoolRequest, require
from hub.core.errors import HubError
from hub.core.templatetags.frame import when
from hub.people.finding import PAGES, person_or_404
from hub.people.judging import display
from verification import children
from verification.invitations import inviting, letter_making
from verification.invitations.connection_views import OFFICE, pdf_response
from verification.models import DetailChange, Field
from verification.owners import Owner

_BY = {"email": "", "text": "mobile"}


@require(*OFFICE)
@require_POST
def invite(request: SchoolRequest, school: str, owner: str, person_id: int) -> HttpResponseBase:
    """Invite one person, or send the invitation again; `channel` may ask for a way."""
    person = person_or_404(request, owner, person_id)
    channel = request.POST.get("channel") or None
    if channel not in (None, "email", "text"):
        raise Http404
    try:
        made = inviting.invite(owner=person, by=request.account, channel=channel, now=timezone.now())
    except HubError as refusal:
        messages.error(request, refusal.message)
    else:
        to = display(_BY[made.channel], made.sent_to)
        messages.success(request, f"{person} is invited at {to}. The link is good until {when(made.expires_at)}.")
    return _back(request, owner, person)


@require(*OFFICE)
@require_POST
def letter(request: SchoolRequest, school: str, owner: str, person_id: int) -> HttpResponseBase:
    """Print one person's letter: it makes a new code, and what was sent before opens nothing any more."""
    person = person_or_404(request, owner, person_id)
    try:
        printed = letter_making.print_letter(owner=person, by=request.account, now=timezone.now())
    except HubError as refusal:
        messages.error(request, refusal.message)
        return _back(request, owner, person)
    return pdf_response(printed.pdf, f"letter-{person.pk}.pdf")


@require(*OFFICE)
@require_POST
def take_back(request: SchoolRequest, school: str, owner: str, person_id: int) -> HttpResponseBase:
    """Take the open invitation back."""
    person = person_or_404(request, owner, person_id)
    if inviting.void(owner=person, by=request.account, now=timezone.now()):
        messages.success(request, f"The invitation of {person} is taken back. Its link opens nothing any more.")
    return _back(request, owner, person)


@require(*OFFICE)
@require_POST
def give_back(request: SchoolRequest, school: str, change_id: int) -> HttpResponseBase:
    """Let a parent who said “not my child” see the pupil again."""
    change = get_object_or_404(
        DetailChange.objects.filter(school=request.school, field=Field.CHILD).select_related("contact", "pupil"),
        pk=change_id,
    )
    try:
        children.give_back(change=change, by=request.account, now=timezone.now())
    except HubError as refusal:
        messages.error(request, refusal.message)
    else:
        messages.success(request, f"{change.contact} sees {change.pupil} again.")
    assert change.contact is not None
    return _back(request, "contacts", change.contact)


def _back(request: SchoolRequest, owner: str, person: Owner) -> HttpResponseBase:
    """Return to the page the button was on, if it was one of ours; else to the person's."""
    here = request.POST.get("next", "")
    if here.startswith("/") and url_has_allowed_host_and_scheme(here, allowed_hosts=None):
        return redirect(here)
    return redirect(PAGES[owner], request.school.slug, person.pk)
