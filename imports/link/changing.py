"""How a link is changed: locked first, moved from state to state, written in the audit. Used by the verbs beside it."""

from __future__ import annotations

import datetime as dt

from django.db import transaction

from hub.accounts.models import Account
from hub.core import audit
from hub.core.errors import HubError
from imports.models import LinkState, MisLink
from mis_connectors.base import ConnectorInfo, Delivery
from mis_connectors.registry import UnknownConnector, connector


class LinkRefused(HubError):
    """What is asked of the link cannot be done as it stands; the message says why and what to do."""


def info_of(slug: str) -> ConnectorInfo:
    """Return how the connector describes itself; raises `LinkRefused` where it is not installed."""
    try:
        return connector(slug).info
    except UnknownConnector:
        raise LinkRefused("This MIS is not installed on this hub. Choose another, or ask who runs it.") from None


def lock(link: MisLink) -> None:
    """Bring `link` up to date and keep others from changing it until the transaction ends."""
    link.refresh_from_db(from_queryset=MisLink.objects.select_for_update())


def become(link: MisLink, state: LinkState, *, by: str, now: dt.datetime) -> None:
    """Move to a state in which nights are run from `now` on, and end any pause."""
    link.state, link.state_since, link.state_by = state, now, by[:200]
    link.scheduled_since, link.paused_at, link.paused_until, link.paused_why = now, None, None, ""
    link.tried_at, link.tried_said = None, ""
    link.save()


def want(link: MisLink, *, by: str, now: dt.datetime) -> None:
    """Ask for an import: an MIS we fetch from is asked as soon as this is committed, an agent when it speaks."""
    link.wanted_at, link.wanted_by = now, by[:200]
    link.save(update_fields=["wanted_at", "wanted_by"])
    if info_of(link.source.connector).delivery is Delivery.PULL:
        school_id, link_id = link.school_id, link.pk
        transaction.on_commit(lambda: _start_soon(school_id, link_id), robust=True)


def _start_soon(school_id: int, link_id: int) -> None:
    """Save the wait for the tick; without a broker the tick does it."""
    from imports.tasks import start_wanted

    start_wanted.delay(school_id, link_id)


def write_down(link: MisLink, what: str, *, by: Account | None, now: dt.datetime, **data: object) -> None:
    """Write in the audit what happened to a link."""
    audit.record(
        school=link.school, by=by, action=f"link.{what}", object_kind="link", object_id=link.pk, data=data, now=now
    )
