"""The start page, and the first school."""

from __future__ import annotations

import re
from collections.abc import Callable
from io import StringIO

import pytest
from django.core import mail
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from hub.accounts.models import Account, Membership
from hub.core import scope
from hub.core.models import School
from hub.messaging.mail import MailNotSent

COMMAND = ("create_school", "823/3001", "Larch Hill Primary", "--admin", "Head@example.org")


def run(*args: str) -> str:
    out = StringIO()
    call_command(*args, stdout=out, stderr=out)
    return out.getvalue()


def test_before_the_first_school_the_start_says_what_to_do(db: None) -> None:
    answer = Client().get("/")
    assert "bin/manage create_school" in answer.text


def test_a_school_and_its_first_administrator(db: None) -> None:
    said = run(*COMMAND)
    with scope.every_school():
        school = School.objects.get()
        assert (school.slug, school.name, school.office_email) == ("8233001", "Larch Hill Primary", "head@example.org")
        assert Membership.objects.get().role == "administrator"
    (link,) = re.findall(r"/invitation/\S+", said)
    assert link in mail.outbox[0].body
    client = Client()
    client.get(link)
    client.post("/invitation/", {"name": "Helen Ward", "password": "three odd words"})
    assert client.get("/")["Location"] == "/account/second-factor/?next=%2F"  # staff sign in with one


def test_the_link_is_printed_also_where_no_mail_can_be_sent(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(**given: object) -> None:
        raise MailNotSent("The mail could not be sent.")

    monkeypatch.setattr("hub.messaging.mail.send", fails)
    assert "/invitation/" in run(*COMMAND)


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("create_school", "12", "X", "--admin", "a@example.org"), "DfE|digits"),
        (("create_school", "8233001", "X", "--admin", "nobody"), "email"),
    ],
)
def test_what_cannot_be_read_is_said_and_nothing_is_made(db: None, args: tuple[str, ...], said: str) -> None:
    with pytest.raises(CommandError, match=said):
        run(*args)
    with scope.every_school():
        assert not School.objects.exists()


def test_a_number_is_one_schools(db: None) -> None:
    run(*COMMAND)
    with pytest.raises(CommandError, match="already"):
        run(*COMMAND)
    with scope.every_school():
        assert Membership.objects.count() == 1


def test_a_member_of_one_school_starts_there(office: Account, signed_in: Callable[[Account], Client]) -> None:
    assert signed_in(office).get("/")["Location"] == "/8233001/"


def test_a_member_of_several_starts_at_the_list(
    office: Account, other_school: School, signed_in: Callable[[Account], Client]
) -> None:
    with scope.every_school():
        held = Membership.objects.get()
        Membership.objects.create(school=other_school, account=office, role="office", accepted_at=held.accepted_at)
    assert signed_in(office).get("/")["Location"] == "/schools/"


def test_an_account_without_a_school_is_told_so(
    db: None, school: School, signed_in: Callable[[Account], Client]
) -> None:
    account = Account.objects.create_user("alone@example.org", password="correct horse battery")
    answer = signed_in(account).get("/", follow=True)
    assert answer.redirect_chain[0][0] == reverse("portal:home")
    assert "no school has connected you yet" in answer.text


@pytest.mark.parametrize("path", ["/style-guide/"])
def test_the_style_guide_is_for_developers(db: None, path: str) -> None:
    assert Client().get(path).status_code == 404


def test_a_page_that_is_not_there_speaks_plainly(db: None) -> None:
    answer = Client().get("/8233001/nothing/here/")
    assert answer.status_code == 404
    assert "There is no such page." in answer.text


def test_the_error_page_needs_no_database() -> None:
    from django.test import RequestFactory
    from django.views.defaults import server_error

    answer = server_error(RequestFactory().get("/"))
    assert answer.status_code == 500
    assert b"Something went wrong here" in answer.content
