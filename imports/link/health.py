"""What `/health` says of the links: how many are enabled, and at how many a night stays away. No school is named."""

from __future__ import annotations

import datetime as dt

from hub.core import scope
from hub.core.health import Finding
from imports import situation
from imports.models import LinkState, MisLink


def look(now: dt.datetime) -> Finding:
    """Return whether every enabled link's last due night has come; a few queries for any number of schools."""
    with scope.every_school():
        enabled = MisLink.objects.filter(state=LinkState.ENABLED, source__ended_at=None, school__shadow_of=None)
        links = list(enabled.select_related("source"))
        overdue = len(situation.overdue_now(links, now=now))
    return Finding(ok=overdue == 0, facts={"enabled": len(links), "overdue": overdue})
