"""Ten codes on paper, each good once in place of the second factor. Only their keyed hashes are kept."""

from __future__ import annotations

import datetime as dt
import secrets

from django.db import transaction
from django.utils.crypto import constant_time_compare, salted_hmac

from hub.accounts import trail
from hub.accounts.models import Account, RecoveryCode
from hub.accounts.trail import What

HOW_MANY = 10
FEW = 3
"""At so many or fewer it is time for new ones."""
LETTERS = "23456789abcdefghjkmnpqrstvwxyz"
"""Nothing that looks like something else on paper."""
LENGTH = 12
"""Twelve of thirty letters: 58 bits."""


@transaction.atomic
def make(*, account: Account, now: dt.datetime) -> list[str]:
    """Return ten new codes, `abcd-efgh-jkmn`, and void the older ones. They exist here only: show them, forget them."""
    Account.objects.select_for_update().get(pk=account.pk)
    codes = ["".join(secrets.choice(LETTERS) for _ in range(LENGTH)) for _ in range(HOW_MANY)]
    RecoveryCode.objects.filter(account=account).delete()
    RecoveryCode.objects.bulk_create(
        RecoveryCode(account=account, code_hash=_hashed(account, code), made_at=now) for code in codes
    )
    trail.record(account=account, what=What.RECOVERY_CODES_MADE, now=now)
    return ["-".join(code[at : at + 4] for at in range(0, LENGTH, 4)) for code in codes]


def left(account: Account) -> int:
    """Return how many codes are still good."""
    return RecoveryCode.objects.filter(account=account, used_at=None).count()


@transaction.atomic
def use(*, account: Account, typed: str, now: dt.datetime) -> bool:
    """Use a code, once; spaces, hyphens and capitals do not matter. False where it is none or was used."""
    code = plain(typed)
    if len(code) != LENGTH:
        return False
    wanted, found = _hashed(account, code), None
    for one in RecoveryCode.objects.filter(account=account, used_at=None):
        if constant_time_compare(one.code_hash, wanted):
            found = one
    if found is None or not RecoveryCode.objects.filter(pk=found.pk, used_at=None).update(used_at=now):
        return False
    trail.record(account=account, what=What.RECOVERY_CODE_USED, now=now, left=left(account))
    return True


def plain(typed: str) -> str:
    """Return what was typed without what only helps the eye."""
    return "".join(typed.lower().split()).replace("-", "").replace("–", "")


def _hashed(account: Account, code: str) -> str:
    return salted_hmac("hub.accounts.recovery_codes", f"{account.pk}:{code}", algorithm="sha256").hexdigest()
