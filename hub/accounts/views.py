"""Accepting an invitation to join as staff, or a link to a new password."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from hub.accounts import devices, services, signing_in, tokens
from hub.accounts.forms import AcceptForm
from hub.accounts.services import InvitationRefused
from hub.accounts.sign_in_views import enter
from hub.accounts.viewer import ViewedRequest

OPENED = "invitation"
"""Where the session keeps the hash of the token of the link that was opened last."""


@require_safe
@never_cache
def invitation_link(request: HttpRequest, token: str) -> HttpResponse:
    """Take the token out of the address into the session, so that no log, history or referrer keeps it for long."""
    request.session[OPENED] = tokens.hashed(token)
    return redirect("accounts:invitation")


@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_post_parameters("password")
@never_cache
def invitation(request: ViewedRequest) -> HttpResponse:
    """Show what the link is for; only the button accepts."""
    now = timezone.now()
    token_hash = request.session.get(OPENED, "")
    try:
        found = services.find_invitation(token_hash=token_hash, now=now).membership
        form = AcceptForm(request.POST or None, account=found.account, initial={"name": found.account.name})
        with_password = services.needs_password(found)
        if request.method == "POST" and (not with_password or form.is_valid()):
            typed = form.cleaned_data if with_password else {}
            return _accept(request, token_hash, typed.get("name", ""), typed.get("password", ""))
    except InvitationRefused as refusal:
        return render(request, "accounts/invitation_void.html", {"sentence": refusal.message}, status=410)
    context = {
        "member": found,
        "invited_to": found.school,
        "form": form if with_password else None,
        "is_viewer": request.viewer.account == found.account,
    }
    return render(request, "accounts/invitation.html", context, status=422 if form.errors else 200)


def _accept(request: ViewedRequest, token_hash: str, name: str, password: str) -> HttpResponse:
    now = timezone.now()
    membership = services.accept_invitation(
        token_hash=token_hash, name=name, password=password, signed_in=request.viewer.account, now=now
    )
    request.session.pop(OPENED, None)
    if password:
        return enter(request, membership.account, how="invitation", next_page="", now=now)
    devices.end_others(account=membership.account, keep=request.session.session_key)  # they live as long as a parent's
    signing_in.set_ages(request, membership.account, now=now)
    return redirect("overview:home")
