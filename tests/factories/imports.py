"""Changes and rejected records as an import leaves them."""

from __future__ import annotations

import datetime as dt
from typing import Any

from hub.people.models import Contact, Pupil
from imports.models import Import, ImportChange, RejectedRecord, Rejection


def a_change(
    run: Import, person: Pupil | Contact, before: dict[str, Any], after: dict[str, Any], **more: Any
) -> ImportChange:
    """Return a change of a person's own row, unless `model` and `row_id` say otherwise."""
    kind = "pupil" if isinstance(person, Pupil) else "contact"
    fields = {"action": "updated", "model": kind, "row_id": person.pk, "why": "changed_in_mis", **more}
    return ImportChange.objects.create(
        school_id=run.school_id,
        run=run,
        person_kind=kind,
        person_id=person.pk,
        before=before,
        after=after,
        **fields,
    )


def a_rejection(run: Import, *, severity: str = Rejection.PART, at: dt.datetime, **more: Any) -> RejectedRecord:
    """Return a record that could not be taken in full, standing since `at`."""
    fields = {
        "kind": "contact",
        "label": "Tom Marsh",
        "file": "contacts.xml",
        "row": 212,
        "field": "Telephone",
        "value": "0770 90 ext 4",
        **more,
    }
    return RejectedRecord.objects.create(
        school_id=run.school_id,
        link=run.link,
        first_run=run,
        severity=severity,
        external_id="77",
        reason="too_short",
        message="The number is too short.",
        advice="Correct it in the telephone field.",
        seen_at=at,
        **fields,
    )
