"""The report *Connection status*, and inviting everybody from it."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from hub.accounts.models import Role
from hub.accounts.viewer import SchoolRequest, require
from hub.core.tables import csv_response
from hub.people.models import Contact
from verification.invitations import connections, inviting, letter_making
from verification.invitations.connections import PARENTS, STAFF, STATES, Wanted
from verification.invitations.inviting import Planned
from verification.invitations.letter_making import AT_ONCE
from verification.invitations.rules import Reason, Refusal
from verification.invitations.words import HEADINGS, short_reason
from verification.selectors import letter_life

OFFICE = (Role.ADMINISTRATOR, Role.OFFICE)
PER_PAGE = 50
NAMED = 200
"""Names in one list of people left out; the rest is a number."""
RESULT = "invited_everybody"


@require(*OFFICE)
@require_safe
def report(request: SchoolRequest, school: str) -> HttpResponseBase:
    """Who is connected, who is invited, and who is still to be."""
    now, years = timezone.now(), connections.year_groups(request.school)
    wanted = _wanted(request, years)
    found = connections.everybody(request.school, wanted.who, now)
    counts = connections.counts(request.school, wanted.who, now)
    pages = Paginator(connections.narrowed(found, wanted).values_list("pk", flat=True), PER_PAGE)
    if not wanted.year:
        pages.count = counts[wanted.state]
    page = pages.get_page(request.GET.get("page"))
    people = connections.loaded(connections.these(request.school, wanted.who, list(page), now), wanted.who, now)
    context = {
        "nav": "reports",
        "report": "connections",
        "wanted": wanted,
        "counts": counts,
        "percent": _percent(counts["connected"], counts["all"]),
        "states": [(name, label, counts[name], _with(wanted, state=name)) for name, label in STATES.items()],
        "years": [(year, _with(wanted, year=year)) for year in years],
        "every_year": _with(wanted, year=""),
        "page": page,
        "rows": list(connections.rows(people, school, now)),
        "query": wanted.query,
    }
    return render(request, "verification/connections.html", context)


def _wanted(request: SchoolRequest, years: list[str]) -> Wanted:
    said = request.GET
    state = said.get("show", "")
    return Wanted(
        who=STAFF if said.get("who") == STAFF else PARENTS,
        state=state if state in STATES else connections.ALL,
        year=said.get("year", "") if said.get("year") in years else "",
    )


def _with(wanted: Wanted, **other: str) -> str:
    kept: dict[str, Any] = {"who": wanted.who, "state": wanted.state, "year": wanted.year}
    return Wanted(**(kept | other)).query


def _percent(part: int, whole: int) -> str:
    if not whole or not part:
        return "0 %"
    share = 100 * part / whole
    return "under 1 %" if share < 1 else f"{int(share)} %"


@require(*OFFICE)
@require_safe
def report_csv(request: SchoolRequest, school: str) -> HttpResponseBase:
    """The same as CSV, every page of it."""
    now, wanted = timezone.now(), _wanted(request, connections.year_groups(request.school))
    found = connections.narrowed(connections.everybody(request.school, wanted.who, now), wanted)
    name = f"connection-status-{request.school.dfe_number}.csv"
    return csv_response(
        name, connections.HEADER, connections.cells(connections.loaded(found, wanted.who, now), school, now)
    )


# Inviting everybody


@require(*OFFICE)
@require_http_methods(["GET", "HEAD", "POST"])
def invite_all(request: SchoolRequest, school: str) -> HttpResponseBase:
    """Say exactly who would be invited how, and who is left out and why; then do it."""
    now = timezone.now()
    if request.method == "POST":
        done = inviting.invite_all(school=request.school, by=request.account, now=now)
        request.session[RESULT] = {"sent": dict(done.sent), "left_out": _numbers(done.skipped)}
        return redirect("verification:invited_all", school)
    planned = inviting.plan(school=request.school, now=now)
    letters = letter_making.without_letter(request.school, planned.letters, now)
    context = {
        "nav": "reports",
        "report": "connections",
        "by_channel": planned.by_channel,
        "total": len(planned.asks),
        "letters": len(letters),
        "held": len(planned.letters) - len(letters),
        "letter_days": letter_life(request.school).days,
        "left_out": _left_out(request, planned),
    }
    return render(request, "verification/invite_all.html", context)


def _left_out(request: SchoolRequest, planned: Planned) -> list[dict[str, Any]]:
    """Return, by reason, how many are left out and the first names with what is particular about each."""
    by_reason: dict[Reason, list[tuple[int, Refusal]]] = {}
    for contact_id, refusal in planned.skipped.items():
        by_reason.setdefault(refusal.reason, []).append((contact_id, refusal))
    named = [one for group in by_reason.values() for one, _ in group[:NAMED]]
    people = Contact.objects.filter(school=request.school).in_bulk(named)
    return [
        {
            "heading": HEADINGS[reason],
            "count": len(group),
            "people": [(people[one], short_reason(refusal)) for one, refusal in group[:NAMED]],
            "more": max(0, len(group) - NAMED),
        }
        for reason in HEADINGS
        if (group := by_reason.get(reason))
    ]


def _numbers(skipped: dict[int, Refusal]) -> list[tuple[str, int]]:
    found = dict.fromkeys(HEADINGS, 0)
    for refusal in skipped.values():
        found[refusal.reason] += 1
    return [(HEADINGS[reason], count) for reason, count in found.items() if count]


@require(*OFFICE)
@require_safe
def invited_all(request: SchoolRequest, school: str) -> HttpResponseBase:
    """Say what inviting everybody did, and what is left to do on paper."""
    result = request.session.get(RESULT)
    if result is None:
        return redirect("verification:connections", school)
    now = timezone.now()
    planned = inviting.plan(school=request.school, now=now)
    letters = letter_making.without_letter(request.school, planned.letters, now)
    context = {
        "nav": "reports",
        "report": "connections",
        "sent": result["sent"],
        "total": sum(result["sent"].values()),
        "left_out": result["left_out"],
        "letters": len(letters),
        "at_once": AT_ONCE,
    }
    return render(request, "verification/invited_all.html", context)


@require(*OFFICE)
@require_POST
def letters(request: SchoolRequest, school: str) -> HttpResponseBase:
    """Print the letters of those who have neither email nor mobile: printing makes the codes."""
    printed = letter_making.print_letters(school=request.school, by=request.account, now=timezone.now())
    if not printed.count:
        messages.info(request, "Everybody without email and mobile holds a letter that is still good.")
        return redirect("verification:connections", school)
    return pdf_response(printed.pdf, f"letters-{request.school.dfe_number}.pdf")


def pdf_response(pdf: bytes, name: str) -> HttpResponse:
    """Return a PDF to save or print; it holds codes, so no cache keeps it."""
    response = HttpResponse(pdf, content_type="application/pdf")
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    response["Cache-Control"] = "no-store"
    return response
