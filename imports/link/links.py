"""The MIS Link: choosing an MIS, switching it on and off, its timetable, and the agent's tokens.

Every change of a link goes through here, is audited, and first writes down the nights that were due
under the old timetable, so that no change of plan can hide a night that did not arrive.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets

from django.db import transaction
from django.db.models import Max

from hub.accounts.models import Account
from hub.core.models import School
from hub.people.models import MisSource
from imports import moments
from imports.link import nights, schedule
from imports.link.changing import LinkRefused, become, info_of, lock, want, write_down
from imports.link.onboarding import SettingsRefused, authorised, await_credentials, begin_waiting, give_settings
from imports.models import AgentToken, Import, ImportState, LinkState, MisLink, Payload
from mis_connectors.base import Delivery

__all__ = ["LinkRefused", "SettingsRefused", "authorised", "await_credentials", "begin_waiting", "give_settings"]

TOKEN_PREFIX = "sg_"  # noqa: S105 – how a token begins, so that one is known when seen
_TOKEN_BYTES = 24
TOLD_TO_WAIT = "told_to_wait"
"""The reason of a run whose MIS said when to come back."""
_ON = (LinkState.ENABLED, LinkState.WAITING)
_NOT_ENABLED = "The MIS Link is not enabled. Enable it first, then import."
_NOT_ON = {
    LinkState.NOT_SET_UP.value: "The link to {mis} is not enabled yet. Follow its steps, then import.",
    LinkState.AWAITING_CREDENTIALS.value: "Type in the credentials from {mis}'s email first; they are tried at once.",
    LinkState.RECONNECT.value: "{mis} no longer lets us in. Connect it again first; an import then begins by itself.",
}


def current_link(school: School) -> MisLink | None:
    """Return the link of the MIS the school uses now, or None before one was chosen."""
    links = MisLink.objects.select_related("source", "school").filter(school=school, source__ended_at=None)
    return links.order_by("-source__generation").first()


@transaction.atomic
def create_link(*, school: School, connector: str, by: Account | None, now: dt.datetime) -> MisLink:
    """Choose the school's MIS: a source and its link, not set up yet, for every night at 02:00.

    Where files are uploaded there is nothing to set up, and no night.

    Raises `LinkRefused` for an MIS that is not installed, or where the school has one already.
    """
    info = info_of(connector)
    School.objects.select_for_update().get(pk=school.pk)
    if (link := current_link(school)) is not None:
        raise LinkRefused(f"This school is already linked to {info_of(link.source.connector).mis_name}.")
    last = MisSource.objects.filter(school=school).aggregate(last=Max("generation"))["last"] or 0
    source = MisSource.objects.create(
        school=school, connector=info.slug, mis_name=info.mis_name, field_names=dict(info.field_names),
        generation=last + 1, started_at=now,
    )  # fmt: skip
    by_hand = info.delivery is Delivery.UPLOAD
    link = MisLink.objects.create(
        school=school, source=source, state_since=now, state_by=str(by or ""),
        state=LinkState.ENABLED if by_hand else LinkState.NOT_SET_UP,
        weekdays=[] if by_hand else list(schedule.EVERY_NIGHT),
    )  # fmt: skip
    write_down(link, "created", by=by, now=now, connector=info.slug)
    return link


@transaction.atomic
def enable(*, link: MisLink, by: Account, now: dt.datetime) -> MisLink:
    """Switch the link on: nights are expected from `now`. On already: nothing happens.

    An MIS we fetch from is waited for where it never let us in. Raises `LinkRefused` while the link is frozen by a
    change of MIS, and for an MIS we fetch from that is not set up.
    """
    lock(link)
    if link.state == LinkState.ENABLED:
        return link
    if link.state == LinkState.FROZEN:
        raise LinkRefused("This link is frozen while the school changes its MIS. Finish or cancel the change first.")
    off_since, state = link.state_since, LinkState.ENABLED
    if info_of(link.source.connector).delivery is Delivery.PULL:
        if link.state != LinkState.DISABLED:
            raise LinkRefused("This link is not set up yet: follow its steps, and it switches itself on.")
        state = LinkState.ENABLED if _was_let_in(link) else LinkState.WAITING
    become(link, state, by=str(by), now=now)
    _want_what_was_kept(link, since=off_since, by=by, now=now)
    write_down(link, "enabled", by=by, now=now)
    return link


@transaction.atomic
def enable_at_first_arrival(*, link: MisLink, token: AgentToken, now: dt.datetime) -> MisLink:
    """Switch on a link that waited for its MIS: whoever set the agent up asked for just this."""
    lock(link)
    if link.state == LinkState.WAITING:
        become(link, LinkState.ENABLED, by=token.created_by, now=now)
        write_down(link, "enabled", by=None, now=now, because="first arrival")
    return link


@transaction.atomic
def disable(*, link: MisLink, by: Account, now: dt.datetime) -> MisLink:
    """Switch the link off: nothing is expected, and what still arrives is kept and not applied.

    Raises `LinkRefused` if it is not on.
    """
    lock(link)
    if link.state == LinkState.DISABLED:
        return link
    if link.state not in (*_ON, LinkState.AWAITING_CREDENTIALS, LinkState.RECONNECT):
        raise LinkRefused("This link is not on.")
    nights.record_due(link=link, now=now)
    link.state, link.state_since, link.state_by = LinkState.DISABLED, now, str(by)
    link.scheduled_since, link.wanted_at, link.wanted_by = None, None, ""
    link.save()
    write_down(link, "disabled", by=by, now=now)
    return link


@transaction.atomic
def resume(*, link: MisLink, by: Account, now: dt.datetime) -> MisLink:
    """End a pause, whether until a date or after an undo: nights are expected from `now`."""
    lock(link)
    if not is_paused(link, now=now):
        return link
    nights.record_due(link=link, now=now)
    since = link.paused_at
    link.paused_until, link.paused_at, link.paused_why = None, None, ""
    link.scheduled_since = now if link.state == LinkState.ENABLED else None
    link.save()
    _want_what_was_kept(link, since=since, by=by, now=now)
    write_down(link, "resumed", by=by, now=now)
    return link


@transaction.atomic
def pause_until(*, link: MisLink, until: dt.date, by: Account, now: dt.datetime) -> MisLink:
    """Skip the nights before `until`; the link then goes on by itself.

    Raises `LinkRefused` if that day is not ahead.
    """
    if until <= schedule.local_date(now):
        raise LinkRefused("Choose a day after today: the link goes on by itself on that day.")
    lock(link)
    nights.record_due(link=link, now=now)
    link.paused_until = until
    link.save(update_fields=["paused_until"])
    write_down(link, "paused", by=by, now=now, until=until.isoformat())
    return link


@transaction.atomic
def pause_after_undo(*, link: MisLink, why: str, by: Account, now: dt.datetime) -> MisLink:
    """Stop the nights until somebody resumes: tonight's run would say again what was just undone."""
    lock(link)
    nights.record_due(link=link, now=now)
    link.paused_at, link.paused_why, link.wanted_at = now, why[:300], None
    link.save(update_fields=["paused_at", "paused_why", "wanted_at"])
    write_down(link, "paused", by=by, now=now, why=why)
    return link


