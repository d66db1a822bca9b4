"""The nights of a link: which were due, what came for them, and which stayed away.

What was due is written down once per local night by `tick`; what is shown is worked out when read,
so that a night that did not arrive shows even if nothing ticked.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db import connection
from django.db.models import Max, Q, QuerySet

from hub.core import scope, sweeps
from imports.link import schedule
from imports.link.schedule import Due, Timetable
from imports.models import (
    GOOD_STATES,
    HELD_STATES,
    OPEN_STATES,
    Import,
    ImportKind,
    ImportState,
    LinkState,
    MisLink,
    ScheduledRun,
)

BACKLOG = dt.timedelta(days=14)
"""Nights further back are not written down after an outage: no page shows them."""
SHOWN = 14
_TONES = (
    ("good", frozenset(GOOD_STATES)),
    ("warn", frozenset(HELD_STATES)),
    ("expected", frozenset(OPEN_STATES)),
    ("bad", frozenset({ImportState.FAILED, ImportState.INTERRUPTED})),
    ("none", frozenset({ImportState.DISCARDED, ImportState.UNDONE})),
)
"""Best first: a night is as good as its best import."""
_EXPECTED = (LinkState.ENABLED, LinkState.RECONNECT)
"""Nights go on being due while the MIS shuts us out: they show as not run."""


@dataclass(frozen=True, slots=True)
class Night:
    """One local night. `state`: good, warn, bad, missed, expected, paused or none (nothing was due)."""

    date: dt.date
    state: str
    due_at: dt.datetime | None = None
    run: Import | None = None


@dataclass(frozen=True, slots=True)
class Wanted:
    """Why the agent should run now: somebody asked, or a night was due and has not come."""

    asked: bool
    sentence: str


def timetable(link: MisLink) -> Timetable:
    """Return what the link is to be run on; nothing is expected of one that is neither enabled nor was shut out."""
    return _timetable(link, since=link.scheduled_since if link.state in _EXPECTED else None)


def trials(link: MisLink) -> Timetable:
    """Return the nights on which a link that is not let in is tried all the same."""
    return _timetable(link, since=link.state_since)


def _timetable(link: MisLink, *, since: dt.datetime | None) -> Timetable:
    return Timetable(
        weekdays=frozenset(link.weekdays),
        run_at=link.run_at,
        since=since,
        paused_until=link.paused_until,
        paused_at=link.paused_at,
    )


def next_due(link: MisLink, *, now: dt.datetime) -> dt.datetime | None:
    """Return when the link is due next; None unless it is enabled."""
    due = timetable(link).next_after(now) if link.state == LinkState.ENABLED else None
    return due.due_at if due else None


def tick(now: dt.datetime) -> list[tuple[int, int, dt.date]]:
    """Write down every night that has become due, in every school; return `(school, link, night)` of the new ones.

    However often and by however many it is called, each night of a link is returned once. Raises
    `ExceptionGroup` with the links whose nights could not be told, once those of all others are written.
    """
    due: list[tuple[MisLink, Due]] = []
    with scope.every_school():
        enabled = MisLink.objects.filter(state__in=_EXPECTED, scheduled_since__isnull=False)
        try:
            sweeps.each(
                enabled.annotate(last=Max("scheduled_runs__night")),
                lambda link: due.extend((link, night) for night in _unwritten(link, link.last, until=now)),
            )
        finally:
            written = _write(due, now=now)
    return written


def record_due(*, link: MisLink, now: dt.datetime) -> None:
    """Write down this link's due nights, before its timetable changes or something arrives."""
    last = ScheduledRun.objects.filter(school_id=link.school_id, link=link).aggregate(last=Max("night"))["last"]
    _write([(link, night) for night in _unwritten(link, last, until=now)], now=now)


def claim(*, link: MisLink, run: Import, now: dt.datetime) -> dt.date | None:
    """Say that `run` came: it is what was asked for, and it satisfies the night it belongs to, which is returned.

    Returns None for a preview, an upload by hand and a run on which no night was due in the last day.
    """
    if run.preview or run.kind == ImportKind.UPLOAD:
        return None
    MisLink.objects.filter(pk=link.pk, wanted_at__lte=now).update(wanted_at=None, wanted_by="")
    record_due(link=link, now=now + schedule.EARLY)
    recent = ScheduledRun.objects.filter(
        school_id=link.school_id,
        link=link,
        due_at__gt=now - schedule.CATCH_UP,
        due_at__lte=now + schedule.EARLY,
    )
    claimed = recent.order_by("-due_at").first()
    if claimed is None:
        return None
    ScheduledRun.objects.filter(pk=claimed.pk).update(satisfied_by=run)
    if run.night is None:
        run.night = claimed.night
        Import.objects.filter(pk=run.pk).update(night=claimed.night)
    return claimed.night


def wanted(link: MisLink, *, now: dt.datetime) -> Wanted | None:
    """Return why the agent should run now, or None."""
    if link.wanted_at is not None and link.state in (LinkState.ENABLED, LinkState.WAITING):
        return Wanted(True, f"{link.wanted_by or 'The school'} asked for an import now.")
    due = list(timetable(link).between(now - schedule.CATCH_UP, now))
    if not due or _arrived(link, due[-1]):
        return None
    return Wanted(False, "Tonight's import is due and has not arrived yet.")


