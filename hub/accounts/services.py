"""Who may work at a school: the only writers of memberships, staff invitations and passwords."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.db import IntegrityError, transaction

from hub.accounts import devices, passwords, second_factor, selectors, tokens
from hub.accounts.models import Account, Membership, Role, StaffInvitation
from hub.core import audit, scope
from hub.core.errors import HubError
from hub.core.models import School

INVITATION_DAYS = 10
"""How long an invitation's link is good for."""


class StaffRefused(HubError):
    """A change of who may work here that the hub will not make."""


class InvitationRefused(HubError):
    """A link that opens nothing: unknown, used, too old, or the access has ended."""


@dataclass(frozen=True, slots=True)
class Invited:
    """A membership and the token of its link. The token exists here only: send it, and forget it."""

    membership: Membership
    token: str


def invite_staff(
    *, school: School, email: str, role: Role, by: Account | None, name: str = "", now: dt.datetime
) -> Invited:
    """Give an email a membership that waits to be accepted, and return the token of its link.

    Raises `StaffRefused` if that person is a member already or has an invitation waiting.
    """
    email = email.strip().lower()
    try:
        with transaction.atomic():
            account = Account.objects.filter(email=email).first() or Account.objects.create_user(email, name=name)
            membership = Membership.objects.create(
                school=school, account=account, role=role, invited_by=by, invited_at=now
            )
            token = _new_link(membership, now)
            audit.record(
                school=school,
                by=by,
                action="staff.invited",
                object_kind="membership",
                object_id=membership.pk,
                data={"email": email, "role": str(role)},
                now=now,
            )
    except IntegrityError as error:
        raise StaffRefused(
            f"{email} is a member already, or was invited and has not answered. "
            "Find them in the list: there you can send the link again or change the role."
        ) from error
    return Invited(membership, token)


@transaction.atomic
def send_again(*, membership: Membership, by: Account | None, now: dt.datetime) -> Invited:
    """Make a new link for a member and void the older ones.

    For one who has not accepted it is the invitation again; for a member it sets a new password.
    Raises `StaffRefused` if the access has ended.
    """
    membership = _locked(membership)
    token = _new_link(membership, now)
    _audit("staff.link_sent", membership, by, now)
    return Invited(membership, token)


def find_invitation(*, token_hash: str, now: dt.datetime) -> StaffInvitation:
    """Return the invitation a link belongs to, with its membership, account and school.

    Raises `InvitationRefused` if the link opens nothing. Changes nothing: mail scanners open links too.
    """
    with scope.every_school():
        invitation = (
            StaffInvitation.objects.filter(token_hash=token_hash)
            .select_related("membership__account", "membership__school", "membership__invited_by")
            .first()
        )
    if invitation is None or invitation.membership.ended_at is not None:
        raise InvitationRefused("This link opens nothing. Ask an administrator at your school for a new one.")
    if invitation.used_at is not None:
        raise InvitationRefused("This link was used already. Sign in, or ask an administrator for a new one.")
    if invitation.expires_at <= now:
        raise InvitationRefused(
            f"This link was good for {INVITATION_DAYS} days and is no more. Ask an administrator for a new one."
        )
    return invitation


def needs_password(membership: Membership) -> bool:
    """Whether the link sets a password. A login of another school joins with the one it has."""
    return membership.accepted_at is not None or not membership.account.has_usable_password()


def accept_invitation(
    *, token_hash: str, name: str = "", password: str = "", signed_in: Account | None = None, now: dt.datetime
) -> Membership:
    """Use the link once: open the membership, and set name and password where `needs_password` says so.

    The form has held the password against the rules. Raises `InvitationRefused` if the link opens
    nothing any more, or if it joins an existing login and that one is not signed in.
    """
    invitation = find_invitation(token_hash=token_hash, now=now)
    with scope.schools(invitation.school_id), transaction.atomic():
        membership = _locked(invitation.membership)
        account = membership.account
        with_password = needs_password(membership)
        if not with_password and (signed_in is None or signed_in.pk != account.pk):
            raise InvitationRefused(f"Sign in as {account.email} first, then open the link again.")
        if not StaffInvitation.objects.filter(pk=invitation.pk, used_at=None).update(used_at=now):
            raise InvitationRefused("This link was used already. Sign in, or ask an administrator for a new one.")
        if with_password:
            account.name = name.strip() or account.name
            account.save(update_fields=["name"])
            passwords.set_password(account=account, password=password, now=now)
        joined = Membership.objects.filter(pk=membership.pk, accepted_at=None).update(accepted_at=now)
        _audit("staff.accepted" if joined else "staff.password_set", membership, account, now)
        return membership


