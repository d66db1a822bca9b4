"""What the worker does for logins: it forgets what is over. Running twice does no harm."""

from __future__ import annotations

import datetime as dt

from celery import shared_task
from django.utils import timezone

from hub.accounts import devices, limits
from hub.accounts.models import SecurityEvent

EVENTS_KEPT = dt.timedelta(days=400)


@shared_task(time_limit=120)
def sweep_logins() -> None:
    """Delete sessions that are over, counters that count no more, and what owners were told a year ago."""
    now = timezone.now()
    devices.sweep(now)
    limits.sweep(now)
    SecurityEvent.objects.filter(told_at__lt=now - EVENTS_KEPT).delete()
