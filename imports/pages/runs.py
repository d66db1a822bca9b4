"""Pages that show imports: the list, one import with every change, its live phases, its changes as CSV."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.core.paginator import Page, Paginator
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_safe
from django_htmx.http import HttpResponseClientRefresh

from hub.accounts.models import Role
from hub.accounts.viewer import SchoolRequest, require
from hub.core.tables import csv_response
from imports import moments, selectors
from imports.link import nights, waiting
from imports.link.links import current_link
from imports.models import HELD_STATES, OPEN_STATES, Import, ImportKind, ImportState, MisLink
from imports.pages import change_lines, presenting, wording
from imports.pages.entries import Entry, entries, kind_words
from imports.pages.wording import Line
from imports.undoing import POSSIBLE_FOR

PER_PAGE = 50
REJECTED_SHOWN = 10
KINDS = (("pupil", "Pupils"), ("contact", "Parents"), ("staff", "Staff"))
PHASES = (
    (ImportState.QUEUED, "Waiting to start"),
    (ImportState.COLLECTING, "Collecting"),
    (ImportState.READING, "Reading the file"),
    (ImportState.PLANNING, "Working out what changed"),
    (ImportState.APPLYING, "Saving"),
)


@dataclass(frozen=True, slots=True)
class Filter:
    """One choice that narrows a list; `count` tells how much is behind it."""

    label: str
    query: str
    count: int
    current: bool


@require(Role.ADMINISTRATOR, Role.OFFICE)
@require_safe
def import_list(request: SchoolRequest, school: str) -> HttpResponseBase:
    """Show the school's imports, nights that did not arrive among them."""
    now = timezone.now()
    link = current_link(request.school)
    mis = selectors.mis_of(link)
    page = Paginator(selectors.runs(request.school), PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "nav": "imports",
        "waiting": waiting.words(link, mis_name=mis.name, now=now) if link else "",
        "entries": _entries(page, link, now=now),
        "page": page,
        "linked": link is not None,
        "mis": mis,
        "rejected": selectors.to_mend(selectors.rejection_counts(request.school)),
        "next_due": _next(link, now),
    }
    return render(request, "imports/list.html", context)


@require(Role.ADMINISTRATOR, Role.OFFICE)
@require_safe
def import_detail(request: SchoolRequest, school: str, import_id: int) -> HttpResponseBase:
    """Show one import: what it changed, kept, rejected and why; or what it would do."""
    now = timezone.now()
    run = selectors.find_run(request.school, import_id)
    if run is None:
        return _tried_in_vain(request, import_id, now=now)
    mis = selectors.mis_of(run.link)
    if run.preview and mis.is_upload:
        return redirect("imports:sheet", school, run.pk)
    words = selectors.words(run, mis=mis)
    context = {
        "nav": "imports",
        "run": run,
        "words": words,
        "waits": words.waits,
        "mis": mis,
        "chip": presenting.outcome(run.state, preview=run.preview, delivery=mis.delivery, again_at=words.again_at),
        "title": presenting.title(words),
        "lead": presenting.lead(words),
        "advices": presenting.advices(words),
        "words_tally": presenting.tally(words),
        "in_file": presenting.in_file(words),
        "kind": kind_words(run.kind, mis.name, preview=run.preview),
        "when": moments.stamp(words.when, now=now),
        "took": moments.took(run.started_at, run.finished_at) if run.started_at and run.finished_at else "",
        "live": run.state in OPEN_STATES and words.again_at is None,
        "phases": phases(run, is_push=run.kind != ImportKind.CLOUDLINK),
        "rejected": list(selectors.rejections_of(run)[:REJECTED_SHOWN]),
        "rejected_count": selectors.rejections_of(run).count(),
        "left": change_lines.left_lines(run.left_by_undo, school_id=run.school_id),
        "removals": removals_held(run) or len(who_would_go(run)),
        "wrong_school": is_another_schools(run),
        "can_import": run.preview
        and run.state not in (*OPEN_STATES, ImportState.FAILED)
        and not is_another_schools(run),
        "at_once": _at_once(run, mis.source, now=now) if shows_plan(run) and not run.preview else [],
        "can_undo": can_undo(run, now=now),
        "has_file": run.payload is not None and run.payload.stored,
    } | _changes(request, run, now=now)
    return render(request, "imports/detail.html", context)


