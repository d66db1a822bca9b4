"""What workers do: load by id, call one service. Every task may be delivered twice."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from hub.core import health, scope
from imports import collecting, services, sweeping


@shared_task(time_limit=1800, soft_time_limit=1740)
def run_import(school_id: int, import_id: int) -> None:
    """Carry out one import."""
    with scope.schools(school_id):
        services.run(import_id=import_id, now=timezone.now())


@shared_task
def collect_import(school_id: int, import_id: int) -> None:
    """Fetch what one import is to be made of; on the queue of those who wait."""
    with scope.schools(school_id):
        collecting.collect(import_id=import_id, now=timezone.now())


@shared_task
def start_wanted(school_id: int, link_id: int) -> None:
    """Begin what was just asked for, without waiting for the tick."""
    with scope.schools(school_id):
        collecting.begin(link_id=link_id, now=timezone.now())


@shared_task(time_limit=120)
def tick() -> None:
    """Find what is due, what was lost and what fell silent; called every half minute."""
    now = timezone.now()
    sweeping.sweep(now=now)
    health.beat_ticked(now)
