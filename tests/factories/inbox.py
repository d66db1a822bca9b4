"""What reached people: every notice that waits is sent first, then read as its recipient would."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass

from django.core import mail
from django.utils import timezone

from hub.messaging import sending, sweeping
from hub.messaging.channels import Receipt
from hub.messaging.models import Channel, InboxMail, Notice, NoticeState


@dataclass(frozen=True, slots=True)
class Sent:
    """An email or a text as it arrived."""

    channel: str
    to: str
    subject: str
    body: str


class Texts:
    """Carries texts into the local inbox without a gateway; every test's carrier (see conftest)."""

    knows_references = True

    def available(self) -> bool:
        return True

    def deliver(self, *, to: str, subject: str, body: str, reference: str) -> Receipt:
        InboxMail.objects.create(
            channel=Channel.TEXT, recipient=to, sender="Schoolgate", body=body, sent_at=timezone.now()
        )
        return Receipt(reference)


def send_waiting() -> None:
    """Send what waits, as the worker would after the commit; a test inside one transaction has no such moment."""
    for notice in Notice.objects.filter(state=NoticeState.WAITING).order_by("pk"):
        sending.deliver(notice.pk, now=notice.made_at)


def swept(*, now: dt.datetime) -> list[int]:
    """Do what the beat's tick does for notices, and return what it would have sent."""
    sweeping.settle(now=now)
    return sweeping.take_due(now=now)


def mails_to(to: str) -> list[Sent]:
    """Return what one address or number got, the oldest first."""
    send_waiting()
    mails = [Sent(Channel.EMAIL, address, str(one.subject), str(one.body)) for one in mail.outbox for address in one.to]
    kept = [Sent(one.channel, one.recipient, one.subject, one.body) for one in InboxMail.objects.order_by("pk")]
    return [one for one in mails + kept if one.to == to]


def last_code(to: str) -> str:
    """Return the newest code sent to an address or number, without spaces."""
    return _last(to, r"\b(\d{3} \d{3}|\d{4} \d{4}|\d{6,8})\b").replace(" ", "")


def last_link(to: str) -> str:
    """Return the newest link sent to an address or number."""
    return _last(to, r"(https?://[^\s<>]+)")


def _last(to: str, pattern: str) -> str:
    for one in reversed(mails_to(to)):
        if found := re.search(pattern, f"{one.subject}\n{one.body}"):
            return found[1]
    raise AssertionError(f"Nothing like {pattern} was sent to {to}: {[one.subject for one in mails_to(to)]}")