@transaction.atomic
def change_role(*, membership: Membership, role: Role, by: Account, now: dt.datetime) -> None:
    """Give a member another role. Raises `StaffRefused` for the school's last administrator."""
    membership = _locked(membership)
    if membership.role == role:
        return
    if selectors.is_last_administrator(membership):
        raise StaffRefused(
            f"{membership.account} is the only administrator. Make somebody else administrator first, "
            "then change this role."
        )
    before = membership.role
    Membership.objects.filter(pk=membership.pk).update(role=role)
    _audit("staff.role_changed", membership, by, now, before=before, after=str(role))


@transaction.atomic
def end_access(
    *, membership: Membership, by: Account | None, why: str = "", even_the_last: bool = False, now: dt.datetime
) -> None:
    """End a membership at once and every session of its account; the record stays.

    Of somebody who never joined no session ends: their login, if they have one, is no affair of this school.
    `even_the_last` is for a member of staff who has left by the MIS. Raises `StaffRefused` for the
    school's last administrator otherwise, and if the access has ended already.
    """
    membership = _locked(membership)
    if not even_the_last and selectors.is_last_administrator(membership):
        raise StaffRefused(
            f"{membership.account} is the only administrator. Make somebody else administrator first, "
            "then end this access."
        )
    Membership.objects.filter(pk=membership.pk).update(ended_at=now, ended_why=why[:200])
    StaffInvitation.objects.filter(membership=membership, used_at=None, expires_at__gt=now).update(expires_at=now)
    if membership.accepted_at is not None:
        devices.end_all(account=membership.account)
    _audit("staff.ended", membership, by, now, why=why)


@transaction.atomic
def reset_second_factor(*, membership: Membership, by: Account, now: dt.datetime) -> None:
    """Take a colleague's second factor away and end their sessions: they set up a new one when they sign in next.

    They still need their password, and are told. Raises `StaffRefused` for one's own login, for somebody
    who has not joined, and for a login that also opens another school – as a parent too – or the
    installation: no one school decides on that.
    """
    membership = _locked(membership)
    account = membership.account
    if account.pk == by.pk:
        raise StaffRefused("This is your own login. Change it under Sign-in and devices.")
    if membership.accepted_at is None:
        raise StaffRefused("They have not joined yet: their login is their own.")
    if account.is_operator or selectors.opens_elsewhere(account, school_id=membership.school_id):
        raise StaffRefused(
            f"{account} also opens another school with this login, so one school cannot reset it. "
            "Ask whoever runs this installation."
        )
    second_factor.reset(account=account, by=by)
    devices.end_all(account=account)
    _audit("staff.second_factor_reset", membership, by, now)


def claim_sign_in_name(*, account: Account, email: str | None = None, mobile: str | None = None) -> bool:
    """Let the login sign in by this email or mobile from now on; False, and nothing changed, if another login has it.

    The caller has proof that it is the person's own. A login that was only made for an invitation of staff
    to that email, and never used, gives way: the invitation then waits for this one.
    """
    wanted = {key: value for key, value in (("email", email), ("mobile", mobile)) if value}
    try:
        with transaction.atomic():
            if email:
                _take_over_invited(account, email)
            Account.objects.filter(pk=account.pk).update(**wanted)
    except IntegrityError:
        return False
    for key, value in wanted.items():
        setattr(account, key, value)
    return True


def _take_over_invited(account: Account, email: str) -> None:
    """Let what is waiting for this email, as an invitation of staff, wait for the login that has proved it."""
    held = Account.objects.select_for_update().filter(email=email).exclude(pk=account.pk).first()
    if held is None or not selectors.is_vacant(held):
        return
    with scope.every_school():
        there = Membership.objects.filter(account=account, ended_at=None).values("school")
        waiting = Membership.objects.filter(account=held, ended_at=None).exclude(school__in=there)
        waiting.update(account=account)
    Account.objects.filter(pk=held.pk).update(email=None, is_active=False)


def _locked(membership: Membership) -> Membership:
    """Return the membership as it is now, locked with the school's others: two last administrators end one by one."""
    members = Membership.objects.select_for_update().filter(school_id=membership.school_id, ended_at=None)
    for found in members.select_related("account").order_by("id"):
        if found.pk == membership.pk:
            return found
    raise StaffRefused("This access has ended already.")


def _new_link(membership: Membership, now: dt.datetime) -> str:
    StaffInvitation.objects.filter(membership=membership, used_at=None, expires_at__gt=now).update(expires_at=now)
    token, token_hash = tokens.make()
    StaffInvitation.objects.create(
        school_id=membership.school_id,
        membership=membership,
        token_hash=token_hash,
        sent_at=now,
        expires_at=now + dt.timedelta(days=INVITATION_DAYS),
    )
    return token


def _audit(action: str, membership: Membership, by: Account | None, now: dt.datetime, **data: str) -> None:
    audit.record(
        school=membership.school,
        by=by,
        action=action,
        object_kind="membership",
        object_id=membership.pk,
        data={"email": membership.account.email, **data},
        now=now,
    )
