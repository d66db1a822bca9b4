"""Rows of the Verified User Changes Report, made in one line each."""

from __future__ import annotations

from typing import Any

from hub.people.models import Contact, Staff
from tests.factories.people import LONG_AGO
from verification.models import DetailChange, MisState, Status
from verification.reporting import listing


def make_change(owner: Contact | Staff, **fields: Any) -> DetailChange:
    """A mobile that its person has changed and that is still to be copied, listed as lists show it."""
    made_at = fields.get("made_at", LONG_AGO)
    fields = {
        "field": "mobile",
        "old_value": "+447700900123",
        "new_value": "+447700900456",
        "origin": "person",
        "made_by": str(owner),
        "status": Status.APPROVED,
        "mis_state": MisState.TO_UPDATE,
        "made_at": made_at,
        "effective_at": made_at,
    } | fields
    key = "contact" if isinstance(owner, Contact) else "staff"
    change = DetailChange.objects.create(school=owner.school, **{key: owner}, **fields)
    listing.refresh(school_id=owner.school_id, ids=[change.pk])
    change.refresh_from_db()
    return change
