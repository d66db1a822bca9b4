"""The letter by which an office lets somebody back into a login that it has reset. Printing makes its code."""

from __future__ import annotations

import datetime as dt
import secrets
from urllib.parse import urlsplit

from django.conf import settings
from django.urls import reverse

from hub.accounts import tokens
from hub.accounts.models import Account
from hub.people.models import Contact
from verification.invitations import letters
from verification.invitations.rules import ALPHABET
from verification.models import RecoveryLink
from verification.selectors import letter_life

LENGTH = 16
"""Letters of 32: 80 bits, typed from paper; the square holds 256."""


def make(*, account: Account, owner: Contact, by: Account, now: dt.datetime) -> bytes:
    """Return the letter as a PDF; its code and its link are on it only. Older letters and links open nothing more."""
    RecoveryLink.objects.filter(account=account, used_at=None).update(used_at=now)
    code = "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))
    token, token_hash = tokens.make()
    until = now + letter_life(owner.school)
    RecoveryLink.objects.bulk_create(
        RecoveryLink(
            account=account,
            token_hash=one,
            by_office=str(by)[:200],
            by_school=owner.school_id,
            made_at=now,
            expires_at=until,
        )
        for one in (token_hash, _hashed(code))
    )
    letter = letters.Letter(
        school=owner.school.name,
        person=str(owner),
        pupils=(),
        address=owner.address,
        postcode=owner.postcode,
        number="",
        code="-".join(code[at : at + 4] for at in range(0, LENGTH, 4)),
        link=settings.PUBLIC_URL + reverse("recovery:link", args=[token]),
        page=urlsplit(settings.PUBLIC_URL).netloc + reverse("recovery:letter"),
        made=now,
        until=until,
        office=owner.school.office_email,
        recovers=True,
    )
    return letters.pdf([letter])


def find(*, typed: str, now: dt.datetime) -> str:
    """Return the hash of the letter with this code, or blank where there is none that is still good."""
    code = "".join(char for char in typed.upper() if char in ALPHABET)
    found = RecoveryLink.objects.filter(token_hash=_hashed(code), used_at=None, expires_at__gt=now).first()
    return found.token_hash if found is not None and len(code) == LENGTH else ""


def _hashed(code: str) -> str:
    return tokens.hashed(f"recovery letter {code}")
