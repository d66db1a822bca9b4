"""Registering with bad luck: too late, twice, without texts, with a page left open."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
import time_machine
from django.test import Client

from hub.accounts.models import Account
from hub.core import scope
from hub.core.models import School
from hub.messaging.models import Notice
from hub.people.models import Connection, Contact, ContactDetail
from tests.conftest import NOW
from tests.factories.joining import GOOD, Person, children_of, register
from tests.factories.people import give, make_contact, make_pupil, make_staff, tie
from verification import codes
from verification.invitations import inviting
from verification.models import Choices


def text(answer: Any) -> str:
    return str(answer.content.decode())


@pytest.fixture
def _no_texts(settings: Any) -> None:
    settings.NOTICE_CARRIERS = {**settings.NOTICE_CARRIERS, "text": "hub.messaging.texting.Texting"}
    settings.TEXT_URL = ""


@pytest.mark.usefixtures("_no_texts")
class TestWhereTextsAreNotSetUp:
    """No page says that a code is on its way to a phone."""

    def test_the_mobile_stays_as_the_school_has_it_and_is_not_asked_for(self, invited: Person, mother: Contact) -> None:
        assert "Have your phone with you" not in text(invited.open("ngozi@example.org"))
        invited.begin()
        assert invited.post("/join/email/", choice="known0")["Location"] == "/join/children/"
        assert "Step 3 of 4" in text(invited.client.get("/join/children/"))
        invited.post("/join/children/", **children_of(mother))
        assert invited.post("/join/finish/", password=GOOD)["Location"] == "/join/done/"
        mobile = mother.details.get(kind="mobile")
        assert (mobile.value, mobile.verified_at) == ("+447700900111", None)
        assert not Notice.objects.filter(channel="text").exists()

    def test_the_email_must_be_proved_then(self, invited: Person) -> None:
        invited.open("ngozi@example.org")
        invited.begin()
        assert "at least one way" in text(invited.client.get("/join/email/"))
        assert invited.post("/join/email/", choice="none").status_code == 422
        invited.post("/join/email/", choice="other", other="new@example.org")
        assert invited.post("/join/email/code/", later="1").status_code == 422
        assert invited.client.get("/join/mobile/")["Location"] == "/join/email/"

    def test_of_two_who_share_a_mailbox_each_is_led_to_a_letter_which_opens(
        self, invited: Person, mother: Contact, millie: Any, office: Account, school: School, sent: Any
    ) -> None:
        give(make_contact(school, "Chidi", "Okafor", millie), "email", "ngozi@example.org")
        answer = invited.open("ngozi@example.org")
        assert answer.status_code == 410
        assert "Ask for a letter" in text(answer)
        assert 'href="/join/letter/"' in text(answer)


def test_where_no_more_codes_go_out_nobody_is_told_that_one_is_on_its_way(invited: Person) -> None:
    invited.open("ngozi@example.org")
    invited.begin()
    invited.post("/join/email/", choice="known0")
    invited.post("/join/mobile/", choice="known0")
    for _again in range(codes.A_DAY):
        invited.post("/join/mobile/code/", again="1")
    page = text(invited.client.get("/join/mobile/"))
    assert "20 codes were sent in the last 24 hours" in page
    invited.post("/join/mobile/code/", again="1")
    page = text(invited.client.get("/join/mobile/"))
    assert "20 codes were sent in the last 24 hours" in page
    assert "A new code is on its way" not in page


class TestOnceMore:
    def test_whoever_is_connected_by_it_and_opens_it_again_is_led_to_their_page(
        self, invited: Person, mother: Contact
    ) -> None:
        invited.open("ngozi@example.org")
        register(invited, mother)
        page = text(invited.open("ngozi@example.org"))
        assert "You are connected already" in page
        assert "tell the school office at once" not in page
        assert 'href="/home/"' in page

    def test_somebody_else_who_is_signed_in_is_told_no_such_thing(
        self, invited: Person, mother: Contact, school: School
    ) -> None:
        invited.open("ngozi@example.org")
        register(invited, mother)
        other = Account.objects.create_user("chidi@example.org", password=GOOD)
        tie(make_contact(school, "Chidi", "Okafor"), other)
        his = Person(invited.sent)
        his.client.force_login(other)
        assert "This invitation was used already" in text(his.open("ngozi@example.org"))

    def test_taken_back_is_not_called_replaced_by_a_newer_one(
        self, invited: Person, mother: Contact, office: Account
    ) -> None:
        inviting.void(owner=mother, by=office, now=NOW)
        assert "A newer invitation took its place" not in text(invited.open("ngozi@example.org"))


class TestLater:
    def test_after_an_hour_one_is_told_why_it_begins_again(self, invited: Person) -> None:
        invited.open("ngozi@example.org")
        assert "begin again" not in text(invited.client.get("/join/"))
        invited.begin()
        with time_machine.travel(NOW + dt.timedelta(minutes=61)):
            assert invited.post("/join/email/", choice="known0")["Location"] == "/join/"
            assert "More than an hour has passed since you began" in text(invited.client.get("/join/"))
            invited.begin()
            assert invited.client.get("/join/email/").status_code == 200

    def test_a_browser_that_has_opened_no_invitation_is_told_to_open_it(self, db: None) -> None:
        page = text(Client().get("/join/email/"))
        assert "Open your invitation once more" in page
        assert "Check that the whole link was copied" not in page


def test_a_nickname_in_one_record_is_a_matter_for_the_office(
    invited: Person, mother: Contact, school: School, office: Account
) -> None:
    """Staff and parent at one school, as Nora here and Ngozi there."""
    login = Account.objects.create_user("nora@example.org", password=GOOD)
    tie(make_staff(school, "Nora", "Okafor"), login)
    invited.client.force_login(login)
    invited.open("ngozi@example.org")
    invited.post("/join/")
    assert "If both are you, ask the school office" in text(invited.client.get("/join/who/"))


def test_a_husband_who_is_signed_in_from_another_school_is_asked_twice(
    invited: Person, mother: Contact, other_school: School
) -> None:
    """They share a surname, a mailbox and a tablet: his login must not take her record in passing."""
    login = Account.objects.create_user("chidi@example.org", name="Chidi Okafor", password=GOOD)
    with scope.schools(other_school.pk):
        tie(make_contact(other_school, "Chidi", "Okafor"), login)
    invited.client.force_login(login)
    invited.open("ngozi@example.org")
    invited.post("/join/")
    assert "has another name than" in text(invited.client.get("/join/who/"))
    Account.objects.filter(pk=login.pk).update(name="Ngozi Okafor")
    assert "has another name than" not in text(invited.client.get("/join/who/"))


def test_a_mail_that_bounced_before_makes_a_shared_mailbox_nobodys_alone(
    invited: Person, mother: Contact, millie: Any, school: School
) -> None:
    """It was full on Sunday, so nothing is said to reach it; the link came all the same, and he reads it too."""
    give(make_contact(school, "Chidi", "Okafor", millie), "email", "ngozi@example.org")
    ContactDetail.objects.filter(kind="email").update(deliverable=False)
    invited.open("ngozi@example.org")
    invited.begin()
    assert "so no code is needed" in text(invited.client.get("/join/email/"))
    invited.post("/join/email/", choice="known0")
    assert "show that you are you" in text(invited.client.get("/join/mobile/"))


class TestAMailboxSharedAcrossSchools:
    """He has a child at another school, which has the family's mailbox for him; she is known here alone."""

    def known_there(self, other_school: School, forename: str, surname: str = "Okafor", **details: str) -> None:
        with scope.schools(other_school.pk):
            contact = make_contact(other_school, forename, surname, make_pupil(other_school))
            for kind, value in details.items():
                give(contact, kind, value)

    def asks_for_her_mobile(self, invited: Person) -> bool:
        invited.open("ngozi@example.org")
        invited.begin()
        invited.post("/join/email/", choice="known0")
        return "show that you are you" in text(invited.client.get("/join/mobile/"))

    def test_he_does_not_become_her_by_her_link(self, invited: Person, other_school: School) -> None:
        self.known_there(other_school, "Chidi", email="ngozi@example.org")
        assert self.asks_for_her_mobile(invited)
        assert invited.post("/join/mobile/", choice="none").status_code == 422

    def test_nor_where_only_the_mis_still_says_so(self, invited: Person, other_school: School) -> None:
        self.known_there(other_school, "Chidi", email="ngozi@example.org")
        with scope.schools(other_school.pk):
            ContactDetail.objects.filter(contact__forename="Chidi").update(value="chidi@example.org")
        assert self.asks_for_her_mobile(invited)

    def test_she_herself_at_the_other_school_makes_nothing_harder(self, invited: Person, other_school: School) -> None:
        self.known_there(other_school, "Ngozi", email="ngozi@example.org", mobile="+447700900111")
        assert not self.asks_for_her_mobile(invited)

    def test_where_the_mobile_is_shared_too_the_link_is_all_there_can_be(
        self, invited: Person, other_school: School
    ) -> None:
        self.known_there(other_school, "Chidi", email="ngozi@example.org", mobile="+447700900111")
        assert not self.asks_for_her_mobile(invited)


