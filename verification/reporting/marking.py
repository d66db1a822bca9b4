"""Verbs of the office on rows of the report: marked done, open again."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from django.db import transaction
from django.db.models import QuerySet

from hub.accounts.models import Account
from hub.core import audit
from hub.core.models import School
from verification import children
from verification.models import TO_COPY, DetailChange, MisState
from verification.owners import lock, owner_of


@transaction.atomic
def mark_done(*, school: School, ids: Iterable[int], by: Account, now: dt.datetime) -> list[int]:
    """Mark rows as typed into the MIS, and return which were: rows of another school, or settled meanwhile, are not.

    If the next two nights do not show it, they open again by themselves.
    """
    marked = _claim(DetailChange.objects.filter(school=school, pk__in=set(ids), mis_state__in=TO_COPY))
    DetailChange.objects.filter(school=school, pk__in=marked).update(
        mis_state=MisState.DONE, settled_at=now, settled_by=str(by)[:200], settled_import=None
    )
    children.close_alerts(school=school, now=now)
    _record(school, "changes.marked_done", marked, by, now)
    return marked


@transaction.atomic
def mark_open(*, school: School, ids: Iterable[int], by: Account, now: dt.datetime) -> list[int]:
    """Take back that rows were done, and return which were marked so."""
    marked = _claim(DetailChange.objects.filter(school=school, pk__in=set(ids), mis_state=MisState.DONE))
    DetailChange.objects.filter(school=school, pk__in=marked).update(
        mis_state=MisState.TO_UPDATE, settled_at=None, settled_by="", settled_import=None
    )
    _record(school, "changes.opened_again", marked, by, now)
    return marked


def _claim(wanted: QuerySet[DetailChange]) -> list[int]:
    """Lock the people, as everybody does who writes a change, and return the rows that are as wanted even so."""
    lock(owner_of(one) for one in wanted.select_related("contact", "staff"))
    return list(wanted.select_for_update().order_by("pk").values_list("pk", flat=True))


def _record(school: School, action: str, rows: list[int], by: Account, now: dt.datetime) -> None:
    if rows:
        audit.record(school=school, by=by, action=action, object_kind="change", data={"rows": rows}, now=now)
