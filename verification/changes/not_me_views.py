"""The page behind “If this was not you …”: who, what and when, one button, and what to do next."""

from __future__ import annotations

from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from hub.accounts import tokens
from verification.changes import freezing
from verification.changes.words import KINDS
from verification.errors import LinkRefused

OPENED = "not_me"
"""Where the session keeps the hash of the token of the link that was opened last."""


@require_safe
@never_cache
def link(request: HttpRequest, token: str) -> HttpResponse:
    """Take the token out of the address into the session, so that no log, history or referrer keeps it for long."""
    request.session[OPENED] = tokens.hashed(token)
    return redirect("not_me:page")


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def page(request: HttpRequest) -> HttpResponse:
    """Show what the link is about; only the button takes the change back."""
    now, token_hash = timezone.now(), request.session.get(OPENED, "")
    try:
        disputed = freezing.find(token_hash=token_hash, now=now)
        if request.method == "POST":
            freezing.not_me(token_hash=token_hash, now=now)
    except LinkRefused as refusal:
        return render(request, "verification/not_me_void.html", {"sentence": refusal.message}, status=410)
    context = {"disputed": disputed, "field": KINDS[disputed.field]}
    if request.method != "POST":
        return render(request, "verification/not_me.html", context)
    request.session.pop(OPENED, None)
    if not request.session.exists(request.session.session_key or ""):
        # Every session of the login has ended: this browser's too, if it was signed in to it.
        request.session.flush()
        request.user = AnonymousUser()
    return render(request, "verification/not_me_done.html", context)
