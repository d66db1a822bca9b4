"""Verbs that tie a person's record to a login, and end a leaver's access."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from hub.accounts.models import Account, Membership, Role
from hub.accounts.selectors import is_last_administrator
from hub.core import alerts, audit
from hub.core.errors import HubError
from hub.core.models import School, Severity
from hub.people.confirming import confirm_detail
from hub.people.details import Reason
from hub.people.errors import DetailRefusedError
from hub.people.judging import judge
from hub.people.models import Connection, Contact, ContactDetail, DetailKind, Staff

LEFT = "Left, as the MIS says"


@transaction.atomic
def connect(
    *,
    contact: Contact | None = None,
    staff: Staff | None = None,
    account: Account,
    verified: Mapping[str, str],
    by_name: str,
    now: dt.datetime,
) -> Connection:
    """Make the person Connected, with the details they have proved to be theirs (kind → value).

    From now on no import writes, fills or clears their email or mobile. Raises HubError where
    another login has the record or a value is no email or mobile.
    """
    owner = _owner(contact, staff)
    connection = _open_connection(owner, now)
    if connection.connected_at and connection.account_id != account.pk:
        raise HubError(f"{owner} is already connected with another login.")
    connection.account = account
    connection.connected_at = connection.connected_at or now
    connection.save()
    for kind, raw in verified.items():
        if judge(kind, raw).reason == Reason.NOT_GIVEN:
            raise DetailRefusedError(Reason.NOT_GIVEN)
        confirm_detail(owner=owner, kind=kind, value=raw, by_name=by_name, now=now)
    audit.record(
        school=owner.school,
        by=account,
        action="person.connected",
        object_kind=owner._meta.model_name or "",
        object_id=owner.pk,
        data={"verified": sorted(verified)},
        now=now,
    )
    return connection


@transaction.atomic
def staff_left(*, staff_ids: Iterable[int], now: dt.datetime) -> int:
    """End the memberships of these members of staff, who left in the MIS. Returns how many ended.

    Theirs is the login connected to their record, or the one with the record's email, unless
    somebody who is still at the school has that email too. Whoever was invited after the leaving
    date was invited on purpose, and stays. The school is told where its last administrator goes.
    """
    ended = 0
    for staff in Staff.objects.filter(pk__in=list(staff_ids)).prefetch_related("details"):
        members = Membership.objects.select_for_update(of=("self",)).select_related("school", "account")
        for membership in members.filter(_logins_of(staff, now), school_id=staff.school_id, ended_at=None):
            if not _invited_after(membership, staff.leaving_date):
                _end_membership(membership, now)
                ended += 1
    return ended


def _logins_of(staff: Staff, now: dt.datetime) -> Q:
    connected = Connection.objects.filter(staff=staff, connected_at__isnull=False, ended_at=None)
    details = [detail for detail in staff.details.all() if detail.kind == DetailKind.EMAIL]
    emails = {value for detail in details for value in (detail.value, detail.mis_value) if value}
    shared = ContactDetail.objects.filter(Q(value__in=emails) | Q(mis_value__in=emails), school_id=staff.school_id)
    still_here = Q(staff__leaving_date=None) | Q(staff__leaving_date__gt=timezone.localdate(now))
    for detail in shared.filter(still_here, staff__isnull=False, contact=None).exclude(staff=staff):
        emails -= {detail.value, detail.mis_value}
    return Q(account__in=connected.values("account")) | Q(account__email__in=emails)


def _invited_after(membership: Membership, leaving_date: dt.date | None) -> bool:
    invited = membership.invited_at or membership.accepted_at
    return leaving_date is not None and invited is not None and timezone.localdate(invited) > leaving_date


def _end_membership(membership: Membership, now: dt.datetime) -> None:
    if membership.role == Role.ADMINISTRATOR and is_last_administrator(membership):
        _say_that_nobody_administers(membership.school, str(membership.account), now)
    membership.ended_at, membership.ended_why = now, LEFT
    membership.save(update_fields=["ended_at", "ended_why"])
    audit.record(
        school=membership.school,
        by=None,
        action="staff.left",
        object_kind="membership",
        object_id=membership.pk,
        data={"name": str(membership.account), "why": LEFT},
        now=now,
    )


def _say_that_nobody_administers(school: School, name: str, now: dt.datetime) -> None:
    alerts.raise_alert(
        school=school,
        key="no-administrator",
        severity=Severity.BAD,
        title="Nobody administers this school any more",
        body=f"{name} was the last administrator and has left, as the MIS says. Ask the operator to invite another.",
        now=now,
    )


def _owner(contact: Contact | None, staff: Staff | None) -> Contact | Staff:
    owner = contact or staff
    if owner is None or (contact and staff):
        raise TypeError("connect() takes a contact or a member of staff")
    return owner


def _open_connection(owner: Contact | Staff, now: dt.datetime) -> Connection:
    type(owner).objects.select_for_update().get(pk=owner.pk)
    field = "contact" if isinstance(owner, Contact) else "staff"
    known = Connection.objects.filter(**{field: owner}, school_id=owner.school_id, ended_at=None).first()
    return known or Connection(**{field: owner}, school_id=owner.school_id, invited_at=now)
