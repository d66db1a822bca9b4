"""What workers do for changes: find what is due and do it. May run twice."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from verification import sweeping


@shared_task(time_limit=300)
def sweep() -> None:
    """Expire, remind; called every minute."""
    sweeping.sweep(timezone.now())
