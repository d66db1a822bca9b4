"""What the beat's tick does: everything that is due lives in PostgreSQL, so a lost broker loses nothing."""

from __future__ import annotations

import datetime as dt
import logging

from hub.core import scope
from imports import alerts, apply, collecting, payloads, services
from imports.link import nights
from imports.models import OPEN_STATES, Import, ImportState

logger = logging.getLogger(__name__)
LOST_AFTER = dt.timedelta(seconds=60)
"""A waiting run that no worker has taken by then is asked for again."""


def sweep(*, now: dt.datetime) -> None:
    """Write down due nights, begin what is due, restart interrupted runs, ask again for lost ones, refresh alerts,
    clear old payloads.
    """
    nights.tick(now)
    fetch(now=now)
    for school_id, import_id in _stuck(now=now):
        with scope.schools(school_id):
            restart(import_id, now=now)
    alerts.refresh_overdue(now)
    alerts.mail_new(now)
    with scope.every_school():
        payloads.clear_old(now=now)


def fetch(*, now: dt.datetime) -> None:
    """Begin what is due or asked for of every MIS we fetch from, and again what was lost."""
    with scope.every_school():
        dead, waiting = collecting.lost(now=now), collecting.to_collect(before=now - LOST_AFTER, now=now)
        due = collecting.to_begin(now=now)
    for school_id, import_id in dead:
        with scope.schools(school_id):
            collecting.restart(import_id=import_id, now=now)
    for school_id, import_id in waiting:
        with scope.schools(school_id):
            services.enqueue(Import.objects.only("school_id", "payload_id").get(pk=import_id))
    for school_id, link_id in due:
        with scope.schools(school_id):
            collecting.begin(link_id=link_id, now=now)


def _stuck(*, now: dt.datetime) -> list[tuple[int, int]]:
    with scope.every_school():
        waiting = Import.objects.filter(state__in=[*OPEN_STATES, ImportState.INTERRUPTED], payload__isnull=False)
        return list(waiting.filter(created_at__lt=now - LOST_AFTER).order_by("pk").values_list("school_id", "pk"))


def restart(import_id: int, *, now: dt.datetime) -> bool:
    """Ask again for a run that no process holds; a run that was begun is marked interrupted first."""
    if not apply.try_lock(import_id):
        return False
    try:
        run = Import.objects.get(pk=import_id)
        if run.attempts >= services.ATTEMPTS and run.state != ImportState.QUEUED:
            sentence = "This import stopped in the middle three times, so it was given up."
            services.fail(run, sentence, code="interrupted", now=now)
            return False
        begun = [state for state in OPEN_STATES if state != ImportState.QUEUED]
        Import.objects.filter(pk=import_id, state__in=begun).update(state=ImportState.INTERRUPTED)
    finally:
        apply.unlock(import_id)
    services.enqueue(run)
    return True
