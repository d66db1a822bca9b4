"""Where a login is signed in: the list of its sessions, and the verbs that end them."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.db import transaction
from django.db.models import F
from django.utils.crypto import constant_time_compare, salted_hmac
from django.utils.translation import gettext as _

from hub.accounts.models import Account, Session

SEEN_EVERY = dt.timedelta(minutes=5)
"""How exactly it is known when a device was last seen: one update in that time, not one per request."""


@dataclass(frozen=True, slots=True)
class Device:
    """One session of a login. `handle` names it in a form; the session's key is a secret and stays here."""

    handle: str
    words: str
    signed_in_at: dt.datetime | None
    seen_at: dt.datetime | None
    is_this: bool


def devices_of(*, account: Account, this: str | None, now: dt.datetime) -> list[Device]:
    """Return where the login is signed in: this device first, then by when it was seen."""
    found = Session.objects.filter(account=account, expire_date__gt=now).order_by(F("seen_at").desc(nulls_last=True))
    listed = [
        Device(
            handle=_handle(one.session_key),
            words=_(one.device) if one.device else _("An unknown browser"),
            signed_in_at=one.signed_in_at,
            seen_at=one.seen_at,
            is_this=one.session_key == this,
        )
        for one in found
    ]
    return sorted(listed, key=lambda device: not device.is_this)


def end(*, account: Account, handle: str) -> bool:
    """End the one session that `handle` names; False where the login has none of that name."""
    for session in Session.objects.filter(account=account):
        if constant_time_compare(_handle(session.session_key), handle):
            session.delete()
            return True
    return False


def end_others(*, account: Account, keep: str | None) -> int:
    """End every session of the login but the one with the key `keep`; returns how many ended."""
    return Session.objects.filter(account=account).exclude(pk=keep or "").delete()[0]


@transaction.atomic
def end_all(*, account: Account) -> None:
    """End every session of the login, also one that is just being made."""
    Account.objects.filter(pk=account.pk).update(session_generation=F("session_generation") + 1)
    Session.objects.filter(account=account).delete()


def saw(*, session_key: str, expires: dt.datetime, now: dt.datetime) -> None:
    """Note that a session was used now, and until when it lives on."""
    Session.objects.filter(pk=session_key).update(seen_at=now, expire_date=expires)


def sweep(now: dt.datetime) -> int:
    """Delete the sessions that are over; returns how many."""
    return Session.objects.filter(expire_date__lte=now).delete()[0]


def _handle(session_key: str) -> str:
    return salted_hmac("hub.accounts.devices", session_key, algorithm="sha256").hexdigest()[:32]
