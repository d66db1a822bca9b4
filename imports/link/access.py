"""What a connector is handed to work with at one school."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from django.conf import settings
from django.utils import timezone

from imports.link import secrets
from imports.models import MisLink
from mis_connectors.base import Access
from mis_connectors.http import Http, Outgoing


def access_of(link: MisLink, *, deadline_seconds: float) -> Access:
    """Return the access of a link; all its requests together take at most `deadline_seconds`.

    Read here once, so that whoever uses it needs no database; only rotated credentials are written, at once.
    `link.source` and `link.school` are read.
    """
    link_id, school_id = link.pk, link.school_id

    def save(kept: Mapping[str, str]) -> None:
        secrets.keep(link_id, school_id, kept, now=timezone.now())

    return Access(
        dfe_number=link.school.dfe_number,
        http=Http(outgoing(deadline_seconds=deadline_seconds)),
        settings=dict(link.settings),
        secrets=secrets.secrets_of(link),
        platform=platform_of(link.source.connector),
        save_secrets=save,
        now=_now,
    )


def outgoing(*, deadline_seconds: float) -> Outgoing:
    """Return what requests to an MIS may do on this hub."""
    limit = settings.UNPACKED_LIMIT
    return Outgoing(
        loopback=settings.MIS_LOOPBACK, total_seconds=deadline_seconds, body_limit=min(Outgoing().body_limit, limit)
    )


def platform_of(slug: str) -> Mapping[str, str]:
    """Return what the operator set of one MIS."""
    return dict(settings.MIS_PLATFORM.get(slug, {}))


def _now() -> dt.datetime:
    return timezone.now()