@transaction.atomic
def set_schedule(*, link: MisLink, weekdays: list[int], run_at: dt.time, by: Account, now: dt.datetime) -> MisLink:
    """Choose the nights and their time in London, from `now` on.

    Raises `LinkRefused` for no night at all, or a day that is none of 1 Monday … 7 Sunday, and where files are
    uploaded.
    """
    if info_of(link.source.connector).delivery is Delivery.UPLOAD:
        raise LinkRefused("Files are uploaded by hand: no night is expected.")
    chosen = sorted(set(weekdays))
    if not chosen or not set(chosen) <= set(schedule.EVERY_NIGHT):
        raise LinkRefused("Choose at least one night. To stop for a while, pause the link instead.")
    lock(link)
    nights.record_due(link=link, now=now)
    link.weekdays, link.run_at = chosen, run_at
    if link.scheduled_since is not None:
        link.scheduled_since = now
    link.save(update_fields=["weekdays", "run_at", "scheduled_since"])
    write_down(link, "scheduled", by=by, now=now, weekdays=chosen, run_at=f"{run_at:%H:%M}")
    return link


@transaction.atomic
def want_run(*, link: MisLink, by: Account, now: dt.datetime) -> MisLink:
    """Ask for an import now. Asking again while one is awaited changes nothing.

    Raises `LinkRefused` while the link is off, or paused after an undo, and until its MIS may be asked again.
    """
    lock(link)
    info = info_of(link.source.connector)
    if info.delivery is Delivery.UPLOAD:
        raise LinkRefused("Upload a file instead: nothing is fetched here.")
    if link.state not in _ON:
        raise LinkRefused(_NOT_ON.get(link.state, _NOT_ENABLED).format(mis=info.mis_name))
    if link.paused_at is not None:
        raise LinkRefused("The link is paused after an undo. Resume it first, or the same would come in again.")
    if (until := told_to_wait(link, now=now)) is not None:
        raise LinkRefused(
            f"{info.mis_name} has asked us to wait. It is asked again {moments.coming(until, now=now)}, by itself."
        )
    if link.wanted_at is None:
        want(link, by=str(by), now=now)
        write_down(link, "wanted", by=by, now=now)
    return link


