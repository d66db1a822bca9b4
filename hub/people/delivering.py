"""What sending learns about a detail: that nothing arrives there, or that it does again. A new value is believed in."""

from __future__ import annotations

import datetime as dt

from django.db import transaction

from hub.core import scope
from hub.core.audit import BY_ITSELF
from hub.core.models import AuditEntry, School
from hub.people.models import ContactDetail


def mark_undeliverable(*, kind: str, value: str, why: str, now: dt.datetime) -> int:
    """Say of every record, at every school, that has this email or mobile that nothing arrives there; return how many.

    An address belongs to a person, not to a school, so what is learnt at one school helps all.
    """
    return _mark(
        kind, value, deliverable=False, action="person.undeliverable", data={"kind": kind, "why": why}, now=now
    )


def mark_deliverable(*, kind: str, value: str, now: dt.datetime) -> int:
    """Take that back, at every school, because something was taken for this email or mobile; return at how many."""
    return _mark(kind, value, deliverable=True, action="person.deliverable_again", data={"kind": kind}, now=now)


@transaction.atomic
def _mark(kind: str, value: str, *, deliverable: bool, action: str, data: dict[str, str], now: dt.datetime) -> int:
    with scope.every_school():
        schools = list(School.objects.values_list("pk", flat=True))  # for the index, which begins with the school
        details = ContactDetail.objects.filter(school__in=schools, value=value, kind=kind, deliverable=not deliverable)
        found = list(details.select_for_update().values_list("school_id", "contact_id", "staff_id", "pk"))
        ContactDetail.objects.filter(pk__in=[pk for *_, pk in found]).update(deliverable=deliverable)
        AuditEntry.objects.bulk_create(
            AuditEntry(
                school_id=school_id,
                actor_name=BY_ITSELF,
                action=action,
                object_kind="contact" if contact_id else "staff",
                object_id=contact_id or staff_id,
                data=data,
                at=now,
            )
            for school_id, contact_id, staff_id, _ in found
        )
    return len(found)
