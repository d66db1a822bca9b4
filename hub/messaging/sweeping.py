"""What the beat's tick does for notices: what is due lives in PostgreSQL, so a lost broker loses nothing."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from zoneinfo import ZoneInfo

from django.db import transaction

from hub.core import sweeps
from hub.messaging import security, sending, summaries
from hub.messaging.models import Notice, NoticeState

ASKED_AGAIN_AFTER = dt.timedelta(seconds=60)
"""As long as the task lives: a notice has one task at a time, however long the queue is."""
AT_ONCE = 500
"""Notices asked for in one sweep."""
SUMMARY_AT = dt.time(18)
LONDON = ZoneInfo("Europe/London")
WORDS_KEPT = dt.timedelta(days=30)
NOTICES_KEPT = dt.timedelta(days=400)


def settle(*, now: dt.datetime) -> None:
    """Tell what happened to logins, settle what was lost or late, write the summaries due, forget what is old.

    What fails keeps nothing else from being done; it is raised at the end.
    """
    steps: tuple[Callable[[], object], ...] = (
        lambda: security.tell(now=now),
        lambda: sending.settle_lost(now=now),
        lambda: sending.settle_late(now=now),
        lambda: summaries.write(before=last_summary(now), now=now),
        lambda: _forget(now),
    )
    sweeps.each(steps, lambda step: bool(step()))


def last_summary(now: dt.datetime) -> dt.datetime:
    """Return the last moment at or before now at which summaries are written: six in the evening, in London."""
    today = now.astimezone(LONDON)
    at = dt.datetime.combine(today.date(), SUMMARY_AT, LONDON)
    return at if at <= today else dt.datetime.combine(today.date() - dt.timedelta(days=1), SUMMARY_AT, LONDON)


@transaction.atomic
def take_due(*, now: dt.datetime) -> list[int]:
    """Return what is to be sent now and no task has taken; it is not taken again before that task has ended."""
    due = Notice.objects.filter(state=NoticeState.WAITING, not_before__lte=now).order_by("not_before", "pk")
    found = list(due.select_for_update(skip_locked=True).values_list("pk", flat=True)[:AT_ONCE])
    Notice.objects.filter(pk__in=found).update(not_before=now + ASKED_AGAIN_AFTER)
    return found


def _forget(now: dt.datetime) -> None:
    """Wipe the words of notices after a month, and the notices after a year."""
    old = Notice.objects.filter(made_at__lte=now - WORDS_KEPT, sealed__isnull=False)
    old.exclude(state__in=[NoticeState.WAITING, NoticeState.SENDING]).update(sealed=None)
    Notice.objects.filter(made_at__lte=now - NOTICES_KEPT).delete()
