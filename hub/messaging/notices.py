"""`send`: the one way to tell one person something. It writes the notice down; a task delivers it after the commit."""

from __future__ import annotations

import datetime as dt
import json
import logging
from collections.abc import Mapping
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
    how = choices.how(KINDS[kind], account)
    if how == How.NEVER:
        return None
    subject, body = words.email(template, context) if channel == Channel.EMAIL else ("", words.text(template, context))
    notice = Notice(
        kind=kind,
        account=account,
        channel=channel,
        to=to,
        sealed=sealed(subject, body),
        secret=KINDS[kind].secret,
        state=NoticeState.WAITING if how == How.INSTANT else NoticeState.SUMMARY,
        made_at=now,
        not_before=now + (URGENT_FOUND_AGAIN_AFTER if good_until else FOUND_AGAIN_AFTER),
        good_until=good_until,
    )
    if not channels.available(channel):
        notice.state, notice.sealed, notice.trouble = NoticeState.FAILED, None, NOT_SET_UP
    notice.save()
    if notice.state == NoticeState.WAITING:
        transaction.on_commit(lambda: ask(notice.pk, urgent=good_until is not None), robust=True)
    return notice


def ask(notice_id: int, *, urgent: bool) -> None:
    """Ask a worker to deliver a notice now. Without a broker nothing happens: the sweep asks again.

    An urgent one, a code that somebody waits for, is before all others, however many invitations there are.
    """
    from hub.messaging.tasks import deliver_notice  # the task calls the service

    try:
        deliver_notice.apply_async((notice_id,), retry=False, priority=_FIRST if urgent else _AFTER)
    except deliver_notice.OperationalError:
        logger.warning("The broker did not take notice %d; the sweep asks again.", notice_id)


def sealed(subject: str, body: str) -> bytes:
    """Return subject and body under the key ring."""
    return keyring.encrypt(json.dumps([subject, body]).encode())


def opened(notice: Notice) -> tuple[str, str]:
    """Return subject and body of a notice that still has its words."""
    assert notice.sealed is not None
    subject, body = json.loads(keyring.decrypt(bytes(notice.sealed)))
    return subject, body
