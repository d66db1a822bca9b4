"""What sending learns about a detail: that nothing arrives there, or that it does again. A new value is believed in."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from django.db import transaction
from django.db.models import QuerySet

from hub.core import scope
from hub.core.audit import BY_ITSELF
from hub.core.models import AuditEntry, School
from hub.people.locking import lock_ids
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


def dead_among(values: Iterable[str]) -> set[str]:
    """Return those of these emails and mobiles of which a record at any school says that nothing arrives there."""
    asked = list(values)
    with scope.every_school():
        schools = list(School.objects.values_list("pk", flat=True))
        found = ContactDetail.objects.filter(school__in=schools, value__in=asked, deliverable=False)
        return set(found.values_list("value", flat=True))


@transaction.atomic
def _mark(kind: str, value: str, *, deliverable: bool, action: str, data: dict[str, str], now: dt.datetime) -> int:
    with scope.every_school():
        schools = list(School.objects.values_list("pk", flat=True))  # for the index, which begins with the school
        details = ContactDetail.objects.filter(school__in=schools, value=value, kind=kind, deliverable=not deliverable)
        _lock_owners(details)
        found = list(
            details.select_for_update().order_by("pk").values_list("school_id", "contact_id", "staff_id", "pk")
        )
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


def _lock_owners(details: QuerySet[ContactDetail]) -> None:
    """Lock whose these are: who changes a detail locks its person first."""
    owners: dict[int, tuple[set[int], set[int]]] = {}
    for school_id, contact_id, staff_id in details.values_list("school_id", "contact_id", "staff_id"):
        contacts, staff = owners.setdefault(school_id, (set(), set()))
        if contact_id:
            contacts.add(contact_id)
        if staff_id:
            staff.add(staff_id)
    for school_id in sorted(owners):
        contacts, staff = owners[school_id]
        lock_ids(school_id, contacts=contacts, staff=staff)
