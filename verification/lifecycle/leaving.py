"""Ending a connection: by the office, for somebody who lost every way in, and where no child is here any more.

What the next import may do with somebody disconnected: the email and mobile stay, as the person
confirmed them, until the MIS says something *new*; then the MIS's is taken, as of anybody who is not
connected (`imports.planning.who_wins`). Rows of the report stay until the MIS agrees. A login that opens
nothing any more is retired: it is switched off, and its email and mobile are free for a new one.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Q

from hub.accounts import retiring
from hub.accounts.models import Account
from hub.core import audit
from hub.people.models import Connection, Contact, Staff
from verification import telling
from verification.changes import effects, freezing
from verification.errors import ChangeRefused
from verification.invitations import letter_making
from verification.models import OPEN_STATUSES
from verification.owners import Owner, key_of, lock, of_owner
from verification.recovery import letters, reach
from verification.reporting import settling

LOST_EVERYTHING = "They lost every way to sign in"
NOT_CONNECTED = "is not connected."


@dataclass(frozen=True, slots=True)
class Reset:
    """A letter that lets a person in again. `same_login`: it opens the login they had; else it connects a new one."""

    letter: bytes
    same_login: bool


@transaction.atomic
def disconnect(*, owner: Owner, by: Account | None, why: str, now: dt.datetime) -> None:
    """End the connection of one record; what is open about its details is withdrawn, and the person is told.

    The login lives on if it opens anything else – another record, another school, staff's pages – and
    is retired if not. Raises ChangeRefused for somebody who is not connected.
    """
    lock([owner])
    tie = _tie(owner)
    if tie is None or tie.account is None:
        raise ChangeRefused(f"{owner} {NOT_CONNECTED}")
    telling.tell_person(owner=owner, kind="security", template="disconnected", context={"why": why}, now=now)
    end(tie, owner=owner, why=why, now=now)
    _record(owner, by, "person.disconnected", {"why": why}, now)


def end(tie: Connection, *, owner: Owner, why: str, now: dt.datetime) -> None:
    """End an open connection, in the caller's transaction and under the lock on its owner; nobody is told."""
    effects.withdraw(of_owner(owner) & Q(status__in=OPEN_STATUSES), reason=f"{owner} was disconnected.", now=now)
    Connection.objects.filter(pk=tie.pk).update(ended_at=now, ended_why=why[:200])
    freezing.lapse(owner, now)
    settling.settle_owner(owner=owner, now=now)
    if tie.account is not None and reach.opens_nothing(tie.account):
        retiring.retire(account=tie.account)


@transaction.atomic
def reset(*, owner: Contact, by: Account, now: dt.datetime) -> Reset:
    """Give a person who lost every way to sign in a letter that lets them in again. Returns the letter.

    An office vouches for its own school only. Where the login opens nothing but parents' records of
    this one school, it is emptied – password, passkeys, time code, recovery codes, sessions – and the
    letter opens it: the person stays Connected. Where it opens another school or staff's pages too,
    this office may not touch it: its own record is disconnected from it, and the letter connects the
    record with a new login, or with the old one by whoever can still sign in to that. So no office
    gets into what another school has shown to a person. A letter is held against the same rule once
    more when it is used (`recovering.look`). The addresses in use are told either way.

    Raises ChangeRefused for somebody who is not connected, InvitationRefused where nothing is left to connect to.
    """
    lock([owner])
    tie = _tie(owner)
    if tie is None or tie.account is None:
        raise ChangeRefused(f"{owner} {NOT_CONNECTED}")
    if not reach.opens_only(tie.account, owner.school_id):
        disconnect(owner=owner, by=by, why=LOST_EVERYTHING, now=now)
        printed = letter_making.print_letter(owner=owner, by=by, again=True, now=now)
        return Reset(printed.pdf, same_login=False)
    telling.tell_person(owner=owner, kind="security", template="login_reset", context={}, also_mobile=True, now=now)
    retiring.empty(account=tie.account)
    letter = letters.make(account=tie.account, owner=owner, by=by, now=now)
    _record(owner, by, "person.login_reset", {}, now)
    return Reset(letter, same_login=True)


def _tie(owner: Owner) -> Connection | None:
    mine = Q(staff=owner) if isinstance(owner, Staff) else Q(contact=owner)
    ties = Connection.objects.select_related("account").filter(mine, school_id=owner.school_id)
    return ties.filter(ended_at=None, connected_at__isnull=False).first()


def _record(owner: Owner, by: Account | None, action: str, data: dict[str, str], now: dt.datetime) -> None:
    kind, pk = key_of(owner)
    audit.record(school=owner.school, by=by, action=action, object_kind=kind, object_id=pk, data=data, now=now)
