"""Setting a password: the one place, so that every way of doing it ends the sessions begun with the old one."""

from __future__ import annotations

import datetime as dt

from django.db import transaction

from hub.accounts import trail
from hub.accounts.models import Account, Session
from hub.accounts.trail import What


@transaction.atomic
def set_password(*, account: Account, password: str, tell: bool = True, now: dt.datetime) -> None:
    """Give the login a new password and end its sessions; the caller's own lives on by `signing_in.stay`.

    The form has held the password against the rules. The owner is told, unless it is their first,
    or the caller tells them itself (`tell` false).
    """
    is_first = not account.has_usable_password()
    account.set_password(password)
    account.session_generation += 1
    account.password_changed_at = now
    account.save(update_fields=["password", "session_generation", "password_changed_at"])
    Session.objects.filter(account=account).delete()
    if not is_first:
        trail.record(account=account, what=What.PASSWORD_SET, tell=tell, now=now)
