"""What the I/O worker does for notices. Both may run twice: a notice is claimed before it is sent."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from hub.messaging import notices, selectors, sending, sweeping


@shared_task(time_limit=180, soft_time_limit=150, expires=60)
def deliver_notice(notice_id: int) -> None:
    """Send one notice, if nobody has."""
    sending.deliver(notice_id, now=timezone.now())


@shared_task(time_limit=120)
def sweep_notices() -> None:
    """Ask again for what was lost or is to be tried again, and write the daily summaries; every few seconds.

    Whatever fails of it, what waits is sent.
    """
    now = timezone.now()
    try:
        sweeping.settle(now=now)
    finally:
        found = sweeping.take_due(now=now)
        urgent = selectors.urgent(found)
        for notice_id in found:
            notices.ask(notice_id, urgent=notice_id in urgent)
