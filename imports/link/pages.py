"""What the pages of the MIS Link show: its state in words, its agent, its set-up, and the agent as a file."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest

from hub.accounts.models import Account
from imports import moments, selectors
from imports.agent import download
from imports.link import links, nights
from imports.link.checks import HEARD_WITHIN
from imports.models import OPEN_STATES, AgentToken, Import, LinkState, MisLink
from mis_connectors import registry

_NAMES = ("", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the line from nothing to enabled. `state`: done, now or later."""

    name: str
    state: str


def mis_name(link: MisLink) -> str:
    """Return the name of the link's MIS."""
    return selectors.mis_of(link).name


def link_context(link: MisLink, *, now: dt.datetime) -> dict[str, Any]:
    """Return everything the page of one link shows."""
    mis = selectors.mis_of(link)
    tokens = _tokens(link)
    agent = _heard(tokens)
    last = selectors.runs(link.school).filter(link=link, preview=False).exclude(state__in=OPEN_STATES).first()
    next_due = nights.next_due(link, now=now)
    steps = line(link, tokens, last=last, mis_name=mis.name)
    return {
        "mis_link": link,
        "mis": mis,
        "tokens": tokens,
        "agent": agent,
        "agent_fresh": bool(agent and agent.last_seen_at and now - agent.last_seen_at <= HEARD_WITHIN),
        "title": title(link, mis_name=mis.name, now=now),
        "lead": lead(link, mis_name=mis.name, last=last, now=now),
        "tone": _tone(link, now=now),
        "pause": links.pause_words(link, now=now),
        "line": steps,
        "reached": sum(step.state == "done" for step in steps),
        "is_on": link.state in (LinkState.ENABLED, LinkState.WAITING),
        "timetable": timetable_words(link),
        "next_due": moments.coming(next_due, now=now) if next_due else "",
        "wanted": f"{link.wanted_by} asked for an import {moments.ago(link.wanted_at, now=now)}."
        if link.wanted_at
        else "",
        "last": last,
    }


def setup_context(link: MisLink, *, now: dt.datetime) -> dict[str, Any]:
    """Return what the set-up steps show: which are done, and the connector's own template of them."""
    tokens = _tokens(link)
    agent = _heard(tokens)
    checks = agent.last_check.get("checks", []) if agent else []
    info = registry.connector(link.source.connector).info
    return {
        "mis_link": link,
        "mis": selectors.mis_of(link),
        "setup_template": info.setup_template,
        "hub": settings.PUBLIC_URL,
        "downloaded": bool(tokens),
        "checked": bool(checks) and all(check.get("ok") for check in checks),
        "check_failed": next((check for check in checks if not check.get("ok")), None),
        "installed": bool(agent and agent.last_seen_at and now - agent.last_seen_at <= HEARD_WITHIN),
        "imported": Import.objects.filter(school_id=link.school_id, link=link, preview=False).exists(),
    }


def agent_file(link: MisLink, *, name: str, by: Account, now: dt.datetime) -> tuple[str, str]:
    """Return name and text of a new copy of the agent, signed in by a token of its own."""
    _, secret = links.create_token(link=link, name=name, by=by, now=now)
    text = download.filled(
        connector=link.source.connector,
        hub=settings.PUBLIC_URL,
        school=link.school.name,
        link=link.pk,
        token=secret,
        run_at=link.run_at,
        weekdays=link.weekdays,
    )
    return download.FILENAME, text


def say_asked(request: HttpRequest, link: MisLink, *, now: dt.datetime) -> None:
    """Tell whoever asked for an import when it will begin, or that nobody listens."""
    agent = _heard(_tokens(link))
    if agent is not None and agent.last_seen_at is not None and now - agent.last_seen_at <= HEARD_WITHIN:
        messages.success(request, "Asked. The agent asks the hub every 10 minutes, so the import begins within that.")
    elif agent is None:
        messages.warning(request, "Asked, but no agent has been heard yet: the import begins when it is.")
    else:
        ago = moments.ago(agent.last_seen_at, now=now) if agent.last_seen_at else "never"
        messages.warning(request, f"Asked, but the agent was last heard {ago}: the import begins when it speaks again.")


def title(link: MisLink, *, mis_name: str, now: dt.datetime) -> str:
    """Return the page's heading: how the link stands."""
    if link.state == LinkState.ENABLED:
        return f"{mis_name} is linked, and paused" if links.is_paused(link, now=now) else f"{mis_name} is linked"
    titles = {
        LinkState.NOT_SET_UP: f"Set up {mis_name}",
        LinkState.WAITING: f"Waiting for {mis_name}",
        LinkState.AWAITING_CREDENTIALS: f"{mis_name} needs its credentials",
        LinkState.DISABLED: "MIS Autolink is off",
        LinkState.RECONNECT: f"{mis_name} has to be connected again",
        LinkState.FROZEN: "The link is frozen",
    }
    return titles[LinkState(link.state)]


def lead(link: MisLink, *, mis_name: str, last: Import | None, now: dt.datetime) -> str:
    """Return the sentence below the heading."""
    came = f"last import {moments.stamp(last.created_at, now=now)}" if last else "nothing was ever imported"
    since = moments.stamp(link.state_since, now=now)
    if link.state == LinkState.ENABLED:
        return f"{timetable_words(link)}; {came}."
    if link.state == LinkState.DISABLED:
        return f"Off since {since} by {link.state_by}, {came}. What arrives is kept and not imported."
    if link.state == LinkState.WAITING:
        return f"The agent is downloaded. The first time {mis_name}'s reports arrive, the link switches itself on."
    if link.state == LinkState.NOT_SET_UP:
        return "Six steps, about half an hour, at a computer on which your MIS runs."
    return f"Since {since}."


def timetable_words(link: MisLink) -> str:
    """Return `Every night at 02:00`, `Monday to Friday at 02:00`, `Monday and Thursday at 22:30`."""
    days = sorted(link.weekdays)
    if len(days) == 7:
        said = "Every night"
    elif len(days) > 2 and days == list(range(days[0], days[-1] + 1)):
        said = f"{_NAMES[days[0]]} to {_NAMES[days[-1]]}"
    else:
        names = [_NAMES[number] for number in days]
        said = " and ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else "".join(names)
    return f"{said} at {moments.clock(link.run_at)}"


def line(link: MisLink, tokens: Sequence[AgentToken], *, last: Import | None, mis_name: str) -> list[Step]:
    """Return the way from nothing to enabled as steps, of which one is under way."""
    done = [
        (f"{mis_name} chosen", True),
        ("Agent downloaded", bool(tokens)),
        ("Agent heard", _heard(tokens) is not None),
        ("First import", last is not None),
        ("Enabled", link.state == LinkState.ENABLED),
    ]
    steps, current = [], True
    for name, reached in done:
        steps.append(Step(name, "done" if reached else "now" if current else "later"))
        current = current and reached
    return steps


def _tokens(link: MisLink) -> list[AgentToken]:
    tokens = AgentToken.objects.filter(school_id=link.school_id, link=link, revoked_at=None)
    return list(tokens.order_by("-created_at"))


def _heard(tokens: Sequence[AgentToken]) -> AgentToken | None:
    heard = [(token.last_seen_at, token.pk, token) for token in tokens if token.last_seen_at]
    return max(heard)[2] if heard else None


def _tone(link: MisLink, *, now: dt.datetime) -> str:
    if link.state == LinkState.ENABLED:
        return "warn" if links.is_paused(link, now=now) else "good"
    return "warn" if link.state in (LinkState.RECONNECT, LinkState.AWAITING_CREDENTIALS) else "quiet"