@transaction.atomic
def create_token(*, link: MisLink, name: str, by: Account, now: dt.datetime) -> tuple[AgentToken, str]:
    """Return a new token and its secret, which is shown this once and kept only as a hash.

    A link that was not set up now waits for its MIS. Raises `LinkRefused` without a name.
    """
    if not (name := " ".join(name.split())[:100]):
        raise LinkRefused("Give this copy of the agent a name, such as the computer it will run on.")
    lock(link)
    secret = TOKEN_PREFIX + secrets.token_urlsafe(_TOKEN_BYTES)
    token = AgentToken.objects.create(
        school_id=link.school_id,
        link=link,
        name=name,
        token_hash=hash_token(secret),
        created_at=now,
        created_by=str(by),
    )
    if link.state == LinkState.NOT_SET_UP:
        link.state, link.state_since, link.state_by = LinkState.WAITING, now, str(by)
        link.save(update_fields=["state", "state_since", "state_by"])
    write_down(link, "token_created", by=by, now=now, name=name)
    return token, secret


@transaction.atomic
def revoke_token(*, token: AgentToken, by: Account, now: dt.datetime) -> AgentToken:
    """End a copy of the agent: it can no longer sign in. Ended already: nothing happens."""
    token.refresh_from_db(from_queryset=AgentToken.objects.select_for_update())
    if token.revoked_at is None:
        token.revoked_at, token.revoked_by = now, str(by)
        token.save(update_fields=["revoked_at", "revoked_by"])
        write_down(token.link, "token_revoked", by=by, now=now, name=token.name)
    return token


def hash_token(secret: str) -> str:
    """Return what is kept of a token. It has 192 random bits, so a plain hash cannot be guessed back."""
    return hashlib.sha256(secret.encode()).hexdigest()


def is_paused(link: MisLink, *, now: dt.datetime) -> bool:
    """Whether nights are skipped at present."""
    by_date = link.paused_until is not None and schedule.local_date(now) < link.paused_until
    return by_date or link.paused_at is not None


def holds_arrivals(link: MisLink, *, now: dt.datetime) -> str:
    """Return why what arrives now is only kept, as a sentence; empty where it is imported.

    A pause until a date lets through what somebody asked for; one after an undo lets nothing through.
    """
    asked = link.paused_at is None and link.wanted_at is not None
    return "" if asked else pause_words(link, now=now)


def pause_words(link: MisLink, *, now: dt.datetime) -> str:
    """Return why and until when nights are skipped, as a sentence; empty while they are not."""
    if link.paused_at is not None:
        return (
            f"Paused since {moments.stamp(link.paused_at, now=now)}: {link.paused_why or 'until somebody resumes it.'}"
        )
    if link.paused_until is not None and is_paused(link, now=now):
        return f"Paused until {moments.day(link.paused_until, now=now)}; it then goes on by itself."
    return ""


def told_to_wait(link: MisLink, *, now: dt.datetime) -> dt.datetime | None:
    """Return until when the MIS has asked us to leave it alone; None where it has not."""
    waiting = Import.objects.filter(
        school_id=link.school_id, link=link, state=ImportState.QUEUED, payload=None, not_before__gt=now
    ).first()
    told = waiting is not None and any(said.get("code") == TOLD_TO_WAIT for said in waiting.reasons)
    return waiting.not_before if waiting and told else None


def _want_what_was_kept(link: MisLink, *, since: dt.datetime | None, by: Account, now: dt.datetime) -> None:
    """Ask for an import where something arrived while none could come in: the MIS then says it afresh.

    An MIS we fetch from is asked in any case.
    """
    if since is None or link.state not in _ON or link.wanted_at is not None:
        return
    kept = Payload.objects.filter(school_id=link.school_id, link=link, received_at__gte=since, imports=None)
    if kept.exists() or info_of(link.source.connector).delivery is Delivery.PULL:
        want(link, by=str(by), now=now)


def _was_let_in(link: MisLink) -> bool:
    return Import.objects.filter(school_id=link.school_id, link=link, payload__isnull=False).exists()
