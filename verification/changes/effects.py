"""What every change shares: what is held and proven, and making a value the one in use.

The verbs of `changing`, `answering` and `freezing` stand on it. They hold the lock on the owner and
own the transaction.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from hub.accounts.models import Account
from hub.accounts.services import claim_sign_in_name
from hub.core import audit
from hub.people import selectors as people
from hub.people.confirming import confirm_detail
from hub.people.models import Connection, ContactDetail, DetailSource
from verification import telling
from verification.changes import rules
from verification.errors import ChangeRefused
from verification.models import STANDING_STATUSES, DetailChange, MisState, Origin, Status
from verification.owners import Circle, Owner, key_of, of_owner, owner_of
from verification.reporting import settling

SIGN_IN = "sign_in"
"""In `previous`: what the login signed in by, where that moved along."""
FROZEN = gettext_lazy(
    "Somebody said “this was not me” about your details, so they cannot be changed for now. "
    "Ring the school office: they open them again once they know that it is you."
)
NOT_CONNECTED = gettext_lazy("This login is no longer connected there. Ask the school office to invite you again.")


def refuse_if_lost(circle: Circle, owners: Iterable[Owner]) -> None:
    """Raise ChangeRefused where a record was disconnected since, or the login is frozen. Ask under the lock."""
    wanted = {(one.school_id, *key_of(one)) for one in owners}
    ties = Connection.objects.filter(circle.mine(), account=circle.account, ended_at=None, connected_at__isnull=False)
    tied = {(one.school_id, *key_of(owner_of(one))) for one in ties.select_related("contact", "staff")}
    if wanted - tied:
        raise ChangeRefused(NOT_CONNECTED)
    if is_frozen(circle):
        raise ChangeRefused(FROZEN)


def is_frozen(circle: Circle) -> bool:
    """Whether somebody said “this was not me” about this login and no office has lifted it."""
    return DetailChange.objects.filter(circle.mine(), status=Status.FROZEN, settled_at=None).exists()


def held(owner: Owner, kind: str) -> rules.Held:
    """Return the detail of one kind that is in use now."""
    return next((one for one in all_held(owner) if one.kind == kind), rules.Held(kind, ""))


def all_held(owner: Owner) -> list[rules.Held]:
    """Return the details that are in use now."""
    return [rules.Held(one.kind, one.value, _proven(one)) for one in people.details_of(owner)]


def proven_values(circle: Circle, kind: str) -> list[str]:
    """Return what this person has proved to be theirs and uses, at any of their schools."""
    found = ContactDetail.objects.filter(circle.mine(), kind=kind, source=DetailSource.PERSON)
    return [one.value for one in found.order_by("-verified_at") if _proven(one)]


def tell_changed(made: list[DetailChange], circle: Circle, *, now: dt.datetime) -> None:
    """Tell the person's old addresses, and one other that is proven, of one change at one or several schools.

    What was in use already and is only confirmed is no change: nobody is alarmed.
    """
    made = [one for one in made if one.old_value != one.new_value]
    if not made:
        return
    kind = made[0].field
    other = rules.MOBILE if kind == rules.EMAIL else rules.EMAIL
    proven = [*proven_values(circle, other), *proven_values(circle, kind)]
    telling.tell_changed(made, account=circle.account, proven=proven, now=now)


def _proven(detail: ContactDetail) -> bool:
    theirs = detail.source == DetailSource.PERSON and detail.verified_at is not None
    return bool(detail.value) and theirs and detail.deliverable


def make_effective(change: DetailChange, *, owner: Owner, account: Account, by_name: str, now: dt.datetime) -> bool:
    """Make the new value of an unsaved or open row the one in use; False where the row is open no more.

    Proposals of the same field are withdrawn, the rows it takes the place of are replaced, and the
    sign-in name moves along where it was the old value. Telling the person is left to the caller,
    who knows what else belongs to the change.
    """
    if not change.pk:
        change.deadline = None
    elif not _claim(change, now):
        return False
    kind = change.field
    before = people.details_of(owner).filter(kind=kind).first()
    previous = confirm_detail(owner=owner, kind=kind, value=change.new_value, by_name=by_name, now=now)
    change.old_value = before.value if before else ""
    if _moves_sign_in(account, kind, change.old_value, change.new_value):
        previous[SIGN_IN] = change.old_value
    change.status, change.effective_at, change.previous = Status.APPROVED, now, previous
    judge_mis_state(change, owner, mis_value=before.mis_value if before else "", now=now)
    change.save()
    replace_earlier(owner, kind, but=change.pk)
    close_others(owner, kind, by_name=by_name, now=now)
    audit.record(
        school=owner.school,
        by=account,
        action="detail.changed",
        object_kind=key_of(owner)[0],
        object_id=owner.pk,
        data={"kind": kind, "before": change.old_value, "after": change.new_value, "change": change.pk},
        now=now,
    )
    settling.settle_owner(owner=owner, now=now)
    return True


def make_all(rows: list[DetailChange], circle: Circle, *, by_name: str, now: dt.datetime) -> list[DetailChange]:
    """Make these rows of one change effective, as far as they are open, and tell the person once; returns those."""
    account = circle.account
    made = [row for row in rows if make_effective(row, owner=owner_of(row), account=account, by_name=by_name, now=now)]
    if made:
        tell_changed(made, circle, now=now)
    for row in made:
        if row.origin != Origin.PERSON:
            telling.office_hears(row, owner=owner_of(row), template="change_approved_office", now=now)
    return made


def _claim(change: DetailChange, now: dt.datetime) -> bool:
    """Close an open row; the deadline is judged in the very statement that takes it."""
    mine = DetailChange.objects.filter(pk=change.pk, status=change.status, deadline__gt=now)
    return mine.update(status=Status.APPROVED) > 0


def _moves_sign_in(account: Account, kind: str, old: str, new: str) -> bool:
    """Move the sign-in name along with a proven detail, where it was the old value (or there was neither)."""
    known = Account.objects.select_for_update().get(pk=account.pk)
    signs_in_by = (known.email if kind == rules.EMAIL else known.mobile) or ""
    if not new or signs_in_by != old or signs_in_by == new:
        return False
    if kind == rules.EMAIL:
        return claim_sign_in_name(account=account, email=new)
    return claim_sign_in_name(account=account, mobile=new)


def judge_mis_state(change: DetailChange, owner: Owner, *, mis_value: str, now: dt.datetime) -> None:
    """Say on the row whether the MIS has its value already; of a person added by hand there is nothing to update."""
    in_mis = not owner.made_by_hand or owner.identities.exists()
    state = rules.mis_state_of(change.new_value, change.new_value, mis_value, in_mis=in_mis)
    change.mis_state = MisState(state)
    change.settled_at = now if state == rules.Mis.UPDATED else None


def replace_earlier(owner: Owner, kind: str, *, but: int) -> None:
    """Mark the rows whose value was in use, or stood beside it, as replaced by a later one."""
    standing = DetailChange.objects.filter(of_owner(owner, kind), status__in=STANDING_STATUSES)
    standing.exclude(pk=but).exclude(mis_state=MisState.REPLACED).update(mis_state=MisState.REPLACED)


def close_others(owner: Owner, kind: str, *, by_name: str, now: dt.datetime) -> None:
    """Withdraw what else was open about this detail: the question of the school is answered by the change."""
    rows = of_owner(owner, kind)
    closed = withdraw(rows & Q(status=Status.WAITING), reason="A newer change took its place.", now=now)
    closed += withdraw(rows & Q(status=Status.PENDING), reason=f"{by_name} changed it themselves.", now=now)
    for asked in closed:
        if asked.origin != Origin.PERSON:
            telling.office_hears(asked, owner=owner, template="change_withdrawn_office", now=now)


def withdraw(rows: Q, *, reason: str, by_name: str = "", now: dt.datetime) -> list[DetailChange]:
    """Withdraw these rows as far as they are open, and return those that were."""
    found = list(DetailChange.objects.select_for_update(of=("self",)).filter(rows).order_by("pk"))
    DetailChange.objects.filter(pk__in=[one.pk for one in found]).update(
        status=Status.WITHDRAWN, answered_at=now, answered_by=by_name[:200], reason=reason[:300]
    )
    return found


def stop_waiting(rows: Q, *, reason: str, now: dt.datetime) -> None:
    """End the wait for a proof: own changes are withdrawn, questions of the school are open again.

    The owners are locked. A question that a newer one has replaced stays withdrawn.
    """
    for change in withdraw(rows & Q(status=Status.WAITING), reason=reason, now=now):
        asked = of_owner(owner_of(change), change.field) & Q(status=Status.PENDING)
        still = rules.is_open(change.deadline, now) and not DetailChange.objects.filter(asked).exists()
        if change.origin != Origin.PERSON and still:
            DetailChange.objects.filter(pk=change.pk).update(
                status=Status.PENDING, answered_at=None, answered_by="", reason=""
            )
        elif change.origin != Origin.PERSON:  # too late to ask: what the MIS says may have been listed by it alone
            settling.settle_owner(owner=owner_of(change), now=now)


def refuse_the_last(owner: Owner, kind: str) -> None:
    """Raise ChangeRefused where taking this out leaves the school without a proven way to the person."""
    if rules.leaves_nothing_proven(kind, all_held(owner)):
        raise ChangeRefused(
            _(
                "This is the last address you have confirmed for {school}: without it the school could not reach "
                "you. Confirm another one first."
            ).format(school=owner.school)
        )