def _tried_in_vain(request: SchoolRequest, import_id: int, *, now: dt.datetime) -> HttpResponseBase:
    """Say of a run that the MIS did not let us in yet: it is no import, though somebody may be watching it."""
    link, at = selectors.try_in_vain(request.school, import_id)
    title, lead = waiting.tried_in_vain(link, at, mis_name=selectors.mis_of(link).name, now=now)
    context = {"nav": "imports", "title": title, "lead": lead, "when": moments.stamp(at, now=now)}
    return render(request, "imports/not_let_in.html", context)


@require(Role.ADMINISTRATOR, Role.OFFICE)
@require_safe
def import_phases(request: SchoolRequest, school: str, import_id: int) -> HttpResponseBase:
    """Answer the poll of a running import: its phase now, or "show the whole page again" once it ended."""
    run = selectors.find_run(request.school, import_id)
    if run is None:
        selectors.try_in_vain(request.school, import_id)
    if run is None or run.state not in OPEN_STATES:
        return HttpResponseClientRefresh()
    mis = selectors.mis_of(run.link)
    context = {
        "run": run,
        "school": request.school,
        "phases": phases(run, is_push=run.kind != ImportKind.CLOUDLINK),
        "mis": mis,
    }
    return render(request, "imports/_phases.html", context)


@require(Role.ADMINISTRATOR, Role.OFFICE)
@require_safe
def import_changes_csv(request: SchoolRequest, school: str, import_id: int) -> HttpResponseBase:
    """Download every change of one import."""
    now = timezone.now()
    run = selectors.run_of(request.school, import_id)
    mis = selectors.mis_of(run.link)
    header = ("Person", "Who", "What happened", "Field", "Before", "After", "Beside it", "Why")
    stored = selectors.changes(run).iterator(chunk_size=2000)
    found = (
        (wording.would_line(row, mis_name=mis.source) for row in _would(run))
        if shows_plan(run)
        else change_lines.every_line(run, stored, mis_name=mis.source, now=now)
    )
    return csv_response(f"import-{run.pk}-changes.csv", header, _rows(found))


@require(Role.ADMINISTRATOR, Role.OFFICE)
@require_safe
def import_removals(request: SchoolRequest, school: str, import_id: int) -> HttpResponseBase:
    """List exactly who would go, and ask what to do about it."""
    now = timezone.now()
    run = selectors.run_of(request.school, import_id)
    mis = selectors.mis_of(run.link)
    would = who_would_go(run)
    page = Paginator(would, PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "nav": "imports",
        "run": run,
        "mis": mis,
        "when": moments.stamp(selectors.words(run, mis=mis).when, now=now),
        "page": page,
        "lines": change_lines.would_lines(list(page), school_id=run.school_id, mis_name=mis.source),
        "removals": removals_held(run) or len(would),
        "waits": selectors.words(run, mis=mis).waits,
    }
    return render(request, "imports/removals.html", context)


def _entries(page: Page[Import], link: MisLink | None, *, now: dt.datetime) -> list[Entry]:
    """Return the rows of one page: its imports, and between them the nights that stayed away."""
    missed = nights.missed(link, now=now) if link is not None else []
    if page.number > 1:
        newest = max((run.created_at for run in page), default=now)
        missed = [night for night in missed if night.due_at is not None and night.due_at < newest]
    return entries(list(page), missed, link, now=now, last=not page.has_next())


def phases(run: Import, *, is_push: bool) -> list[tuple[str, str]]:
    """Return (class, words) of each phase: done, now, or still to come."""
    shown = [(state, words) for state, words in PHASES if not (is_push and state == ImportState.COLLECTING)]
    order = [state for state, _ in shown]
    here = order.index(ImportState(run.state)) if run.state in order else 0
    if run.state == ImportState.QUEUED and run.payload_id is not None and not is_push:
        here = order.index(ImportState.READING)  # fetched, and waiting for a worker
    return [("done" if at < here else "now" if at == here else "", words) for at, (_, words) in enumerate(shown)]


def removals_held(run: Import) -> int:
    """Return how many people would go if somebody agreed."""
    held = run.counts.get("removals_held", {}) if run.state in HELD_STATES and not run.preview else {}
    return sum(held.values())


def who_would_go(run: Import) -> list[dict[str, Any]]:
    """Return one row per person whom the import would end."""
    people: dict[tuple[Any, Any], dict[str, Any]] = {}
    for row in _would(run) if run.state in HELD_STATES else ():
        if row.get("action") == "ended":
            people.setdefault((row.get("kind"), row.get("person_id") or row.get("person")), row)
    return list(people.values())


