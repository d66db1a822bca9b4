"""What has been merged, for whoever plans by who is who. No writes."""

from __future__ import annotations

import datetime as dt

from django.db.models import Count, Q

from verification.models import Merge


def merges_made(school_id: int) -> int:
    """Return how often records were merged and merges undone: another number says that identities have moved."""
    made = Merge.objects.filter(school_id=school_id).aggregate(merged=Count("pk"), undone=Count("undone_at"))
    return int(made["merged"] + made["undone"])


def merged_since(school_id: int, since: dt.datetime) -> bool:
    """Whether records were merged, or a merge undone, after this moment."""
    return Merge.objects.filter(Q(at__gt=since) | Q(undone_at__gt=since), school_id=school_id).exists()
