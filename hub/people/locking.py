"""One at a time: whatever moves the records of a school's people waits for whatever else does."""

from __future__ import annotations

from django.db import connection

_SCHOOL = 0x5347


def lock_school(school_id: int) -> None:
    """Let one import, undo or merge at a time write who is who at a school, until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [_SCHOOL, school_id])
