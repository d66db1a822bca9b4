"""What sending learns about a detail: that nothing arrives there. A new value is believed in again."""

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
    with scope.every_school(), transaction.atomic():
        schools = list(School.objects.values_list("pk", flat=True))  # for the index, which begins with the school
        details = ContactDetail.objects.filter(school__in=schools, value=value, kind=kind, deliverable=True)
        found = list(details.select_for_update().values_list("school_id", "contact_id", "staff_id", "pk"))
        ContactDetail.objects.filter(pk__in=[pk for *_, pk in found]).update(deliverable=False)
        AuditEntry.objects.bulk_create(
            AuditEntry(
                school_id=school_id,
                actor_name=BY_ITSELF,
                action="person.undeliverable",
                object_kind="contact" if contact_id else "staff",
                object_id=contact_id or staff_id,
                data={"kind": kind, "why": why},
                at=now,
            )
            for school_id, contact_id, staff_id, _ in found
        )
    return len(found)
