"""The second proof of who signs in: time codes, and what may be done with all of a login's second factors."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import pyotp
import segno
from django.db import transaction
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django.utils.translation import gettext as _

from hub.accounts import recovery_codes, selectors, trail
from hub.accounts.models import Account, Passkey, RecoveryCode, TimeCode
from hub.accounts.trail import What
from hub.core import keyring
from hub.core.errors import HubError

ISSUER = "Schoolgate"
STEP = 30
"""Seconds for which a time code counts; the one before and the one after are taken too, as clocks differ."""


class FactorRefused(HubError):
    """A change of the second factor that the hub will not make."""


@dataclass(frozen=True, slots=True)
class Begun:
    """A time code to be set up: what the phone scans or the person types, and what to keep until it is confirmed."""

    sealed: str
    secret: str
    picture: str

    @property
    def spaced(self) -> str:
        """The secret in groups of four, to be typed."""
        return " ".join(self.secret[at : at + 4] for at in range(0, len(self.secret), 4))


def has_one(account: Account) -> bool:
    """Whether signing in asks for more than the password: there is a time code or a passkey."""
    return account.second_factor_at is not None


def time_code_of(account: Account) -> TimeCode | None:
    """Return the login's time code, if it has one."""
    return TimeCode.objects.filter(account=account).first()


def has_time_code(account: Account) -> bool:
    """Whether the login counts with an authenticator app."""
    return TimeCode.objects.filter(account=account).exists()


def is_needed(account: Account) -> bool:
    """Whether the login must have a second factor: it is one of staff, or it runs the installation."""
    return account.is_operator or bool(selectors.open_memberships(account))


def begin_time_code(*, account: Account, sealed: str = "") -> Begun:
    """Return a new secret as text and as a picture; with `sealed`, the one begun before. Nothing is kept yet.

    Raises `FactorRefused` if `sealed` is not what this login was given.
    """
    secret = _opened(account, sealed) if sealed else pyotp.random_base32()
    uri = pyotp.TOTP(secret).provisioning_uri(name=account.email or account.mobile or str(account), issuer_name=ISSUER)
    picture = segno.make(uri, error="m").svg_data_uri(scale=4, border=3, light="#fff", dark="#000")
    return Begun(sealed or keyring.encrypt(f"{account.pk}:{secret}".encode()).decode(), secret, picture)


@transaction.atomic
def confirm_time_code(*, account: Account, sealed: str, typed: str, now: dt.datetime) -> None:
    """Keep the secret that was begun, once a code counted with it is typed; it takes an older one's place.

    Raises `FactorRefused` if the code is not the one of now, or `sealed` not what this login was given.
    """
    secret = _opened(account, sealed)
    step = _step_of(secret, typed, now)
    if step is None:
        raise FactorRefused(
            _("That is not the code of this minute. Check that the phone's clock is right, and type the next code.")
        )
    _keep(account, secret, step, now)
    trail.record(account=account, what=What.TIME_CODE_SET, now=now)


def give_time_code(*, account: Account, secret: str, now: dt.datetime) -> None:
    """Give the login this secret as if it had been confirmed: for the demo and for tests."""
    _keep(account, secret, 0, now)


def check(account: Account, typed: str, now: dt.datetime) -> bool:
    """Whether `typed` is the time code of now, not used before, or a recovery code, which is used up by it."""
    return _is_time_code(account, typed, now) or recovery_codes.use(account=account, typed=typed, now=now)


def current_code(account: Account, now: dt.datetime) -> str:
    """Return the time code of now, for the demo to print; blank for a login without one."""
    found = TimeCode.objects.filter(account=account).first()
    return pyotp.TOTP(_secret(found)).at(now) if found else ""


