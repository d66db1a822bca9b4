"""The panel on a person's page that says how their record stands: not connected, invited, connected."""

from __future__ import annotations

from typing import Any

from django import template
from django.utils import timezone

from hub.people import selectors as people
from hub.people.judging import display
from hub.people.models import Contact, Staff
from hub.people.why import INVITED, Standing
from verification import children
from verification.invitations import rules, selectors
from verification.invitations.rules import Ask, Refusal
from verification.invitations.words import refusal_sentence
from verification.models import Invitation

register = template.Library()
LAPSED = Standing("warn", "Lapsed")


@register.inclusion_tag("verification/_connection_panel.html", takes_context=True)
def connection_panel(context: template.Context, person: Contact | Staff) -> dict[str, Any]:
    """Show a record's way to Connected, with the office's verbs."""
    now, request = timezone.now(), context.get("request")
    record = selectors.record_of(person, now)
    decided = rules.decide(record, now=now)
    history, connection = selectors.history_of(person, now), people.open_connection(person)
    return {
        "person": person,
        "owner": "staff" if isinstance(person, Staff) else "contacts",
        "school": context.get("school"),
        "may_edit": context.get("may_edit"),
        "csrf_token": context.get("csrf_token"),
        "here": request.path if request else "",
        "connection": connection,
        "ended": None if connection else selectors.last_ended(person),
        "history": history,
        "sent_to": _sent_to(history.newest),
        "way": decided.channel if isinstance(decided, Ask) else "",
        "to": _shown(decided.to) if isinstance(decided, Ask) else "",
        "by_text_too": isinstance(decided, Ask) and decided.channel == rules.EMAIL and _free(record, now),
        "mobile": display("mobile", record.mobile),
        "why_not": refusal_sentence(decided, str(person)) if isinstance(decided, Refusal) else "",
        "may_print": not isinstance(rules.decide(record, channel=rules.LETTER, now=now), Refusal),
        "denied": _denied(person),
    }


@register.simple_tag
def standing_now(person: Contact | Staff, standing: Standing) -> Standing:
    """Return how a record stands, as the panel says it: of the Invited, whose link opens nothing any more is Lapsed."""
    if standing != INVITED or selectors.history_of(person, timezone.now()).is_open:
        return standing
    return LAPSED


def _free(record: rules.Record, now: Any) -> bool:
    return isinstance(rules.decide(record, channel=rules.TEXT, now=now), Ask)


def _shown(address: str) -> str:
    return address if "@" in address else display("mobile", address)


def _sent_to(newest: Invitation | None) -> str:
    if newest is None:
        return ""
    return "by letter" if newest.channel == rules.LETTER else f"to {_shown(newest.sent_to)}"


def _denied(person: Contact | Staff) -> list[tuple[Any, Any]]:
    if isinstance(person, Staff):
        return []
    links = selectors.denied_links(person)
    return [(link, children.row_of(link)) for link in links]
