"""Verbs by which the office changes an email or mobile: at once of somebody not connected, else by asking.

The lock on the person decides which: whoever connects meanwhile is asked.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from django.db import transaction
from django.db.models import Q

from hub.accounts.models import Account
from hub.core import audit
from hub.core.errors import HubError
from hub.core.models import School
from hub.people import selectors as people
from hub.people import services as editing
from hub.people.confirming import as_it_is, judged
from verification import telling
from verification.changes import effects, rules
from verification.changes.drafting import draft
from verification.changes.words import what_became
from verification.errors import ChangeRefused
from verification.invitations import inviting
from verification.models import DetailChange, Origin, Status
from verification.owners import Owner, key_of, lock, login_of, of_owner, owner_of
from verification.reporting import settling


@transaction.atomic
def edit_or_propose(*, owner: Owner, kind: str, value: str, by: Account, now: dt.datetime) -> DetailChange | None:
    """Change the email or mobile of somebody not connected at once, or ask a Connected person; blank takes it out.

    Returns the row, APPROVED or PENDING; of a question that is open already that one; None where
    nothing changes. Raises DetailRefusedError for what is no email or mobile.
    """
    new = judged(kind, value)
    lock([owner])
    login = login_of(owner)
    follows = rules.office_edit(new, effects.held(owner, kind), connected=login is not None)
    if follows == rules.Next.NOTHING:
        return None
    return _ask(owner, kind, new, by, now) if follows == rules.Next.ASK else _edit(owner, kind, new, by, now)


def _edit(owner: Owner, kind: str, new: str, by: Account, now: dt.datetime) -> DetailChange:
    before = people.details_of(owner).filter(kind=kind).first()
    previous = as_it_is(before) if before else {}
    editing.edit_detail(owner=owner, kind=kind, value=new, by=by, now=now)
    change = _row(owner, kind, new, by, Status.APPROVED, now)
    change.old_value, change.effective_at, change.previous = before.value if before else "", now, previous
    effects.judge_mis_state(change, owner, mis_value=before.mis_value if before else "", now=now)
    change.save()
    effects.replace_earlier(owner, kind, but=change.pk)
    settling.settle_owner(owner=owner, now=now)
    inviting.void_outdated(school=owner.school, owner=owner, now=now)
    return change


def _ask(owner: Owner, kind: str, new: str, by: Account, now: dt.datetime, *, afresh: bool = False) -> DetailChange:
    asked = of_owner(owner, kind) & Q(status=Status.PENDING)
    if not afresh and (same := DetailChange.objects.filter(asked, new_value=new, deadline__gt=now).first()):
        return same
    effects.withdraw(asked, reason="Replaced by a newer one.", by_name=str(by), now=now)
    change = _row(owner, kind, new, by, Status.PENDING, now)
    change.save()
    settling.settle_owner(owner=owner, now=now)  # the question it replaces may have listed what the MIS says
    _audit("detail.asked", change, owner, by, now)
    telling.ask(change, owner=owner, now=now)
    return change


def _row(owner: Owner, kind: str, new: str, by: Account, status: Status, now: dt.datetime) -> DetailChange:
    return draft(
        owner=owner,
        field=kind,
        old_value=effects.held(owner, kind).value,
        new_value=new,
        origin=Origin.ORGANISATION,
        made_by=str(by),
        account=by,
        status=status,
        now=now,
    )


def ask_again(*, change: DetailChange, by: Account, now: dt.datetime) -> DetailChange:
    """Put a question of the school once more, with seven new days; returns the new row.

    Raises ChangeRefused for what the person did themselves, what is in use by now, what was asked less
    than a day ago, or where the person is not connected any more.
    """
    with transaction.atomic():
        owner = owner_of(change)
        lock([owner])
        change.refresh_from_db(fields=["status"])
        _refuse_to_ask(change, owner, now)
        return _ask(owner, change.field, change.new_value, by, now, afresh=True)


def _refuse_to_ask(change: DetailChange, owner: Owner, now: dt.datetime) -> None:
    if change.origin == Origin.PERSON or change.status not in _CAN_BE_ASKED:
        raise ChangeRefused(f"This cannot be asked again. {what_became(change)}")
    if login_of(owner) is None:
        raise ChangeRefused(
            f"{owner} is not connected any more. Change the {change.field} on their page: it takes effect at once."
        )
    if effects.held(owner, change.field).value == change.new_value:
        raise ChangeRefused(f"{owner} uses this {change.field} already: there is nothing to ask.")
    recent = Q(status=Status.PENDING, made_at__gt=now - rules.ASK_AGAIN_AFTER)
    if DetailChange.objects.filter(of_owner(owner, change.field) & recent).exists():
        raise ChangeRefused(f"{owner} was asked in the last 24 hours already. Give them a day to answer.")


_CAN_BE_ASKED = (Status.PENDING, Status.EXPIRED, Status.REJECTED, Status.WITHDRAWN)


def withdraw(*, change: DetailChange, by: Account, now: dt.datetime) -> None:
    """Take back what the school asks. Raises ChangeRefused where it was answered meanwhile."""
    with transaction.atomic():
        owner = owner_of(change)
        lock([owner])
        mine = Q(pk=change.pk, status=Status.PENDING) & ~Q(origin=Origin.PERSON)
        found = effects.withdraw(mine, reason="Taken back by the school.", by_name=str(by), now=now)
        if not found:
            raise ChangeRefused(what_became(DetailChange.objects.get(pk=change.pk)))
        _audit("detail.question_withdrawn", found[0], owner, by, now)
        telling.person_hears(found[0], owner=owner, template="change_withdrawn", now=now)
        settling.settle_owner(owner=owner, now=now)  # it may ask something itself


def _audit(action: str, change: DetailChange, owner: Owner, by: Account, now: dt.datetime) -> None:
    audit.record(
        school=owner.school,
        by=by,
        action=action,
        object_kind=key_of(owner)[0],
        object_id=owner.pk,
        data={"kind": change.field, "before": change.old_value, "after": change.new_value, "change": change.pk},
        now=now,
    )


# Many at once


class Outcome(StrEnum):
    SAVED = "saved"
    ASKED = "asked"
    SAME = "same"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Typed:
    """What somebody typed in one field of one person's row."""

    owner: Owner
    kind: str
    value: str


@dataclass(frozen=True, slots=True)
class Edited:
    """What became of it; `sentence` says why it failed."""

    typed: Typed
    outcome: Outcome
    change: DetailChange | None = None
    sentence: str = ""


def edit_many(*, school: School, rows: Iterable[Typed], by: Account, now: dt.datetime) -> list[Edited]:
    """Judge and save each on its own, in its own transaction: one that fails leaves the others saved."""
    return [_edit_one(school, typed, by, now) for typed in rows]


def _edit_one(school: School, typed: Typed, by: Account, now: dt.datetime) -> Edited:
    assert typed.owner.school_id == school.pk
    try:
        change = edit_or_propose(owner=typed.owner, kind=typed.kind, value=typed.value, by=by, now=now)
    except HubError as refusal:
        return Edited(typed, Outcome.FAILED, sentence=refusal.message)
    if change is None:
        return Edited(typed, Outcome.SAME)
    return Edited(typed, Outcome.ASKED if change.status == Status.PENDING else Outcome.SAVED, change)
