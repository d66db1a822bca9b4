"""Reading links, imports and rejected records of a school. No writes; the number of queries never grows with rows."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from django.db.models import Case, Count, IntegerField, Max, OuterRef, QuerySet, Subquery, Value, When
from django.shortcuts import get_object_or_404

from hub.core.models import AuditEntry, School
from imports.models import (
    OPEN_STATES,
    AgentToken,
    Import,
    ImportChange,
    ImportKind,
    ImportState,
    MisLink,
    RejectedRecord,
    Rejection,
)
from imports.pages import presenting
from mis_connectors.base import Delivery
from mis_connectors.registry import UnknownConnector, connector

NOT_LET_IN = "import.not_let_in"
"""In the audit: a try at an MIS that waits to let us in, which is no import and shows nowhere."""
BULKY = ("would", "cells", "detail", "left_by_undo", "notes", "released")
"""Columns that may hold a whole school; a list of imports does without them."""


@dataclass(frozen=True, slots=True)
class Mis:
    """What a page says about the MIS behind a link."""

    name: str
    delivery: str

    @property
    def source(self) -> str:
        """What people's changes come from, in a sentence: `SIMS`, or `the file` where somebody uploads one."""
        return "the file" if self.is_upload else self.name

    @property
    def is_push(self) -> bool:
        return self.delivery == Delivery.PUSH.value

    @property
    def is_upload(self) -> bool:
        return self.delivery == Delivery.UPLOAD.value


def mis_of(link: MisLink | None) -> Mis:
    """Return the name of the link's MIS and how it delivers; plain words where its connector is gone."""
    if link is None:
        return Mis("your MIS", Delivery.PUSH.value)
    return mis_named(link.source.connector)


@cache
def mis_named(slug: str) -> Mis:
    """Return the name and delivery of a connector; which are installed does not change while we run."""
    try:
        info = connector(slug).info
    except (UnknownConnector, ImportError):
        return Mis(slug.upper(), Delivery.PUSH.value)
    return Mis(info.mis_name, info.delivery.value)


def agent_last_seen(link: MisLink | None) -> AgentToken | None:
    """Return the token of the link that was heard last; None where no agent has been heard."""
    if link is None:
        return None
    return (
        AgentToken.objects.filter(school_id=link.school_id, link=link, revoked_at=None, last_seen_at__isnull=False)
        .defer("log_tail", "last_check")
        .order_by("-last_seen_at")
        .first()
    )


def runs(school: School) -> QuerySet[Import]:
    """Return the school's imports, the latest first, without their bulky columns."""
    return (
        Import.objects.filter(school=school).select_related("link__source").defer(*BULKY).order_by("-created_at", "-id")
    )


def last_in(link: MisLink) -> Import | None:
    """Return the latest import of a link after which what the MIS said is what the hub shows."""
    return runs(link.school).filter(link=link, preview=False, state__in=presenting.IN).first()


def find_run(school: School, import_id: int) -> Import | None:
    """Return one import with everything; None where the school has none of this number."""
    return Import.objects.select_related("link__source", "payload").filter(school=school, pk=import_id).first()


def run_of(school: School, import_id: int) -> Import:
    """Return one import with everything; raises `Http404` for another school's."""
    return get_object_or_404(Import.objects.select_related("link__source", "payload"), school=school, pk=import_id)


def try_in_vain(school: School, import_id: int) -> tuple[MisLink, dt.datetime]:
    """Return of a run that was refused, and therefore is no import, its link and when; `Http404` for any other."""
    said = get_object_or_404(
        AuditEntry, school=school, object_kind="import", object_id=import_id, action=NOT_LET_IN
    )  # fmt: skip
    return get_object_or_404(MisLink.objects.select_related("source"), school=school, pk=said.data["link"]), said.at


def latest_by_school(school_ids: Iterable[int]) -> dict[int, Import]:
    """Return each school's latest finished import, neither a preview nor a failed upload, in two queries."""
    newest = (
        Import.objects.filter(school=OuterRef("pk"), preview=False)
        .exclude(state__in=OPEN_STATES)
        .exclude(kind=ImportKind.UPLOAD, state=ImportState.FAILED)
        .order_by("-created_at", "-id")
        .values("pk")[:1]
    )
    ids = (
        School.objects.filter(pk__in=list(school_ids))
        .annotate(newest=Subquery(newest))
        .values_list("newest", flat=True)
    )
    # As a list, not a subquery: one look into the index per school, and never through every import of all of them.
    found = Import.objects.filter(pk__in=[pk for pk in ids if pk is not None]).defer(*BULKY)
    return {run.school_id: run for run in found}


