"""A colleague who lost phone and codes: an administrator resets the factor, never their own, never another school's."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from hub.accounts import second_factor, services, signing_in
from hub.accounts.models import Account, Membership, Role, SecurityEvent
from hub.core import scope
from hub.core.models import AuditEntry, School
from tests.factories.people import make_contact, tie

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


def test_one_school_does_not_reset_a_parent_of_another(
    office: Account, admin: Client, other_school: School, now: dt.datetime
) -> None:
    with scope.schools(other_school.pk):
        tie(make_contact(other_school, "Priya", "Shah"), office)
    assert "one school cannot reset it" in admin.post(path_of(office)).text
    office.refresh_from_db()
    assert second_factor.has_one(office)


def test_a_school_that_invites_somebody_has_no_say_in_their_login(
    school: School, admin: Client, other_school: School, signed_in: Callable[[Account], Client], now: dt.datetime
) -> None:
    """Anybody's email can be invited: until its owner has joined, the school learns and does nothing of their login."""
    theirs = Account.objects.create_user("ngozi@example.org", name="Ngozi Ade", password="correct horse battery")
    second_factor.give_time_code(account=theirs, secret=SECRET, now=now)
    with scope.schools(other_school.pk):
        tie(make_contact(other_school, "Ngozi", "Ade"), theirs)
    client = signed_in(theirs)
    staff = "/8233001/settings/staff/"
    admin.post(f"{staff}invite/", {"email": "ngozi@example.org", "role": "office"})
    member = Membership.objects.get(account=theirs)
    pages = [admin.get(staff + page) for page in ("", f"{member.pk}/", f"{member.pk}/end/")]
    assert [page.status_code for page in pages] == [200, 200, 200]
    assert not any("Ngozi" in page.text for page in pages)
    for page in (admin.get(path_of(theirs)), admin.post(path_of(theirs))):
        assert page.status_code == 404
    with pytest.raises(services.StaffRefused):
        services.reset_second_factor(membership=member, by=Account.objects.get(email="head@example.org"), now=now)
    assert "Ngozi" not in admin.post(f"{staff}{member.pk}/", {"role": "teacher"}, follow=True).text
    ended = admin.post(f"{staff}{member.pk}/end/", follow=True)
    assert "ngozi@example.org no longer has access" in ended.text
    assert "Ngozi" not in ended.text
    theirs.refresh_from_db()
    assert second_factor.has_one(theirs)
    assert client.get("/home/").status_code == 200


def test_only_administrators(office: Account, teacher: Account, signed_in: Callable[[Account], Client]) -> None:
    assert signed_in(office).post(path_of(teacher)).status_code == 403


def test_whoever_runs_the_installation_resets_any_login(office: Account) -> None:
    call_command("reset_second_factor", "office@example.org")
    office.refresh_from_db()
    assert not second_factor.has_one(office)
    with pytest.raises(CommandError):
        call_command("reset_second_factor", "nobody@example.org")