@transaction.atomic
def remove_time_code(*, account: Account, now: dt.datetime) -> None:
    """Take the time code away. Raises `FactorRefused` where it is the last factor of somebody who must have one."""
    _refuse_the_last(account, passkeys=Passkey.objects.filter(account=account).count(), time_codes=0)
    TimeCode.objects.filter(account=account).delete()
    refresh(account, now)
    trail.record(account=account, what=What.TIME_CODE_REMOVED, now=now)


@transaction.atomic
def remove_passkey(*, account: Account, passkey: Passkey, now: dt.datetime) -> None:
    """Take a passkey away. Raises `FactorRefused` where it is needed: as the last factor, or to sign in at all."""
    others = Passkey.objects.filter(account=account).exclude(pk=passkey.pk).count()
    _refuse_the_last(account, passkeys=others, time_codes=TimeCode.objects.filter(account=account).count())
    passkey.delete()
    refresh(account, now)
    trail.record(account=account, what=What.PASSKEY_REMOVED, now=now, name=passkey.name)


@transaction.atomic
def reset(*, account: Account, by: Account | None = None) -> None:
    """Take every second factor away, the recovery codes too: for somebody who lost them all. Its owner is told."""
    for model in (TimeCode, Passkey, RecoveryCode):
        model.objects.filter(account=account).delete()
    Account.objects.filter(pk=account.pk).update(second_factor_at=None)
    account.second_factor_at = None
    trail.record(account=account, what=What.FACTORS_RESET, by=by, now=timezone.now())


def refresh(account: Account, now: dt.datetime) -> None:
    """Bring up to date since when the login has a second factor; without one, its recovery codes go too."""
    there = TimeCode.objects.filter(account=account).exists() or Passkey.objects.filter(account=account).exists()
    since = (account.second_factor_at or now) if there else None
    if not there:
        RecoveryCode.objects.filter(account=account).delete()
    Account.objects.filter(pk=account.pk).update(second_factor_at=since)
    account.second_factor_at = since


def _refuse_the_last(account: Account, *, passkeys: int, time_codes: int) -> None:
    found = Account.objects.select_for_update().get(pk=account.pk)
    if not passkeys and not (found.has_usable_password() and (found.email or found.mobile)):
        raise FactorRefused(_("You sign in by this passkey alone. Add another first, then remove this."))
    if not passkeys and not time_codes and is_needed(account):
        raise FactorRefused(
            _("Staff sign in with a second factor, and this is your last one. Add another first, then remove this.")
        )


def _keep(account: Account, secret: str, step: int, now: dt.datetime) -> None:
    TimeCode.objects.update_or_create(
        account=account,
        defaults={
            "sealed_secret": keyring.encrypt(secret.encode()),
            "made_at": now,
            "confirmed_at": now,
            "last_step": step,
        },
    )
    refresh(account, now)


def _is_time_code(account: Account, typed: str, now: dt.datetime) -> bool:
    found = TimeCode.objects.filter(account=account).first()
    step = _step_of(_secret(found), typed, now) if found else None
    if found is None or step is None:
        return False
    return bool(TimeCode.objects.filter(pk=found.pk, last_step__lt=step).update(last_step=step))


def _step_of(secret: str, typed: str, now: dt.datetime) -> int | None:
    """Return the step whose code was typed: this one, the one before or the one after."""
    code, step, found = "".join(typed.split()), int(now.timestamp()) // STEP, None
    counted = pyotp.TOTP(secret, interval=STEP)
    for one in (step - 1, step, step + 1):
        if constant_time_compare(counted.at(one * STEP), code):
            found = one
    return found


def _opened(account: Account, sealed: str) -> str:
    try:
        whose, _sep, secret = keyring.decrypt(sealed.encode()).decode().partition(":")
    except keyring.KeyringError:
        whose, secret = "", ""
    if whose != str(account.pk):
        raise FactorRefused(_("Please begin again: this page was open for too long."))
    return secret


def _secret(found: TimeCode) -> str:
    return keyring.decrypt(bytes(found.sealed_secret)).decode()
