"""The weekly mail to the office: how much is still to be copied into the MIS. Counts and a link, nobody's details.

Sent on Mondays at 07:30 in London, once per school and week, until nothing is left. Driven by the clock:
safe to run every minute, and by several at once.
"""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import Count, Q
from django.db.models.functions import Coalesce

from hub.core import scope, sweeps
from hub.core.models import School
from verification import selectors, telling
from verification.models import TO_COPY, Choices, DetailChange, MisState

LONDON = ZoneInfo("Europe/London")
AT = dt.time(7, 30)
LATE = dt.timedelta(hours=24)
"""A hub that was off on Monday morning still sends within this time; after it the next Monday does."""
NAMED = 5
"""So many of the longest waits are told of, by field alone."""


def sweep_weekly(now: dt.datetime) -> int:
    """Mail every school that has something to copy and was not mailed this week; return how many were."""
    due = _due(now)
    if due is None:
        return 0
    with scope.every_school():
        sent = Choices.objects.filter(Q(summary_sent_on__gte=due.date()) | Q(weekly_summary=False))
        waiting = DetailChange.objects.filter(mis_state__in=TO_COPY, made_at__lt=due, school__shadow_of=None)
        ids = waiting.exclude(school__in=sent.values("school")).values_list("school_id", flat=True).distinct()
        schools = list(School.objects.filter(pk__in=list(ids)).order_by("pk"))
    return sweeps.each_school(schools, lambda school: _mail(school, due, now=now))


def _due(now: dt.datetime) -> dt.datetime | None:
    """Return the Monday morning whose mail is due now, or None."""
    here = now.astimezone(LONDON)
    monday = here.date() - dt.timedelta(days=here.weekday())
    due = dt.datetime.combine(monday, AT, tzinfo=LONDON)
    return due if due <= now < due + LATE else None


@transaction.atomic
def _mail(school: School, due: dt.datetime, *, now: dt.datetime) -> bool:
    Choices.objects.get_or_create(school=school)
    mine = Choices.objects.filter(school=school, weekly_summary=True)
    unsent = mine.filter(Q(summary_sent_on=None) | Q(summary_sent_on__lt=due.date()))
    if not unsent.update(summary_sent_on=due.date()):
        return False
    telling.tell_office(
        school=school, kind="weekly_report", template="weekly_report", context=_context(school, now), now=now
    )
    return True


def _context(school: School, now: dt.datetime) -> dict[str, object]:
    found = DetailChange.objects.filter(school=school, mis_state__in=TO_COPY)
    said = found.aggregate(
        count=Count("pk"),
        people=Count("contact_id", distinct=True) + Count("staff_id", distinct=True),
        again=Count("pk", filter=Q(mis_state=MisState.DIFFERS)),
    )
    never = found.filter(mis_state=MisState.TO_UPDATE).annotate(begun=Coalesce("effective_at", "made_at"))
    oldest = never.order_by("begun").values_list("field", "begun")[:NAMED]
    waits = [{"what": field, "days": (now - begun).days} for field, begun in oldest]
    return {**said, "waits": waits, "mis": selectors.mis(school).name}
