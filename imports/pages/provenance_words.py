"""The story of one email or mobile in words: each thing that was done becomes an event. Reads rows already loaded."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass, replace

from hub.core.models import AuditEntry
from hub.people.judging import display
from hub.people.models import Connection, ContactDetail, DetailSource
from imports.models import ImportChange
from verification.models import DetailChange, Invitation, InvitationChannel, MisState, Origin, Status

NONE = "none"
_AFTER_A_YES = (Status.WAITING, Status.EXPIRED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that was done. `takes_effect`: from then on `value` was the one in use."""

    at: dt.datetime
    text: str
    tone: str = "quiet"
    value: str = ""
    takes_effect: bool = False
    import_id: int | None = None
    note: str = ""
    rank: int = 1
    """Of two at one moment the higher came of the lower."""


@dataclass(frozen=True, slots=True)
class Said:
    """What the words are about: an email or a mobile, and the name of the MIS."""

    kind: str
    mis: str

    def show(self, value: str) -> str:
        return display(self.kind, value) or NONE


# Imports


def of_import(change: ImportChange, at: dt.datetime, said: Said, *, undone: bool) -> Event:
    """Return what one import did to the detail."""
    note = "This import was undone." if undone else ""
    if change.model != "detail":
        value = str(change.after.get(said.kind, ""))
        text = f"It came from {said.mis} with the person: {said.show(value)}."
        return Event(at=at, text=text, value=value, takes_effect=not undone, import_id=change.run_id, note=note)
    value, mis = change.after.get("value", ""), change.after.get("mis_value", "")
    if change.action != "kept":
        text = f"{said.mis} says {said.show(mis)}, and it was taken."
        if change.why == "mis_over_office":
            before = said.show(change.before.get("value", ""))
            text = f"{said.mis} began to say {said.show(mis)}: it took the place of {before}, which the office entered."
        return Event(at=at, text=text, value=value, takes_effect=not undone, import_id=change.run_id, note=note)
    if mis == value:
        text, tone = f"{said.mis} says {said.show(mis)} too.", "good"
    elif value:
        text, tone = f"{said.mis} began to say {said.show(mis)}; {said.show(value)} was kept.", "warn"
    else:
        text, tone = f"{said.mis} has {said.show(mis)}, and the person has confirmed none.", "warn"
    return Event(at=at, text=text, tone=tone, import_id=change.run_id, note=note)


def of_undo(change: ImportChange, said: Said, *, left: bool) -> Event:
    """Return what undoing an import did to the detail. `left`: it had moved on, or its person had connected."""
    run = change.run
    assert run.undone_at is not None
    did = f"{run.undone_by or 'Somebody'} undid import {run.pk}"
    if left or change.model != "detail":
        return Event(at=run.undone_at, text=f"{did}; this had been used since, and stayed.", import_id=run.pk)
    before = str(change.before.get("value", ""))
    if before == change.after.get("value", ""):
        mis = said.show(str(change.before.get("mis_value", "")))
        return Event(at=run.undone_at, text=f"{did}: {said.mis} is taken to say {mis} again.", import_id=run.pk)
    text = f"{did}: it is {said.show(before)} again."
    return Event(at=run.undone_at, text=text, value=before, takes_effect=True, import_id=run.pk)


def elsewhere(event: Event) -> Event:
    """Return an event of a record that was made one with this: what was used there was not used here by that."""
    note = "At a record that is one with this since."
    return replace(event, note=f"{event.note} {note}".strip(), takes_effect=False)


# Rows of the report


def of_change(change: DetailChange, said: Said) -> Iterator[Event]:
    """Yield what was asked, what became of it, and how the MIS followed."""
    if change.origin == Origin.IMPORT and change.status in (Status.KEPT, Status.OFFER):
        yield _kept(change, said)
    else:
        yield from _asked(change, said)
        yield from _answered(change, said)
    yield from _followed(change, said)


def _kept(change: DetailChange, said: Said) -> Event:
    if change.status == Status.OFFER:
        text = (
            f"{said.mis} has {said.show(change.new_value)}, and the person has confirmed none: it is offered to them."
        )
    else:
        kept = said.show(change.new_value)
        text = f"{said.mis} says {said.show(change.old_value)}; {kept} was kept, and is to be copied there."
    return Event(at=change.made_at, text=text, tone="warn", import_id=change.by_import)


def _asked(change: DetailChange, said: Said) -> Iterator[Event]:
    """Yield the wish, unless it took effect at once: then that alone is told."""
    if change.effective_at == change.made_at:
        return
    wish = f"change it to {said.show(change.new_value)}" if change.new_value else "take it out"
    who = change.made_by
    if change.origin == Origin.PERSON:
        text = f"{who} asked to {wish}. A code went there, to prove that it is theirs."
    elif change.origin == Origin.IMPORT:
        text = f"{said.mis} says {said.show(change.new_value)}, so the person was asked whether that is right."
    else:
        text = f"{who}, for the school, asked the person to {wish}."
    yield Event(at=change.made_at, text=text, tone="live", import_id=change.by_import, rank=0)