def test_a_letters_code_never_has_what_looks_alike_and_says_so(mother: Contact, office: Account) -> None:
    for page in ("/join/letter/", "/recover/letter/"):
        assert "no O or I, no 0 or 1" in text(Client().get(page)), page


class TestTheOffice:
    def test_a_letters_life_is_the_schools_own_on_the_page_that_asks(
        self, mother: Contact, school: School, office: Account, signed_in: Any
    ) -> None:
        page = "/8233001/reports/connections/invite/"
        client = signed_in(office)
        assert "A link is good for 10 days, and so is a letter." in text(client.get(page))
        Choices.objects.create(school=school, letter_days=1)
        assert "A link is good for 10 days, a letter for 1 day." in text(client.get(page))

    def test_whom_nobody_was_left_to_invite_is_said_plainly(
        self, mother: Contact, office: Account, signed_in: Any
    ) -> None:
        """Two members of the office press the button, or one of them twice."""
        client = signed_in(office)
        for _twice in range(2):
            answer = client.post("/8233001/reports/connections/invite/", follow=True)
        assert "Nobody was left to invite" in text(answer)
        assert "0 parents" not in text(answer)

    def test_a_link_that_went_to_an_old_address_is_not_called_unanswered(
        self, invited: Person, mother: Contact, office: Account, signed_in: Any
    ) -> None:
        client = signed_in(office)
        client.post(f"/8233001/people/contacts/{mother.pk}/email/", {"value": "right@example.org"})
        assert mother.details.get(kind="email").value == "right@example.org"
        page = text(client.get(f"/8233001/people/contacts/{mother.pk}/"))
        assert "Its link opens nothing any more: the email has changed since." in page
        assert "without an answer" not in page
        assert page.count('<span class="chip warn">Lapsed</span>') == 2, "the head of the page and the panel agree"
        assert "chip live" not in page
        report = text(client.get("/8233001/reports/connections/"))
        assert "the email has changed since" in report
        assert Connection.objects.filter(contact=mother, ended_at=None).exists()
