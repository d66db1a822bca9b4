"""Passkeys (WebAuthn): made at an account's page, and both factors at once where one signs in.

The browser must have checked who holds it (a finger, a face, the device's code): without that it is
refused. The challenge is kept in the session, is good once and for ten minutes.
"""

from __future__ import annotations

import datetime as dt
import ipaddress
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.db import IntegrityError, transaction
from django.http import HttpRequest
from django.utils.translation import gettext as _
from webauthn import (
    generate_authentication_options,
    generate_registration_options,
    options_to_json,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from hub.accounts import second_factor, trail
from hub.accounts.models import Account, Passkey
from hub.accounts.trail import What
from hub.core.errors import HubError

GOOD_FOR = dt.timedelta(minutes=10)
MOST = 20
"""Passkeys of one login."""
NAME = 100
CHALLENGE = "passkey_challenge"
"""Where the session keeps the challenge, what it is for, and since when."""


class PasskeyRefused(HubError):
    """A passkey that was not made or does not open: the sentence never says more than that."""


def possible(request: HttpRequest) -> bool:
    """Whether this hub is open under a name: browsers make no passkeys for a bare number such as 127.0.0.1."""
    try:
        ipaddress.ip_address(_host(request))
    except ValueError:
        return True
    return False


def begin_registration(request: HttpRequest, account: Account, *, now: dt.datetime) -> str:
    """Return, as JSON, what the browser needs to make a passkey for `account`, which may still be unsaved."""
    known = Passkey.objects.filter(account_id=account.pk).values_list("credential_id", flat=True)
    options = generate_registration_options(
        rp_id=_host(request),
        rp_name="Schoolgate",
        user_id=account.handle.bytes,
        user_name=account.email or account.mobile or str(account),
        user_display_name=str(account),
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED, user_verification=UserVerificationRequirement.REQUIRED
        ),
        exclude_credentials=[PublicKeyCredentialDescriptor(id=bytes(one)) for one in known],
    )
    _keep(request, "make", options.challenge, now)
    return options_to_json(options)


def finish_registration(
    request: HttpRequest, account: Account, *, answer: Mapping[str, Any], name: str, now: dt.datetime
) -> Passkey:
    """Keep the passkey that the browser made, under a name of the person's own. Raises `PasskeyRefused`."""
    challenge = _spend(request, "make", now)
    try:
        made = verify_registration_response(
            credential=dict(answer),
            expected_challenge=challenge,
            expected_rp_id=_host(request),
            expected_origin=_origin(request),
            require_user_verification=True,
        )
    except (WebAuthnException, ValueError, KeyError, TypeError) as error:
        raise PasskeyRefused(_("The passkey could not be made. Nothing has changed; try again.")) from error
    if Passkey.objects.filter(account=account).count() >= MOST:
        raise PasskeyRefused(_("This login has as many passkeys as it may. Remove one you no longer use first."))
    try:
        with transaction.atomic():
            passkey = Passkey.objects.create(
                account=account,
                credential_id=made.credential_id,
                public_key=made.credential_public_key,
                sign_count=made.sign_count,
                transports=_transports(answer),
                name=name.strip()[:NAME] or _("Passkey"),
                made_at=now,
            )
            second_factor.refresh(account, now)
            trail.record(account=account, what=What.PASSKEY_ADDED, now=now, name=passkey.name)
    except IntegrityError as error:
        raise PasskeyRefused(_("This passkey is kept already. Use another device to add a second one.")) from error
    return passkey


def begin_sign_in(request: HttpRequest, *, now: dt.datetime) -> str:
    """Return, as JSON, what the browser needs to offer the passkeys it has for this hub, whoever they belong to."""
    options = generate_authentication_options(
        rp_id=_host(request), user_verification=UserVerificationRequirement.REQUIRED
    )
    _keep(request, "sign in", options.challenge, now)
    return options_to_json(options)


def finish_sign_in(request: HttpRequest, *, answer: Mapping[str, Any], now: dt.datetime) -> Account:
    """Return whose passkey answered. Raises `PasskeyRefused`, in the same words whatever was wrong."""
    refusal = PasskeyRefused(_("That passkey does not open this hub. Try again, or sign in with your password."))
    challenge = _spend(request, "sign in", now)
    try:
        passkey = _find(answer)
        if passkey is None or not passkey.account.is_active or not _is_their_own(answer, passkey.account):
            raise refusal
        checked = verify_authentication_response(
            credential=dict(answer),
            expected_challenge=challenge,
            expected_rp_id=_host(request),
            expected_origin=_origin(request),
            credential_public_key=bytes(passkey.public_key),
            credential_current_sign_count=passkey.sign_count,
            require_user_verification=True,
        )
    except (WebAuthnException, ValueError, KeyError, TypeError, AttributeError) as error:
        raise refusal from error
    Passkey.objects.filter(pk=passkey.pk).update(sign_count=checked.new_sign_count, used_at=now)
    return passkey.account


def passkeys_of(account: Account) -> list[Passkey]:
    """Return the login's passkeys, the newest first."""
    return list(Passkey.objects.filter(account=account).order_by("-made_at", "-pk"))


def rename(*, passkey: Passkey, name: str) -> None:
    """Give a passkey another name."""
    Passkey.objects.filter(pk=passkey.pk).update(name=name.strip()[:NAME] or passkey.name)


def read(body: bytes) -> dict[str, Any]:
    """Return what the browser sent, as a mapping. Raises `PasskeyRefused` for anything else."""
    try:
        found = json.loads(body)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise PasskeyRefused(_("The browser's answer could not be read. Try again."))
    return found


def _find(answer: Mapping[str, Any]) -> Passkey | None:
    wanted = base64url_to_bytes(answer["rawId"])
    return Passkey.objects.filter(credential_id=wanted).select_related("account").first()


def _is_their_own(answer: Mapping[str, Any], account: Account) -> bool:
    """The passkey itself says whose it is; a device that keeps none of that is no passkey."""
    handle = answer["response"].get("userHandle") or ""
    return base64url_to_bytes(handle) == account.handle.bytes


def _transports(answer: Mapping[str, Any]) -> list[str]:
    response = answer.get("response")
    found = response.get("transports") if isinstance(response, dict) else None
    return [str(one)[:20] for one in found[:8]] if isinstance(found, list) else []


def _keep(request: HttpRequest, purpose: str, challenge: bytes, now: dt.datetime) -> None:
    request.session[CHALLENGE] = {
        "for": purpose,
        "challenge": bytes_to_base64url(challenge),
        "at": now.timestamp(),
    }


def _spend(request: HttpRequest, purpose: str, now: dt.datetime) -> bytes:
    kept = request.session.pop(CHALLENGE, None) or {}
    if kept.get("for") != purpose or now.timestamp() - kept.get("at", 0) > GOOD_FOR.total_seconds():
        raise PasskeyRefused(_("That took too long, or was used already. Try again."))
    return base64url_to_bytes(kept["challenge"])


def _host(request: HttpRequest) -> str:
    """The name a passkey belongs to. Django has held it against the names this hub answers to."""
    return urlsplit(f"//{request.get_host()}").hostname or ""


def _origin(request: HttpRequest) -> str:
    public = urlsplit(settings.PUBLIC_URL)
    if request.get_host() == public.netloc:
        return str(settings.PUBLIC_URL)
    return f"{request.scheme}://{request.get_host()}"