def is_due(link: MisLink, *, now: dt.datetime) -> bool:
    """Whether the last night that was due in the last day waits for a run."""
    due = list(timetable(link).between(now - schedule.CATCH_UP, now))
    return bool(due) and not _arrived(link, due[-1])


def unsatisfied(*, now: dt.datetime) -> set[int]:
    """Return the links whose last night, as written down by `tick`, waits for a run: one query for every school."""
    came_early = Q(due_at__lte=now + schedule.EARLY, satisfied_by__isnull=False)
    recent = ScheduledRun.objects.filter(Q(due_at__lte=now) | came_early, due_at__gt=now - schedule.CATCH_UP)
    last = recent.order_by("link_id", "-due_at").distinct("link_id").values_list("link_id", "satisfied_by")
    return {link_id for link_id, run in last if run is None}


def last_nights(
    link: MisLink, *, now: dt.datetime, count: int = SHOWN, imports: Sequence[Import] | None = None
) -> list[Night]:
    """Return the last `count` local nights, oldest first, in two queries however many they are.

    One query where the link's `imports` of these nights, latest first, are read already.
    """
    today = schedule.local_date(now)
    dates = [today - dt.timedelta(days=back) for back in reversed(range(count))]
    came = _by_night(_recent(link, since=dates[0]) if imports is None else imports)
    rows = ScheduledRun.objects.filter(school_id=link.school_id, link=link, night__gte=dates[0], night__lte=today)
    due_at = dict(rows.values_list("night", "due_at"))
    plan = timetable(link)
    return [_night(date, came.get(date, ()), due_at.get(date) or plan.due_on(date), plan, now) for date in dates]


def missed(link: MisLink, *, now: dt.datetime) -> list[Night]:
    """Return which of the last nights stayed away, oldest first."""
    return [night for night in last_nights(link, now=now) if night.state == "missed"]


def overdue(link: MisLink, *, now: dt.datetime) -> Night | None:
    """Return the night that stays away now: the last one due, if nothing came for it or since."""
    for night in reversed(last_nights(link, now=now)):
        if night.state == "missed":
            return night
        if night.run is not None or (night.state == "expected" and night.due_at and night.due_at <= now):
            return None
    return None


def _night(
    date: dt.date, runs: Iterable[Import], due_at: dt.datetime | None, plan: Timetable, now: dt.datetime
) -> Night:
    by_hand = due_at is None
    candidates = [run for run in runs if by_hand or run.kind != ImportKind.UPLOAD]
    for tone, states in _TONES:
        for run in candidates:
            if run.state in states:
                return Night(date, tone, due_at, run)
    if due_at is not None:
        return Night(date, "missed" if schedule.is_missed(due_at, now=now) else "expected", due_at)
    skipped = plan.since is not None and date.isoweekday() in plan.weekdays
    if skipped and plan.pauses(date, schedule.night_due(date, plan.run_at)):
        return Night(date, "paused")
    return Night(date, "none")


def _recent(link: MisLink, *, since: dt.date) -> QuerySet[Import]:
    begin = dt.datetime.combine(since, dt.time(), tzinfo=schedule.LONDON)
    recent = Q(night__gte=since) | Q(night=None, created_at__gte=begin)
    imports = Import.objects.filter(recent, school_id=link.school_id, link=link, preview=False)
    return imports.defer("would", "detail", "notes").order_by("-created_at")


def _by_night(imports: Iterable[Import]) -> dict[dt.date, list[Import]]:
    came: dict[dt.date, list[Import]] = {}
    for run in imports:
        came.setdefault(run.night or schedule.local_date(run.created_at), []).append(run)
    return came


def _arrived(link: MisLink, due: Due) -> bool:
    """Whether something came for this night, or for the coming one since: what is newer is asked for no more."""
    arrived = ScheduledRun.objects.filter(
        school_id=link.school_id, link=link, night__gte=due.night, satisfied_by__isnull=False
    )
    return arrived.exists()


def _unwritten(link: MisLink, last: dt.date | None, *, until: dt.datetime) -> list[Due]:
    return [due for due in timetable(link).between(until - BACKLOG, until) if last is None or due.night > last]


def _write(due: Sequence[tuple[MisLink, Due]], *, now: dt.datetime) -> list[tuple[int, int, dt.date]]:
    """Insert the nights; of several who try at once, one gets each. Returns those inserted here."""
    if not due:
        return []
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO imports_scheduledrun (school_id, link_id, night, due_at, claimed_at)
            SELECT *, %s FROM unnest(%s::bigint[], %s::bigint[], %s::date[], %s::timestamptz[])
            ON CONFLICT (school_id, link_id, night) DO NOTHING
            RETURNING school_id, link_id, night
            """,
            [
                now,
                [link.school_id for link, _ in due],
                [link.pk for link, _ in due],
                [night.night for _, night in due],
                [night.due_at for _, night in due],
            ],
        )
        return [(school_id, link_id, night) for school_id, link_id, night in cursor.fetchall()]
