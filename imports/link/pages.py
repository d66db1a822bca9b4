"""What the pages of the MIS Link show: its state in words, its agent, its set-up, and the agent as a file."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest

from hub.accounts.models import Account
from imports import moments, selectors
from imports.agent import download
from imports.link import coverage, links, nights, setting_up, waiting
from imports.link.checks import HEARD_WITHIN
from imports.link.setting_up import tokens_of
from imports.models import OPEN_STATES, AgentToken, Import, ImportState, LinkState, MisLink
from imports.pages import presenting
from mis_connectors import registry
from mis_connectors.base import ConnectorInfo, Delivery

SEEN = 10
"""So many of the latest imports are looked at; of those only a few can still be open."""
_NAMES = ("", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def mis_of(link: MisLink) -> selectors.Mis:
    """Return the name of the link's MIS, and how it delivers."""
    return selectors.mis_of(link)


def word_of(link: MisLink) -> str:
    """Return what this link is called."""
    return word(selectors.mis_of(link))


def mis_name(link: MisLink) -> str:
    """Return the name of the link's MIS."""
    return selectors.mis_of(link).name


def link_context(link: MisLink, *, now: dt.datetime) -> dict[str, Any]:
    """Return everything the page of one link shows."""
    mis = selectors.mis_of(link)
    info = _info(link)
    tokens = tokens_of(link) if mis.is_push else []
    agent = _heard(tokens)
    runs = list(selectors.runs(link.school).filter(link=link, preview=False)[:SEEN])
    last = next((run for run in runs if run.state not in OPEN_STATES), None)
    came_in = selectors.last_in(link)
    ever = any(run.payload_id for run in runs)
    next_due = nights.next_due(link, now=now)
    steps = _line(link, info, tokens, imported=came_in is not None, mis_name=mis.name)
    return {
        "mis_link": link,
        "mis": mis,
        "word": word(mis),
        "tokens": tokens,
        "agent": agent,
        "agent_fresh": bool(agent and agent.last_seen_at and now - agent.last_seen_at <= HEARD_WITHIN),
        "title": title(link, mis_name=mis.name, now=now, ever=ever),
        "lead": lead(link, mis=mis, info=info, came=came(last, came_in, now=now), ever=ever, now=now),
        "tone": _tone(link, now=now),
        "pause": links.pause_words(link, now=now),
        "line": steps,
        "reached": _reached(steps, link, runs, pushed=mis.is_push),
        "is_on": link.state in (LinkState.ENABLED, LinkState.WAITING),
        "under_way": link.state != LinkState.DISABLED
        and not mis.is_upload
        and any(one.state != "done" for one in steps),
        "can_test": bool(info and setting_up.can_be_tested(link, info)),
        "timetable": timetable_words(link),
        "next_due": moments.coming(next_due, now=now) if next_due else "",
        "wanted": _wanted_words(link, now=now) if mis.is_push else "",
        "running": next((run for run in runs if run.state in OPEN_STATES), None),
        "last": last,
        "came": came(last, came_in, now=now),
        "news": _news(runs[0], mis=mis, now=now) if runs and link.state == LinkState.ENABLED else None,
        "refused": link.tried_said if link.state == LinkState.RECONNECT else "",
        "waits": waiting.words(link, mis_name=mis.name, now=now),
        "coverage": coverage.table(info, lacking=coverage.withheld(link)) if info else None,
    }


def _news(run: Import, *, mis: selectors.Mis, now: dt.datetime) -> dict[str, Any] | None:
    """Return what is said of the latest import where it failed, or where the MIS did not answer and is asked again."""
    words = selectors.words(run, mis=mis)
    if words.again_at is not None:
        return {"tone": "warn", "title": presenting.title(words), "sentence": presenting.lead(words), "run": run}
    if run.state not in presenting.BROKEN:
        return None
    title = f"{presenting.said_by_night(words, now=now)} {'failed' if run.state == 'failed' else 'was interrupted'}"
    return {"tone": "bad", "title": title, "sentence": presenting.reason(words), "run": run}


def word(mis: selectors.Mis) -> str:
    """Return what the link is called: `MIS Autolink`, `MIS Cloudlink`, or `MIS Link` where files are uploaded."""
    if mis.is_upload:
        return "MIS Link"
    return "MIS Autolink" if mis.is_push else "MIS Cloudlink"


def setup_context(link: MisLink, *, now: dt.datetime) -> dict[str, Any]:
    """Return what the set-up steps show: which are done, and the connector's own template of them."""
    info = registry.connector(link.source.connector).info
    context = {"mis_link": link, "mis": selectors.mis_of(link), **setting_up.context(link, info)}
    return context | _agents_steps(link, now=now) if info.delivery is Delivery.PUSH else context


