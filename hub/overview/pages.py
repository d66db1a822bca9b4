"""The overview of one school, and the list of all one's schools."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from hub.accounts.models import Role
from hub.accounts.viewer import SchoolRequest, ViewedRequest, require, signed_in
from hub.core.models import Alert, Severity
from hub.overview import presenting, selectors
from imports import moments, situation, standing
from imports import selectors as import_reads
from imports.link import nights, waiting
from imports.link.nights import Night
from imports.models import Import, LinkState
from imports.pages import presenting as import_words
from imports.pages.entries import entries
from imports.situation import Situation

SHOWN = 5
_FIRST = (Severity.BAD, Severity.WARN, Severity.QUIET)


@dataclass(frozen=True, slots=True)
class NightBar:
    """One bar of the strip."""

    css: str
    day: int
    words: str
    run: Import | None


@require()
@require_safe
def overview(request: SchoolRequest, school: str) -> HttpResponseBase:
    """Answer, on one page, whether last night worked and what needs a person."""
    now = timezone.now()
    found = situation.of(request.school, now=now)
    office = request.membership.role != Role.TEACHER
    alerts: list[standing.Alert | Alert] = []
    if office:
        alerts += [*situation.alerts(found, now=now), *selectors.other_alerts(request.school)]
        alerts.sort(key=lambda alert: _FIRST.index(alert.severity))
    context = {
        "nav": "overview",
        "heading": presenting.heading(_stand(found, now=now), now=now),
        "today": moments.long_day(moments.local(now).date()),
        "found": found,
        "reports_count": found.to_copy.count,  # the frame would count it again
        "alerts": alerts,
        "need": sum(alert.severity != Severity.QUIET for alert in alerts),
        "first_steps": not found.runs and not alerts,
        "connected": selectors.connected(request.school, today=moments.local(now).date()),
        "link_tile": {"name": _link_name(found), **_link_tile(found, now=now)},
        "last_tile": _last_tile(found, now=now),
        "bars": [_bar(night) for night in found.nights],
        "summary": presenting.nights_summary([_night_words(night) for night in found.nights]),
        "entries": entries(found.runs[:SHOWN], found.nights, found.link, now=now, last=len(found.runs) <= SHOWN)[:SHOWN]
        if office
        else [],
    }
    return render(request, "overview/overview.html", context)


@signed_in
@require_safe
def all_schools(request: ViewedRequest) -> HttpResponse:
    """Show a row per school, those that need somebody first."""
    rows = selectors.school_rows(request.viewer.memberships, now=timezone.now())
    context = {"rows": rows, "need": sum(row.rank < 2 for row in rows)}
    return render(request, "overview/all_schools.html", context)


def _stand(found: Situation, *, now: dt.datetime) -> presenting.Stand:
    link = found.link
    if link is None:
        return presenting.Stand(mis_name=found.mis.name)
    on = link.state == LinkState.ENABLED
    return presenting.Stand(
        mis_name=found.mis.name,
        push=found.mis.is_push,
        upload=found.mis.is_upload,
        waiting=waiting.words(link, mis_name=found.mis.name, now=now),
        kept_waiting=situation.is_kept_waiting(link, now=now),
        link_state=link.state,
        state_since=link.state_since,
        state_by=link.state_by,
        paused_at=link.paused_at,
        latest=_words(found, found.latest),
        last_in=_words(found, _last_in(found)),
        running=_words(found, found.running),
        missed=[night.night for night in situation.missed_in_a_row(found.nights)] if on else [],
        next_due=nights.next_due(link, now=now),
        to_mend=import_reads.to_mend(found.rejected),
    )


def _words(found: Situation, run: Import | None) -> import_words.Run | None:
    return import_reads.words(run, mis=found.mis) if run is not None else None


def _last_in(found: Situation) -> Import | None:
    return next((run for run in found.finished if run.state in import_words.IN), None)


def _link_name(found: Situation) -> str:
    if found.link is None or found.mis.is_push:
        return "MIS Auto Link"
    return "MIS Link" if found.mis.is_upload else "MIS Cloudlink"


def _link_tile(found: Situation, *, now: dt.datetime) -> dict[str, Any]:
    """Return the first tile: its look, its figure, its small print, and whether the switch shows and stands on."""
    link = found.link
    if link is None or link.state == LinkState.NOT_SET_UP:
        return {
            "css": "off",
            "figure": "Not set up",
            "small": "Nothing comes in before an MIS is linked.",
            "setup": True,
        }
    chip = selectors.link_chip(link)
    tile: dict[str, Any] = {"figure": chip.text, "on": situation.is_on(link), "switch": True}
    if link.state == LinkState.DISABLED:
        last = _last_in(found)
        came = f", last import {moments.stamp(last.finished_at or last.created_at, now=now)}" if last else ""
        since = f"off since {moments.stamp(link.state_since, now=now)}{came}"
        return tile | {"css": "off", "small": f"{found.mis.name} · {since}"}
    agent = f"agent seen {moments.ago(found.agent_seen, now=now)}" if found.agent_seen else "agent not seen yet"
    parts = [found.mis.name, *([agent] if found.mis.is_push else [])]
    if found.mis.is_upload:
        return tile | {"small": f"{found.mis.name} · files are uploaded by hand", "switch": False}
    if link.state in (LinkState.WAITING, LinkState.AWAITING_CREDENTIALS):
        return tile | {"small": " · ".join(parts), "setup": True, "switch": False}
    nightly = presenting.schedule_words(link.weekdays, link.run_at)
    parts.append(nightly if found.mis.is_push else f"fetched {nightly}")
    if link.paused_until is not None and link.paused_until > moments.local(now).date():
        parts.append(f"paused until {moments.day(link.paused_until, now=now)}")
    tones = {"bad": "bad", "warn": "warn"}
    return tile | {"css": tones.get(chip.tone, ""), "small": " · ".join(parts)}


def _last_tile(found: Situation, *, now: dt.datetime) -> dict[str, Any]:
    """Return the second tile: when the last import came, how long ago, how long it took, when the next is due."""
    due = nights.next_due(found.link, now=now) if found.link is not None else None
    following = f"next {moments.coming(due, now=now)}" if due else ""
    run = _last_in(found)
    if run is None:
        return {"css": "off", "figure": "Nothing yet", "small": following}
    when = run.finished_at or run.created_at
    parts = [moments.ago(when, now=now)]
    if run.started_at and run.finished_at:
        parts.append(f"took {moments.took(run.started_at, run.finished_at)}")
    chip = import_words.outcome(run.state)
    small = " · ".join([*parts, *([following] if following else [])])
    well = run is found.latest and not situation.missed_in_a_row(found.nights)
    figure = moments.near(when, now=now)
    return {"figure": figure, "small": small, "chip": chip, "reassure": bool(due) and well, "run": run}


def _bar(night: Night) -> NightBar:
    words = f"{moments.long_day(night.date)}: {_night_words(night)}"
    return NightBar(presenting.NIGHTS[night.state][0], night.date.day, words, night.run)


def _night_words(night: Night) -> str:
    if night.state == "none" and night.run is not None:
        return import_words.outcome(night.run.state).text.lower()
    return presenting.NIGHTS[night.state][1]
