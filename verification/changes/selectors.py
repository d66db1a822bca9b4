"""The changes of one person that still matter: what waits, what is frozen, what was asked in vain. No writes."""

from __future__ import annotations

import datetime as dt

from django.db.models import Q

from verification.changes.rules import EMAIL, MOBILE
from verification.models import OPEN_STATUSES, DetailChange, Origin, Status
from verification.owners import Owner, of_owner

SHOWN_FOR = dt.timedelta(days=30)
"""How long a question that was not answered with yes is shown on the person's page."""


def standing_questions(owner: Owner, now: dt.datetime) -> list[DetailChange]:
    """Return the frozen and open rows of a person, and the last question per field that came to nothing lately."""
    open_now = Q(status__in=OPEN_STATUSES) | Q(status=Status.FROZEN, settled_at=None)
    in_vain = Q(status__in=(Status.REJECTED, Status.EXPIRED), made_at__gt=now - SHOWN_FOR) & ~Q(origin=Origin.PERSON)
    later = Q(status=Status.APPROVED)
    rows = DetailChange.objects.filter(of_owner(owner), open_now | in_vain | later, field__in=(EMAIL, MOBILE))
    shown: list[DetailChange] = []
    settled: set[str] = set()
    for row in rows.order_by("-made_at", "-pk"):
        stands = row.status in (*OPEN_STATUSES, Status.FROZEN)
        if stands or (row.status != Status.APPROVED and row.field not in settled):
            shown.append(row)
        settled.add(row.field)
    return sorted(shown, key=lambda row: row.status != Status.FROZEN)


def open_question(owner: Owner, kind: str, now: dt.datetime) -> DetailChange | None:
    """Return what the school asks this person about one detail now."""
    asked = DetailChange.objects.filter(of_owner(owner, kind), status=Status.PENDING, deadline__gt=now)
    return asked.first()
