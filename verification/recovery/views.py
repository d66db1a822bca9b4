"""Inside: whose login an open link is for, the second proof, and the new password, which signs in."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from functools import wraps
from typing import Any, cast

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from hub.accounts import known_devices, limits, passkeys, second_factor, signing_in
from hub.accounts.forms import NewPasswordForm, resting
from hub.accounts.passkeys import PasskeyRefused
from hub.accounts.viewer import ViewedRequest
from verification.errors import CodeRefused
from verification.recovery import recovering, rules
from verification.recovery.door import LINK, REQUEST, SECOND, anybody, page, refused
from verification.recovery.forms import DigitsForm, FactorForm
from verification.recovery.recovering import Recovery
from verification.recovery.rules import Way


class RecoveryRequest(ViewedRequest):
    """A request inside `opened`: whose login the open link is for, and the second proof that was given, or blank."""

    recovery: Recovery
    second: str
    now: dt.datetime


def opened(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Let whoever has an open link in the session in; what was proved for another link counts for nothing."""

    @wraps(view)
    def inner(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        found = cast(RecoveryRequest, request)
        found.now = timezone.now()
        found.recovery = recovering.look(token_hash=request.session.get(LINK, ""), now=found.now)
        found.second = _second(found)
        return view(found, *args, **kwargs)

    return anybody(refused(inner))


def _second(request: RecoveryRequest) -> str:
    kept = request.session.get(SECOND) or {}
    fresh = request.now.timestamp() - kept.get("at", 0) <= rules.SECOND_GOOD_FOR.total_seconds()
    return str(kept.get("how", "")) if fresh and kept.get("link") == request.recovery.link.pk else ""


def _keep(request: RecoveryRequest, **said: Any) -> None:
    request.session[SECOND] = {"link": request.recovery.link.pk, "at": request.now.timestamp(), **said}


def _shown(request: RecoveryRequest, way: Way) -> HttpResponse:
    _keep(request, how=way.value)
    return redirect("recovery:password")


@require_http_methods(["GET", "HEAD", "POST"])
@opened
def login(request: RecoveryRequest) -> HttpResponse:
    """Say whose login it is and what comes next; only the button goes on."""
    recovery = request.recovery
    if request.method == "POST":
        return redirect("recovery:second" if recovery.needs_second and not request.second else "recovery:password")
    (label,) = rules.labels([recovery.account.name])
    return page(request, "login", label=label, recovery=recovery, **_explained(recovery))


def _explained(recovery: Recovery) -> dict[str, Any]:
    standing = recovery.standing
    return {
        "shared": bool(standing and standing.first.shared),
        "staff": bool(standing and standing.staff),
        "stuck": recovery.needs_second and not recovery.ways,
    }


# The second proof


@require_http_methods(["GET", "HEAD", "POST"])
@opened
def second(request: RecoveryRequest) -> HttpResponse:
    """Offer the second proofs that this login takes."""
    recovery = request.recovery
    if not recovery.needs_second:
        return redirect("recovery:password")
    if request.method == "POST":
        return _send(request, request.POST.get("way", ""))
    ways = [way for way in recovery.ways if way != Way.PASSKEY]
    with_passkey = Way.PASSKEY in recovery.ways and passkeys.possible(request)
    return page(request, "second", recovery=recovery, ways=ways, passkey=with_passkey, **_explained(recovery))


def _send(request: RecoveryRequest, wanted: str) -> HttpResponse:
    if wanted not in (Way.EMAIL, Way.MOBILE):
        return redirect("recovery:second")
    try:
        made = recovering.send_second(recovery=request.recovery, way=Way(wanted), now=request.now)
    except CodeRefused as refusal:
        messages.error(request, refusal.message)
        return redirect("recovery:second")
    _keep(request, code=made.pk, kind=wanted)
    return redirect("recovery:code")


@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_post_parameters("code")
@opened
def code(request: RecoveryRequest) -> HttpResponse:
    """Take the code that went to another address of the owner's."""
    kept = request.session.get(SECOND) or {}
    if kept.get("link") != request.recovery.link.pk or "code" not in kept:
        return redirect("recovery:second")
    if "again" in request.POST:
        return _send(request, kept["kind"])
    form = DigitsForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            way = recovering.check_second(
                recovery=request.recovery, code_id=kept["code"], typed=form.cleaned_data["code"], now=request.now
            )
        except CodeRefused as refusal:
            form.add_error("code", refusal.message)
        else:
            return _shown(request, way)
    return page(request, "code", status=422 if form.errors else 200, form=form, kind=kept["kind"])


@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_post_parameters("factor")
@opened
def factor(request: RecoveryRequest) -> HttpResponse:
    """Take a time code or a recovery code of this very login."""
    recovery = request.recovery
    taken = [way for way in (Way.TIME_CODE, Way.RECOVERY_CODE) if way in recovery.ways]
    if not taken:
        return redirect("recovery:second")
    form = FactorForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        account = recovery.account
        claimed = limits.claim(
            what="code",
            name=str(account.pk),
            device=known_devices.known_as(request, account),
            network=limits.network_of(request),
            now=request.now,
        )
        if claimed.rests_until is not None:
            form.add_error(None, resting(claimed.rests_until))
        elif second_factor.check(account, form.cleaned_data["factor"], request.now):
            limits.forgive(claimed)
            return _shown(request, taken[0])
        else:
            form.add_error("factor", _("That is not a code of this login, or it was used. Try again."))
    return page(request, "factor", status=422 if form.errors else 200, form=form, ways=taken)


@require_POST
@opened
def passkey(request: RecoveryRequest) -> HttpResponse:
    """Take an answer of a passkey, which must be this login's."""
    try:
        answer = passkeys.read(request.body)
        account = passkeys.finish_sign_in(request, answer=answer, now=request.now)
    except PasskeyRefused as refusal:
        return JsonResponse({"sentence": refusal.message}, status=422)
    if account != request.recovery.account or Way.PASSKEY not in request.recovery.ways:
        return JsonResponse({"sentence": _("That passkey belongs to another login.")}, status=422)
    return JsonResponse({"next": _shown(request, Way.PASSKEY)["Location"]})


# The end


@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_post_parameters("password")
@opened
def password(request: RecoveryRequest) -> HttpResponse:
    """Take a new password, and sign in. A login without a name signs in by passkeys: it makes one next."""
    recovery = request.recovery
    if recovery.needs_second and not request.second:
        return redirect("recovery:second")
    by_name = recovery.signs_in_by_name
    form = NewPasswordForm(request.POST if request.method == "POST" else None, account=recovery.account)
    if request.method == "POST" and (not by_name or form.is_valid()):
        return _finish(request, form.cleaned_data["password"] if by_name else "")
    wrong = by_name and form.errors
    return page(request, "password", status=422 if wrong else 200, form=form if by_name else None, recovery=recovery)


def _finish(request: RecoveryRequest, typed: str) -> HttpResponse:
    account = recovering.finish(recovery=request.recovery, second=request.second, password=typed, now=request.now)
    signing_in.sign_in(request, account, how="recovery")
    for name in (LINK, SECOND, REQUEST):
        request.session.pop(name, None)
    if typed:
        messages.success(request, _("Your password is changed, and you are signed in. Everybody else is signed out."))
        return redirect("/")
    messages.success(request, _("You are signed in. Make a passkey now: it is how you sign in from now on."))
    return redirect("account:home")
