"""Verbs of the "do not import" list: records of the MIS that no import takes in."""

from __future__ import annotations

import datetime as dt

from django.db import transaction

from hub.accounts.models import Account
from hub.core import audit
from hub.people.models import ImportExclusion, MisIdentity


@transaction.atomic
def exclude_from_imports(*, identity: MisIdentity, reason: str = "", by: Account, now: dt.datetime) -> ImportExclusion:
    """Put the record on the list. The next import treats it as if the MIS no longer had it."""
    exclusion, made = ImportExclusion.objects.get_or_create(
        school_id=identity.school_id,
        source_id=identity.source_id,
        kind=identity.kind,
        external_id=identity.external_id,
        defaults={
            "label": str(identity.pupil or identity.contact or identity.staff)[:200],
            "reason": reason.strip()[:300],
            "created_by": str(by)[:200],
            "created_at": now,
        },
    )
    if made:
        _record(exclusion, by, "import.record_excluded", now)
    return exclusion


@transaction.atomic
def include_again(*, exclusion: ImportExclusion, by: Account, now: dt.datetime) -> None:
    """Take the record off the list. The next import reads it afresh, as if it were new that night."""
    MisIdentity.objects.filter(
        school_id=exclusion.school_id,
        source_id=exclusion.source_id,
        kind=exclusion.kind,
        external_id=exclusion.external_id,
    ).update(digest=b"")
    _record(exclusion, by, "import.record_included_again", now)
    exclusion.delete()


def _record(exclusion: ImportExclusion, by: Account, action: str, now: dt.datetime) -> None:
    audit.record(
        school=exclusion.school,
        by=by,
        action=action,
        object_kind=exclusion.kind,
        object_id=exclusion.pk,
        data={"name": exclusion.label, "record": exclusion.external_id, "reason": exclusion.reason},
        now=now,
    )