def can_undo(run: Import, *, now: dt.datetime) -> bool:
    """Whether the page offers to undo; the service has the last word."""
    if run.preview or run.undone_at or run.state not in (ImportState.APPLIED, ImportState.PARTLY_HELD):
        return False
    return now - (run.finished_at or run.created_at) <= POSSIBLE_FOR


def shows_plan(run: Import) -> bool:
    """Whether the page shows what the import would do, because it has done nothing."""
    return run.preview or run.state in (ImportState.HELD, ImportState.DISCARDED)


def _at_once(run: Import, mis_name: str, *, now: dt.datetime) -> list[Line]:
    """Return what a held import did all the same: access that the MIS took away."""
    done = list(selectors.changes(run)[:PER_PAGE])
    return change_lines.lines_of(done, school_id=run.school_id, mis_name=mis_name, now=now) if done else []


def _would(run: Import) -> list[dict[str, Any]]:
    """Return what an import would do; nothing for another school's file, whose people nobody here may see."""
    return [] if is_another_schools(run) else list(run.would)


def is_another_schools(run: Import) -> bool:
    """Whether the file was refused because it is about another school."""
    return any(reason.get("code") == "wrong_school" for reason in run.reasons)


def _changes(request: SchoolRequest, run: Import, *, now: dt.datetime) -> dict[str, Any]:
    """Return the page of changes that was asked for, and the filters with their counts."""
    kind, action = _asked(request, "kind", dict(KINDS)), _asked(request, "action", wording.ACTIONS)
    mis = selectors.mis_of(run.link)
    if shows_plan(run):
        would = _would(run)
        counts = _count_would(would)
        rows = [row for row in would if _is(row, "kind", kind) and _is(row, "action", action)]
        page: Page[Any] = Paginator(rows, PER_PAGE).get_page(request.GET.get("page"))
        lines = change_lines.would_lines(list(page), school_id=run.school_id, mis_name=mis.source)
    else:
        counts = selectors.change_counts(run)
        paginator = Paginator(selectors.changes(run, kind=kind, action=action), PER_PAGE)
        paginator.count = _total(counts, kind, action)  # known already; counted once, not twice
        page = paginator.get_page(request.GET.get("page"))
        lines = change_lines.lines_of(list(page), school_id=run.school_id, mis_name=mis.source, now=now)
    return {
        "page": page,
        "lines": lines,
        "plan": shows_plan(run),
        "total": sum(counts.values()),
        "kinds": _filters(KINDS, "kind", kind, {"action": action}, lambda one: _total(counts, one, action)),
        "actions": _filters(
            tuple(wording.ACTIONS.items()), "action", action, {"kind": kind}, lambda one: _total(counts, kind, one)
        ),
        "query": urlencode({name: value for name, value in (("kind", kind), ("action", action)) if value}),
    }


def _filters(
    choices: Sequence[tuple[str, str]], name: str, current: str, others: dict[str, str], count: Any
) -> list[Filter]:
    kept = {key: value for key, value in others.items() if value}
    found = [Filter("All", urlencode(kept), count(""), not current)]
    for value, label in choices:
        if number := count(value):
            found.append(Filter(label, urlencode({name: value, **kept}), number, value == current))
    return found


def _total(counts: dict[tuple[str, str], int], kind: str, action: str) -> int:
    return sum(n for (of, did), n in counts.items() if kind in ("", of) and action in ("", did))


def _count_would(rows: Sequence[dict[str, Any]]) -> dict[tuple[str, str], int]:
    counts: dict[tuple[str, str], int] = {}
    for row in rows:
        key = (str(row.get("kind", "")), str(row.get("action", "")))
        counts[key] = counts.get(key, 0) + 1
    return counts


def _is(row: dict[str, Any], name: str, wanted: str) -> bool:
    return not wanted or row.get(name) == wanted


def _asked(request: SchoolRequest, name: str, allowed: Any) -> str:
    value = request.GET.get(name, "")
    return value if value in allowed else ""


def _rows(lines: Iterator[Line]) -> Iterator[tuple[str, ...]]:
    for line in lines:
        yield (
            line.person.name,
            line.person.about,
            wording.ACTIONS.get(line.action, line.action),
            line.what,
            line.before,
            line.after,
            line.aside,
            line.why,
        )


def _next(link: MisLink | None, now: dt.datetime) -> str:
    due = nights.next_due(link, now=now) if link is not None else None
    return moments.coming(due, now=now) if due else ""
