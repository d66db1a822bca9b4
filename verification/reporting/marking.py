"""Verbs of the office on rows of the report: marked done, open again."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from django.db import transaction

from hub.accounts.models import Account
from hub.core import audit
from hub.core.models import School
from verification import children
from verification.models import TO_COPY, DetailChange, MisState


@transaction.atomic
def mark_done(*, school: School, ids: Iterable[int], by: Account, now: dt.datetime) -> list[int]:
    """Mark rows as typed into the MIS, and return which were: rows of another school, or settled meanwhile, are not.

    If the next two nights do not show it, they open again by themselves.
    """
    found = DetailChange.objects.select_for_update().filter(school=school, pk__in=set(ids), mis_state__in=TO_COPY)
    marked = sorted(found.values_list("pk", flat=True))
    DetailChange.objects.filter(school=school, pk__in=marked).update(
        mis_state=MisState.DONE, settled_at=now, settled_by=str(by)[:200], settled_import=None
    )
    children.close_alerts(school=school, now=now)
    _record(school, "changes.marked_done", marked, by, now)
    return marked


@transaction.atomic
def mark_open(*, school: School, ids: Iterable[int], by: Account, now: dt.datetime) -> list[int]:
    """Take back that rows were done, and return which were marked so."""
    found = DetailChange.objects.select_for_update().filter(school=school, pk__in=set(ids), mis_state=MisState.DONE)
    marked = sorted(found.values_list("pk", flat=True))
    DetailChange.objects.filter(school=school, pk__in=marked).update(
        mis_state=MisState.TO_UPDATE, settled_at=None, settled_by="", settled_import=None
    )
    _record(school, "changes.opened_again", marked, by, now)
    return marked


def _record(school: School, action: str, rows: list[int], by: Account, now: dt.datetime) -> None:
    if rows:
        audit.record(school=school, by=by, action=action, object_kind="change", data={"rows": rows}, now=now)
