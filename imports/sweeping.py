"""What the beat's tick does: everything that is due lives in PostgreSQL, so a lost broker loses nothing."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable

from hub.core import scope, sweeps
from imports import alerts, apply, collecting, payloads, services
from imports.link import nights
from imports.models import OPEN_STATES, Import, ImportState

LOST_AFTER = dt.timedelta(seconds=60)
"""A waiting run that no worker has taken by then is asked for again."""


def sweep(*, now: dt.datetime) -> None:
    """Write down due nights, begin what is due, restart interrupted runs, ask again for lost ones, refresh alerts,
    clear old payloads.

    Whatever fails, at a school or in a step, keeps nothing else from being done; it is raised at the end.
    """
    steps: tuple[Callable[[], object], ...] = (
        lambda: nights.tick(now),
        lambda: fetch(now=now),
        lambda: _for_each(_stuck(now=now), lambda import_id: restart(import_id, now=now)),
        lambda: alerts.refresh_overdue(now),
        lambda: alerts.mail_new(now),
        lambda: _clear_payloads(now),
    )
    sweeps.each(steps, lambda step: bool(step()))


def _clear_payloads(now: dt.datetime) -> int:
    with scope.every_school():
        return payloads.clear_old(now=now)


def _for_each(found: Iterable[tuple[int, int]], deed: Callable[[int], int | None]) -> int:
    """Do something with each row of `(school, id)` in its school's scope."""

    def within(one: tuple[int, int]) -> int | None:
        with scope.schools(one[0]):
            return deed(one[1])

    return sweeps.each(found, within)


def fetch(*, now: dt.datetime) -> int:
    """Begin what is due or asked for of every MIS we fetch from, and again what was lost; returns how many began."""
    with scope.every_school():
        dead, waiting = collecting.lost(now=now), collecting.to_collect(before=now - LOST_AFTER, now=now)
        due = collecting.to_begin(now=now)
    jobs: tuple[tuple[list[tuple[int, int]], Callable[[int], int | None]], ...] = (
        (dead, lambda import_id: collecting.restart(import_id=import_id, now=now)),
        (waiting, _enqueue),
        (due, lambda link_id: collecting.begin(link_id=link_id, now=now) is not None),
    )
    return sweeps.each(jobs, lambda job: _for_each(*job))


def _enqueue(import_id: int) -> None:
    services.enqueue(Import.objects.only("school_id", "payload_id").get(pk=import_id))


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
