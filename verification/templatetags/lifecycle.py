"""What a connection panel offers of a connection's later life: ending it, getting somebody back in, a merge undone."""

from __future__ import annotations

from typing import Any

from django import template
from django.utils import timezone

from hub.people.models import Connection, Contact, Staff
from verification.models import DetailChange, Field, RecoveryLink, Status

register = template.Library()


@register.inclusion_tag("verification/_lifecycle.html", takes_context=True)
def lifecycle(context: template.Context, person: Contact | Staff) -> dict[str, Any]:
    """Show the verbs for somebody Connected, and the merges that can be undone."""
    connection = context.get("connection")
    return {
        "person": person,
        "owner": "staff" if isinstance(person, Staff) else "contacts",
        "school": context.get("school"),
        "may_edit": context.get("may_edit"),
        "connected": bool(connection and connection.connected_at),
        "no_child_since": connection.no_child_since if connection else None,
        "ending_told_at": connection.ending_told_at if connection else None,
        "merges": _merges(person),
        "letter": _letter(person, connection),
        "now": timezone.now(),
    }


def _letter(person: Contact | Staff, connection: Connection | None) -> RecoveryLink | None:
    """Return the letter by which this office lets them back in, as long as they have not used it."""
    if connection is None or connection.account_id is None:
        return None
    theirs = RecoveryLink.objects.filter(account=connection.account_id, by_school=person.school_id, used_at=None)
    return theirs.exclude(by_office="").order_by("-made_at").first()


def _merges(person: Contact | Staff) -> list[DetailChange]:
    if isinstance(person, Staff):
        return []
    rows = DetailChange.objects.filter(
        school_id=person.school_id, contact=person, field=Field.RECORD, status=Status.APPROVED
    )
    return list(rows.order_by("-made_at"))
