"""The daily summary: one email per login and address with what it asked to have together."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from itertools import groupby

from django.db import transaction

from hub.core import sweeps
from hub.core.keyring import KeyringError
from hub.messaging import notices, words
from hub.messaging.kinds import KINDS
from hub.messaging.models import Channel, Notice, NoticeState
from hub.people import delivering


@dataclass(frozen=True, slots=True)
class Item:
    """One notice as the summary shows it."""

    kind: str
    subject: str
    lines: str


def write(*, before: dt.datetime, now: dt.datetime) -> int:
    """Put together what was told before that moment and waits for a summary; return how many summaries wait to be sent.

    A moment that was missed is made up for; one that has passed finds nothing again. Raises
    `ExceptionGroup` with the logins whose summary failed, once all others are written: theirs waits on.
    """
    made: list[Notice] = []
    told: list[int] = []
    failed: ExceptionGroup[Exception] | None = None
    with transaction.atomic():
        held, lost = _held(before)
        dead = _dead(held.values())

        def put_together(account_id: int | None) -> None:
            made.extend(_of_account(held[account_id], dead, now))
            told.extend(one.pk for one in held[account_id])

        try:
            sweeps.each(held, put_together)
        except ExceptionGroup as trouble:
            failed = trouble
        Notice.objects.bulk_create(made)
        Notice.objects.filter(pk__in=told).update(state=NoticeState.SENT, sent_at=now)
        if lost:
            Notice.objects.filter(pk__in=lost).update(state=NoticeState.FAILED, trouble=notices.NO_KEY)
    if failed is not None:
        raise failed
    return len(made)


def _held(before: dt.datetime) -> tuple[dict[int | None, list[Notice]], list[int]]:
    """Return by login what waits for a summary, and which of it no key opens."""
    waiting = Notice.objects.filter(state=NoticeState.SUMMARY, made_at__lt=before)
    # Locked in order and waited for: of two sweeps at once the second finds nothing, and no summary is cut in two.
    found = list(waiting.select_for_update().order_by("account_id", "made_at", "pk"))
    lost = [one.pk for one in found if not _opens(one)]
    readable = [one for one in found if one.pk not in set(lost)]
    return {key: list(some) for key, some in groupby(readable, key=lambda one: one.account_id)}, lost


def _opens(notice: Notice) -> bool:
    """Whether its words can be read, or were wiped already."""
    try:
        return notice.sealed is None or bool(notices.opened(notice))
    except KeyringError:
        return False


def _of_account(held: list[Notice], dead: Collection[str], now: dt.datetime) -> list[Notice]:
    """Return the summaries of one login: an email to each address; a text only where no email arrives."""
    by_address: dict[str, list[Notice]] = {}
    for one in held:
        if one.channel == Channel.EMAIL:
            by_address.setdefault(one.to, []).append(one)
    made = [_summary(some, words.email("summary", {"items": _items(some)}), now) for some in by_address.values()]
    texts = [one for one in held if one.channel == Channel.TEXT]
    if texts and set(by_address) <= set(dead):
        made.append(_summary(texts, ("", words.text("summary", {"count": len(texts)})), now))
    return made


def _dead(held: Iterable[list[Notice]]) -> set[str]:
    """Return the emails of which it is known that nothing arrives there, of logins that are told by text too."""
    both = [some for some in held if len({one.channel for one in some}) > 1]
    emails = {one.to for some in both for one in some if one.channel == Channel.EMAIL}
    return delivering.dead_among(emails) if emails else set()


def _summary(held: list[Notice], filled: tuple[str, str], now: dt.datetime) -> Notice:
    last = held[-1]
    return Notice(
        kind="summary",
        account_id=last.account_id,
        channel=last.channel,
        to=last.to,
        sealed=notices.sealed(*filled),
        secret=KINDS["summary"].secret,
        made_at=now,
        not_before=now,
    )


def _items(held: Iterable[Notice]) -> list[Item]:
    return [Item(one.kind, *_shown(one)) for one in held if one.sealed is not None]


def _shown(notice: Notice) -> tuple[str, str]:
    """Return the subject, and the body without its greeting and what follows `-- `."""
    subject, body = notices.opened(notice)
    text = body.partition("\n-- \n")[0]
    kept = [part.strip() for part in text.split("\n\n") if not part.strip().startswith(("Hello", "Dear "))]
    return subject, "\n\n".join(kept)