def links_by_school(school_ids: Iterable[int]) -> dict[int, MisLink]:
    """Return each school's present link, in one query."""
    links = MisLink.objects.filter(school_id__in=list(school_ids), source__ended_at=None).select_related("source")
    return {link.school_id: link for link in links.order_by("source__generation", "id")}


def agents_by_link(link_ids: Iterable[int]) -> dict[int, dt.datetime | None]:
    """Return when each link's agent was heard last, in one query."""
    tokens = AgentToken.objects.filter(link_id__in=list(link_ids), revoked_at=None)
    return dict(tokens.values_list("link_id").annotate(seen=Max("last_seen_at")).order_by())


def words(run: Import, *, mis: Mis | None = None) -> presenting.Run:
    """Return an import as the pure facts that are put in words."""
    return presenting.Run(
        state=run.state,
        kind=run.kind,
        mis_name=(mis or mis_of(run.link)).source,
        preview=run.preview,
        created_at=run.created_at,
        started_at=run.started_at,
        finished_at=run.finished_at,
        night=run.night,
        again_at=run.not_before if run.state == ImportState.QUEUED else None,
        counts=run.counts,
        reasons=run.reasons,
        decided_by=run.decided_by,
        decided=run.decided_at is not None,
    )


# Changes


def changes(run: Import, *, kind: str = "", action: str = "") -> QuerySet[ImportChange]:
    """Return an import's changes, person by person, narrowed to a kind of person and an action."""
    found = ImportChange.objects.filter(school_id=run.school_id, run=run)
    if kind:
        found = found.filter(person_kind=kind)
    if action:
        found = found.filter(action=action)
    return found.order_by("person_kind", "person_id", "id")


def change_counts(run: Import) -> dict[tuple[str, str], int]:
    """Return how many changes there are by (person kind, action), in one query."""
    rows = ImportChange.objects.filter(school_id=run.school_id, run=run).values("person_kind", "action")
    return {(row["person_kind"], row["action"]): row["n"] for row in rows.annotate(n=Count("id")).order_by()}


# Rejected records


def standing_rejections(school: School, *, severity: str = "", kind: str = "") -> QuerySet[RejectedRecord]:
    """Return what the MIS says and could not be taken, the gravest first."""
    found = RejectedRecord.objects.filter(school=school, resolved_at=None)
    if severity:
        found = found.filter(severity=severity)
    if kind:
        found = found.filter(kind=kind)
    return found.order_by(_gravity(), "label", "id")


def rejection_counts(school: School) -> dict[str, int]:
    """Return how many rejections stand, by severity."""
    rows = RejectedRecord.objects.filter(school=school, resolved_at=None).values("severity")
    return {row["severity"]: row["n"] for row in rows.annotate(n=Count("id")).order_by()}


def rejection_kinds(school: School, *, severity: str = "") -> dict[str, int]:
    """Return how many rejections stand, of this severity or of all, by kind of person."""
    rows = standing_rejections(school, severity=severity).order_by().values("kind")
    return {row["kind"]: row["n"] for row in rows.annotate(n=Count("id"))}


def to_mend(counts: dict[str, int]) -> int:
    """Return how many of these rejections cost something; a warning alone does not."""
    return counts.get(Rejection.ROW, 0) + counts.get(Rejection.PART, 0)


def rejections_of(run: Import) -> QuerySet[RejectedRecord]:
    """Return what first showed in this import, standing or mended since."""
    return RejectedRecord.objects.filter(school_id=run.school_id, first_run=run).order_by(_gravity(), "label", "id")


def _gravity() -> Case:
    order = (Rejection.ROW, Rejection.PART, Rejection.WARNING)
    places = (When(severity=severity, then=Value(place)) for place, severity in enumerate(order))
    return Case(*places, default=Value(len(order)), output_field=IntegerField())
