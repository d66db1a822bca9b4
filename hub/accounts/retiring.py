"""Ending a login that opens nothing any more, and taking from one what its owner has lost."""

from __future__ import annotations

from django.db import transaction

from hub.accounts import devices
from hub.accounts.models import Account, Passkey, RecoveryCode, TimeCode


@transaction.atomic
def retire(*, account: Account) -> None:
    """Switch a login off and free the email and mobile it signed in by; its name stays, for what it did.

    The caller has seen to it that it opens nothing.
    """
    known = Account.objects.select_for_update().get(pk=account.pk)
    _take_all(known)
    known.is_active, known.email, known.mobile = False, None, None
    known.save(update_fields=["is_active", "email", "mobile", "password", "second_factor_at"])
    devices.end_all(account=known)


@transaction.atomic
def empty(*, account: Account) -> None:
    """Take password, time code, passkeys and recovery codes away and end every session: it opens to nobody.

    For somebody who has lost them all; the caller tells its owner and the audit, and lets them in again.
    """
    known = Account.objects.select_for_update().get(pk=account.pk)
    _take_all(known)
    known.save(update_fields=["password", "second_factor_at"])
    devices.end_all(account=known)


def _take_all(account: Account) -> None:
    for model in (TimeCode, Passkey, RecoveryCode):
        model.objects.filter(account=account).delete()
    account.set_unusable_password()
    account.second_factor_at = None
