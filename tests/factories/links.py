"""Links as tests need them: a SIMS link, enabled, for every night at 02:00."""

from __future__ import annotations

import datetime as dt

from hub.accounts.models import Account
from hub.core.models import School
from imports.link import links
from imports.models import Import, ImportKind, ImportState, MisLink


def enabled_link(school: School, *, by: Account, since: dt.datetime) -> MisLink:
    """Return a SIMS link that expects every night due after `since`."""
    link = links.create_link(school=school, connector="sims", by=by, now=since)
    return links.enable(link=link, by=by, now=since)


def an_import(
    link: MisLink,
    *,
    at: dt.datetime,
    state: str = ImportState.APPLIED,
    kind: str = ImportKind.AUTOLINK,
    night: dt.date | None = None,
    preview: bool = False,
) -> Import:
    """Return an import as it would stand after it ran."""
    return Import.objects.create(
        school_id=link.school_id,
        link=link,
        kind=kind,
        state=state,
        night=night,
        preview=preview,
        created_at=at,
        started_at=at,
        finished_at=at + dt.timedelta(seconds=4),
    )
