"""Importing a file that was only previewed, without sending it again."""

from __future__ import annotations

import datetime as dt

from django.db import transaction

from hub.accounts.models import Account
from hub.core import audit
from hub.core.errors import HubError
from imports import services
from imports.models import OPEN_STATES, Import, ImportKind, ImportState


class CannotImport(HubError):
    """There is nothing to import from this preview; the message says why."""


@transaction.atomic
def import_previewed(*, run: Import, by: Account, now: dt.datetime) -> Import:
    """Queue an import of the payload that `run` previewed, and return it. Raises `CannotImport`."""
    if not run.preview or run.state in (*OPEN_STATES, ImportState.FAILED):
        raise CannotImport("This is not a finished preview. Upload the file instead.")
    if run.payload is None or not run.payload.stored:
        raise CannotImport("This file is no longer kept. Upload it again.")
    made = Import.objects.create(
        school_id=run.school_id,
        link_id=run.link_id,
        payload=run.payload,
        kind=ImportKind.UPLOAD,
        everybody=run.everybody,
        requested_by=str(by),
        created_at=now,
    )
    audit.record(school=run.school, by=by, action="import.previewed", object_kind="import", object_id=made.pk, now=now)
    services.enqueue(made)
    return made
