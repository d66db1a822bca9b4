"""Inviting, accepting, changing and ending: who may work at a school."""

from __future__ import annotations

import datetime as dt

import pytest
from django.contrib.auth import get_user
from django.test import Client, RequestFactory

from hub.accounts import services, tokens
from hub.accounts.models import Account, Membership, Role, StaffInvitation
from hub.accounts.services import InvitationRefused, Invited, StaffRefused
from hub.core.models import AuditEntry, School

EMAIL = "new@example.org"


@pytest.fixture
def invited(school: School, administrator: Account, now: dt.datetime) -> Invited:
    return services.invite_staff(school=school, email=" New@Example.org", role=Role.OFFICE, by=administrator, now=now)


def accept(invited: Invited, now: dt.datetime, **more: object) -> Membership:
    given = {"name": "Nia New", "password": "three odd words", **more}
    return services.accept_invitation(token_hash=tokens.hashed(invited.token), now=now, **given)


def membership_of(account: Account) -> Membership:
    return Membership.objects.get(account=account, ended_at=None)


def test_the_token_is_long_and_only_its_hash_is_kept(invited: Invited) -> None:
    held = StaffInvitation.objects.get()
    assert len(invited.token) >= 43
    assert invited.token not in str(vars(held))
    assert held.token_hash == tokens.hashed(invited.token)
    assert invited.token not in str(AuditEntry.objects.values())


def test_accepting_opens_the_membership_and_sets_the_password(invited: Invited, now: dt.datetime) -> None:
    membership = accept(invited, now)
    account = Account.objects.get(email=EMAIL)
    assert account.check_password("three odd words")
    assert (account.name, membership_of(account).accepted_at) == ("Nia New", now)
    assert membership.role == Role.OFFICE


def test_a_link_works_once(invited: Invited, now: dt.datetime) -> None:
    accept(invited, now)
    with pytest.raises(InvitationRefused, match="used already"):
        accept(invited, now, password="another password!")
    assert Account.objects.get(email=EMAIL).check_password("three odd words")


def test_a_link_is_good_for_ten_days(invited: Invited, now: dt.datetime) -> None:
    late = now + dt.timedelta(days=10)
    services.find_invitation(token_hash=tokens.hashed(invited.token), now=late - dt.timedelta(seconds=1))
    with pytest.raises(InvitationRefused, match="10 days"):
        accept(invited, late)


def test_an_unknown_link_opens_nothing(db: None, now: dt.datetime) -> None:
    with pytest.raises(InvitationRefused, match="opens nothing"):
        services.find_invitation(token_hash=tokens.hashed("guess"), now=now)


def test_a_new_link_voids_the_older_one(invited: Invited, administrator: Account, now: dt.datetime) -> None:
    later = now + dt.timedelta(hours=1)
    again = services.send_again(membership=invited.membership, by=administrator, now=later)
    with pytest.raises(InvitationRefused):
        accept(invited, later)
    assert accept(again, later).account.email == EMAIL


def test_nobody_is_invited_twice(invited: Invited, school: School, administrator: Account, now: dt.datetime) -> None:
    with pytest.raises(StaffRefused, match="was invited"):
        services.invite_staff(school=school, email=EMAIL, role=Role.TEACHER, by=administrator, now=now)
    assert Membership.objects.filter(account__email=EMAIL).count() == 1


def test_a_login_of_another_school_joins_with_the_password_it_has(
    school: School, stranger: Account, administrator: Account, now: dt.datetime
) -> None:
    invited = services.invite_staff(school=school, email=stranger.email, role=Role.OFFICE, by=administrator, now=now)
    with pytest.raises(InvitationRefused, match="Sign in as"):
        accept(invited, now)
    with pytest.raises(InvitationRefused, match="Sign in as"):
        accept(invited, now, signed_in=administrator)
    before = Account.objects.get(pk=stranger.pk).password
    accept(invited, now, signed_in=stranger)
    after = Account.objects.get(pk=stranger.pk)
    assert (after.password, after.name) == (before, "Sam Stone")
    assert Membership.objects.get(account=stranger, school=school).accepted_at == now


def test_a_link_sets_a_new_password_for_a_member(office: Account, administrator: Account, now: dt.datetime) -> None:
    again = services.send_again(membership=membership_of(office), by=administrator, now=now)
    accept(again, now, name="")
    account = Account.objects.get(pk=office.pk)
    assert account.check_password("three odd words")
    assert account.name == "Priya Shah"


def test_ending_access_ends_every_session_and_voids_links(
    office: Account, administrator: Account, now: dt.datetime
) -> None:
    client = Client()
    client.force_login(office)
    services.send_again(membership=membership_of(office), by=administrator, now=now)
    services.end_access(membership=membership_of(office), by=administrator, now=now)
    request = RequestFactory().get("/")
    request.session = client.session
    assert not get_user(request).is_authenticated
    assert not StaffInvitation.objects.filter(used_at=None, expires_at__gt=now).exists()
    assert Membership.objects.get(account=office).ended_at == now


def test_who_was_ended_may_be_invited_again(
    office: Account, administrator: Account, school: School, now: dt.datetime
) -> None:
    services.end_access(membership=membership_of(office), by=administrator, now=now)
    invited = services.invite_staff(school=school, email=office.email, role=Role.TEACHER, by=administrator, now=now)
    assert not services.needs_password(invited.membership)


def test_the_last_administrator_stays(administrator: Account, now: dt.datetime) -> None:
    with pytest.raises(StaffRefused, match="only administrator"):
        services.end_access(membership=membership_of(administrator), by=administrator, now=now)
    with pytest.raises(StaffRefused, match="only administrator"):
        services.change_role(membership=membership_of(administrator), role=Role.OFFICE, by=administrator, now=now)


def test_an_invited_administrator_is_not_yet_one(school: School, administrator: Account, now: dt.datetime) -> None:
    services.invite_staff(school=school, email=EMAIL, role=Role.ADMINISTRATOR, by=administrator, now=now)
    with pytest.raises(StaffRefused, match="only administrator"):
        services.end_access(membership=membership_of(administrator), by=administrator, now=now)


def test_with_a_second_administrator_the_first_may_go(
    administrator: Account, office: Account, now: dt.datetime
) -> None:
    services.change_role(membership=membership_of(office), role=Role.ADMINISTRATOR, by=administrator, now=now)
    services.end_access(membership=membership_of(administrator), by=office, now=now)
    assert membership_of(office).role == Role.ADMINISTRATOR


def test_what_is_done_is_written_down(
    invited: Invited, administrator: Account, office: Account, now: dt.datetime
) -> None:
    services.change_role(membership=membership_of(office), role=Role.TEACHER, by=administrator, now=now)
    services.end_access(membership=membership_of(office), by=administrator, why="Left", now=now)
    accept(invited, now)
    written = list(AuditEntry.objects.order_by("id").values_list("action", "actor_name"))
    assert written == [
        ("staff.invited", "Helen Ward"),
        ("staff.role_changed", "Helen Ward"),
        ("staff.ended", "Helen Ward"),
        ("staff.accepted", "Nia New"),
    ]
