"""What a connection panel offers of a connection's later life: ending it, getting somebody back in, a merge undone."""

from __future__ import annotations

from typing import Any

from django import template

from hub.people.models import Contact, Staff
from verification.models import DetailChange, Field, Status

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
    }


def _merges(person: Contact | Staff) -> list[DetailChange]:
    if isinstance(person, Staff):
        return []
    rows = DetailChange.objects.filter(
        school_id=person.school_id, contact=person, field=Field.RECORD, status=Status.APPROVED
    )
    return list(rows.order_by("-made_at"))
