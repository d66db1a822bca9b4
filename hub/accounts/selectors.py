"""Reading accounts and memberships. No writes."""

from __future__ import annotations

from typing import Any

from django.db.models import Exists, OuterRef, QuerySet

from hub.accounts.models import Account, Membership, Role
from hub.core import scope
from hub.core.models import School
from hub.core.prepared import Given, Prepared


def _connections() -> Any:
    """The open connections, of a domain above this one."""
    connection: Any = Account._meta.get_field("connections").related_model
    return connection.objects.filter(connected_at__isnull=False, ended_at=None)


def _open_memberships() -> QuerySet[Membership]:
    connected = _connections().filter(account=OuterRef("account_id"), contact__isnull=False)
    return (
        Membership.objects.filter(account=Given("account"), accepted_at__isnull=False, ended_at=None)
        .annotate(is_parent=Exists(connected))
        .select_related("school")
        .order_by("school__name", "school_id")
    )


_memberships = Prepared(_open_memberships)


def open_memberships(account: Account) -> tuple[Membership, ...]:
    """Return the account's accepted, open memberships with their schools, by school name, in one query.

    Each says as `is_parent` whether the login is also connected to a parent's record, at whichever school.
    """
    with scope.every_school():
        return tuple(_memberships(account=account.pk))


def opens_elsewhere(account: Account, *, school_id: int) -> bool:
    """Whether the login opens anything at another school than this one, as staff or as a parent."""
    with scope.every_school():
        works = Membership.objects.filter(account=account, accepted_at__isnull=False, ended_at=None)
        found = (works, _connections().filter(account=account))
        return any(ties.exclude(school_id=school_id).exists() for ties in found)


def is_vacant(account: Account) -> bool:
    """Whether a login is nobody's yet: made for an invitation of staff that was never accepted, and opening nothing."""
    if account.has_usable_password() or account.second_factor_at or account.is_operator or not account.is_active:
        return False
    with scope.every_school():
        invited = Membership.objects.filter(account=account)
        joined = (invited.filter(accepted_at__isnull=False), _connections().filter(account=account))
        return invited.exists() and not any(ties.exists() for ties in joined)


def name_is_taken(*, column: str, value: str) -> bool:
    """Whether somebody else signs in by this email or mobile: not where it was only invited as staff."""
    found = Account.objects.filter(**{column: value}).first()
    return found is not None and not is_vacant(found)


def staff_of(school: School) -> QuerySet[Membership]:
    """Return everybody who may sign in or is invited to `school`, by name."""
    return (
        Membership.objects.filter(school=school, ended_at=None)
        .select_related("account")
        .order_by("account__name", "account__email")
    )


def former_staff_of(school: School) -> QuerySet[Membership]:
    """Return the ended memberships of `school`, the latest first."""
    return (
        Membership.objects.filter(school=school, ended_at__isnull=False)
        .select_related("account")
        .order_by("-ended_at", "-id")
    )


def is_last_administrator(membership: Membership) -> bool:
    """Whether nobody else could administer the school if this member could not."""
    if membership.role != Role.ADMINISTRATOR or membership.accepted_at is None or membership.ended_at is not None:
        return False
    others = Membership.objects.filter(
        school_id=membership.school_id,
        role=Role.ADMINISTRATOR,
        accepted_at__isnull=False,
        ended_at=None,
        account__is_active=True,
    ).exclude(pk=membership.pk)
    return not others.exists()
