"""The door to registering: the link, the letter, what opens nothing, and the page after the last step."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from functools import wraps
from typing import Any, cast

from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from hub.accounts import tokens
from hub.accounts.models import Account
from hub.accounts.signing_in import SIGN_IN_FREE
from hub.accounts.viewer import ViewedRequest, in_scope
from hub.core import scope
from hub.people import selectors as people
from verification.errors import InvitationRefused, InvitationTrouble
from verification.invitations import letter_making
from verification.models import Invitation
from verification.registration import draft as join_draft
from verification.registration import joining
from verification.registration.draft import Draft
from verification.registration.forms import LetterForm
from verification.registration.joining import Guest

JOINED = "joined"
"""Where the session keeps which school was joined last, for the page after it."""


class JoinRequest(ViewedRequest):
    """A request inside `invited`: whom the open link invites, and what they have said so far."""

    guest: Guest
    draft: Draft
    account: Account | None
    now: dt.datetime


def anybody(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Say of a view that it opens without signing in."""
    view.access = SIGN_IN_FREE  # type: ignore[attr-defined]
    return view


def invited(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Let whoever has an open link in the session in, and show the view the school it belongs to."""

    @wraps(view)
    def inner(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        found = cast(JoinRequest, request)
        found.now = timezone.now()
        found.draft = join_draft.load(request, found.now)
        found.account = found.viewer.account
        try:
            found.guest = joining.look(token_hash=found.draft.token_hash, now=found.now)
            with scope.schools(found.guest.school.pk):
                return cast(HttpResponse, in_scope(view(found, *args, **kwargs), (found.guest.school.pk,)))
        except InvitationRefused as refusal:
            return opens_nothing(request, refusal)

    return anybody(never_cache(inner))


def posted(request: HttpRequest) -> QueryDict | None:
    """Return what a form was sent with: also nothing at all is something, which the form refuses."""
    return request.POST if request.method == "POST" else None


def _is_theirs(request: HttpRequest, invitation: Invitation) -> bool:
    """Whether whoever is signed in is connected to the record that was invited."""
    account = cast(ViewedRequest, request).viewer.account
    whose = (invitation.contact_id, invitation.staff_id)
    return account is not None and whose in {(one.contact_id, one.staff_id) for one in people.connections_of(account)}


def opens_nothing(request: HttpRequest, refusal: InvitationRefused) -> HttpResponse:
    """Say why the link opens nothing and what to do. The draft goes, unless somebody else may still use the link."""
    trouble, asked_with = refusal.trouble, bool(join_draft.load(request, timezone.now()).token_hash)
    if trouble not in (InvitationTrouble.NOT_YOURS, InvitationTrouble.FROZEN, InvitationTrouble.RULES):
        join_draft.forget(request)
    said = refusal.invitation
    used = trouble in (InvitationTrouble.USED, InvitationTrouble.CONNECTED)
    context = {
        "trouble": "yours" if used and said and _is_theirs(request, said) else trouble.value,
        "was_open": asked_with,
        "sentence": refusal.message,
        "invited_to": said.school if said else None,
        "lapsed_at": said.expires_at if said else None,
    }
    return render(request, "verification/join/nothing.html", context, status=410)


@anybody
@require_safe
@never_cache
def link(request: HttpRequest, token: str) -> HttpResponse:
    """Take the token out of the address into the session, so that no log, history or referrer keeps it for long."""
    join_draft.open_link(request, tokens.hashed(token))
    return redirect("join:start")


@require_http_methods(["GET", "HEAD", "POST"])
@invited
def start(request: JoinRequest) -> HttpResponse:
    """Say who invites whom; only the button begins."""
    if request.method == "POST":
        request.draft.begun, request.draft.at = True, request.now.timestamp()
        request.draft.save(request)
        return redirect("join:who")
    return render(request, "verification/join/start.html", {"guest": request.guest, "again": request.draft.too_old})


@anybody
@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_post_parameters("number", "code")
@never_cache
def letter(request: HttpRequest) -> HttpResponse:
    """Take the number and the code of a letter; the answer is the same whatever is wrong with them."""
    form = LetterForm(posted(request))
    if request.method == "POST" and form.is_valid():
        try:
            found = letter_making.enter(
                number=form.cleaned_data["number"], code=form.cleaned_data["code"], now=timezone.now()
            )
        except InvitationRefused as refusal:
            form.add_error(None, refusal.message)
        else:
            join_draft.open_link(request, found.token_hash)
            return redirect("join:start")
    status = 422 if request.method == "POST" else 200
    return render(request, "verification/join/letter.html", {"form": form}, status=status)


@anybody
@require_POST
@never_cache
def not_me(request: HttpRequest) -> HttpResponse:
    """Sign out whoever is signed in, and keep the link for the one it invites."""
    token_hash = join_draft.load(request, timezone.now()).token_hash
    logout(request)
    if token_hash:
        join_draft.open_link(request, token_hash)
    return redirect("join:start")


@anybody
@require_safe
@never_cache
def done(request: ViewedRequest) -> HttpResponse:
    """Say what happens now."""
    joined: dict[str, Any] | None = request.session.get(JOINED)
    if joined is None or request.viewer.account is None:
        return redirect("/")
    return render(request, "verification/join/done.html", {"joined": joined, "title": _("You are connected")})
