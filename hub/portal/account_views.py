"""Sign-in and devices: the page of one's own login, its password, where it is signed in, and proving who one is."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse, JsonResponse
from django.shortcuts import redirect, render, resolve_url
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from hub.accounts import devices, passkeys, passwords, recovery_codes, second_factor, signing_in
from hub.accounts.forms import ChangePasswordForm, ProveForm, resting
from hub.accounts.models import Account
from hub.accounts.passkeys import PasskeyRefused
from hub.accounts.proof import FRESH, proved
from hub.accounts.sign_in_views import is_ours, safe_next
from hub.accounts.signing_in import Checked
from hub.accounts.viewer import ViewedRequest, own_login
from hub.people.details import display_mobile


@own_login
@require_safe
@never_cache
def home(request: ViewedRequest) -> HttpResponse:
    """Show how one signs in, and where one is signed in now."""
    account, now = _account(request), timezone.now()
    left = recovery_codes.left(account)
    context = {
        "mobile": display_mobile(account.mobile) if account.mobile else "",
        "has_password": account.has_usable_password(),
        "time_code": second_factor.time_code_of(account),
        "passkeys": passkeys.passkeys_of(account),
        "with_passkeys": passkeys.possible(request),
        "codes_left": left,
        "codes_few": left <= recovery_codes.FEW,
        "codes_all": recovery_codes.HOW_MANY,
        "devices": devices.devices_of(account=account, this=request.session.session_key, now=now),
        "is_needed": second_factor.is_needed(account),
    }
    return render(request, "account/home.html", context)


@own_login
@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_post_parameters("password")
@never_cache
def prove(request: ViewedRequest) -> HttpResponse:
    """Ask who it is once more, before something that matters."""
    account, next_page = _account(request), safe_next(request)
    form = ProveForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        now = timezone.now()
        checked = signing_in.check_own_password(request, account, password=form.cleaned_data["password"], now=now)
        if checked.account is not None:
            signing_in.prove(request, how="password", now=now)
            return redirect(next_page or "account:home")
        form.add_error("password", _wrong(checked))
    context = {
        "form": form if account.has_usable_password() else None,
        "next": next_page,
        "with_passkeys": passkeys.possible(request) and bool(passkeys.passkeys_of(account)),
    }
    return render(request, "account/prove.html", context, status=422 if form.errors else 200)


@own_login
@require_POST
@never_cache
def prove_by_passkey(request: ViewedRequest) -> JsonResponse:
    """Take a passkey of this login as the proof."""
    now = timezone.now()
    try:
        answer = passkeys.read(request.body)
        owner = passkeys.finish_sign_in(request, answer=answer, now=now)
    except PasskeyRefused as refusal:
        return JsonResponse({"sentence": refusal.message}, status=422)
    if owner != request.viewer.account:
        return JsonResponse({"sentence": _("That passkey belongs to another login.")}, status=422)
    signing_in.prove(request, how="passkey", now=now)
    wanted = str(answer.get("next") or "")
    return JsonResponse({"next": wanted if is_ours(request, wanted) else resolve_url("account:home")})


@proved()
@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_post_parameters("present", "password")
@never_cache
def password(request: ViewedRequest) -> HttpResponse:
    """Change the password; every other session ends."""
    account, now = _account(request), timezone.now()
    by_passkey = signing_in.proved(request, now=now, within=FRESH) == "passkey"
    with_present = account.has_usable_password() and not by_passkey
    form = ChangePasswordForm(request.POST or None, account=account, with_present=with_present)
    if request.method == "POST" and form.is_valid():
        checked = Checked(account)
        if with_present:
            typed = form.cleaned_data["present"]
            checked = signing_in.check_own_password(request, account, password=typed, now=now)
        if checked.account is not None:
            passwords.set_password(account=account, password=form.cleaned_data["password"], now=now)
            signing_in.stay(request, account)
            messages.success(request, _("Your password is changed. You are signed out everywhere else."))
            return redirect("account:home")
        form.add_error("present", _wrong(checked))
    context = {"form": form, "sign_in_name": account.email or account.mobile or ""}
    return render(request, "account/password.html", context, status=422 if form.errors else 200)


@own_login
@require_POST
def end_device(request: ViewedRequest) -> HttpResponse:
    """Sign one other device out."""
    if devices.end(account=_account(request), handle=request.POST.get("device", "")):
        messages.success(request, _("That device is signed out."))
    else:
        messages.info(request, _("That device was signed out already."))
    return redirect("account:home")


@own_login
@require_POST
def end_others(request: ViewedRequest) -> HttpResponse:
    """Sign every other device out."""
    ended = devices.end_others(account=_account(request), keep=request.session.session_key)
    said = ngettext("%(n)d other device is signed out.", "%(n)d other devices are signed out.", ended) % {"n": ended}
    messages.success(request, said if ended else _("You are signed in nowhere else."))
    return redirect("account:home")


def _account(request: ViewedRequest) -> Account:
    account = request.viewer.account
    assert account is not None
    return account


def _wrong(checked: Checked) -> str:
    return resting(checked.rests_until) if checked.rests_until else _("That is not your password. Try again.")
