"""How a school's imports stand now: the one reading behind its overview, its alerts and the mail about them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field

from django.db.models import Count, Max, Q, Window

from hub.core.models import School
from imports import selectors, standing, withholding
from imports.link import nights, onboarding, schedule
from imports.link.links import current_link
from imports.link.nights import Night
from imports.models import OPEN_STATES, Import, ImportKind, ImportState, LinkState, MisLink, Rejection, ScheduledRun
from imports.selectors import Mis
from mis_connectors import registry
from mis_connectors.base import Delivery, SetUp
from verification.selectors import ToCopy, to_copy

RUNS_READ = 100
"""Of the nights shown; a school that imports more often than that has its strip read apart."""
LATEST_READ = 5
"""Where nothing came in those nights."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """A school's link, nights and imports as they are at one moment."""

    link: MisLink | None
    mis: Mis
    agent_seen: dt.datetime | None = None
    runs: Sequence[Import] = ()
    """Finished and running, no previews, the latest first."""
    nights: Sequence[Night] = ()
    rejected: dict[str, int] = field(default_factory=dict)
    first_rejected: str = ""
    to_copy: ToCopy = field(default_factory=lambda: ToCopy(0, None))

    @property
    def running(self) -> Import | None:
        return next((run for run in self.runs if run.state in OPEN_STATES), None)

    @property
    def finished(self) -> list[Import]:
        """What ended, but for files by hand that failed: who sent them has seen it, and the link is well."""
        return [run for run in self.runs if run.state not in OPEN_STATES and not failed_by_hand(run)]

    @property
    def latest(self) -> Import | None:
        return next(iter(self.finished), None)


def of(school: School, *, now: dt.datetime) -> Situation:
    """Return how the imports of one school stand, in seven queries."""
    link = current_link(school)
    mis = selectors.mis_of(link)
    if link is None:
        return Situation(link=None, mis=mis)
    agent = selectors.agent_last_seen(link) if mis.is_push else None
    rejected, first_rejected = _rejected(school, pulled=mis.delivery == Delivery.PULL.value)
    runs = _runs(school, link, since=now - dt.timedelta(days=nights.SHOWN + 1))
    strip = None if len(runs) == RUNS_READ else [run for run in runs if run.link_id == link.pk]
    return Situation(
        link=link,
        mis=mis,
        agent_seen=agent.last_seen_at if agent else None,
        runs=runs,
        nights=nights.last_nights(link, now=now, imports=strip),
        rejected=rejected,
        first_rejected=first_rejected,
        to_copy=to_copy(school),
    )


def alerts(found: Situation, *, now: dt.datetime) -> list[standing.Alert]:
    """Return what needs a person, derived from what is true now."""
    link = found.link
    if link is None:
        return []
    return standing.alerts(
        standing.Facts(
            mis_name=found.mis.name,
            push=found.mis.is_push,
            link_state=link.state,
            state_since=link.state_since,
            how_to_reconnect=_how_to_reconnect(link),
            kept_waiting=is_kept_waiting(link, now=now),
            said=link.tried_said,
            withheld=_withheld(found, link),
            paused_at=link.paused_at,
            paused_why=link.paused_why,
            agent_seen=found.agent_seen,
            runs=[(run.pk, selectors.words(run, mis=found.mis)) for run in found.finished],
            missed=missed_in_a_row(found.nights) if link.state == LinkState.ENABLED else (),
            rejected_rows=found.rejected.get(Rejection.ROW, 0),
            rejected_parts=found.rejected.get(Rejection.PART, 0),
            first_rejected=found.first_rejected,
            to_copy=found.to_copy.count,
            oldest_to_copy=found.to_copy.since,
        ),
        now=now,
    )


_RECONNECT = {
    SetUp.GRANT: "Once that is put right it comes back by itself: {mis} is asked every night.",
    SetUp.CONSENT: "Once somebody has signed in to {mis} on the link's page, the import begins by itself.",
    SetUp.CREDENTIALS: "Then type in the credentials on the link's page, new ones or the same: they are tried at once.",
}


def _how_to_reconnect(link: MisLink) -> str:
    info = registry.connectors().get(link.source.connector)
    return _RECONNECT.get(info.info.set_up, "").format(mis=info.info.mis_name) if info else ""


def _withheld(found: Situation, link: MisLink) -> str:
    """Return what the MIS did not give in the last import that was read, though it can; nothing of files by hand."""
    info = registry.connectors().get(link.source.connector) if not found.mis.is_upload else None
    read = next((run for run in found.finished if run.link_id == link.pk and "lacking" in run.counts), None)
    return withholding.named(info.info, read.counts["lacking"]) if info and read else ""


