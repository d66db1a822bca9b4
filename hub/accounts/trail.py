"""What happens to a login, written down: for its owner, who is told, and in the audit of where they work.

Telling is messaging's, which stands above: here is only what it finds. A parent's login belongs to
no school, so no school's audit speaks of it.
"""

from __future__ import annotations

import datetime as dt
from enum import StrEnum

from hub.accounts import selectors
from hub.accounts.models import Account, SecurityEvent
from hub.core import audit, scope


class What(StrEnum):
    """What can happen to how a login signs in."""

    NEW_DEVICE = "new_device"
    PASSWORD_SET = "password_set"  # noqa: S105 – a word, not a password
    TIME_CODE_SET = "time_code_set"
    TIME_CODE_REMOVED = "time_code_removed"
    PASSKEY_ADDED = "passkey_added"
    PASSKEY_REMOVED = "passkey_removed"
    RECOVERY_CODES_MADE = "recovery_codes_made"
    RECOVERY_CODE_USED = "recovery_code_used"
    FACTORS_RESET = "factors_reset"
    WRONG_CODES = "wrong_codes"


def record(
    *,
    account: Account,
    what: What,
    by: Account | None = None,
    device: str = "",
    tell: bool = True,
    now: dt.datetime,
    **data: str | int,
) -> None:
    """Write down, in the caller's transaction, what happened to how `account` signs in. `data` holds no secret.

    With `tell` false the caller tells the owner itself, in better words.
    """
    if tell:
        SecurityEvent.objects.create(account=account, what=what.value, device=device[:100], at=now)
    for membership in selectors.open_memberships(account):
        with scope.schools(membership.school_id):
            audit.record(
                school=membership.school,
                by=by or account,
                action=f"sign_in.{what}",
                object_kind="membership",
                object_id=membership.pk,
                data=data,
                now=now,
            )
