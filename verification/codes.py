"""Codes of six digits that prove an address to be somebody's own.

Ten minutes, single use, five tries, one open code per subject and purpose, and twenty a day per
subject and per address: whoever guesses all day succeeds with a chance of one in ten thousand.
"""

from __future__ import annotations

import base64
import datetime as dt
import re
import secrets

from django.db import connection, transaction
from django.db.models import F
from django.utils.crypto import constant_time_compare, salted_hmac
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from hub.accounts.models import Account
from hub.messaging import channels, notices
from hub.messaging.models import Channel
from hub.people.models import DetailKind
from verification.errors import CodeRefused, CodeTrouble
from verification.models import ProofCode

DIGITS = 6
GOOD_FOR = dt.timedelta(minutes=10)
TRIES = 5
A_DAY = 20
"""Codes per subject, and per address, in any 24 hours."""
_DAY = dt.timedelta(hours=24)
_NOT_DIGITS = re.compile(r"[^0-9]")


@transaction.atomic
def send_code(
    *,
    subject: str,
    purpose: str,
    kind: str,
    address: str,
    account: Account | None = None,
    school_name: str = "",
    now: dt.datetime,
) -> ProofCode:
    """Send a new code to `address` and void the older ones of this subject and purpose.

    The notice leaves after the commit. Raises `CodeRefused` where twenty went out in the last 24 hours, or
    where nothing can be sent by text here.
    """
    channel = Channel.TEXT if kind == DetailKind.MOBILE else Channel.EMAIL
    if not channels.available(channel):
        raise CodeRefused(
            CodeTrouble.NO_WAY,
            _("Schoolgate sends no texts yet here, so a mobile cannot be confirmed. Ask the school office."),
        )
    if _day_is_used_up(subject, address, now):
        raise CodeRefused(
            CodeTrouble.TOO_MANY,
            _("{number} codes were sent in the last 24 hours, which is the most in a day. Try again tomorrow.").format(
                number=A_DAY
            ),
        )
    older = ProofCode.objects.filter(subject=subject, purpose=purpose, used_at=None, voided_at=None)
    older.update(voided_at=now)
    digits = f"{secrets.randbelow(10**DIGITS):0{DIGITS}d}"
    made = ProofCode.objects.create(
        subject=subject,
        purpose=purpose,
        kind=kind,
        address=address,
        code_hash=_hashed(digits, subject, purpose),
        made_at=now,
        expires_at=now + GOOD_FOR,
    )
    notices.send(
        kind="code",
        channel=channel,
        to=address,
        template="code",
        context={"code": digits, "school": school_name, "minutes": GOOD_FOR.seconds // 60, "until": made.expires_at},
        account=account,
        good_until=made.expires_at,
        now=now,
    )
    return made


@transaction.atomic
def count_elsewhere(*, subject: str, purpose: str, kind: str, address: str, now: dt.datetime) -> bool:
    """Count a code that is sent to `address` and kept elsewhere; False where the day's codes are used up."""
    if _day_is_used_up(subject, address, now):
        return False
    ProofCode.objects.create(
        subject=subject, purpose=purpose, kind=kind, address=address, made_at=now, expires_at=now, voided_at=now
    )
    return True


def _day_is_used_up(subject: str, address: str, now: dt.datetime) -> bool:
    """Whether this subject or this address got as many as a day has; nobody else counts until the transaction ends."""
    one_at_a_time(subject, address)
    since = ProofCode.objects.filter(made_at__gt=now - _DAY)
    return max(since.filter(subject=subject).count(), since.filter(address=address).count()) >= A_DAY


def check_code(*, code_id: int, subject: str, purpose: str, typed: str, now: dt.datetime) -> ProofCode:
    """Use the code up and return it, if `typed` is it. Raises `CodeRefused` with a sentence otherwise.

    A try counts before it is compared, by one conditional statement, so that parallel guesses count
    too. Refuses to run inside a transaction: a try that was rolled back would not have counted.
    """
    digits = _NOT_DIGITS.sub("", typed)
    if len(digits) != DIGITS:
        said = _("A code has {number} digits. Look at the newest message and try again.")
        raise CodeRefused(CodeTrouble.WRONG, said.format(number=DIGITS))
    with transaction.atomic(durable=True):
        mine = ProofCode.objects.filter(pk=code_id, subject=subject, purpose=purpose)
        usable = mine.filter(used_at=None, voided_at=None, expires_at__gt=now, tries__lt=TRIES)
        counted = usable.update(tries=F("tries") + 1) > 0
        found = mine.first()
        right = counted and found is not None and _is_it(found, digits)
        used = right and mine.filter(used_at=None, voided_at=None).update(used_at=now) > 0
    if found is None:
        raise CodeRefused(CodeTrouble.UNKNOWN, _("This code is not good for that. Ask for a new one."))
    if not used:
        raise _refusal(found, now, wrong=counted and not right)
    return found


def _refusal(code: ProofCode, now: dt.datetime, *, wrong: bool) -> CodeRefused:
    if wrong and code.tries < TRIES:
        left = TRIES - code.tries
        said = ngettext(
            "That is not the code. You have {number} more try; then ask for a new one.",
            "That is not the code. You have {number} more tries; then ask for a new one.",
            left,
        )
        return CodeRefused(CodeTrouble.WRONG, said.format(number=left))
    if code.voided_at is not None:
        return CodeRefused(CodeTrouble.REPLACED, _("A newer code was sent. Enter that one, or ask for a new one."))
    if code.used_at is not None:
        return CodeRefused(CodeTrouble.USED, _("This code was used already. Ask for a new one."))
    if code.expires_at <= now:
        said = _("This code was good for {number} minutes and is no more. Ask for a new one.")
        return CodeRefused(CodeTrouble.TOO_OLD, said.format(number=GOOD_FOR.seconds // 60))
    said = _("That was not the code, {number} times: it is void now. Ask for a new one.")
    return CodeRefused(CodeTrouble.TRIED_OUT, said.format(number=TRIES))


def one_at_a_time(*names: str) -> None:
    """Let nobody else count codes of these names until this transaction ends; in one order, so none waits in a ring."""
    with connection.cursor() as cursor:
        for name in sorted(set(names)):
            cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"proof code {name}"])


def _hashed(digits: str, subject: str, purpose: str, salt: str = "") -> str:
    """Six digits are soon guessed from a plain hash: this one needs the installation's key, and a salt of its own."""
    salt = salt or secrets.token_urlsafe(9)
    made = salted_hmac(f"verification.codes.{salt}", f"{subject}\n{purpose}\n{digits}", algorithm="sha256").digest()
    return f"{salt}${base64.urlsafe_b64encode(made).decode().rstrip('=')}"


def _is_it(code: ProofCode, digits: str) -> bool:
    salt = code.code_hash.partition("$")[0]
    return constant_time_compare(code.code_hash, _hashed(digits, code.subject, code.purpose, salt))
