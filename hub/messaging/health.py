"""What `/health` says of notices: how many wait longer than they should. No address is named."""

from __future__ import annotations

import datetime as dt

from django.db.models import Count, Min

from hub.core.health import Finding
from hub.messaging.models import Notice, NoticeState

MAY_WAIT = dt.timedelta(minutes=15)
"""They leave within seconds; after this no worker takes them, or a mail server or gateway lets none through."""


def look(now: dt.datetime) -> Finding:
    """Return whether notices leave."""
    stuck = Notice.objects.filter(
        state__in=[NoticeState.WAITING, NoticeState.SENDING], made_at__lte=now - MAY_WAIT
    ).aggregate(number=Count("pk"), oldest=Min("made_at"))
    age = int((now - stuck["oldest"]).total_seconds()) if stuck["oldest"] else None
    return Finding(ok=not stuck["number"], facts={"stuck": stuck["number"], "oldest_seconds": age})