def _answered(change: DetailChange, said: Said) -> Iterator[Event]:
    value, by = said.show(change.new_value), change.answered_by or "The person"
    if change.effective_at is not None:
        yield _took_effect(change, said)
    elif change.status == Status.APPROVED or (change.status in _AFTER_A_YES and change.answered_at):
        yield Event(at=change.answered_at or change.made_at, text=f"{by} approved {value}.", tone="live")
    if change.status == Status.REJECTED and change.answered_at:
        reason = f" “{change.reason}”" if change.reason else ""
        yield Event(at=change.answered_at, text=f"{by} rejected {value}.{reason}", tone="warn")
    if change.status == Status.WITHDRAWN and change.answered_at:
        yield Event(at=change.answered_at, text=f"The change to {value} was withdrawn. {change.reason}".strip())
    if change.status == Status.EXPIRED and change.deadline:
        proof = change.answered_at or change.origin == Origin.PERSON
        why = "It was not proved" if proof else "Nobody answered"
        yield Event(at=change.deadline, text=f"{why} in 168 hours: the change to {value} expired.")
    if change.status == Status.FROZEN:
        at = change.answered_at or change.made_at
        text = f"“This was not me”: {value} was taken back, and the login was frozen."
        yield Event(at=at, text=text, tone="bad", value=str(change.previous.get("value", "")), takes_effect=True)
        if change.settled_at:
            yield Event(at=change.settled_at, text=f"{change.settled_by or 'The office'} lifted the freeze.")


def _took_effect(change: DetailChange, said: Said) -> Event:
    assert change.effective_at is not None
    value = said.show(change.new_value)
    if change.origin == Origin.ORGANISATION and not change.answered_at:
        did = f"entered {value} for the school" if change.new_value else "took it out for the school"
        text, note = f"{change.made_by} {did}.", "The person was not connected, so nobody was asked."
    elif change.origin == Origin.PERSON:
        did = f"changed it to {value} and proved it" if change.new_value else "took it out"
        text, note = f"{change.made_by} {did}.", ""
    else:
        by = change.answered_by or "The person"
        text, note = f"{by} approved {value} and proved that it is theirs.", f"Asked by {change.made_by}."
    return Event(at=change.effective_at, text=text, tone="good", value=change.new_value, takes_effect=True, note=note)


def _followed(change: DetailChange, said: Said) -> Iterator[Event]:
    if change.settled_at is None or change.status == Status.FROZEN:
        return
    value = said.show(change.new_value)
    if change.mis_state == MisState.DONE:
        who = change.settled_by or "The office"
        yield Event(at=change.settled_at, text=f"{who} marked {value} as typed into {said.mis}.", rank=2)
    elif change.mis_state in (MisState.UPDATED, MisState.REPLACED) and not change.settled_by:
        text = f"{said.mis} showed {value}: settled." if change.settled_import else f"{said.mis} had {value} already."
        yield Event(at=change.settled_at, text=text, tone="good", import_id=change.settled_import, rank=2)


# The audit, connections, invitations


def of_audit(entry: AuditEntry, said: Said) -> Event | None:
    """Return what an entry tells of this detail; None where it is about the other one."""
    who, data = entry.actor_name, entry.data
    if entry.action == "person.detail_edited":
        if data.get("kind") != said.kind:
            return None
        value = str(data.get("after", ""))
        did = f"entered {said.show(value)} for the school" if value else "took it out for the school"
        return Event(at=entry.at, text=f"{who} {did}.", value=value, takes_effect=True)
    if entry.action == "person.connected":
        proved = said.kind in data.get("verified", ())
        text = f"{who} connected and proved this {said.kind}." if proved else f"{who} connected."
        note = "From then on no import writes, fills or clears it."
        return Event(at=entry.at, text=text, tone="good", note=note)
    if entry.action == "person.merged":
        return Event(at=entry.at, text=f"{who} made two of their records one.")
    if entry.action == "person.merge_undone":
        return Event(at=entry.at, text=f"{who} made them two records again.")
    if entry.action == "person.undeliverable" and data.get("kind", said.kind) == said.kind:
        return Event(at=entry.at, text="Messages to it did not arrive.", tone="bad")
    return None


def of_end(tie: Connection) -> Event:
    """Return the end of a connection."""
    assert tie.ended_at is not None
    why = f" {tie.ended_why}." if tie.ended_why else ""
    return Event(at=tie.ended_at, text=f"The connection with their login ended.{why}")


def of_invitation(invitation: Invitation, said: Said) -> Event:
    """Return an invitation that went to this address, or was printed."""
    if invitation.channel == InvitationChannel.LETTER:
        text = f"{invitation.sent_by} printed an invitation as a letter."
    else:
        text = f"{invitation.sent_by} sent an invitation to {said.show(invitation.sent_to)}."
    return Event(at=invitation.sent_at, text=text)


def of_detail(detail: ContactDetail, said: Said) -> Iterator[Event]:
    """Tell by the detail alone how it came to be, where nothing else does any more."""
    if not detail.value and detail.source == DetailSource.MIS:
        return
    value, by = said.show(detail.value), detail.changed_by or "Somebody"
    text = {
        DetailSource.MIS: f"It came from {said.mis}: {value}.",
        DetailSource.PERSON: f"{by} confirmed {value}.",
        DetailSource.ORGANISATION: f"{by} entered {value} for the school.",
    }[DetailSource(detail.source)]
    yield Event(at=detail.changed_at, text=text, value=detail.value, takes_effect=True, import_id=detail.changed_import)
