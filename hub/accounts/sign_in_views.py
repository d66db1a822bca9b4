"""The pages at the door: name and password, the second factor, a passkey, and out again."""

from __future__ import annotations

import datetime as dt

from django.contrib import messages
from django.contrib.auth import logout
from django.http import HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from hub.accounts import passkeys, recovery_codes, second_factor, signing_in
from hub.accounts.forms import CodeForm, SignInForm, resting, wrong
from hub.accounts.models import Account
from hub.accounts.passkeys import PasskeyRefused
from hub.accounts.signing_in import Checked
from hub.accounts.viewer import ViewedRequest


def is_ours(request: ViewedRequest, page: str) -> bool:
    """Whether a page that somebody asks to be led to is one of this hub."""
    ours = url_has_allowed_host_and_scheme(page, {request.get_host()}, require_https=request.is_secure())
    return ours and page.startswith("/")  # else it would be looked up as the name of a view


def safe_next(request: ViewedRequest) -> str:
    """Return the page of ours that was asked for before, or blank."""
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    return wanted if is_ours(request, wanted) else ""


def enter(request: ViewedRequest, account: Account, *, how: str, next_page: str, now: dt.datetime) -> HttpResponse:
    """Let somebody on who has shown one proof: to the second, if the login has one, else in."""
    if second_factor.has_one(account):
        signing_in.begin_second(request, account, next_page=next_page, now=now)
        return redirect("accounts:second")
    signing_in.sign_in(request, account, how=how)
    return redirect(next_page or "/")


@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_post_parameters("password")
@never_cache
def sign_in(request: ViewedRequest) -> HttpResponse:
    """Ask for name and password; a wrong pair is told no more than that."""
    next_page = safe_next(request)
    if request.viewer.account is not None:
        return redirect(next_page or "/")
    form = SignInForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        now = timezone.now()
        typed = form.cleaned_data
        checked = signing_in.check_password(request, name=typed["username"], password=typed["password"], now=now)
        if checked.account is not None:
            return enter(request, checked.account, how="password", next_page=next_page, now=now)
        form.add_error(None, _refusal(checked, wrong()))
    context = {"form": form, "next": next_page, "with_passkeys": passkeys.possible(request)}
    return render(request, "accounts/sign_in.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_post_parameters("code", "recovery_code")
@never_cache
def second(request: ViewedRequest) -> HttpResponse:
    """Ask whoever has given the right password for the second factor."""
    now = timezone.now()
    waiting = signing_in.pending(request, now=now)
    if waiting is None:
        return _begin_again(request, _("Please sign in again: there were ten minutes for the second step."))
    account, next_page = waiting
    form = CodeForm(request.POST or None, with_time_code=second_factor.has_time_code(account))
    if request.method == "POST" and form.is_valid():
        before = recovery_codes.left(account)
        checked = signing_in.check_code(request, account, typed=form.typed, now=now)
        if checked.account is not None:
            signing_in.sign_in(request, account, how="password and code")
            _warn_of_few(request, account, before)
            return redirect(next_page or "/")
        if signing_in.pending(request, now=now) is None:
            return _begin_again(request, _("That was not the right code five times. Please sign in again."))
        form.add_error(None, _refusal(checked, _("That code does not fit, or was used already. Type the newest one.")))
    context = {"form": form, "next": next_page, "with_passkeys": passkeys.possible(request)}
    return render(request, "accounts/second.html", context, status=422 if form.errors else 200)


@require_POST
@never_cache
def passkey_begin(request: ViewedRequest) -> HttpResponse:
    """Give the browser a challenge for a passkey."""
    return HttpResponse(passkeys.begin_sign_in(request, now=timezone.now()), content_type="application/json")


@require_POST
@never_cache
def passkey_finish(request: ViewedRequest) -> JsonResponse:
    """Let in whose passkey answered the challenge: it is both factors."""
    try:
        answer = passkeys.read(request.body)
        account = passkeys.finish_sign_in(request, answer=answer, now=timezone.now())
    except PasskeyRefused as refusal:
        return JsonResponse({"sentence": refusal.message}, status=422)
    wanted = str(answer.get("next") or "")
    signing_in.sign_in(request, account, how="passkey")
    return JsonResponse({"next": wanted if is_ours(request, wanted) else "/"})


@require_POST
def sign_out(request: ViewedRequest) -> HttpResponseBase:
    """End the session. POST only: a link must not sign anybody out."""
    logout(request)
    response = redirect("accounts:sign_in")
    response.headers["Clear-Site-Data"] = '"cache", "storage"'  # not the cookies: one says that the device is known
    return response


def _refusal(checked: Checked, sentence: str) -> str:
    return resting(checked.rests_until) if checked.rests_until else sentence


def _begin_again(request: ViewedRequest, sentence: str) -> HttpResponse:
    messages.warning(request, sentence)
    return redirect("accounts:sign_in")


def _warn_of_few(request: ViewedRequest, account: Account, before: int) -> None:
    """Say how many recovery codes are left, where one was just used."""
    left = recovery_codes.left(account)
    if left == before:
        return
    sentence = ngettext(
        "You used a recovery code; %(left)d is left.", "You used a recovery code; %(left)d are left.", left
    ) % {"left": left}
    if left <= recovery_codes.FEW:
        more = _("Make new ones now, under Sign-in and devices.")
        messages.warning(request, f"{sentence} {more}")
    else:
        messages.info(request, sentence)
