"""Who is at the door, and the one place that lets somebody in."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.contrib.auth import hashers, login, update_session_auth_hash
from django.http import HttpRequest
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from hub.accounts import browsers, known_devices, limits, names, second_factor, selectors, trail
from hub.accounts.limits import Try
from hub.accounts.models import Account
from hub.accounts.sessions import DEVICE, IDLE, SIGNED_IN_AT
from hub.accounts.trail import What

SIGN_IN_FREE = "anybody"
"""What `access` of a view says that opens without signing in."""
PENDING = "pending_sign_in"
"""Where the session keeps who has given the right password and not yet the second factor."""
PENDING_FOR = dt.timedelta(minutes=10)
CODE_TRIES = 5
PROVED = "proved"
"""Where the session keeps when and how its owner last proved who they are."""
BACKEND = "django.contrib.auth.backends.ModelBackend"

STAFF_IDLE, STAFF_LATEST = dt.timedelta(hours=2), dt.timedelta(hours=12)
"""Staff see other people's families: two hours unused, a working day at most."""
PARENT_IDLE, PARENT_LATEST = dt.timedelta(days=30), dt.timedelta(days=90)
"""Parents see their own, on their own phone."""


@dataclass(frozen=True, slots=True)
class Checked:
    """What came of a name and a password: the login they belong to, or none; and whether no try was left."""

    account: Account | None = None
    rests_until: dt.datetime | None = None


def by_name(name: str) -> Account | None:
    """Return the login of an email or a mobile as somebody types it, or None."""
    read = names.read(name)
    return Account.objects.filter(**{read.column: read.value}).first() if read.value else None


def check_password(request: HttpRequest, *, name: str, password: str, now: dt.datetime) -> Checked:
    """Hold a password against the login of that name, if a try is left.

    The same questions and one password hashed, whether the name is known, has a password, or is
    switched off: neither the answer nor its time tells.
    """
    account = by_name(name)
    read = names.read(name)
    claimed = limits.claim(
        what="password",
        name=f"{read.column}:{read.value}",  # not the login: that its two names rest together would tell
        device=known_devices.known_as(request, account),
        network=limits.network_of(request),
        now=now,
    )
    if claimed.rests_until is not None:
        return Checked(rests_until=claimed.rests_until)
    if account is None:
        hashers.make_password(password)
        return Checked()
    if not account.check_password(password) or not account.is_active:
        return Checked()
    limits.forgive(claimed)
    return Checked(account)


def check_own_password(request: HttpRequest, account: Account, *, password: str, now: dt.datetime) -> Checked:
    """Hold a password against the login that is signed in here, if a try is left."""
    claimed = limits.claim(
        what="own password", name=str(account.pk), device=request.session.session_key or "?", network="", now=now
    )
    if claimed.rests_until is not None:
        return Checked(rests_until=claimed.rests_until)
    if not account.check_password(password):
        return Checked()
    limits.forgive(claimed)
    return Checked(account)


def begin_second(request: HttpRequest, account: Account, *, next_page: str, now: dt.datetime) -> None:
    """Remember, under a new session key, that the password was right and the second factor is to come."""
    request.session.cycle_key()
    request.session[PENDING] = {
        "account": account.pk,
        "hash": account.get_session_auth_hash(),
        "at": now.timestamp(),
        "tries": 0,
        "next": next_page,
    }


def pending(request: HttpRequest, *, now: dt.datetime) -> tuple[Account, str] | None:
    """Return who has given the password and where they were going; None if nobody, or too long ago."""
    kept: dict[str, Any] | None = request.session.get(PENDING)
    if not kept or now.timestamp() - kept["at"] > PENDING_FOR.total_seconds():
        request.session.pop(PENDING, None)
        return None
    account = Account.objects.filter(pk=kept["account"], is_active=True).first()
    if account is None or not constant_time_compare(kept["hash"], account.get_session_auth_hash()):
        del request.session[PENDING]
        return None
    return account, kept["next"]


def check_code(request: HttpRequest, account: Account, *, typed: str, now: dt.datetime) -> Checked:
    """Hold a code against the pending login, if a try is left for it and for this sign-in.

    After five wrong ones the pending sign-in is over: `pending` is None, the password is asked again,
    and the owner is told that somebody has it.
    """
    claimed = _claim_code(request, account, now)
    if claimed.rests_until is not None:
        return Checked(rests_until=claimed.rests_until)
    if second_factor.check(account, typed, now):
        limits.forgive(claimed)
        return Checked(account)
    kept = request.session[PENDING]
    kept["tries"] += 1
    request.session[PENDING] = kept
    if kept["tries"] >= CODE_TRIES:
        del request.session[PENDING]
        trail.record(account=account, what=What.WRONG_CODES, device=_device(request), now=now)
    return Checked()


def sign_in(request: HttpRequest, account: Account, *, how: str) -> None:
    """Let `account` in, under a new session key, and note the device and the hour: the only place that does.

    `how` is what they proved it by: "password", "password and code", "passkey", "invitation", "recovery".
    """
    now = timezone.now()
    request.session.pop(PENDING, None)
    device = _device(request)
    if account.last_login is not None and not known_devices.known_as(request, account):
        trail.record(account=account, what=What.NEW_DEVICE, device=device, now=now)
    login(request, account, backend=BACKEND)
    request.session[DEVICE] = device
    request.session[SIGNED_IN_AT] = now.isoformat()
    prove(request, how=how, now=now)
    set_ages(request, account, now=now)
    request.signed_in_account = account  # type: ignore[attr-defined]  # the middleware sets the device's cookie


def set_ages(request: HttpRequest, account: Account, *, now: dt.datetime) -> None:
    """Give the session the life of its kind: staff's is shorter than a parent's."""
    staff = account.is_operator or bool(selectors.open_memberships(account))
    idle, latest = (STAFF_IDLE, STAFF_LATEST) if staff else (PARENT_IDLE, PARENT_LATEST)
    request.session[IDLE] = int(idle.total_seconds())
    request.session.set_expiry(now + latest)


def stay(request: HttpRequest, account: Account) -> None:
    """Keep this session after its owner's password has changed, under a new key."""
    update_session_auth_hash(request, account)


def prove(request: HttpRequest, *, how: str, now: dt.datetime) -> None:
    """Note that the session's owner has just shown who they are."""
    request.session[PROVED] = {"at": now.timestamp(), "how": how}


def proved(request: HttpRequest, *, now: dt.datetime, within: dt.timedelta) -> str:
    """Return how the session's owner proved who they are, if that was within `within`; else blank."""
    kept = request.session.get(PROVED) or {}
    fresh = now.timestamp() - kept.get("at", 0) <= within.total_seconds()
    return str(kept.get("how", "")) if fresh else ""


def _device(request: HttpRequest) -> str:
    return browsers.words(request.headers.get("User-Agent", ""), request.headers.get("Sec-CH-UA", ""))


def _claim_code(request: HttpRequest, account: Account, now: dt.datetime) -> Try:
    return limits.claim(
        what="code",
        name=str(account.pk),
        device=known_devices.known_as(request, account),
        network=limits.network_of(request),
        now=now,
    )
