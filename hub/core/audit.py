"""The audit: who did what. Written by services, in the transaction of what they do."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from django.db.models import Model

from hub.core.models import AuditEntry, School

BY_ITSELF = "Schoolgate"
"""The actor's name where nobody asked: a nightly import, the end of a pause."""


def record(
    *,
    school: School,
    by: Model | None,
    action: str,
    object_kind: str = "",
    object_id: int | None = None,
    data: Mapping[str, Any] | None = None,
    now: dt.datetime,
) -> AuditEntry:
    """Write down that `by` (an account; None: the hub by itself) did `action`, in dotted words.

    `data` holds what a reader needs to understand the entry. It must hold no secret.
    """
    return AuditEntry.objects.create(
        school=school,
        actor_name=BY_ITSELF if by is None else str(by)[:200],
        actor_id=None if by is None else by.pk,
        action=action,
        object_kind=object_kind,
        object_id=object_id,
        data=dict(data or {}),
        at=now,
    )
