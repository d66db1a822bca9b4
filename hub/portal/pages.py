"""The portal's pages that only show: home, children, details, approvals, messages."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_safe

from hub.messaging import choosing
from hub.messaging.kinds import PARENTS
from hub.people.models import Contact
from hub.portal import history, presenting, selectors, words
from hub.portal.presenting import Waiting
from hub.portal.selectors import Child, Record
from hub.portal.viewer import ParentRequest, parent
from verification.models import Origin, Status

View = Callable[..., HttpResponseBase]


def connected(view: View) -> View:
    """A `parent` page that can only be read; a login without any connection reads what to do about that."""

    @wraps(view)
    def inner(request: ParentRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not request.connections:
            return render(request, "portal/nothing.html")
        return view(request, *args, **kwargs)

    return parent(require_safe(inner))


@connected
def home(request: ParentRequest) -> HttpResponse:
    """What needs the parent, and the children."""
    now = timezone.now()
    records = selectors.records(request.connections)
    rows = selectors.waiting(request.connections, now)
    waiting = presenting.waiting_of(records, rows, now, selectors.pairs(records))
    context = {
        "tab": "home",
        "greeting": _greeting(request, now),
        "lead": _lead(waiting),
        "waiting": waiting,
        "portal_asked": len(waiting.questions),
        "children": selectors.children(request.connections, selectors.today()),
        "several_schools": len(records) > 1,
    }
    return render(request, "portal/home.html", context)


@connected
def children(request: ParentRequest) -> HttpResponse:
    """Each child, as its school has it; other adults are nobody's business here."""
    found: list[Child] = selectors.children(request.connections, selectors.today())
    return render(request, "portal/children.html", {"tab": "children", "children": found})


@connected
def details(request: ParentRequest) -> HttpResponse:
    """Email and mobile at each school, and everything that has changed."""
    now = timezone.now()
    records = selectors.records(request.connections)
    waiting = _waiting(request, records, now)
    context = {
        "tab": "details",
        "waiting": waiting,
        "portal_asked": len(waiting.questions),
        "cards": presenting.cards_of(records, waiting),
        "history": _history(request, records, now),
        "several_schools": len(records) > 1,
    }
    return render(request, "portal/details.html", context)


@connected
def approvals(request: ParentRequest) -> HttpResponse:
    """What schools have asked to change: what is open, and what was answered or lapsed."""
    now = timezone.now()
    records = selectors.records(request.connections)
    waiting = _waiting(request, records, now)
    context = {
        "tab": "approvals",
        "waiting": waiting,
        "portal_asked": len(waiting.questions),
        "answered": _answered(request, records, now),
        "schools": selectors.frozen_at(request.connections) if waiting.frozen else [],
    }
    return render(request, "portal/approvals.html", context)


@connected
def approval(request: ParentRequest, change_id: int) -> HttpResponse:
    """One proposal: the question while it is open, afterwards what became of it."""
    now = timezone.now()
    change = get_object_or_404(selectors.changes(request.connections).exclude(origin=Origin.PERSON), pk=change_id)
    change = selectors.as_it_reads(change, now)
    records = selectors.records(request.connections)
    waiting = _waiting(request, records, now)
    question = next(
        (
            question
            for question in waiting.questions
            if change.status == Status.PENDING and question.kind == change.field
        ),
        None,
    )
    context = {
        "tab": "approvals",
        "question": question,
        "schools": selectors.frozen_at(request.connections) if waiting.frozen else [],
        "entry": history.history_of(records, [change], now)[0],
        "answered_title": words.answered_title(change),
        "answered_lead": words.answered_lead(change),
    }
    return render(request, "portal/approval.html", context)


@parent
@require_http_methods(["GET", "HEAD", "POST"])
def notices(request: ParentRequest) -> HttpResponse:
    """How the parent wants to hear of what."""
    return choosing.page(
        request,
        account=request.account,
        audiences=[PARENTS],
        template="portal/notices.html",
        here=reverse("portal:notices"),
        context={"tab": "notices"},
    )


@connected
def messages(request: ParentRequest) -> HttpResponse:
    """The place kept for messages."""
    return render(request, "portal/messages.html", {"tab": "messages"})


def _waiting(request: ParentRequest, records: list[Record], now: dt.datetime) -> Waiting:
    return presenting.waiting_of(records, selectors.waiting(request.connections, now), now)


def _history(request: ParentRequest, records: list[Record], now: dt.datetime) -> list[history.Entry]:
    """What is over; what is open stands above it, with its button."""
    rows = [row for row in selectors.recent(request.connections, now) if not selectors.is_open(row, now)]
    return history.history_of(records, rows, now)


def _answered(request: ParentRequest, records: list[Record], now: dt.datetime) -> list[history.Entry]:
    rows = selectors.recent(request.connections, now)
    asked = [row for row in rows if row.origin != Origin.PERSON and row.status != Status.KEPT]
    asked = [row for row in asked if not selectors.is_open(row, now)]
    return history.history_of(records, asked, now)


def _greeting(request: ParentRequest, now: dt.datetime) -> str:
    owners = (one.contact or one.staff for one in request.connections)
    forename = next((one.forename for one in owners if one and (one.forename or isinstance(one, Contact))), "")
    name = forename or str(request.account)
    hour = timezone.localtime(now).hour
    if hour < 12:
        return _("Good morning, {name}").format(name=name)
    if hour < 18:
        return _("Good afternoon, {name}").format(name=name)
    return _("Good evening, {name}").format(name=name)


def _lead(waiting: Waiting) -> str:
    if not waiting.count:
        return "" if waiting.frozen else _("All is as it should be.")
    return ngettext("{number} thing waits for you.", "{number} things wait for you.", waiting.count).format(
        number=waiting.count
    )
