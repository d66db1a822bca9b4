"""What a connector is handed to work with at one school."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from django.conf import settings
from django.utils import timezone

from imports.link import renewal, secrets
from imports.models import MisLink
from mis_connectors.base import Access
from mis_connectors.errors import ConnectorConfigError
from mis_connectors.http import Http, Outgoing
from mis_connectors.registry import connector


def access_of(link: MisLink, *, deadline_seconds: float) -> Access:
    """Return the access of a link; all its requests together take at most `deadline_seconds`.

    Read here once, so that whoever uses it needs no database; only rotated credentials are written, at once, and
    read again before they are rotated, by one run at a time.
    `link.source` and `link.school` are read. Raises `ConnectorConfigError` where the operator has not set what this
    MIS needs, and `KeyringError` where the link's secrets cannot be opened.
    """
    link_id, school_id = link.pk, link.school_id
    platform = platform_of(link.source.connector)

    def save(kept: Mapping[str, str]) -> None:
        secrets.keep(link_id, school_id, kept, now=timezone.now())

    def load() -> Mapping[str, str]:
        return secrets.reread(link_id, school_id)

    return Access(
        dfe_number=link.school.dfe_number,
        http=Http(outgoing(deadline_seconds=deadline_seconds)),
        settings=dict(link.settings),
        secrets=secrets.secrets_of(link),
        platform=platform,
        save_secrets=save,
        load_secrets=load,
        renewing=lambda: renewal.one_at_a_time(link_id, school_id, patience=deadline_seconds),
        now=_now,
    )


def outgoing(*, deadline_seconds: float) -> Outgoing:
    """Return what requests to an MIS may do on this hub."""
    limit = settings.UNPACKED_LIMIT
    return Outgoing(
        loopback=settings.MIS_LOOPBACK,
        read_seconds=min(Outgoing().read_seconds, deadline_seconds / 2.5),  # so that a short run can try twice
        total_seconds=deadline_seconds,
        body_limit=min(Outgoing().body_limit, limit),
        proxy=settings.MIS_PROXY,
    )


def platform_of(slug: str) -> Mapping[str, str]:
    """Return what the operator set of one MIS. Raises `ConnectorConfigError` where something it needs is not set."""
    info = connector(slug).info
    given = dict(settings.MIS_PLATFORM.get(slug, {}))
    lacking = [field for field in info.platform_fields if field.required and not given.get(field.name)]
    if lacking:
        names = ", ".join(f"SCHOOLGATE_MIS_{slug.upper()}_{field.name.upper()}" for field in lacking)
        raise ConnectorConfigError(
            f"This hub cannot speak to {info.mis_name} yet. Whoever runs the hub has to set {names}.", detail=names
        )
    return given


def _now() -> dt.datetime:
    return timezone.now()
