"""Staff across domains: a membership (accounts), a teacher's groups (people) and the mail that tells them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from django.conf import settings
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from hub.accounts import services as accounts
from hub.accounts.models import Account, Membership, Role
from hub.accounts.services import Invited
from hub.core.models import School
from hub.core.templatetags.frame import when
from hub.messaging import mail
from hub.messaging.mail import MailNotSent
from hub.people import services as people
from hub.people.models import Group


@transaction.atomic
def invite(
    *, school: School, email: str, role: Role, groups: Iterable[Group] = (), by: Account | None, now: dt.datetime
) -> Invited:
    """Invite somebody, a teacher with their groups. Mail the link after: `mail_link`. Raises `StaffRefused`."""
    invited = accounts.invite_staff(school=school, email=email, role=role, by=by, now=now)
    if role == Role.TEACHER and by is not None:
        people.set_group_access(membership=invited.membership, groups=groups, by=by, now=now)
    return invited


@transaction.atomic
def change(*, membership: Membership, role: Role, groups: Iterable[Group], by: Account, now: dt.datetime) -> None:
    """Set a member's role and groups; only a teacher's groups mean anything. Raises `StaffRefused`."""
    accounts.change_role(membership=membership, role=role, by=by, now=now)
    people.set_group_access(membership=membership, groups=groups if role == Role.TEACHER else (), by=by, now=now)


def link(invited: Invited) -> str:
    """Return the address that is sent: it opens a page, and only a button there accepts."""
    return settings.PUBLIC_URL + reverse("accounts:invitation_link", args=[invited.token])


def mail_link(invited: Invited, *, by: str, now: dt.datetime) -> None:
    """Send the link to its person. Raises `MailNotSent`; the invitation stands all the same."""
    membership = invited.membership
    if membership.account.email is None:
        raise MailNotSent(f"{membership.account} has no email to send it to.")
    until = now + dt.timedelta(days=accounts.INVITATION_DAYS)
    mail.send(
        to=membership.account.email,
        template="staff_new_password" if membership.accepted_at else "staff_invitation",
        context={
            "name": membership.account.name,
            "school": membership.school,
            "role": membership.get_role_display().lower(),
            "inviter": by,
            "link": link(invited),
            "until": when(timezone.localtime(until)),
        },
    )
