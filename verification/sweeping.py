"""What time does to open changes: they expire at their deadline, and are reminded of on the third and sixth day.

Driven by the clock and by what PostgreSQL holds; safe to run twice or late: a row is claimed by a
conditional update, and its notice is written in the same transaction.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence

from django.db import transaction
from django.db.models import Q

from hub.core import scope, sweeps
from verification import telling
from verification.changes import rules
from verification.models import OPEN_STATUSES, ChangeLink, DetailChange, Origin, ProofCode, Status
from verification.owners import Owner, lock, owner_of
from verification.recovery import recovering
from verification.reporting import settling
from verification.reporting.weekly import sweep_weekly

AT_ONCE = 200
"""Rows in one transaction."""
GIVEN_UP_AFTER = 20
"""So many rows of a school that fail one by one are not a row's fault: the next sweep tries again."""
Work = Callable[[Sequence[DetailChange], dt.datetime], int]
KEPT_FOR = dt.timedelta(days=30)
"""How long a code is kept after it was made, and a link after its end."""


def sweep(now: dt.datetime) -> None:
    """Do everything that is due; what fails does not keep the rest from being done."""
    steps = (expire, remind, forget, sweep_weekly, recovering.sweep)
    sweeps.each(steps, lambda step: step(now))


def expire(now: dt.datetime) -> int:
    """Close what nobody answered or proved within 168 hours, and tell both sides; returns how many."""
    due = Q(status__in=OPEN_STATUSES, deadline__lte=now)
    return sweeps.each(_schools(due), lambda school_id: _in_school(school_id, due, _expire, now))


def remind(now: dt.datetime) -> int:
    """Remind people of what waits for them, at most twice; returns how many reminders went."""
    # What was made three days ago or earlier has four days left or fewer: the index is by deadline.
    soon = now + rules.OPEN_FOR - rules.REMIND_AFTER[0]
    last = now + rules.OPEN_FOR - rules.REMIND_AFTER[1]
    waits = Q(status__in=OPEN_STATUSES) & ~Q(status=Status.WAITING, origin=Origin.PERSON)
    due = waits & Q(deadline__gt=now) & (Q(reminders=0, deadline__lte=soon) | Q(reminders=1, deadline__lte=last))
    return sweeps.each(_schools(due), lambda school_id: _in_school(school_id, due, _remind, now))


def forget(now: dt.datetime) -> None:
    """Delete codes and links whose time is long over: they hold addresses, and prove nothing any more."""
    ProofCode.objects.filter(made_at__lte=now - KEPT_FOR).delete()
    ChangeLink.objects.filter(expires_at__lte=now - KEPT_FOR).delete()


def _schools(due: Q) -> list[int]:
    with scope.every_school():
        return sorted(DetailChange.objects.filter(due).values_list("school_id", flat=True).distinct())


def _in_school(school_id: int, due: Q, work: Work, now: dt.datetime) -> int:
    """Do the work of a school, many rows at once; where that fails one by one, so that one keeps no other waiting.

    Raises `ExceptionGroup` with what failed, once the rest is done.
    """
    done, at_once = 0, AT_ONCE
    failed: dict[int, Exception] = {}
    with scope.schools(school_id):
        while ids := _first(school_id, due & ~Q(pk__in=failed), at_once):
            try:
                with transaction.atomic():
                    done += work(_claim(school_id, due, ids), now)
            except Exception as trouble:  # noqa: BLE001 – whatever it is, the others are done first
                if at_once == 1:
                    trouble.add_note(f"This was change {ids[0]}.")
                    failed[ids[0]] = trouble
                at_once = 1
            if len(failed) == GIVEN_UP_AFTER:
                break
    if failed:
        raise ExceptionGroup(f"{len(failed)} failed", list(failed.values()))
    return done


def _first(school_id: int, due: Q, at_once: int) -> list[int]:
    found = DetailChange.objects.filter(due, school_id=school_id).order_by("deadline", "pk")
    return list(found.values_list("pk", flat=True)[:at_once])


def _claim(school_id: int, due: Q, ids: Sequence[int]) -> list[DetailChange]:
    """Lock the people, as everybody does who writes a change, and return the rows that are due even so."""
    found = DetailChange.objects.filter(due, school_id=school_id, pk__in=ids)
    found = found.select_related("contact__school", "staff__school")
    lock(owner_of(one) for one in found.order_by("deadline", "pk"))
    return list(found.select_for_update(of=("self",)).order_by("pk"))


def _expire(rows: Sequence[DetailChange], now: dt.datetime) -> int:
    mine = DetailChange.objects.filter(pk__in=[one.pk for one in rows], status__in=OPEN_STATUSES, deadline__lte=now)
    expired = mine.update(status=Status.EXPIRED)
    owners: dict[tuple[str, int], Owner] = {}
    for change in rows:
        owner = owner_of(change)
        owners[(owner._meta.model_name or "", owner.pk)] = owner
        telling.person_hears(change, owner=owner, template="change_expired", now=now)
        if change.origin != Origin.PERSON:
            telling.office_hears(change, owner=owner, template="change_expired_office", now=now)
    if rows:
        school = owner_of(rows[0]).school
        settling.settle(school=school, import_id=None, now=now, owners=owners.values())
    return expired


def _remind(rows: Sequence[DetailChange], now: dt.datetime) -> int:
    for change in rows:
        sent = rules.reminders_due(change.made_at, change.reminders, now)
        DetailChange.objects.filter(pk=change.pk).update(reminders=sent)
        telling.ask(change, owner=owner_of(change), template="change_reminder", now=now)
    return len(rows)
