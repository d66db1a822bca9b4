"""Parents without a child here, and staff who have left: what becomes of their connection, in time.

Sight of a child ends by itself, at once: `hub.people.selectors.with_sight`. The login of a parent
goes on for the school's stated period, is announced a fortnight before it ends, and a child who
comes back meanwhile stops the clock.
"""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from hub.core import audit, scope, sweeps
from hub.core.models import School
from hub.people.connecting import LEFT
from hub.people.models import Connection, PupilContact
from hub.people.selectors import with_sight
from verification import telling
from verification.lifecycle.leaving import end
from verification.models import Choices
from verification.owners import lock, owner_of

NOTICE = dt.timedelta(days=14)
"""So long before it ends the person is told."""
NO_CHILD = "No child at the school any more"
AT_ONCE = 200


def sweep_leavers(now: dt.datetime) -> int:
    """Start and stop the clocks, announce and end what is due, at every school; returns how many ended.

    A school at which something fails keeps no other from its turn; what failed is raised at the end.
    """
    with scope.every_school():
        schools = list(School.objects.order_by("pk"))
    return sweeps.each(schools, lambda school: sweep_school(school, now))


def sweep_school(school: School, now: dt.datetime) -> int:
    """The same at one school: two statements where nothing is due. May run twice."""
    today = timezone.localdate(now)
    with scope.schools(school.pk):
        _clocks(school, today)
        chosen = Choices.objects.filter(school=school).values_list("leaver_login_days", flat=True).first()
        days = dt.timedelta(days=Choices._meta.get_field("leaver_login_days").default if chosen is None else chosen)
        _announce(school, today, days, now)
        return _end_leavers(school, today, days, now) + _end_staff(school, today, now)


def _clocks(school: School, today: dt.date) -> None:
    """Set since when each connected parent has had no child here, and clear it for whoever has one again."""
    seen = PupilContact.objects.filter(with_sight(today), school_id=school.pk, contact=OuterRef("contact_id"))
    ties = _open(school).filter(contact__isnull=False, contact__made_by_hand=False)
    ties.filter(~Exists(seen), no_child_since=None).update(no_child_since=today, ending_told_at=None)
    ties.filter(Exists(seen), no_child_since__isnull=False).update(no_child_since=None, ending_told_at=None)


def _announce(school: School, today: dt.date, days: dt.timedelta, now: dt.datetime) -> None:
    due = _open(school).filter(no_child_since__lte=today - days + NOTICE, ending_told_at=None)
    for tie in due.select_related("contact__school", "staff__school").order_by("pk"):
        assert tie.no_child_since is not None
        with transaction.atomic():
            if not due.filter(pk=tie.pk).update(ending_told_at=now):
                continue
            # Whoever is told late still has the fortnight: the end waits for it.
            ends_on = max(tie.no_child_since + days, today + NOTICE)
            telling.tell_person(
                owner=owner_of(tie), kind="security", template="login_ends", context={"ends_on": ends_on}, now=now
            )


def _end_leavers(school: School, today: dt.date, days: dt.timedelta, now: dt.datetime) -> int:
    due = _open(school).filter(no_child_since__lte=today - days, ending_told_at__lte=now - NOTICE)
    return _end(due, NO_CHILD, now)


def _end_staff(school: School, today: dt.date, now: dt.datetime) -> int:
    return _end(_open(school).filter(staff__leaving_date__lte=today), LEFT, now)


def _end(due: QuerySet[Connection], why: str, now: dt.datetime) -> int:
    ended = 0
    while ids := list(due.order_by("pk").values_list("pk", flat=True)[:AT_ONCE]):
        with transaction.atomic():
            ended += _end_some(due.filter(pk__in=ids), why, now)
    return ended


def _end_some(due: QuerySet[Connection], why: str, now: dt.datetime) -> int:
    ties = list(due.select_related("account", "contact__school", "staff__school").order_by("pk"))
    lock(owner_of(tie) for tie in ties)
    standing = set(due.filter(pk__in=[tie.pk for tie in ties]).values_list("pk", flat=True))
    for tie in [one for one in ties if one.pk in standing]:
        owner = owner_of(tie)
        context = {"announced": tie.ending_told_at is not None}
        telling.tell_person(owner=owner, kind="security", template="login_ended", context=context, now=now)
        end(tie, owner=owner, why=why, now=now)
        audit.record(
            school=owner.school,
            by=None,
            action="person.disconnected",
            object_kind=owner._meta.model_name or "",
            object_id=owner.pk,
            data={"why": why},
            now=now,
        )
    return len(standing)


def _open(school: School) -> QuerySet[Connection]:
    return Connection.objects.filter(school=school, connected_at__isnull=False, ended_at=None)
