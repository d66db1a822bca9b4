"""Verbs by which people answer what their school asks to change: yes, for one school or all, or no, with a reason.

Every answer is a conditional update: of two that come at once one is taken, and the other is told.
"""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass

from django.db import transaction
from django.utils.translation import gettext as _

from hub.accounts.models import Account
from hub.core import audit
from verification import telling
from verification.changes import changing, effects, rules
from verification.changes.drafting import draft
from verification.changes.words import too_late
from verification.errors import ChangeRefused
from verification.models import DetailChange, Origin, ProofCode, Status
from verification.owners import Circle, Owner, circle_of, key_of, lock, of_owner
from verification.reporting import settling


@dataclass(frozen=True, slots=True)
class Answered:
    """A yes: made already, or waiting for the code that was sent to the new address."""

    needs_proof: bool
    code: ProofCode | None
    batch: uuid.UUID


def approve(*, account: Account, change: DetailChange, everywhere: bool, by_name: str, now: dt.datetime) -> Answered:
    """Say yes to what a school asks; `everywhere`: at every other record of this login too.

    In use at once where the value is proved already, else when the code is entered, until the same
    deadline. Raises ChangeRefused where it was answered, withdrawn or is too late, CodeRefused for
    too many codes.
    """
    with circle_of(account) as circle, transaction.atomic():
        owner, asked = _lock(circle, change, now, everywhere=everywhere)
        kind, value = asked.field, asked.new_value
        others = [one for one in circle.owners if everywhere and one != owner and _differs(one, kind, value)]
        if not value:
            for one in (owner, *others):
                effects.refuse_the_last(one, kind)
        effects.stop_waiting(of_owner(owner, kind), reason="The school’s change was approved instead.", now=now)
        asked.answered_at, asked.answered_by = now, by_name[:200]
        rows = [asked, *(_sibling(asked, one, account, by_name, now) for one in others)]
        if rules.approval(value, effects.proven_values(circle, kind)) == rules.Next.AT_ONCE:
            if asked not in effects.make_all(rows, circle, by_name=by_name, now=now):
                raise ChangeRefused(too_late(asked, now))
            return Answered(False, None, asked.batch)
        _wait_for_proof(asked, now)
        DetailChange.objects.bulk_create(rows[1:])
        for one in others:  # a question that is withdrawn there may have listed what the MIS says
            settling.settle_owner(owner=one, now=now)
        return Answered(True, changing.send_to(circle, kind, value, owner.school.name, now), asked.batch)


def reject(*, account: Account, change: DetailChange, reason: str, by_name: str, now: dt.datetime) -> None:
    """Say no to what a school asks, with a reason that the office reads; nothing changes.

    Raises ChangeRefused without a reason, or where it was answered, withdrawn or is too late.
    """
    if not reason.strip():
        raise ChangeRefused(_("Say in a few words why, so that the school knows what to do."))
    with circle_of(account) as circle, transaction.atomic():
        owner, asked = _lock(circle, change, now, everywhere=False)
        asked.status, asked.reason = Status.REJECTED, reason.strip()[:300]
        asked.answered_at, asked.answered_by = now, by_name[:200]
        _close(asked, now, status=asked.status, reason=asked.reason, answered_at=now, answered_by=asked.answered_by)
        audit.record(
            school=owner.school,
            by=account,
            action="detail.rejected",
            object_kind=key_of(owner)[0],
            object_id=owner.pk,
            data={"kind": asked.field, "change": asked.pk, "reason": asked.reason},
            now=now,
        )
        settling.settle_owner(owner=owner, now=now)
        telling.office_hears(asked, owner=owner, template="change_rejected_office", now=now)


def _lock(circle: Circle, change: DetailChange, now: dt.datetime, *, everywhere: bool) -> tuple[Owner, DetailChange]:
    """Lock the person, at every school if meant, and return the record and the row as they are now."""
    owner = circle.own(change)
    if owner is None:
        raise ChangeRefused(effects.NOT_CONNECTED)
    owners = circle.owners if everywhere else [owner]
    lock(owners)
    effects.refuse_if_lost(circle, owners)
    asked = DetailChange.objects.filter(of_owner(owner), pk=change.pk).first()
    if asked is None:
        raise ChangeRefused(effects.NOT_CONNECTED)
    if asked.status != Status.PENDING or not rules.is_open(asked.deadline, now):
        raise ChangeRefused(too_late(asked, now))
    return owner, asked


def _wait_for_proof(asked: DetailChange, now: dt.datetime) -> None:
    _close(asked, now, status=Status.WAITING, answered_at=now, answered_by=asked.answered_by)


def _close(asked: DetailChange, now: dt.datetime, **answer: object) -> None:
    """Write the answer, if the question is still open at this moment."""
    if not DetailChange.objects.filter(pk=asked.pk, status=Status.PENDING, deadline__gt=now).update(**answer):
        raise ChangeRefused(too_late(DetailChange.objects.get(pk=asked.pk), now))


def _differs(owner: Owner, kind: str, value: str) -> bool:
    found = effects.held(owner, kind)
    return rules.own_change(value, found, ()) != rules.Next.NOTHING and bool(value or found.value)


def _sibling(asked: DetailChange, owner: Owner, account: Account, by_name: str, now: dt.datetime) -> DetailChange:
    """Draft the same change at another school: it is the person's own there, and answers what that school asks."""
    effects.close_others(owner, asked.field, by_name=by_name, now=now)
    made = draft(
        owner=owner,
        field=asked.field,
        old_value=effects.held(owner, asked.field).value,
        new_value=asked.new_value,
        origin=Origin.PERSON,
        made_by=by_name,
        account=account,
        batch=asked.batch,
        status=Status.WAITING,
        now=now,
    )
    made.deadline = asked.deadline
    return made
