"""Telling people what happened to how they sign in, so that nobody can take a login without its owner's knowing.

Accounts write down what happened in the transaction in which it did; here it is found, within
seconds, and told: what belongs together in one notice, by email, or by text where no email arrives.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from django.conf import settings
from django.db import transaction
from django.urls import reverse
from django.utils.translation import gettext as _

from hub.accounts.models import Account, SecurityEvent
from hub.accounts.trail import What
from hub.core import sweeps
from hub.messaging import channels, notices
from hub.messaging.models import Channel
from hub.people import delivering

AT_ONCE = 500
"""Events of one login told in one notice."""


def tell(*, now: dt.datetime) -> int:
    """Have every owner told of what they have not been told; returns how many notices that made.

    Raises `ExceptionGroup` with what failed, once all others are told.
    """
    untold = SecurityEvent.objects.filter(told_at=None)
    whose = list(untold.order_by("account_id").values_list("account_id", flat=True).distinct())
    return sweeps.each(whose, lambda account_id: _tell_owner(account_id, now))


def sentence(what: str) -> str:
    """Return what happened, as its owner is told."""
    return {
        What.NEW_DEVICE: _("Your login was used on a device on which it had not been used before."),
        What.PASSWORD_SET: _("Your password was changed."),
        What.TIME_CODE_SET: _("An authenticator app was set up for your login."),
        What.TIME_CODE_REMOVED: _("The authenticator app was removed from your login."),
        What.PASSKEY_ADDED: _("A passkey was added to your login."),
        What.PASSKEY_REMOVED: _("A passkey was removed from your login."),
        What.RECOVERY_CODES_MADE: _("New recovery codes were made; the older ones no longer work."),
        What.RECOVERY_CODE_USED: _("One of your recovery codes was used to sign in."),
        What.FACTORS_RESET: _("Your second factor was taken away. You can set up a new one when you sign in."),
        What.WRONG_CODES: _(
            "Somebody typed your password, and then five codes that were not right. Nobody was let in."
        ),
    }.get(What(what), "")


@transaction.atomic
def _tell_owner(account_id: int, now: dt.datetime) -> bool:
    """Tell one owner. Locked in order and waited for: of two sweeps at once the second finds nothing."""
    untold = SecurityEvent.objects.filter(told_at=None, account_id=account_id).order_by("at", "pk")
    found = list(untold.select_related("account").select_for_update(of=("self",))[:AT_ONCE])
    if not found:
        return False
    SecurityEvent.objects.filter(pk__in=[event.pk for event in found]).update(told_at=now)
    return _tell(found[0].account, found, now)


def _address(account: Account) -> str:
    """Return where the owner is told: the email; the mobile where there is none, or nothing arrives at it."""
    email, mobile = account.email or "", account.mobile or ""
    if email and mobile and channels.available(Channel.TEXT) and delivering.dead_among([email]):
        return mobile
    return email or mobile


def _tell(account: Account, events: Sequence[SecurityEvent], now: dt.datetime) -> bool:
    to = _address(account)
    if not to:
        return False
    told = notices.send(
        kind="security",
        channel=Channel.EMAIL if to == account.email else Channel.TEXT,
        to=to,
        template="security",
        context={
            "name": account.name,
            "what": "\n".join(dict.fromkeys(sentence(event.what) for event in events)),
            "at": events[-1].at,
            "device": next((event.device for event in reversed(events) if event.device), ""),
            "link": settings.PUBLIC_URL + reverse("account:home"),
        },
        account=account,
        now=now,
    )
    return told is not None
