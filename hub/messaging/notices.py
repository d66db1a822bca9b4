"""`send` and `send_many`: the one way to tell people something. Written down now, delivered after the commit."""

from __future__ import annotations

import datetime as dt
import json
import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from hub.accounts.models import Account
from hub.core import keyring
from hub.messaging import channels, choices, words
from hub.messaging.kinds import KINDS
from hub.messaging.models import Channel, How, Notice, NoticeState

logger = logging.getLogger(__name__)
FOUND_AGAIN_AFTER = dt.timedelta(seconds=60)
"""A notice that no worker has taken by then is asked for by the sweep: a lost broker loses no notice."""
URGENT_FOUND_AGAIN_AFTER = dt.timedelta(seconds=10)
_FIRST, _AFTER = 0, 6
"""Priorities as the broker has them: the lower, the sooner."""
NOT_SET_UP = "Text messages are not set up here."
NO_KEY = "No key of the key ring opens what was to be sent."


@dataclass(frozen=True, slots=True)
class Telling:
    """What is to be told to one address: the arguments of `send`, for telling many at once."""

    kind: str
    channel: str
    to: str
    template: str
    context: Mapping[str, Any]
    account: Account | None = None
    good_until: dt.datetime | None = None


def send(
    *,
    kind: str,
    channel: str,
    to: str,
    template: str,
    context: Mapping[str, Any],
    account: Account | None = None,
    good_until: dt.datetime | None = None,
    now: dt.datetime,
) -> Notice | None:
    """Have `templates/notices/<template>` told to one address; None where the login chose not to be told.

    Call it inside the transaction of what it tells: what is rolled back is not told. It leaves after
    the commit, within seconds, or waits for the login's daily summary. `good_until` is for codes: after
    that it is not sent any more. Where the channel is not set up the notice is kept as not sent.
    Raises KeyError for a kind that `kinds.KINDS` has not.
    """
    made = send_many([Telling(kind, channel, to, template, context, account, good_until)], now=now)
    return made[0] if made else None


def send_many(tellings: Iterable[Telling], *, now: dt.datetime) -> list[Notice]:
    """Do what `send` does for many, in a fixed number of statements; return the notices of those who want them."""
    wanted = list(tellings)
    hows = choices.hows((KINDS[one.kind], one.account) for one in wanted)
    reached = {channel: channels.available(channel) for channel in {one.channel for one in wanted}}
    made = [
        _written(one, how, reached[one.channel], now) for one, how in zip(wanted, hows, strict=True) if how != How.NEVER
    ]
    Notice.objects.bulk_create(made)
    if waiting := [one for one in made if one.state == NoticeState.WAITING]:
        transaction.on_commit(lambda: _ask_all(waiting), robust=True)
    return made


def _written(telling: Telling, how: How, reached: bool, now: dt.datetime) -> Notice:
    by_email = telling.channel == Channel.EMAIL
    fill = words.email if by_email else _text
    kind = KINDS[telling.kind]
    notice = Notice(
        kind=kind.key,
        account=telling.account,
        channel=telling.channel,
        to=telling.to,
        sealed=sealed(*fill(telling.template, telling.context)),
        secret=kind.secret,
        state=NoticeState.WAITING if how == How.INSTANT else NoticeState.SUMMARY,
        made_at=now,
        not_before=now + (URGENT_FOUND_AGAIN_AFTER if telling.good_until else FOUND_AGAIN_AFTER),
        good_until=telling.good_until,
    )
    if not reached:
        notice.state, notice.sealed, notice.trouble = NoticeState.FAILED, None, NOT_SET_UP
    return notice


def _text(template: str, context: Mapping[str, Any]) -> tuple[str, str]:
    return "", words.text(template, context)


def _ask_all(waiting: Sequence[Notice]) -> None:
    for notice in waiting:
        if not ask(notice.pk, urgent=notice.good_until is not None):
            return


def ask(notice_id: int, *, urgent: bool) -> bool:
    """Ask a worker to deliver a notice now. Without a broker it says no: the sweep asks again.

    An urgent one, a code that somebody waits for, is before all others, however many invitations there are.
    """
    from hub.messaging.tasks import deliver_notice  # the task calls the service

    try:
        deliver_notice.apply_async((notice_id,), retry=False, priority=_FIRST if urgent else _AFTER)
    except deliver_notice.OperationalError:
        logger.warning("The broker did not take notice %d; the sweep asks again.", notice_id)
        return False
    return True


def sealed(subject: str, body: str) -> bytes:
    """Return subject and body under the key ring."""
    return keyring.encrypt(json.dumps([subject, body]).encode())


def opened(notice: Notice) -> tuple[str, str]:
    """Return subject and body of a notice that still has its words."""
    assert notice.sealed is not None
    subject, body = json.loads(keyring.decrypt(bytes(notice.sealed)))
    return subject, body