def is_kept_waiting(link: MisLink, *, now: dt.datetime) -> bool:
    """Whether the MIS has not let us in, though the time it takes for that, and a night, are over."""
    found = registry.connectors().get(link.source.connector) if link.state == LinkState.WAITING else None
    return found is not None and onboarding.is_kept_waiting(link, found.info, now=now)


def failed_by_hand(run: Import) -> bool:
    """Whether this was an upload that could not be read."""
    return run.kind == ImportKind.UPLOAD and run.state == ImportState.FAILED


def missed_in_a_row(found: Sequence[Night]) -> list[standing.Missed]:
    """Return the nights missed since the last import that came, the oldest first."""
    missed: list[standing.Missed] = []
    for night in reversed(found):
        if night.run is not None:
            break
        if night.state == "missed" and night.due_at is not None:
            missed.append(standing.Missed(night=night.date, due_at=night.due_at))
    return missed[::-1]


def overdue_now(links: Sequence[MisLink], *, now: dt.datetime) -> dict[int, dt.date]:
    """Return, by link, the night that was due last and has not come: two queries for any number of links."""
    begin = now - dt.timedelta(days=nights.SHOWN)
    due = _last_due(links, begin=begin, until=now - schedule.GRACE)
    came = (
        Import.objects.filter(link_id__in=due, preview=False, created_at__gte=begin)
        .exclude(kind=ImportKind.UPLOAD)
        .values_list("link_id")
        .annotate(night=Max("night"), created=Max("created_at"))
        .order_by()
    )
    arrived = {link_id: (night, created) for link_id, night, created in came}
    overdue = {}
    for link_id, last in due.items():
        night, created = arrived.get(link_id, (None, None))
        if (night is None or night < last.night) and (created is None or created < last.due_at - schedule.EARLY):
            overdue[link_id] = last.night
    return overdue


def _last_due(links: Sequence[MisLink], *, begin: dt.datetime, until: dt.datetime) -> dict[int, schedule.Due]:
    """Return the night due last by link, as written down or, where nothing ticked, as the timetable says."""
    written = (
        ScheduledRun.objects.filter(
            link_id__in=[link.pk for link in links],
            night__gte=schedule.local_date(begin),
            due_at__gt=begin,
            due_at__lte=until,
        )
        .order_by("link_id", "-due_at")
        .distinct("link_id")
    )
    due = {link_id: schedule.Due(night, at) for link_id, night, at in written.values_list("link_id", "night", "due_at")}
    for link in links:
        if link.state != LinkState.ENABLED:
            due.pop(link.pk, None)
            continue
        planned = _planned_last(link, begin=begin, until=until)
        if planned is not None and (link.pk not in due or planned.due_at > due[link.pk].due_at):
            due[link.pk] = planned
    return due


def _planned_last(link: MisLink, *, begin: dt.datetime, until: dt.datetime) -> schedule.Due | None:
    plan, night = nights.timetable(link), schedule.local_date(until)
    while night >= schedule.local_date(begin):
        due_at = plan.due_on(night)
        if due_at is not None and begin < due_at <= until:
            return schedule.Due(night, due_at)
        night -= dt.timedelta(days=1)
    return None


def is_on(link: MisLink | None) -> bool:
    """Whether the link's switch stands at on."""
    return link is not None and link.state in (LinkState.ENABLED, LinkState.WAITING, LinkState.RECONNECT)


def _rejected(school: School, *, pulled: bool) -> tuple[dict[str, int], str]:
    """Return how many rejections stand by severity, and the gravest of them in words; in one query."""
    totals = {f"standing_{severity.value}": Window(Count("pk", filter=Q(severity=severity))) for severity in Rejection}
    record = selectors.standing_rejections(school).annotate(**totals).first()
    if record is None:
        return {}, ""
    counts = {severity.value: getattr(record, f"standing_{severity.value}") for severity in Rejection}
    where = f"Row {record.row}, {record.label}" if record.row and not pulled else record.label
    rest = " The other details were imported." if record.severity == Rejection.PART else ""
    return counts, f"{where}: {record.message}{rest}"


def _runs(school: School, link: MisLink, *, since: dt.datetime) -> list[Import]:
    """Return the imports of the nights shown, or else the last ones before, without joining what is known."""
    known = selectors.runs(school).select_related(None).filter(preview=False)
    found = list(known.filter(created_at__gte=since)[:RUNS_READ]) or list(known[:LATEST_READ])
    for run in found:
        if run.link_id == link.pk:
            run.link = link
    return found
