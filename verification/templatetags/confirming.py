"""What a person's page shows of questions and freezes: for templates of the domains below."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django import template
from django.utils import timezone

from hub.core.templatetags.frame import when
from hub.people.judging import display
from verification.changes import selectors
from verification.models import DetailChange, Origin, Status
from verification.owners import Owner, login_of

register = template.Library()


@dataclass(frozen=True, slots=True)
class Shown:
    """One row of the card, with the verbs that are possible."""

    change: DetailChange
    value: str
    tone: str
    state: str
    sentence: str
    may_withdraw: bool = False
    may_ask: bool = False
    may_lift: bool = False


@register.inclusion_tag("verification/_open_changes.html", takes_context=True)
def open_changes(context: template.Context, person: Owner) -> dict[str, Any]:
    """Show what waits for this person's answer or proof, what was asked in vain, and what is frozen."""
    request = context.get("request")
    connected = login_of(person) is not None
    rows = [shown(one, connected=connected) for one in selectors.standing_questions(person, timezone.now())]
    return {
        "rows": rows,
        "person": person,
        "school": context.get("school"),
        "may_edit": context.get("may_edit"),
        "here": request.path if request else "",
        "csrf_token": context.get("csrf_token"),
    }


def shown(change: DetailChange, *, connected: bool) -> Shown:
    """Return how one row is shown, by its status."""
    own = change.origin == Origin.PERSON
    value = display(change.field, change.new_value) or "None"
    ask = connected and not own
    if change.status == Status.PENDING:
        sentence = f"{change.made_by} asked on {when(change.made_at)}. They have until {when(change.deadline)}."
        return Shown(change, value, "warn", "Pending approval", sentence, may_withdraw=True, may_ask=ask)
    if change.status == Status.WAITING:
        begun = "They are changing it themselves" if own else f"They said yes on {when(change.answered_at)}"
        sentence = f"{begun}; the code at the new address must be entered by {when(change.deadline)}."
        return Shown(change, "" if own else value, "live", "Waiting for proof", sentence)
    if change.status == Status.FROZEN:
        sentence = f"{change.reason} It went back to what it was. They can change nothing until you lift the freeze."
        return Shown(change, value, "bad", "Frozen", sentence, may_lift=True)
    if change.status == Status.REJECTED:
        sentence = f"{change.answered_by} said no on {when(change.answered_at)}: “{change.reason}”"
        return Shown(change, value, "quiet", "Rejected", sentence, may_ask=ask)
    sentence = f"There was no answer by {when(change.deadline)}, so nothing was changed."
    if change.answered_at:
        sentence = f"They said yes on {when(change.answered_at)}, and did not prove it by {when(change.deadline)}."
    return Shown(change, value, "quiet", "Expired", sentence, may_ask=ask)