def _agents_steps(link: MisLink, *, now: dt.datetime) -> dict[str, Any]:
    tokens = tokens_of(link)
    agent = _heard(tokens)
    checks = agent.last_check.get("checks", []) if agent else []
    return {
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
    mis = selectors.mis_of(link)
    if not mis.is_push and link.state == LinkState.WAITING:
        messages.success(request, f"Asked. {mis.name} is tried now; the first import begins once it lets us in.")
        return
    if not mis.is_push:
        messages.success(request, f"Asked. {mis.name} is fetched now; the import shows under Imports.")
        return
    agent = _heard(tokens_of(link))
    if agent is not None and agent.last_seen_at is not None and now - agent.last_seen_at <= HEARD_WITHIN:
        messages.success(request, "Asked. The agent asks the hub every 10 minutes, so the import begins within that.")
    elif agent is None:
        messages.warning(request, "Asked, but no agent has been heard yet: the import begins when it is.")
    else:
        ago = moments.ago(agent.last_seen_at, now=now) if agent.last_seen_at else "never"
        messages.warning(request, f"Asked, but the agent was last heard {ago}: the import begins when it speaks again.")


def title(link: MisLink, *, mis_name: str, now: dt.datetime, ever: bool = True) -> str:
    """Return the page's heading: how the link stands; `ever`: whether the MIS has ever let us in."""
    if link.state == LinkState.ENABLED and selectors.mis_of(link).is_upload:
        return f"{mis_name}: you upload files"
    if link.state == LinkState.ENABLED:
        return f"{mis_name} is linked, and paused" if links.is_paused(link, now=now) else f"{mis_name} is linked"
    titles = {
        LinkState.NOT_SET_UP: f"Set up {mis_name}",
        LinkState.WAITING: f"Waiting for {mis_name}",
        LinkState.AWAITING_CREDENTIALS: f"{mis_name} needs its credentials",
        LinkState.DISABLED: f"{word(selectors.mis_of(link))} is off",
        LinkState.RECONNECT: f"{mis_name} has to be connected again" if ever else f"{mis_name} did not let us in",
        LinkState.FROZEN: "The link is frozen",
    }
    return titles[LinkState(link.state)]


def came(last: Import | None, came_in: Import | None, *, now: dt.datetime) -> str:
    """Return a sentence on the last import that ended, and where it did not come in, on the last that did."""
    if last is None:
        return "Nothing was ever imported."
    said = moments.stamp(last.created_at, now=now)
    if came_in is not None and came_in.pk == last.pk:
        return f"Last import {said}."
    before = f"the last that came in is of {moments.stamp(came_in.created_at, now=now)}" if came_in else ""
    return f"The import of {said} {_ENDED.get(last.state, 'did not come in')}; {before or 'none has come in yet'}."


_ENDED: dict[str, str] = {
    ImportState.HELD: "is held",
    ImportState.FAILED: "failed",
    ImportState.INTERRUPTED: "was interrupted",
    ImportState.DISCARDED: "was discarded",
    ImportState.UNDONE: "was undone",
}


def lead(
    link: MisLink, *, mis: selectors.Mis, info: ConnectorInfo | None, came: str, ever: bool, now: dt.datetime
) -> str:
    """Return the sentences below the heading; `came` is one on the last import."""
    since = moments.stamp(link.state_since, now=now)
    match link.state:
        case LinkState.ENABLED if mis.is_upload:
            return f"Files are uploaded by hand. {came}"
        case LinkState.ENABLED:
            fetched = timetable_words(link) if mis.is_push else f"Fetched {_lower(timetable_words(link))}"
            return f"{fetched}. {came}"
        case LinkState.DISABLED:
            kept = "What arrives is kept and not imported." if mis.is_push else "Nothing is fetched."
            return f"Off since {since} by {link.state_by}. {came} {kept}"
        case LinkState.WAITING if mis.is_push:
            return f"The agent is downloaded. The first time {mis.name}'s reports arrive, the link switches itself on."
        case LinkState.WAITING:
            which = "an import" if ever else "the first import"
            return f"Since {since}. Nothing needs doing here: {which} begins by itself."
        case LinkState.NOT_SET_UP if info:
            return setting_up.lead(info)
        case LinkState.AWAITING_CREDENTIALS:
            return f"{mis.name} sends a username and password by email. Waiting for them since {since}."
        case LinkState.RECONNECT:
            if not ever:
                return "What it said is below. Set it right, and it is tried again at once."
            return f"Shut out since {since}. {came} Everybody stays as they are until it is connected again."
    return f"Since {since}."


def _lower(words: str) -> str:
    return words[:1].lower() + words[1:] if words.startswith("Every") else f"on {words}"


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


def _line(
    link: MisLink, info: ConnectorInfo | None, tokens: Sequence[AgentToken], *, imported: bool, mis_name: str
) -> list[setting_up.Step]:
    if info is not None and not setting_up.is_agents(info):
        return setting_up.pulled_line(link, info, imported=imported)
    return setting_up.pushed_line(
        link, downloaded=bool(tokens), heard=_heard(tokens) is not None, imported=imported, mis_name=mis_name
    )


def _reached(steps: Sequence[setting_up.Step], link: MisLink, runs: Sequence[Import], *, pushed: bool) -> str:
    """Return how far the set-up is: once it changes, the page is drawn anew."""
    done = sum(step.state == "done" for step in steps)
    tried = f"{link.tried_at.timestamp():.0f}" if link.tried_at else "never"
    return str(done) if pushed else f"{done}-{link.state}-{runs[0].state if runs else 'none'}-{tried}"


def _wanted_words(link: MisLink, *, now: dt.datetime) -> str:
    if not link.wanted_at:
        return ""
    return f"{link.wanted_by} asked for an import {moments.ago(link.wanted_at, now=now)}."


def _info(link: MisLink) -> ConnectorInfo | None:
    made = registry.connectors().get(link.source.connector)
    return made.info if made else None


def _heard(tokens: Sequence[AgentToken]) -> AgentToken | None:
    heard = [(token.last_seen_at, token.pk, token) for token in tokens if token.last_seen_at]
    return max(heard)[2] if heard else None


def _tone(link: MisLink, *, now: dt.datetime) -> str:
    if link.state == LinkState.ENABLED:
        return "warn" if links.is_paused(link, now=now) else "good"
    return "warn" if link.state in (LinkState.RECONNECT, LinkState.AWAITING_CREDENTIALS) else "quiet"
