"""What the overview reads beyond the imports: connected parents, stored alerts, a row per school. No writes."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db import connection
from django.db.models import Count

from hub.accounts.models import Membership, Role
from hub.core.models import Alert, School, Severity
from imports import moments, selectors, situation, standing
from imports.models import Import, LinkState, MisLink
from imports.pages import presenting
from imports.pages.presenting import Chip

_CONNECTED = """
    SELECT count(*), count(c.id)
    FROM (
        SELECT l.contact_id
        FROM people_pupilcontact l
        JOIN people_pupil p ON p.school_id = l.school_id AND p.id = l.pupil_id
        WHERE l.school_id = %(school)s AND l.ended_on IS NULL AND l.access AND l.denied_at IS NULL
          AND (p.leaving_date IS NULL OR p.leaving_date > %(today)s)
        UNION
        SELECT k.id FROM people_contact k
        WHERE k.school_id = %(school)s AND k.made_by_hand AND k.merged_into_id IS NULL
    ) parent
    LEFT JOIN people_connection c
      ON c.school_id = %(school)s AND c.contact_id = parent.contact_id
     AND c.staff_id IS NULL AND c.ended_at IS NULL AND c.connected_at IS NOT NULL
"""


@dataclass(frozen=True, slots=True)
class Connected:
    """How many of those whom the school writes to are connected, of how many: as *Connection status* counts them."""

    parents: int
    connected: int

    @property
    def percent(self) -> int:
        return self.connected * 100 // self.parents if self.parents else 0


@dataclass(frozen=True, slots=True)
class SchoolRow:
    """One of several schools: how its link and its last import stand."""

    school: School
    mis: str
    state: Chip
    imported: str
    outcome: Chip | None
    alerts: int
    rank: int
    """0 has failed, 1 waits for a person, 2 is well, 3 is off: the order of the list."""


def connected(school: School, *, today: dt.date) -> Connected:
    """Return how many parents are connected, in one query that reads the school's links once."""
    with connection.cursor() as cursor:
        cursor.execute(_CONNECTED, {"school": school.pk, "today": today})
        parents, count = cursor.fetchone()
    return Connected(parents, count)


def other_alerts(school: School) -> list[Alert]:
    """Return the open alerts that others raised; those about imports are derived when read."""
    return list(Alert.objects.filter(school=school, resolved_at=None).exclude(key__in=standing.MAILED).order_by("id"))


def school_rows(memberships: Sequence[Membership], *, now: dt.datetime) -> list[SchoolRow]:
    """Return a row per school, those that need somebody first, in seven queries however many there are."""
    ids = [membership.school_id for membership in memberships]
    links = selectors.links_by_school(ids)
    latest = selectors.latest_by_school(ids)
    overdue = situation.overdue_now(list(links.values()), now=now)
    alerts = _alert_counts(ids)
    rows = [
        _row(membership, links.get(school_id), latest, overdue, alerts.get(school_id, (0, 0)), now=now)
        for membership in memberships
        for school_id in [membership.school_id]
    ]
    return sorted(rows, key=lambda row: (row.rank, row.school.name, row.school.pk))


def link_chip(link: MisLink | None) -> Chip:
    """Return the state of a link as a word with its tone."""
    if link is None or link.state == LinkState.NOT_SET_UP:
        return Chip("quiet", "Not set up")
    if link.paused_at is not None:
        return Chip("warn", "Paused")
    tones = {LinkState.ENABLED: "good", LinkState.RECONNECT: "bad", LinkState.AWAITING_CREDENTIALS: "warn"}
    return Chip(tones.get(LinkState(link.state), "quiet"), LinkState(link.state).label)


def _alert_counts(ids: Iterable[int]) -> dict[int, tuple[int, int]]:
    """Return (failed, needs a person) by school."""
    rows = (
        Alert.objects.filter(school_id__in=list(ids), resolved_at=None)
        .exclude(severity=Severity.QUIET)
        .values_list("school_id", "severity")
        .annotate(n=Count("id"))
        .order_by()
    )
    found: dict[int, tuple[int, int]] = {}
    for school_id, severity, count in rows:
        bad, warn = found.get(school_id, (0, 0))
        found[school_id] = (bad + count, warn) if severity == Severity.BAD else (bad, warn + count)
    return found


def _row(
    membership: Membership,
    link: MisLink | None,
    latest: dict[int, Import],
    overdue: dict[int, dt.date],
    alerts: tuple[int, int],
    *,
    now: dt.datetime,
) -> SchoolRow:
    mis = selectors.mis_of(link)
    run = latest.get(membership.school_id)
    words = selectors.words(run, mis=mis) if run is not None else None
    missed = link is not None and link.pk in overdue
    outcome = presenting.outcome(run.state, delivery=mis.delivery) if run is not None else None
    if missed:
        outcome = presenting.outcome("missed", delivery=mis.delivery)
    state = link_chip(link)
    sees_alerts = membership.role != Role.TEACHER
    return SchoolRow(
        school=membership.school,
        mis=mis.name if link is not None else "",
        state=state,
        imported=moments.near(words.when, now=now) if words is not None else "",
        outcome=outcome,
        alerts=sum(alerts) if sees_alerts else 0,
        rank=_rank(outcome, state, alerts),
    )


def _rank(outcome: Chip | None, state: Chip, alerts: tuple[int, int]) -> int:
    tones = {state.tone, outcome.tone if outcome is not None else ""}
    if "bad" in tones or alerts[0]:
        return 0
    if "warn" in tones or alerts[1]:
        return 1
    return 2 if state.tone == "good" else 3
