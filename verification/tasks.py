"""What workers do for changes: find what is due and do it. May run twice."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from verification import sweeping
from verification.lifecycle import leavers
from verification.recovery import recovering


@shared_task(time_limit=300)
def sweep() -> None:
    """Expire, remind; called every minute."""
    sweeping.sweep(timezone.now())


@shared_task(time_limit=60, expires=600)
def answer_recovery(request_id: int) -> None:
    """Send the link or code that somebody asked for who cannot sign in, if anybody has that address."""
    recovering.answer(request_id=request_id, now=timezone.now())


@shared_task(time_limit=1800)
def sweep_leavers() -> None:
    """Announce and end the connections of who has no child here any more, and of staff who left; every ten minutes."""
    leavers.sweep_leavers(timezone.now())
