"""The door of getting back in: asking, and what the mail, the text or the letter brings. Nobody is signed in here.

Whatever is typed, the answer has the same words, the same status and takes the same work: what an
address leads to is looked up by a task, after the answer.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from hub.accounts import limits, names, tokens
from hub.accounts.forms import resting
from hub.accounts.models import Account
from hub.accounts.signing_in import SIGN_IN_FREE
from hub.core.errors import HubError
from hub.core.templatetags.frame import clock
from hub.messaging import channels
from hub.messaging.models import Channel
from verification.recovery import letters, recovering, rules
from verification.recovery.forms import BeginForm, DigitsForm, LetterForm

LINK = "recovery_link"
"""Where the session keeps the hash of the link that was opened last."""
SECOND = "recovery_second"
"""Where it keeps the second proof: of which link, how and when; or the code that is under way."""
REQUEST = "recovery_request"
"""Where it keeps what was asked for, and which logins a proven mobile leads to."""


def anybody(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Say of a view that it opens without signing in; it is kept in no cache."""
    kept = never_cache(view)
    kept.access = SIGN_IN_FREE  # type: ignore[attr-defined]
    return kept


def page(request: HttpRequest, name: str, *, status: int = 200, **context: Any) -> HttpResponse:
    """Return one of these pages."""
    return render(request, f"verification/recover/{name}.html", context, status=status)


def refused(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Show what a verb refuses on the page that says what to do instead."""

    @wraps(view)
    def inner(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            return view(request, *args, **kwargs)
        except HubError as refusal:
            return page(request, "nothing", status=410, sentence=refusal.message)

    return inner


def open_link(request: HttpRequest, token_hash: str) -> HttpResponse:
    """Keep whose link was opened, and forget all that was shown for another."""
    request.session.pop(SECOND, None)
    request.session[LINK] = token_hash
    return redirect("recovery:login")


@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_post_parameters("name")
@anybody
def begin(request: HttpRequest) -> HttpResponse:
    """Ask for an email or mobile."""
    form = BeginForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        now = timezone.now()
        name = names.read(form.cleaned_data["name"])
        claimed = limits.claim(
            what="recover",
            name=f"{name.column}:{name.value}",
            device="",
            network=limits.network_of(request),
            now=now,
        )
        if claimed.rests_until is None:
            made = recovering.ask(typed=form.cleaned_data["name"], now=now)
            request.session[REQUEST] = {"id": made.pk, "kind": made.kind}
            return redirect("recovery:sent")
        form.add_error(None, _asked_enough(claimed.rests_until))
    texts = channels.available(Channel.TEXT)
    return page(request, "begin", status=422 if form.errors else 200, form=form, texts=texts)


def _asked_enough(until: dt.datetime) -> str:
    """Say so in words that are true whether anybody has the address or not, and that help its owner."""
    said = _(
        "That was asked for too often just now. If a login belongs to it, a link that came is good for half an hour: "
        "open the newest one. You can ask again from %(time)s."
    )
    return said % {"time": clock(until + dt.timedelta(minutes=1))}


@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_post_parameters("code")
@anybody
def sent(request: HttpRequest) -> HttpResponse:
    """Say what was sent if the address is known; of a mobile, take the code."""
    asked = request.session.get(REQUEST)
    if asked is None:
        return redirect("recovery:begin")
    if asked["kind"] != "mobile":
        return page(request, "sent", minutes=int(rules.LINK_GOOD_FOR.total_seconds() // 60))
    form = DigitsForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            logins = recovering.check_mobile(
                request_id=asked["id"], typed=form.cleaned_data["code"], now=timezone.now()
            )
        except HubError as refusal:
            form.add_error("code", refusal.message)
        else:
            return _proved(request, asked["id"], logins)
    return page(request, "sent", status=422 if form.errors else 200, form=form)


def _proved(request: HttpRequest, request_id: int, logins: list[Account]) -> HttpResponse:
    """Lead on whoever holds the mobile: to the login, or to which of them."""
    request.session[REQUEST] = {"id": request_id, "kind": "proved", "logins": [one.pk for one in logins]}
    if len(logins) == 1:
        return _take(request, request_id, logins[0])
    return redirect("recovery:which")


@require_http_methods(["GET", "HEAD", "POST"])
@refused
@anybody
def which(request: HttpRequest) -> HttpResponse:
    """Ask which of several logins, by their first names."""
    asked = request.session.get(REQUEST) or {}
    if asked.get("kind") != "proved":
        return redirect("recovery:begin")
    logins = list(Account.objects.filter(pk__in=asked["logins"]).order_by("pk"))
    if request.method == "POST":
        place = request.POST.get("login", "")
        if place.isdecimal() and int(place) < len(logins):
            return _take(request, asked["id"], logins[int(place)])
    return page(request, "which", labels=rules.labels(one.name for one in logins))


def _take(request: HttpRequest, request_id: int, account: Account) -> HttpResponse:
    return open_link(request, recovering.link_for(account=account, request_id=request_id, now=timezone.now()))


@require_safe
@anybody
def link(request: HttpRequest, token: str) -> HttpResponse:
    """Take the token out of the address into the session, so that no log, history or referrer keeps it for long."""
    return open_link(request, tokens.hashed(token))


@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_post_parameters("code")
@anybody
def letter(request: HttpRequest) -> HttpResponse:
    """Take the code of a letter; the answer is the same whatever is wrong with it."""
    form = LetterForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        now = timezone.now()
        network = limits.network_of(request)
        claimed = limits.claim(what="recovery letter", name=network, device="", network=network, now=now)
        if claimed.rests_until is not None:
            form.add_error(None, resting(claimed.rests_until))
        elif token_hash := letters.find(typed=form.cleaned_data["code"], now=now):
            limits.forgive(claimed)
            return open_link(request, token_hash)
        else:
            form.add_error(
                "code", _("No letter has this code, or it was used, or it is too old. Check it letter by letter.")
            )
    return page(request, "letter", status=422 if form.errors else 200, form=form)
