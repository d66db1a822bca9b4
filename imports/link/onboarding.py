"""How a link to an MIS we fetch from comes to be let in, and is shut out again: every step from chosen to enabled.

The verbs are called from the page of the link; `let_in` and `shut_out` by what was collected.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from django.db import transaction

from hub.accounts.models import Account
from imports.link import nights, schedule, secrets
from imports.link.changing import LinkRefused, become, info_of, lock, want, write_down
from imports.models import LinkState, MisLink
from mis_connectors.base import ChecksSettings, ConnectorInfo, SetUp
from mis_connectors.registry import connector

_OFF = (LinkState.DISABLED, LinkState.FROZEN)


class SettingsRefused(LinkRefused):
    """What was typed in cannot be right; `problems` says by field why."""

    def __init__(self, problems: Mapping[str, str]) -> None:
        super().__init__("Something here cannot be right yet.")
        self.problems = dict(problems)


@transaction.atomic
def begin_waiting(*, link: MisLink, by: Account, now: dt.datetime) -> MisLink:
    """The school says that it has granted access in its MIS: wait for it, and try at once.

    Said again while waiting, it only tries again. Raises `LinkRefused` where there is nothing to wait for.
    """
    lock(link)
    if link.state == LinkState.ENABLED:
        return link
    if info_of(link.source.connector).set_up is not SetUp.GRANT:
        raise LinkRefused("Nothing is granted in this MIS. Follow the steps of the set-up instead.")
    if link.state not in (LinkState.NOT_SET_UP, LinkState.RECONNECT, LinkState.WAITING):
        raise LinkRefused("This link is switched off. Enable it first.")
    if link.state != LinkState.WAITING:
        _wait(link, by=by, now=now)
        write_down(link, "waiting", by=by, now=now)
    want(link, by=str(by), now=now)
    return link


@transaction.atomic
def await_credentials(*, link: MisLink, by: Account, now: dt.datetime) -> MisLink:
    """The school has asked its MIS for our credentials, which the MIS mails. Said again: nothing happens.

    Raises `LinkRefused` for a link that is further, or off.
    """
    lock(link)
    if link.state == LinkState.AWAITING_CREDENTIALS:
        return link
    if link.state != LinkState.NOT_SET_UP:
        raise LinkRefused("This link is set up already. Type in new credentials instead.")
    link.state, link.state_since, link.state_by = LinkState.AWAITING_CREDENTIALS, now, str(by)[:200]
    link.save(update_fields=["state", "state_since", "state_by"])
    write_down(link, "awaiting_credentials", by=by, now=now)
    return link


@transaction.atomic
def give_settings(*, link: MisLink, values: Mapping[str, str], by: Account, now: dt.datetime) -> MisLink:
    """Keep what the school typed in; credentials are tried at once. A secret left empty stays as it is.

    Raises `SettingsRefused` for what cannot be right, and `LinkRefused` for a link that is off.
    """
    lock(link)
    if link.state in _OFF:
        raise LinkRefused("This link is switched off. Enable it first.")
    info = info_of(link.source.connector)
    given = {field.name: str(values.get(field.name, "")).strip() for field in info.setting_fields}
    if problems := _problems(link, info, given):
        raise SettingsRefused(problems)
    hidden = {field.name for field in info.setting_fields if field.secret}
    link.settings = {**link.settings, **{name: given[name] for name in given if name not in hidden}}
    secrets.merge(link, {name: given[name] for name in hidden if given[name]})
    link.save(update_fields=["settings", "secrets"])
    write_down(link, "settings_given", by=by, now=now, names=sorted(name for name in given if given[name]))
    if info.set_up is SetUp.CREDENTIALS:
        _wait(link, by=by, now=now)
    if link.state == LinkState.WAITING:
        want(link, by=str(by), now=now)
    return link


@transaction.atomic
def authorised(*, link: MisLink, kept: Mapping[str, str], by: Account, now: dt.datetime) -> MisLink:
    """The school consented at its MIS: keep what the code was exchanged for, and try at once.

    Raises `LinkRefused` for a link that is off.
    """
    lock(link)
    if link.state in _OFF:
        raise LinkRefused("This link is switched off. Enable it first.")
    secrets.merge(link, kept)
    link.save(update_fields=["secrets"])
    write_down(link, "authorised", by=by, now=now, names=sorted(kept))
    _wait(link, by=by, now=now)
    want(link, by=str(by), now=now)
    return link


def let_in(link: MisLink, *, now: dt.datetime) -> None:
    """The MIS answered: a link that waited, or had been shut out, is on. Call it with the link locked."""
    if link.state not in (LinkState.WAITING, LinkState.RECONNECT):
        return
    nights.record_due(link=link, now=now)
    paused = link.paused_at, link.paused_until, link.paused_why
    become(link, LinkState.ENABLED, by=link.state_by, now=now)
    link.paused_at, link.paused_until, link.paused_why = paused
    link.save(update_fields=["paused_at", "paused_until", "paused_why"])
    write_down(link, "enabled", by=None, now=now, because="let in")


@dataclass(frozen=True, slots=True)
class Refusal:
    """What it means that the MIS refuses us: `quiet` where nothing has failed, and the state from now on."""

    quiet: bool
    state: str


def refusal(state: str, info: ConnectorInfo) -> Refusal:
    """Return what a refusal means to a link in this state. Pure."""
    if state == LinkState.WAITING:
        return Refusal(True, state) if info.grace else Refusal(False, LinkState.RECONNECT)
    if state == LinkState.ENABLED:
        return Refusal(False, LinkState.RECONNECT)
    return Refusal(True, state)


def shut_out(link: MisLink, *, sentence: str, now: dt.datetime) -> Refusal:
    """The MIS refuses us: remember it, and say what it means. Call it with the link locked."""
    found = refusal(link.state, info_of(link.source.connector))
    link.tried_at, link.tried_said = now, sentence[:500]
    if found.state != link.state:
        nights.record_due(link=link, now=now)
        link.state, link.state_since = found.state, now
        write_down(link, "shut_out", by=None, now=now)
    link.save(update_fields=["tried_at", "tried_said", "state", "state_since"])
    return found


def expected_by(link: MisLink, info: ConnectorInfo) -> dt.datetime | None:
    """Return when a link that waits should have been let in: the first night after the time its MIS takes.

    None where nothing is waited for.
    """
    if link.state != LinkState.WAITING or not info.grace:
        return None
    due = nights.trials(link).next_after(link.state_since + info.grace)
    return due.due_at if due else None


def is_kept_waiting(link: MisLink, info: ConnectorInfo, *, now: dt.datetime) -> bool:
    """Whether a link has waited longer than its MIS takes: that night's try was in vain, or did not happen."""
    due_at = expected_by(link, info)
    if due_at is None or now < due_at:
        return False
    return (link.tried_at is not None and link.tried_at >= due_at) or now >= due_at + schedule.GRACE


def _wait(link: MisLink, *, by: Account, now: dt.datetime) -> None:
    nights.record_due(link=link, now=now)
    become(link, LinkState.WAITING, by=str(by), now=now)


def _problems(link: MisLink, info: ConnectorInfo, given: Mapping[str, str]) -> dict[str, str]:
    known = secrets.secrets_of(link)
    whole = {
        field.name: given[field.name] or (known.get(field.name, "") if field.secret else "")
        for field in info.setting_fields
    }
    problems = {
        field.name: f"Type in the {field.label[:1].lower()}{field.label[1:]}."
        for field in info.setting_fields
        if field.required and not whole[field.name]
    }
    made = connector(info.slug)
    if isinstance(made, ChecksSettings):
        problems = {**made.problems_of(whole, dfe_number=link.school.dfe_number), **problems}
    return problems
