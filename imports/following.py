"""What follows when an import has said something new of people: groups, leavers' access, and the report.

Called in the import's own transaction, also on a night on which nothing changed: dates come all the same.
"""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

from hub.people import services as people
from hub.people.models import Pupil, Staff
from imports.models import GOOD_STATES, Import, ImportState
from imports.types import STAFF, Action, Plan
from verification import children
from verification.invitations import inviting
from verification.reporting import settling

LONDON = ZoneInfo("Europe/London")


def follow(run: Import, plan: Plan, *, pupil_ids: frozenset[int] | None, now: dt.datetime) -> None:
    """Bring up to date what depends on the pupils in `pupil_ids` (None: everybody) and on what the MIS says now."""
    _people_follow(run, plan, pupil_ids=pupil_ids, now=now)
    settling.settle(school=run.school, import_id=run.pk, now=now, relist=bool(plan.changes))
    children.close_alerts(school=run.school, now=now)
    if plan.changes:
        inviting.void_outdated(school=run.school, now=now)


def _people_follow(run: Import, plan: Plan, *, pupil_ids: frozenset[int] | None, now: dt.datetime) -> None:
    """Bring groups up to date, and end the access of staff who leave: tonight, or on a date that has now come."""
    today, since = now.astimezone(LONDON).date(), _last_import_on(run)
    reached = {"school_id": run.school_id, "leaving_date__lte": today}
    if since is not None:
        reached["leaving_date__gt"] = since
    if pupil_ids is not None:
        pupil_ids |= frozenset(Pupil.objects.filter(**reached).values_list("pk", flat=True))
    if pupil_ids is None or pupil_ids:
        people.refresh_groups(school_id=run.school_id, on=today, pupil_ids=pupil_ids)
    left = {c.person_id for c in plan.changes if c.model == STAFF and c.action is Action.ENDED}
    left |= set(Staff.objects.filter(**reached).values_list("pk", flat=True))
    if left:
        people.staff_left(staff_ids=left, now=now)


def _last_import_on(run: Import) -> dt.date | None:
    """Return the local day of the import before this one: leaving dates up to it were seen to."""
    earlier = Import.objects.filter(
        school_id=run.school_id, link_id=run.link_id, preview=False,
        state__in=[*GOOD_STATES, ImportState.PARTLY_HELD],
    )  # fmt: skip
    last = earlier.exclude(pk=run.pk).order_by("-started_at").values_list("started_at", flat=True).first()
    return last.astimezone(LONDON).date() if last else None
