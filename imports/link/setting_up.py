"""How a link comes to be let in, for the page that leads through it: the line of steps, and the form below them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings

from hub.core.keyring import KeyringError
from hub.core.models import AuditEntry
from imports import moments
from imports.link import secrets
from imports.link.access import platform_of
from imports.link.forms import SettingsForm
from imports.models import AgentToken, LinkState, MisLink
from mis_connectors.base import ConnectorInfo, Delivery, SetUp
from mis_connectors.errors import ConnectorConfigError

SHOWN_IN = (LinkState.NOT_SET_UP, LinkState.WAITING, LinkState.AWAITING_CREDENTIALS, LinkState.RECONNECT)
"""States in which the page of the link shows the steps; in others they have a page of their own."""
_HOW = {
    SetUp.AGENT: "Autolink: a small program on a computer of your school sends everybody every night.",
    SetUp.GRANT: "Cloudlink: you grant access in {mis}, and everybody is fetched every night.{grace}",
    SetUp.CONSENT: "Cloudlink: you sign in at {mis} and allow it, and everybody is fetched every night.",
    SetUp.CREDENTIALS: "Cloudlink: {mis} sends a username and password by email, they are typed in here, and "
    "everybody is fetched every night.",
    SetUp.FILE: "You upload a file whenever something has changed. Nothing comes in by night.",
}
_LEADS = {
    SetUp.AGENT: "Six steps, about half an hour, at a computer on which your MIS runs.",
    SetUp.GRANT: "A few steps in {mis}, about five minutes; {mis} then takes up to {hours} hours.",
    SetUp.CONSENT: "A few steps in {mis}, about five minutes. The first import then begins at once.",
    SetUp.CREDENTIALS: "A few steps in {mis}, about five minutes, and then a wait for an email.",
    SetUp.FILE: "There is nothing to connect: upload a file.",
}


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the line from nothing to enabled. `state`: done, now, bad or later."""

    name: str
    state: str


def how(info: ConnectorInfo) -> str:
    """Return in one sentence how a school with this MIS is connected."""
    hours = round(info.grace.total_seconds() / 3600)
    grace = f" {info.mis_name} takes up to {hours} hours to let us in." if hours else ""
    return _HOW[info.set_up].format(mis=info.mis_name, grace=grace)


def lead(info: ConnectorInfo) -> str:
    """Return what awaits whoever begins."""
    return _LEADS[info.set_up].format(mis=info.mis_name, hours=round(info.grace.total_seconds() / 3600) or "a few")


def pulled_line(link: MisLink, info: ConnectorInfo, *, imported: bool) -> list[Step]:
    """Return the way of a link to an MIS we fetch from, of which one step is under way, or has failed."""
    name, begun = info.mis_name, link.state != LinkState.NOT_SET_UP
    opened = {
        SetUp.GRANT: [("Access granted", begun)],
        SetUp.CONSENT: [(f"Allowed in {name}", begun)],
        SetUp.CREDENTIALS: [
            ("Our company added", begun),
            ("Credentials typed in", begun and link.state != LinkState.AWAITING_CREDENTIALS),
        ],
    }.get(info.set_up, [])
    answers = (f"{name} lets us in", link.state == LinkState.ENABLED)
    return steps_of(
        [(f"{name} chosen", True), *opened, answers, ("First import", imported and link.state == LinkState.ENABLED)],
        stuck=link.state == LinkState.RECONNECT,
    )


def pushed_line(link: MisLink, *, downloaded: bool, heard: bool, imported: bool, mis_name: str) -> list[Step]:
    """Return the way of a link that an agent feeds."""
    return steps_of(
        [
            (f"{mis_name} chosen", True),
            ("Agent downloaded", downloaded),
            ("Agent heard", heard),
            ("First import", imported),
            ("Enabled", link.state == LinkState.ENABLED),
        ]
    )


def steps_of(done: Sequence[tuple[str, bool]], *, stuck: bool = False) -> list[Step]:
    """Return the steps: those that are done, the one under way – or stuck – and those after it."""
    steps, current = [], "bad" if stuck else "now"
    for name, reached in done:
        steps.append(Step(name, "done" if reached else current))
        if not reached and current != "later":
            current = "later"
    return steps


def context(link: MisLink, info: ConnectorInfo) -> dict[str, Any]:
    """Return what the set-up of a link shows beside the connector's own steps, in three queries at most."""
    lacking = ""
    try:
        platform_of(info.slug)
    except ConnectorConfigError as error:
        lacking = error.message
    return {
        "info": info,
        "set_up": info.set_up.value,
        "setup_template": info.setup_template,
        "hub": settings.PUBLIC_URL,
        "dfe_number": link.school.dfe_number,
        "steps_done": link.state in (LinkState.WAITING, LinkState.ENABLED),
        "steps_begun": link.state != LinkState.NOT_SET_UP and link.state != LinkState.RECONNECT,
        "not_ready": lacking,
        "settings_form": settings_form(link, info) if info.setting_fields else None,
    }


def settings_form(link: MisLink, info: ConnectorInfo, data: Any = None) -> SettingsForm:
    """Return the form of what a school types in; what is secret is never in it, only since when it is known."""
    hidden = [field for field in info.setting_fields if field.secret]
    kept: dict[str, str] = {}
    if hidden and link.secrets:
        when, known = _typed_in(link), _known(link)
        kept = {field.name: when for field in hidden if known.get(field.name)}
    return SettingsForm(data, fields=info.setting_fields, known=link.settings, kept=kept)


def can_be_tested(link: MisLink, info: ConnectorInfo) -> bool:
    """Whether there is anything yet that the MIS could be asked with."""
    if info.delivery is not Delivery.PULL or link.state == LinkState.AWAITING_CREDENTIALS:
        return False
    return info.set_up is SetUp.GRANT or link.state != LinkState.NOT_SET_UP


def is_agents(info: ConnectorInfo) -> bool:
    """Whether an agent in the school's network sends."""
    return info.delivery is Delivery.PUSH


def tokens_of(link: MisLink) -> list[AgentToken]:
    """Return the copies of the agent that may sign in, the latest first."""
    tokens = AgentToken.objects.filter(school_id=link.school_id, link=link, revoked_at=None)
    return list(tokens.order_by("-created_at"))


def _known(link: MisLink) -> dict[str, str]:
    try:
        return secrets.secrets_of(link)
    except KeyringError:
        return {}  # What no key opens has to be typed in again.


def _typed_in(link: MisLink) -> str:
    given = AuditEntry.objects.filter(
        school_id=link.school_id, object_kind="link", object_id=link.pk, action="link.settings_given"
    )
    at: dt.datetime | None = given.order_by("-at").values_list("at", flat=True).first()
    return moments.day(moments.local(at).date()) if at else "earlier"
