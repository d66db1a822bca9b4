"""The second factor at one's own login: time codes, passkeys and recovery codes."""

from __future__ import annotations

from urllib.parse import urlencode

from django.contrib import messages
from django.http import Http404, HttpResponse, JsonResponse
from django.shortcuts import redirect, render, resolve_url
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from hub.accounts import devices, passkeys, recovery_codes, second_factor
from hub.accounts.forms import PasskeyNameForm, TimeCodeForm
from hub.accounts.models import Account, Passkey
from hub.accounts.passkeys import PasskeyRefused
from hub.accounts.proof import proved
from hub.accounts.second_factor import FactorRefused
from hub.accounts.sign_in_views import is_ours, safe_next
from hub.accounts.viewer import ViewedRequest, own_login


@own_login
@require_safe
@never_cache
def second_factor_page(request: ViewedRequest) -> HttpResponse:
    """Offer the two kinds of second factor; staff without one are sent here from wherever they go."""
    account, next_page = _account(request), safe_next(request)
    if second_factor.has_one(account):
        return redirect(next_page or "account:home")
    context = {
        "next": next_page,
        "is_needed": second_factor.is_needed(account),
        "with_passkeys": passkeys.possible(request),
        "after": _recovery_page(account, next_page),
    }
    return render(request, "account/second_factor.html", context)


@proved()
@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_post_parameters("code", "begun")
@never_cache
def time_code(request: ViewedRequest) -> HttpResponse:
    """Show the secret to scan or type; a first code counted with it keeps it."""
    account, next_page = _account(request), safe_next(request)
    form, sealed = TimeCodeForm(request.POST or None), request.POST.get("begun", "")
    if request.method == "POST" and form.is_valid():
        try:
            typed, is_first = form.cleaned_data["code"], not second_factor.has_one(account)
            after = _recovery_page(account, next_page)
            second_factor.confirm_time_code(account=account, sealed=sealed, typed=typed, now=timezone.now())
            _end_others(request, is_first)
            messages.success(request, _("Your authenticator app is set up. It is asked for when you sign in."))
            return redirect(after)
        except FactorRefused as refusal:
            form.add_error("code", refusal.message)
    try:
        begun = second_factor.begin_time_code(account=account, sealed=sealed)
    except FactorRefused:
        begun = second_factor.begin_time_code(account=account)
    context = {
        "form": form,
        "begun": begun,
        "next": next_page,
        "replaces": second_factor.has_time_code(account),
        "sign_in_name": account.email or account.mobile or str(account),
    }
    return render(request, "account/time_code.html", context, status=422 if form.errors else 200)


@proved()
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def remove_time_code(request: ViewedRequest) -> HttpResponse:
    """Ask, then take the time code away."""
    if request.method != "POST":
        return render(request, "account/remove.html", {"what": "time code"})
    try:
        second_factor.remove_time_code(account=_account(request), now=timezone.now())
        messages.success(request, _("The authenticator app is removed. Its codes no longer sign you in."))
    except FactorRefused as refusal:
        messages.error(request, refusal.message)
    return redirect("account:home")


@proved(back="account:home")
@require_POST
@never_cache
def passkey_begin(request: ViewedRequest) -> HttpResponse:
    """Give the browser what it needs to make a passkey."""
    options = passkeys.begin_registration(request, _account(request), now=timezone.now())
    return HttpResponse(options, content_type="application/json")


@proved(back="account:home")
@require_POST
@never_cache
def passkey_finish(request: ViewedRequest) -> JsonResponse:
    """Keep the passkey that the browser made."""
    account = _account(request)
    is_first = not second_factor.has_one(account)
    try:
        answer = passkeys.read(request.body)
        wanted = str(answer.get("next") or "")
        after = _recovery_page(account, wanted if is_ours(request, wanted) else "")
        made = passkeys.finish_registration(
            request, account, answer=answer, name=str(request.session.get("device", "")), now=timezone.now()
        )
    except PasskeyRefused as refusal:
        return JsonResponse({"sentence": refusal.message}, status=422)
    _end_others(request, is_first)
    messages.success(
        request, _("The passkey “%(name)s” is kept. From now on it signs you in by itself.") % {"name": made.name}
    )
    return JsonResponse({"next": after})


@own_login
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def passkey(request: ViewedRequest, passkey_id: int) -> HttpResponse:
    """Give a passkey another name."""
    found = _passkey(request, passkey_id)
    form = PasskeyNameForm(request.POST or None, initial={"name": found.name})
    if request.method == "POST" and form.is_valid():
        passkeys.rename(passkey=found, name=form.cleaned_data["name"])
        messages.success(request, _("The passkey has its new name."))
        return redirect("account:home")
    return render(request, "account/passkey.html", {"form": form, "passkey": found}, status=422 if form.errors else 200)


@proved()
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def remove_passkey(request: ViewedRequest, passkey_id: int) -> HttpResponse:
    """Ask, then take a passkey away."""
    found = _passkey(request, passkey_id)
    if request.method != "POST":
        return render(request, "account/remove.html", {"what": "passkey", "passkey": found})
    try:
        second_factor.remove_passkey(account=_account(request), passkey=found, now=timezone.now())
        messages.success(
            request,
            _("The passkey “%(name)s” no longer signs you in. You may delete it on your device too.")
            % {"name": found.name},
        )
    except FactorRefused as refusal:
        messages.error(request, refusal.message)
    return redirect("account:home")


@proved()
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def make_recovery_codes(request: ViewedRequest) -> HttpResponse:
    """Say what the codes are for; the button makes ten and shows them, this once."""
    account, next_page = _account(request), safe_next(request)
    if not second_factor.has_one(account):
        return redirect("account:second_factor")
    context = {"next": next_page, "left": recovery_codes.left(account), "few": recovery_codes.FEW}
    if request.method == "POST":
        context["codes"] = recovery_codes.make(account=account, now=timezone.now())
        context["sign_in_name"] = account.email or account.mobile or str(account)
    return render(request, "account/recovery_codes.html", context)


def _end_others(request: ViewedRequest, is_first: bool) -> None:
    """End the sessions that were begun by the password alone, once there is more to show."""
    if is_first:
        devices.end_others(account=_account(request), keep=request.session.session_key)


def _recovery_page(account: Account, next_page: str) -> str:
    """Return where to go after a factor is set up: the first time, to codes on paper."""
    if recovery_codes.left(account):
        return next_page or resolve_url("account:home")
    query = f"?{urlencode({'next': next_page})}" if next_page else ""
    return resolve_url("account:recovery_codes") + query


def _passkey(request: ViewedRequest, passkey_id: int) -> Passkey:
    found = Passkey.objects.filter(account=_account(request), pk=passkey_id).first()
    if found is None:
        raise Http404
    return found


def _account(request: ViewedRequest) -> Account:
    account = request.viewer.account
    assert account is not None
    return account
