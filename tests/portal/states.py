"""A family in every state there is, and an address of each page of the portal."""

from __future__ import annotations

from typing import Any

from django.urls import reverse
from django.utils import timezone

from hub.people.models import ContactDetail
from tests.factories.changes import make_change
from tests.factories.people import make_contact, make_pupil, tie
from tests.portal.conftest import DAY, Parent, ask

STATES: list[dict[str, Any]] = [
    {"mis_state": "to_update"},
    {"mis_state": "updated", "settled_at": True},
    {"mis_state": "done", "settled_at": True},
    {"mis_state": "differs"},
    {"mis_state": "replaced"},
    {"status": "approved", "origin": "organisation", "answered_at": True},
    {"status": "approved", "origin": "organisation"},
    {"status": "rejected", "origin": "organisation", "answered_at": True, "reason": "It is old."},
    {"status": "expired", "origin": "organisation", "deadline": True},
    {"status": "expired", "deadline": True},
    {"status": "withdrawn", "answered_at": True},
    {"status": "frozen", "settled_at": True},
    {"status": "kept"},
    {"status": "kept", "new_value": "", "old_value": "other@example.org", "field": "email"},
    {"field": "record"},
]


def everything(parent: Parent) -> dict[str, str]:
    """Fill a family with every state there is, and return an address of each page."""
    now = timezone.now()
    for fields in STATES:
        fields = {key: now - DAY if value is True else value for key, value in fields.items()}
        made = make_change(parent.contact, **{"made_at": now - DAY, "effective_at": now - DAY, **fields})
    denied = make_pupil(parent.contact.school, "Ada", "Okafor")
    make_change(parent.contact, made_at=now, field="child", pupil=denied, old_value="", new_value="")
    question = ask(parent.contact, deadline=now + DAY)
    other = ask(parent.elsewhere, "other@example.org")
    waiting = ask(parent.elsewhere, "+447700900002", "mobile", status="waiting", origin="person")
    over = ask(parent.elsewhere, status="expired")
    twin = make_contact(parent.contact.school, "Ngozi", "Okafor-Bell")
    tie(twin, parent.account)
    ContactDetail.objects.filter(contact=parent.contact, kind="mobile").update(mis_value="+447700900199")
    first = make_change(parent.contact, made_at=now - DAY)
    assert made
    return {
        "home": reverse("portal:home"),
        "children": reverse("portal:children"),
        "not_mine": reverse("portal:not_mine", args=[parent.pupil.pk]),
        "merge": reverse("portal:merge", args=[parent.contact.pk, twin.pk]),
        "approvals": reverse("portal:approvals"),
        "approval": reverse("portal:approval", args=[question.pk]),
        "over": reverse("portal:approval", args=[over.pk]),
        "no": reverse("portal:no", args=[other.pk]),
        "details": reverse("portal:details"),
        "proof": reverse("portal:proof", args=[waiting.batch]),
        "not_me": reverse("portal:not_me", args=[first.batch]),
        "email": reverse("portal:change", args=["email"]),
        "mobile": reverse("portal:change", args=["mobile"]),
        "take_out": reverse("portal:take_out", args=["mobile"]),
        "notices": reverse("portal:notices"),
        "messages": reverse("portal:messages"),
    }
