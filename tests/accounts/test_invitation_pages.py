"""The pages behind a link: opening changes nothing, the button does."""

from __future__ import annotations

import datetime as dt

import pytest
from django.test import Client
from django.utils import timezone

from hub.accounts import second_factor, services
from hub.accounts.models import Account, Membership, Role, StaffInvitation
from hub.accounts.services import Invited
from hub.core.models import School

GOOD = {"name": "Nia New", "password": "three odd words"}


@pytest.fixture
def invited(school: School, administrator: Account) -> Invited:
    now = timezone.now()
    return services.invite_staff(school=school, email="new@example.org", role=Role.OFFICE, by=administrator, now=now)


def opened(invited: Invited, client: Client | None = None) -> Client:
    client = client or Client()
    client.get(f"/invitation/{invited.token}/")
    return client


def test_opening_the_link_changes_nothing(invited: Invited) -> None:
    answer = Client().get(f"/invitation/{invited.token}/", follow=True)
    assert answer.redirect_chain == [("/invitation/", 302)]
    assert "Join Larch Hill Primary" in answer.text
    assert invited.token not in answer.text
    assert StaffInvitation.objects.get().used_at is None


def test_the_session_keeps_no_token(invited: Invited) -> None:
    assert invited.token not in str(dict(opened(invited).session))


def test_the_button_joins_and_signs_in(invited: Invited) -> None:
    client = opened(invited)
    answer = client.post("/invitation/", GOOD)
    assert (answer.status_code, answer["Location"]) == (302, "/")
    assert client.session["_auth_user_id"] == str(invited.membership.account_id)
    assert Membership.objects.get(pk=invited.membership.pk).accepted_at is not None


@pytest.mark.parametrize("password", ["", "short", "password1234", "new@example.org!"])
def test_a_weak_password_is_refused(invited: Invited, password: str) -> None:
    answer = opened(invited).post("/invitation/", {**GOOD, "password": password})
    assert answer.status_code == 422
    assert answer.context["form"].errors["password"]
    assert StaffInvitation.objects.get().used_at is None


def test_a_used_link_says_so(invited: Invited) -> None:
    client = opened(invited)
    client.post("/invitation/", GOOD)
    answer = opened(invited, client).get("/invitation/")
    assert answer.status_code == 410
    assert "used already" in answer.text


def test_an_unknown_link_says_so(db: None) -> None:
    answer = Client().get("/invitation/guess/", follow=True)
    assert answer.status_code == 410


def test_a_login_of_another_school_signs_in_first(school: School, stranger: Account, administrator: Account) -> None:
    invited = services.invite_staff(
        school=school, email=stranger.email, role=Role.OFFICE, by=administrator, now=timezone.now()
    )
    second_factor.give_time_code(account=stranger, secret="JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP", now=timezone.now())
    client = opened(invited)
    assert "You have a Schoolgate login already" in client.get("/invitation/").text
    assert client.post("/invitation/", GOOD).status_code == 410
    sign_in = {"username": stranger.email, "password": "correct horse battery", "next": "/invitation/"}
    assert client.post("/sign-in/", sign_in)["Location"] == "/sign-in/second/"
    code = second_factor.current_code(stranger, timezone.now())
    assert "your password stays" in client.post("/sign-in/second/", {"code": code}, follow=True).text
    elsewhere = Client()
    elsewhere.force_login(stranger)
    assert client.post("/invitation/")["Location"] == "/"
    assert Membership.objects.get(account=stranger, school=school).accepted_at is not None
    assert elsewhere.get("/account/")["Location"].startswith("/sign-in/")  # it may have lived as long as a parent's
    assert client.get("/account/").status_code == 200


def test_the_link_is_dead_after_ten_days(invited: Invited) -> None:
    StaffInvitation.objects.update(expires_at=timezone.now() - dt.timedelta(seconds=1))
    assert opened(invited).get("/invitation/").status_code == 410
