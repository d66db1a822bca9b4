"""A colleague who lost phone and codes: an administrator resets the factor, never their own, never another school's."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from hub.accounts import second_factor, signing_in
from hub.accounts.models import Account, Membership, Role, SecurityEvent
from hub.core import scope
from hub.core.models import AuditEntry, School

SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


@pytest.fixture
def admin(administrator: Account, signed_in: Callable[[Account], Client]) -> Client:
    client = signed_in(administrator)
    session = client.session
    session[signing_in.PROVED] = {"at": timezone.now().timestamp(), "how": "password"}
    session.save()
    return client


def path_of(account: Account) -> str:
    return f"/8233001/settings/staff/{Membership.objects.get(account=account).pk}/second-factor/"


def test_it_is_asked_first_then_done_and_the_colleague_signed_out_and_told(
    office: Account, admin: Client, signed_in: Callable[[Account], Client]
) -> None:
    second_factor.give_time_code(account=office, secret=SECRET, now=timezone.now())
    theirs = signed_in(office)
    assert "Reset it" in admin.get(path_of(office).replace("second-factor/", "")).text
    assert admin.get(path_of(office)).status_code == 200
    office.refresh_from_db()
    assert second_factor.has_one(office)
    admin.post(path_of(office))
    office.refresh_from_db()
    assert not second_factor.has_one(office)
    assert theirs.get("/8233001/")["Location"].startswith("/sign-in/")
    assert SecurityEvent.objects.get().what == "factors_reset"
    assert AuditEntry.objects.filter(action="staff.second_factor_reset").exists()


def test_it_asks_who_it_is_again(office: Account, admin: Client) -> None:
    session = admin.session
    del session[signing_in.PROVED]
    session.save()
    assert admin.post(path_of(office))["Location"].startswith("/account/prove/")


def test_nobody_resets_their_own(administrator: Account, admin: Client) -> None:
    assert admin.post(path_of(administrator)).status_code == 422


def test_one_school_does_not_reset_a_login_of_two(
    office: Account, admin: Client, other_school: School, now: dt.datetime
) -> None:
    with scope.every_school():
        Membership.objects.create(school=other_school, account=office, role=Role.TEACHER, accepted_at=now)
    answer = admin.post(path_of(office))
    assert "one school cannot reset it" in answer.text
    office.refresh_from_db()
    assert second_factor.has_one(office)


def test_only_administrators(office: Account, teacher: Account, signed_in: Callable[[Account], Client]) -> None:
    assert signed_in(office).post(path_of(teacher)).status_code == 403


def test_whoever_runs_the_installation_resets_any_login(office: Account) -> None:
    call_command("reset_second_factor", "office@example.org")
    office.refresh_from_db()
    assert not second_factor.has_one(office)
    with pytest.raises(CommandError):
        call_command("reset_second_factor", "nobody@example.org")
