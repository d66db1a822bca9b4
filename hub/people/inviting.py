"""Verbs by which a record becomes Invited, and not connected again where an invitation is taken back."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from django.db import transaction

from hub.core.models import School
from hub.people.models import Connection, Contact, Staff

TAKEN_BACK = "The invitation was taken back"


@transaction.atomic
def mark_invited(
    *, school: School, contact_ids: Iterable[int] = (), staff_ids: Iterable[int] = (), now: dt.datetime
) -> None:
    """Make these records Invited as of now, in a fixed number of statements. None of them may be Connected."""
    for field, ids in (("contact_id", set(contact_ids)), ("staff_id", set(staff_ids))):
        waiting = Connection.objects.filter(school=school, ended_at=None, connected_at=None, **{f"{field}__in": ids})
        known = set(waiting.values_list(field, flat=True)) if ids else set()
        if known:
            waiting.update(invited_at=now)
        Connection.objects.bulk_create(
            Connection(school=school, invited_at=now, **{field: one}) for one in sorted(ids - known)
        )


@transaction.atomic
def no_longer_invited(*, owner: Contact | Staff, now: dt.datetime) -> None:
    """Make an Invited record Not connected again; what is Connected stays."""
    field = "contact" if isinstance(owner, Contact) else "staff"
    Connection.objects.filter(school_id=owner.school_id, ended_at=None, connected_at=None, **{field: owner}).update(
        ended_at=now, ended_why=TAKEN_BACK
    )
