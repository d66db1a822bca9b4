"""Verbs by which people change their own email or mobile: start, prove, take out, take back.

A new value is proved by a code at the new address before it is used anywhere.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from hub.accounts.models import Account
from hub.people.confirming import judged
from hub.people.details import Reason
from hub.people.errors import DetailRefusedError
from hub.people.models import Connection
from verification import codes
from verification.changes import effects, rules
from verification.changes.drafting import draft
from verification.changes.words import KINDS, too_late
from verification.errors import ChangeRefused, CodeRefused, CodeTrouble
from verification.models import DetailChange, Origin, ProofCode, Status
from verification.owners import Circle, Owner, circle_of, lock, of_owner, owner_of


@dataclass(frozen=True, slots=True)
class Started:
    """A change under way: `code` was sent to the new address, or is None where the change is made already."""

    batch: uuid.UUID
    code: ProofCode | None


def subject_of(account: Account) -> str:
    """Return whose proofs a login's codes are."""
    return f"account:{account.pk}"


def purpose_of(kind: str) -> str:
    """Return what such a code is good for; an email and a mobile may be under way at once."""
    return f"change-{kind}"


def start_change(
    *,
    account: Account,
    connections: Iterable[Connection],
    kind: str,
    value: str,
    by_name: str,
    now: dt.datetime,
) -> Started:
    """Begin to change the email or mobile at these of the person's records, and send a code to the new address.

    What the person has proved at another school already needs no code: it is in use at once. Raises
    ChangeRefused, DetailRefusedError for what is no email or mobile, CodeRefused for too many codes.
    """
    new = judged(kind, value)
    if not new:
        raise DetailRefusedError(Reason.NOT_GIVEN)
    with circle_of(account) as circle, transaction.atomic():
        owners = _chosen(circle, connections)
        proven = effects.proven_values(circle, kind)
        wanted = [one for one in owners if rules.own_change(new, effects.held(one, kind), proven) != rules.Next.NOTHING]
        if not wanted:
            raise ChangeRefused(_("This {kind} is in use already, and you have confirmed it.").format(kind=KINDS[kind]))
        batch = uuid.uuid4()
        rows = [_waiting(one, kind, new, batch, account, by_name, now) for one in wanted]
        if new in proven:
            effects.make_all(rows, circle, by_name=by_name, now=now)
            return Started(batch, None)
        DetailChange.objects.bulk_create(rows)
        return Started(batch, send_to(circle, kind, new, wanted[0].school.name, now))


def prove(*, account: Account, batch: uuid.UUID, code_id: int, typed: str, now: dt.datetime) -> list[DetailChange]:
    """Use the code up and make the change at every record where it still waits; returns the rows that are made.

    Raises CodeRefused for a code that proves nothing, ChangeRefused where nothing waits any more.
    Call it outside a transaction: a wrong try must stay counted.
    """
    with circle_of(account) as circle:
        waiting = _find(circle, batch, now)
        first = waiting[0]
        code = codes.check_code(
            code_id=code_id, subject=subject_of(account), purpose=purpose_of(first.field), typed=typed, now=now
        )
        if code.address != first.new_value:
            raise CodeRefused(CodeTrouble.REPLACED, _("This code belongs to another change. Ask for a new one."))
        with transaction.atomic():
            owners = [owner_of(one) for one in waiting]
            lock(owners)
            effects.refuse_if_lost(circle, owners)
            by_name = first.made_by if first.origin == Origin.PERSON else first.answered_by
            made = effects.make_all(waiting, circle, by_name=by_name, now=now)
            if not made:
                raise _lost(circle, batch, now)
            return made


def send_again(*, account: Account, batch: uuid.UUID, now: dt.datetime) -> ProofCode:
    """Send another code for a change that waits for its proof. Raises ChangeRefused or CodeRefused."""
    with circle_of(account) as circle, transaction.atomic():
        waiting = _find(circle, batch, now)
        first = waiting[0]
        return send_to(circle, first.field, first.new_value, owner_of(first).school.name, now)


def send_to(circle: Circle, kind: str, address: str, school_name: str, now: dt.datetime) -> ProofCode:
    """Send a code that proves this address to be the login's. Raises CodeRefused for too many."""
    return codes.send_code(
        subject=subject_of(circle.account),
        purpose=purpose_of(kind),
        kind=kind,
        address=address,
        account=circle.account,
        school_name=school_name,
        now=now,
    )


def take_out(
    *, account: Account, connections: Iterable[Connection], kind: str, by_name: str, now: dt.datetime
) -> list[DetailChange]:
    """Say that there is no such email or mobile any more, at these records; in use at once.

    Raises ChangeRefused where a record would be left without a proven detail, or there is nothing to take out.
    """
    with circle_of(account) as circle, transaction.atomic():
        owners = [one for one in _chosen(circle, connections) if effects.held(one, kind).value]
        if not owners:
            raise ChangeRefused(_("There is no {kind} to take out.").format(kind=KINDS[kind]))
        for owner in owners:
            effects.refuse_the_last(owner, kind)
        batch = uuid.uuid4()
        rows = [_waiting(one, kind, "", batch, account, by_name, now) for one in owners]
        return effects.make_all(rows, circle, by_name=by_name, now=now)


def cancel(*, account: Account, batch: uuid.UUID, now: dt.datetime) -> None:
    """Take back a change that waits for its proof. What the school had asked is a question again.

    Raises ChangeRefused where nothing waits any more.
    """
    with circle_of(account) as circle, transaction.atomic():
        waiting = _find(circle, batch, now)
        lock(owner_of(one) for one in waiting)
        effects.stop_waiting(Q(pk__in=[one.pk for one in waiting]), reason="Taken back by the person.", now=now)


def _chosen(circle: Circle, connections: Iterable[Connection]) -> list[Owner]:
    """Lock and return the records that are meant; only the login's own count."""
    wanted = {one.pk for one in connections}
    owners = [owner_of(one) for one in circle.connections if one.pk in wanted]
    if not owners or len(owners) != len(wanted):
        raise ChangeRefused(effects.NOT_CONNECTED)
    lock(owners)
    effects.refuse_if_lost(circle, owners)
    return owners


def _waiting(
    owner: Owner, kind: str, value: str, batch: uuid.UUID, account: Account, by_name: str, now: dt.datetime
) -> DetailChange:
    effects.stop_waiting(of_owner(owner, kind), reason="A newer change took its place.", now=now)
    return draft(
        owner=owner,
        field=kind,
        old_value=effects.held(owner, kind).value,
        new_value=value,
        origin=Origin.PERSON,
        made_by=by_name,
        account=account,
        batch=batch,
        status=Status.WAITING,
        now=now,
    )


def _find(circle: Circle, batch: uuid.UUID, now: dt.datetime) -> list[DetailChange]:
    found = _of_batch(circle, batch).filter(status=Status.WAITING, deadline__gt=now)
    rows = list(found.select_related("contact__school", "staff__school").order_by("school_id", "pk"))
    if not rows:
        raise _lost(circle, batch, now)
    return rows


def _of_batch(circle: Circle, batch: uuid.UUID) -> QuerySet[DetailChange]:
    return DetailChange.objects.filter(circle.mine(), batch=batch)


def _lost(circle: Circle, batch: uuid.UUID, now: dt.datetime) -> ChangeRefused:
    """Say why there is nothing to prove any more."""
    row = _of_batch(circle, batch).order_by("-answered_at").first()
    if row is None:
        return ChangeRefused(_("This change is not here. Begin again under “My details”."))
    return ChangeRefused(too_late(row, now))
