"""Sending one notice: claimed in the database, then the provider is asked, then its answer is written down.

The claim is committed before the provider hears of the notice. So a process that dies leaves a
notice that is *being sent*, and what follows from that depends on the carrier (`settle_lost`):
one that knows references is asked again under the same reference, which sends nothing twice; of
another it stays *may have been sent*: never a second copy, and never a loss that nobody sees.
"""

from __future__ import annotations

import datetime as dt
import logging

from django.db import transaction
from django.db.models import Case, F, Q, QuerySet, Value, When
from django.utils.crypto import salted_hmac

from hub.core.keyring import KeyringError
from hub.messaging import channels, notices
from hub.messaging.channels import Refused, Unanswered
from hub.messaging.models import Channel, Notice, NoticeState
from hub.people import services as people

logger = logging.getLogger(__name__)
WAITS = tuple(dt.timedelta(seconds=seconds) for seconds in (10, 30, 120, 600, 1800, 3600))
"""How long after each try the next one comes; the last of them again and again."""
LONGEST_WAIT = dt.timedelta(hours=1)
"""No provider's *Retry-After* holds a notice longer than this."""
GIVEN_UP_AFTER = dt.timedelta(hours=24)
ANSWERS_WITHIN = dt.timedelta(minutes=5)
"""A claim older than this has lost its process: a carrier ends before that."""


def deliver(notice_id: int, *, now: dt.datetime) -> str | None:
    """Send a notice that waits, and return what became of it; None where there is nothing to send.

    Nobody else sends it meanwhile. What can be tried again safely waits; the rest is final and says why.
    """
    notice = _claim(notice_id, now)
    if notice is None:
        return None
    carrier = channels.carrier(notice.channel)
    try:
        subject, body = notices.opened(notice)
        carrier.deliver(to=notice.to, subject=subject, body=body, reference=reference(notice))
    except Refused as no:
        return _refused(notice, no, now)
    except Unanswered as silence:
        return _unanswered(notice, silence.why, again=carrier.knows_references, now=now)
    except KeyringError:
        return _end(notice, NoticeState.FAILED, notices.NO_KEY)
    return _taken(notice, now)


def settle_lost(*, now: dt.datetime) -> None:
    """Decide about the notices whose process died while it sent them (see above)."""
    lost = Notice.objects.filter(state=NoticeState.SENDING, claimed_at__lt=now - ANSWERS_WITHIN)
    again = [channel for channel in Channel.values if channels.carrier(channel).knows_references]
    in_time = Q(good_until=None) | Q(good_until__gt=now)
    lost.filter(in_time, channel__in=again).update(state=NoticeState.WAITING, not_before=now)
    _finish(lost, NoticeState.UNKNOWN, "The hub stopped while it sent this.")


def settle_late(*, now: dt.datetime) -> None:
    """Give up what waits in vain: codes past their time, and what could not be sent for a day."""
    waiting = Notice.objects.filter(state=NoticeState.WAITING)
    _finish(waiting.filter(good_until__lte=now), NoticeState.TOO_LATE)
    _finish(waiting.filter(made_at__lte=now - GIVEN_UP_AFTER, tries__gt=0), NoticeState.FAILED)


def reference(notice: Notice) -> str:
    """Return what a provider knows this notice by: the same at every try, and never that of another notice."""
    made = f"{notice.pk}:{notice.made_at.isoformat()}"
    return salted_hmac("hub.messaging.notice", made, algorithm="sha256").hexdigest()[:32]


@transaction.atomic(durable=True)
def _claim(notice_id: int, now: dt.datetime) -> Notice | None:
    """Take a notice that waits, so that no other process sends it; committed when this returns."""
    in_time = Q(good_until=None) | Q(good_until__gt=now)
    taken = Notice.objects.filter(in_time, pk=notice_id, state=NoticeState.WAITING, sealed__isnull=False)
    if not taken.update(state=NoticeState.SENDING, claimed_at=now, tries=F("tries") + 1):
        return None
    return Notice.objects.get(pk=notice_id)


def _taken(notice: Notice, now: dt.datetime) -> str:
    """Write down that the provider has it: where the address was refused before, it is good again."""
    ended = _end(notice, NoticeState.SENT, sent_at=now)
    if Notice.objects.filter(to=notice.to, channel=notice.channel, state=NoticeState.FAILED).exists():
        people.mark_deliverable(kind=_DETAIL[notice.channel], value=notice.to, now=now)
    return ended


def _refused(notice: Notice, no: Refused, now: dt.datetime) -> str:
    if no.again:
        return _again(notice, no.why, no.after, now) or _end(notice, _in_vain(notice), no.why)
    if no.about_address:
        people.mark_undeliverable(kind=_DETAIL[notice.channel], value=notice.to, why=no.why, now=now)
    return _end(notice, NoticeState.FAILED, no.why)


_DETAIL = {Channel.EMAIL.value: "email", Channel.TEXT.value: "mobile"}


def _unanswered(notice: Notice, why: str, *, again: bool, now: dt.datetime) -> str:
    later = _again(notice, why, None, now) if again else ""
    return later or _end(notice, NoticeState.UNKNOWN, why)


def _again(notice: Notice, why: str, after: dt.timedelta | None, now: dt.datetime) -> str:
    """Put the notice back until later; "" if that would be too late."""
    at = now + max(WAITS[min(notice.tries, len(WAITS)) - 1], min(after or dt.timedelta(), LONGEST_WAIT))
    ends = notice.made_at + GIVEN_UP_AFTER
    if at >= (ends if notice.good_until is None else min(ends, notice.good_until)):
        return ""
    return _end(notice, NoticeState.WAITING, why, not_before=at)


def _in_vain(notice: Notice) -> NoticeState:
    return NoticeState.FAILED if notice.good_until is None else NoticeState.TOO_LATE


def _end(notice: Notice, state: NoticeState, why: str = "", **fields: dt.datetime) -> str:
    """Write the outcome of this very claim down; the answer counts even where the sweep took it for lost."""
    mine = Notice.objects.filter(pk=notice.pk, claimed_at=notice.claimed_at)
    if state == NoticeState.WAITING:
        mine.filter(state=NoticeState.SENDING).update(state=state, trouble=why[:200], **fields)
    else:
        _finish(mine, state, why, **fields)
    if state != NoticeState.SENT:
        logger.warning("Notice %d (%s): %s. %s", notice.pk, notice.channel, state, why)
    return state.value


def _finish(found: QuerySet[Notice], state: NoticeState, why: str | None = None, **fields: dt.datetime) -> None:
    """End notices in one statement; the words of those that hold a code or a link are wiped with it."""
    kept = Case(When(secret=True, then=Value(None)), default=F("sealed"))
    told = {} if why is None else {"trouble": why[:200]}
    found.update(state=state, sealed=kept, **told, **fields)
