"""What a link that is not let in yet waits for, in words: that an MIS takes a day is no error."""

from __future__ import annotations

import datetime as dt

from imports import moments
from imports.link import nights, onboarding
from imports.models import LinkState, MisLink
from mis_connectors import registry
from mis_connectors.base import Delivery


def words(link: MisLink, *, mis_name: str, now: dt.datetime) -> str:
    """Return a sentence or two for a link to an MIS we fetch from that waits; empty for any other."""
    made = registry.connectors().get(link.source.connector)
    if link.state != LinkState.WAITING or made is None or made.info.delivery is not Delivery.PULL:
        return ""
    if not made.info.grace:
        tried = f"{link.tried_said} " if link.tried_said else ""
        return f"{tried}{mis_name} is being tried: the first import begins by itself once it answers."
    tries = f"Asked since {moments.stamp(link.state_since, now=now)}; {_tries(link, now=now)}."
    if onboarding.is_kept_waiting(link, made.info, now=now):
        return f"{tries} Look at the set-up steps again: was access granted in {mis_name} for this school?"
    hours = round(made.info.grace.total_seconds() / 3600)
    return f"{mis_name} takes up to {hours} hours to let us in: look at Imports tomorrow. {tries}"


def tried_in_vain(link: MisLink, at: dt.datetime, *, mis_name: str, now: dt.datetime) -> tuple[str, str]:
    """Return title and sentence of a try at which the MIS did not let us in, and which is no import for that."""
    tried = f"Tried at {moments.stamp(at, now=now)}. Nothing was changed, and this is no failed import."
    if link.state == LinkState.WAITING:
        return f"{mis_name} has not let us in yet", f"{tried} {words(link, mis_name=mis_name, now=now)}"
    if link.state == LinkState.RECONNECT:
        return f"{mis_name} still does not let us in", f"{tried} {link.tried_said}".strip()
    return f"{mis_name} had not let us in yet", f"{tried} The page of the link says how it stands now."


def _tries(link: MisLink, *, now: dt.datetime) -> str:
    tried = f"tried last {moments.stamp(link.tried_at, now=now)}" if link.tried_at else "not tried yet"
    due = nights.trials(link).next_after(now) if link.paused_at is None else None
    return f"{tried}, next {moments.coming(due.due_at, now=now)}" if due else tried
