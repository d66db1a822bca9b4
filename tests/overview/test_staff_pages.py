"""Settings: staff and the school's details. Every role and a stranger at every page."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from django.core import mail
from django.test import Client

from hub.accounts.models import Account, Membership, Role
from hub.core import scope
from hub.core.models import AuditEntry, School
from hub.messaging.mail import MailNotSent
from hub.people.models import Group, GroupAccess, GroupMember, Pupil

SignedIn = Callable[[Account], Client]
STAFF = "/8233001/settings/staff/"


@pytest.fixture
def member(office: Account) -> Membership:
    return Membership.objects.get(account=office)


@pytest.fixture
def groups(school: School) -> list[Group]:
    made = [Group.objects.create(school=school, kind="registration", name=name) for name in ("6HB", "6KT")]
    pupil = Pupil.objects.create(school=school, forename="Millie", surname="Okafor")
    GroupMember.objects.bulk_create(GroupMember(school=school, group=group, pupil=pupil) for group in made)
    return made


PAGES = [
    ("get", "", ("administrator", "office")),
    ("get", "school/", ("administrator",)),
    ("post", "school/", ("administrator",)),
    ("get", "staff/", ("administrator",)),
    ("get", "staff/invite/", ("administrator",)),
    ("post", "staff/invite/", ("administrator",)),
    ("get", "staff/{member}/", ("administrator",)),
    ("post", "staff/{member}/", ("administrator",)),
    ("post", "staff/{member}/send-again/", ("administrator",)),
    ("get", "staff/{member}/end/", ("administrator",)),
    ("post", "staff/{member}/end/", ("administrator",)),
]


@pytest.mark.parametrize("role", ["administrator", "office", "teacher", "stranger", "anonymous"])
@pytest.mark.parametrize(("method", "page", "roles"), PAGES)
def test_who_may_open_it(
    request: pytest.FixtureRequest,
    signed_in: SignedIn,
    member: Membership,
    method: str,
    page: str,
    roles: tuple[str, ...],
    role: str,
) -> None:
    client = Client() if role == "anonymous" else signed_in(request.getfixturevalue(role))
    answer = getattr(client, method)("/8233001/settings/" + page.format(member=member.pk))
    if role in roles:
        assert answer.status_code in (200, 302, 422)
        assert "/sign-in/" not in answer.headers.get("Location", "")
    elif role == "anonymous":
        assert answer["Location"].startswith("/sign-in/")
    else:
        assert answer.status_code == (404 if role == "stranger" else 403)


@pytest.mark.parametrize("page", ["", "{other}/", "{other}/end/"])
def test_another_schools_member_is_not_there(
    administrator: Account, stranger: Account, other_school: School, signed_in: SignedIn, page: str
) -> None:
    with scope.every_school():
        other = Membership.objects.get(account=stranger)
    answer = signed_in(administrator).get(STAFF + page.format(other=other.pk))
    assert answer.status_code == (404 if page else 200)
    assert "Sam Stone" not in answer.text


def test_sending_again_is_a_post(administrator: Account, member: Membership, signed_in: SignedIn) -> None:
    assert signed_in(administrator).get(f"{STAFF}{member.pk}/send-again/").status_code == 405


def test_an_invitation_is_mailed_with_a_link_that_works(
    administrator: Account, groups: list[Group], signed_in: SignedIn
) -> None:
    typed = {"email": "New@example.org", "role": "teacher", "groups_registration": [groups[0].pk]}
    answer = signed_in(administrator).post(f"{STAFF}invite/", typed, follow=True)
    assert "new@example.org is invited" in answer.text
    made = Membership.objects.get(account__email="new@example.org")
    assert list(GroupAccess.objects.filter(membership=made).values_list("group__name", flat=True)) == ["6HB"]
    (sent,) = mail.outbox
    assert (sent.to, sent.subject) == (
        ["new@example.org"],
        "Helen Ward invites you to Larch Hill Primary on Schoolgate",
    )
    link = re.search(r"http://\S+(/invitation/\S+)", sent.body)
    assert link
    assert "Join Larch Hill Primary" in Client().get(link[1], follow=True).text


def test_nobody_is_invited_twice(administrator: Account, office: Account, signed_in: SignedIn) -> None:
    answer = signed_in(administrator).post(f"{STAFF}invite/", {"email": office.email, "role": "office"})
    assert answer.status_code == 422
    assert "is a member already" in answer.text
    assert mail.outbox == []


def test_a_mail_that_fails_is_said_and_the_invitation_stands(
    administrator: Account, signed_in: SignedIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(**given: object) -> None:
        raise MailNotSent("The mail could not be sent.")

    monkeypatch.setattr("hub.messaging.mail.send", fails)
    answer = signed_in(administrator).post(
        f"{STAFF}invite/", {"email": "new@example.org", "role": "office"}, follow=True
    )
    assert "The invitation stands" in answer.text
    assert Membership.objects.filter(account__email="new@example.org").exists()


def test_a_role_and_groups_are_changed_together(
    administrator: Account, member: Membership, groups: list[Group], signed_in: SignedIn
) -> None:
    client = signed_in(administrator)
    client.post(f"{STAFF}{member.pk}/", {"role": "teacher", "groups_registration": [group.pk for group in groups]})
    member.refresh_from_db()
    assert (member.role, member.group_access.count()) == (Role.TEACHER, 2)
    assert "6HB, 6KT" in client.get(STAFF).text
    client.post(f"{STAFF}{member.pk}/", {"role": "office", "groups_registration": [groups[0].pk]})
    assert member.group_access.count() == 0


def test_a_group_that_emptied_stays_ticked(
    administrator: Account, member: Membership, groups: list[Group], signed_in: SignedIn
) -> None:
    GroupAccess.objects.create(school=member.school, membership=member, group=groups[0])
    GroupMember.objects.all().delete()
    form = signed_in(administrator).get(f"{STAFF}{member.pk}/").context["form"]
    assert form["groups_registration"].value() == [groups[0].pk]


def test_access_ends_after_a_question(administrator: Account, member: Membership, signed_in: SignedIn) -> None:
    client = signed_in(administrator)
    assert "End Priya Shah" in client.get(f"{STAFF}{member.pk}/end/").text
    member.refresh_from_db()
    assert member.ended_at is None
    their = signed_in(member.account)
    assert "no longer has access" in client.post(f"{STAFF}{member.pk}/end/", follow=True).text
    assert their.get("/8233001/settings/")["Location"].startswith("/sign-in/")


def test_the_last_administrator_is_refused_in_words(administrator: Account, signed_in: SignedIn) -> None:
    own = Membership.objects.get(account=administrator)
    client = signed_in(administrator)
    for answer in (client.post(f"{STAFF}{own.pk}/end/"), client.post(f"{STAFF}{own.pk}/", {"role": "office"})):
        assert answer.status_code == 422
        assert "only administrator" in answer.text


def test_who_ends_their_own_access_is_led_out(administrator: Account, member: Membership, signed_in: SignedIn) -> None:
    Membership.objects.filter(pk=member.pk).update(role=Role.ADMINISTRATOR)
    own = Membership.objects.get(account=administrator)
    answer = signed_in(administrator).post(f"{STAFF}{own.pk}/end/", follow=True)
    assert answer.redirect_chain[-1][0] == "/sign-in/?next=/"


def test_the_schools_details_are_changed_and_written_down(administrator: Account, signed_in: SignedIn) -> None:
    typed = {"name": "Larch Hill", "office_email": "Admin@example.org", "urn": "123456"}
    answer = signed_in(administrator).post("/8233001/settings/school/", typed, follow=True)
    assert "are saved" in answer.text
    assert School.objects.get().office_email == "admin@example.org"
    assert AuditEntry.objects.get().action == "school.changed"


def test_a_urn_has_six_digits(administrator: Account, signed_in: SignedIn) -> None:
    typed = {"name": "Larch Hill", "office_email": "admin@example.org", "urn": "12x"}
    answer = signed_in(administrator).post("/8233001/settings/school/", typed)
    assert answer.status_code == 422
    assert "six digits" in answer.text
