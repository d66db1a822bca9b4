"""Registering by an invitation or a letter, from the link to Connected."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import pytest
import time_machine
from django.test import Client

from hub.accounts.models import Account
from hub.core.models import Alert, School
from hub.people.models import Connection, Contact
from tests.conftest import NOW
from tests.factories.joining import GOOD, Person, children_of, mine, register
from tests.factories.people import link, make_contact, make_pupil
from verification.changes import proposing
from verification.invitations import inviting, letter_making, letters
from verification.models import DetailChange, Invitation, MisState, Status


class TestTheLink:
    def test_opening_it_changes_nothing_and_takes_the_token_out_of_the_address(
        self, invited: Person, mother: Contact
    ) -> None:
        before = list(Invitation.objects.values()), list(Connection.objects.values())
        answer = invited.open("ngozi@example.org")
        assert answer.redirect_chain == [("/join/", 302)]
        assert "Larch Hill Primary invites Ngozi Okafor" in answer.content.decode()
        invited.client.head("/" + invited.link("ngozi@example.org"))
        for page in ("/join/", "/join/who/", "/join/email/", "/join/finish/"):
            invited.client.get(page)
        assert (list(Invitation.objects.values()), list(Connection.objects.values())) == before

    def test_a_scanner_that_opens_it_first_spoils_nothing(self, invited: Person, mother: Contact, sent: Any) -> None:
        scanner = Person(sent)
        scanner.open("ngozi@example.org")
        scanner.client.get("/join/who/")
        invited.open("ngozi@example.org")
        assert register(invited, mother)["Location"] == "/join/done/"

    @pytest.mark.parametrize("page", ["/join/", "/join/who/", "/join/email/", "/join/children/", "/join/finish/"])
    def test_without_a_link_there_is_nothing(self, db: None, page: str) -> None:
        answer = Client().get(page)
        assert answer.status_code == 410
        assert "Open your invitation once more" in answer.content.decode()

    def test_an_unknown_token_says_no_more(self, db: None) -> None:
        answer = Client().get("/join/" + "x" * 43 + "/", follow=True)
        assert answer.status_code == 410

    def test_lapsed_used_and_taken_back_each_say_what_to_do(
        self, invited: Person, mother: Contact, office: Account
    ) -> None:
        invited.open("ngozi@example.org")
        with time_machine.travel(NOW + dt.timedelta(days=10)):
            assert "It was good until" in invited.open("ngozi@example.org").content.decode()
        inviting.void(owner=mother, by=office, now=NOW)
        assert "ask the office for a new invitation" in invited.open("ngozi@example.org").content.decode()

    def test_no_step_can_be_skipped(self, invited: Person) -> None:
        invited.open("ngozi@example.org")
        assert invited.client.get("/join/finish/")["Location"] == "/join/"
        invited.begin()
        assert invited.client.get("/join/finish/")["Location"] == "/join/email/"
        assert invited.post("/join/finish/", password=GOOD)["Location"] == "/join/email/"
        assert not Connection.objects.exclude(connected_at=None).exists()


class TestAnAddressThatIsNotTheirsAnyMore:
    """Whoever reads the mailbox that the school has corrected since may be anybody."""

    def test_a_link_to_an_address_the_school_has_corrected_opens_nothing(
        self, invited: Person, mother: Contact
    ) -> None:
        mother.details.filter(kind="email").update(value="right@example.org", mis_value="right@example.org")
        answer = invited.open("ngozi@example.org")
        assert answer.status_code == 410
        assert "records have changed since it was sent" in answer.content.decode()
        assert not any(word in answer.content.decode() for word in ("right@", "Ngozi"))

    def test_it_closes_under_whoever_has_begun(self, invited: Person, mother: Contact) -> None:
        invited.open("ngozi@example.org")
        invited.begin()
        invited.prove("email", "ngozi@example.org")
        invited.prove("mobile", "+447700900111")
        invited.post("/join/children/", **children_of(mother))
        mother.details.filter(kind="email").update(value="right@example.org", mis_value="right@example.org")
        assert invited.post("/join/finish/", password=GOOD).status_code == 410
        assert not Connection.objects.filter(contact=mother, connected_at__isnull=False).exists()

    def test_a_link_by_text_too(self, mother: Contact, office: Account, sent: Any) -> None:
        inviting.invite(owner=mother, by=office, channel="text", now=NOW)
        mother.details.filter(kind="mobile").update(value="+447700900222")
        assert Person(sent).open("+447700900111").status_code == 410

    def test_a_letter_and_another_detail_than_it_went_to_do_not_matter(self, invited: Person, mother: Contact) -> None:
        mother.details.filter(kind="mobile").update(value="+447700900222", mis_value="+447700900222")
        assert invited.open("ngozi@example.org").status_code == 200

    def test_the_offices_correction_ends_the_invitation_at_once(
        self, invited: Person, mother: Contact, office: Account
    ) -> None:
        proposing.edit_or_propose(owner=mother, kind="mobile", value="07700 900222", by=office, now=NOW)
        assert Invitation.objects.get(contact=mother).voided_at is None
        proposing.edit_or_propose(owner=mother, kind="email", value="right@example.org", by=office, now=NOW)
        assert Invitation.objects.get(contact=mother).voided_at == NOW
        assert inviting.invite(owner=mother, by=office, now=NOW).sent_to == "right@example.org"


class TestNew:
    def test_all_the_way(self, invited: Person, mother: Contact) -> None:
        invited.open("ngozi@example.org")
        key = invited.client.session.session_key
        assert register(invited, mother)["Location"] == "/join/done/"
        connection = Connection.objects.get(contact=mother)
        assert connection.connected_at == NOW
        account = connection.account
        assert account is not None
        assert (account.email, account.mobile, account.name) == ("ngozi@example.org", "+447700900111", "Ngozi Okafor")
        assert account.check_password(GOOD)
        assert {one.kind: (one.source, one.verified_at) for one in mother.details.all()} == {
            "email": ("person", NOW),
            "mobile": ("person", NOW),
        }
        assert Invitation.objects.get(contact=mother).used_at == NOW
        assert not DetailChange.objects.exists()
        assert invited.client.session["_auth_user_id"] == str(account.pk)
        assert invited.client.session.session_key != key
        assert "You are connected with Larch Hill Primary" in invited.client.get("/join/done/").content.decode()

    def test_the_link_proves_the_email_and_a_code_the_mobile(self, invited: Person, sent: Any) -> None:
        invited.open("ngozi@example.org")
        invited.begin()
        assert invited.post("/join/email/", choice="known0")["Location"] == "/join/mobile/"
        assert invited.post("/join/mobile/", choice="known0")["Location"] == "/join/mobile/code/"
        assert [to for to, template, _ in sent if template == "code"] == ["+447700900111"]

    def test_nothing_takes_effect_before_the_last_step(self, invited: Person, mother: Contact) -> None:
        invited.open("ngozi@example.org")
        invited.begin()
        invited.prove("email", "new@example.org", "other", other="new@example.org")
        invited.prove("mobile", "+447700900111")
        (one,) = mother.links.all()
        invited.post("/join/children/", **mine(no=(one,)))
        one.refresh_from_db()
        assert one.denied_at is None
        assert mother.details.get(kind="email").value == "ngozi@example.org"
        assert not DetailChange.objects.exists()
        assert not Account.objects.filter(name="Ngozi Okafor").exists()

    def test_a_correction_is_in_use_and_listed_for_the_mis_and_the_old_address_hears_of_it(
        self, invited: Person, mother: Contact, sent: Any
    ) -> None:
        invited.open("ngozi@example.org")
        invited.begin()
        invited.prove("email", "new@example.org", "other", other=" New@Example.org ")
        invited.prove("mobile", "+447700900111")
        invited.post("/join/children/", **children_of(mother))
        invited.post("/join/finish/", password=GOOD)
        change = DetailChange.objects.get()
        assert (change.field, change.old_value, change.new_value) == ("email", "ngozi@example.org", "new@example.org")
        assert (change.origin, change.status, change.mis_state) == ("person", Status.APPROVED, MisState.TO_UPDATE)
        detail = mother.details.get(kind="email")
        assert (detail.value, detail.mis_value, detail.verified_at) == ("new@example.org", "ngozi@example.org", NOW)
        assert ("ngozi@example.org", "change_made") in [(to, template) for to, template, _ in sent]
        assert Account.objects.get(name="Ngozi Okafor").email == "new@example.org"

    def test_i_have_none_takes_it_out(self, invited: Person, mother: Contact) -> None:
        invited.open("ngozi@example.org")
        invited.begin()
        invited.prove("email", "ngozi@example.org")
        invited.post("/join/mobile/", choice="none")
        invited.post("/join/children/", **children_of(mother))
        assert invited.post("/join/finish/", password=GOOD)["Location"] == "/join/done/"
        assert mother.details.get(kind="mobile").value == ""
        assert DetailChange.objects.get().mis_state == MisState.TO_UPDATE

    def test_one_detail_at_least_must_be_proved(self, invited: Person) -> None:
        invited.open("ngozi@example.org")
        invited.begin()
        invited.post("/join/email/", choice="none")
        answer = invited.post("/join/mobile/", choice="none")
        assert answer.status_code == 422
        assert "Choose one of these" in answer.content.decode()

    def test_the_schools_mobile_may_stay_unconfirmed_for_now(self, invited: Person, mother: Contact) -> None:
        invited.open("ngozi@example.org")
        invited.begin()
        invited.prove("email", "ngozi@example.org")
        invited.post("/join/mobile/", choice="known0")
        assert invited.post("/join/mobile/code/", later="1")["Location"] == "/join/children/"
        invited.post("/join/children/", **children_of(mother))
        invited.post("/join/finish/", password=GOOD)
        mobile = mother.details.get(kind="mobile")
        assert (mobile.value, mobile.verified_at) == ("+447700900111", None)
        assert Account.objects.get(name="Ngozi Okafor").mobile is None

    def test_a_wrong_code_proves_nothing(self, invited: Person) -> None:
        invited.open("ngozi@example.org")
        invited.begin()
        invited.post("/join/email/", choice="other", other="new@example.org")
        wrong = "000000" if invited.code("new@example.org") != "000000" else "111111"
        assert invited.post("/join/email/code/", code=wrong).status_code == 422
        assert invited.client.get("/join/mobile/")["Location"] == "/join/email/"

    def test_a_code_of_one_address_does_not_prove_another(self, invited: Person) -> None:
        invited.open("ngozi@example.org")
        invited.begin()
        invited.post("/join/email/", choice="other", other="first@example.org")
        first = invited.code("first@example.org")
        invited.post("/join/email/", choice="other", other="second@example.org")
        assert invited.post("/join/email/code/", code=first).status_code in (302, 422)
        assert invited.client.session["join"]["told"] == {} or first == invited.code("second@example.org")

    def test_neither_mine_nor_not_is_chosen_before_and_both_must_be_said(self, invited: Person) -> None:
        invited.open("ngozi@example.org")
        invited.begin()
        invited.prove("email", "ngozi@example.org")
        invited.prove("mobile", "+447700900111")
        page = invited.client.get("/join/children/").content.decode()
        assert "Millie Okafor" in page
        assert " checked" not in page.partition("<form")[2]
        assert invited.post("/join/children/").status_code == 422

    def test_not_my_child_withholds_it_lists_it_and_alerts_the_office(
        self, invited: Person, mother: Contact, school: School, sent: Any, office: Account
    ) -> None:
        other = link(make_pupil(school, "Zoë", "Stone"), mother)
        (own,) = mother.links.exclude(pk=other.pk)
        invited.open("ngozi@example.org")
        invited.begin()
        invited.prove("email", "ngozi@example.org")
        invited.prove("mobile", "+447700900111")
        invited.post("/join/children/", **mine(own, no=(other,)))
        invited.post("/join/finish/", password=GOOD)
        other.refresh_from_db()
        own.refresh_from_db()
        assert (other.denied_at, own.denied_at) == (NOW, None)
        change = DetailChange.objects.get()
        assert (change.field, change.pupil, change.mis_state) == ("child", other.pupil, MisState.TO_UPDATE)
        assert "Zoë Stone is not their child" in Alert.objects.get(resolved_at=None).title
        assert (office.email, "not_my_child") in [(to, template) for to, template, _ in sent]
        assert "Zoë Stone" in invited.client.get("/join/done/").content.decode()

    def test_a_weak_password_is_refused_and_nothing_is_used_up(self, invited: Person, mother: Contact) -> None:
        invited.open("ngozi@example.org")
        invited.begin()
        invited.prove("email", "ngozi@example.org")
        invited.prove("mobile", "+447700900111")
        invited.post("/join/children/", **children_of(mother))
        assert invited.post("/join/finish/", password="okafor").status_code == 422
        assert Invitation.objects.get(contact=mother).used_at is None

    def test_of_two_tabs_one_wins(self, invited: Person, mother: Contact, sent: Any) -> None:
        other = Person(sent)
        for person in (invited, other):
            person.open("ngozi@example.org")
            person.begin()
            person.prove("email", "ngozi@example.org")
            person.prove("mobile", "+447700900111")
            person.post("/join/children/", **children_of(mother))
        assert invited.post("/join/finish/", password=GOOD)["Location"] == "/join/done/"
        late = other.post("/join/finish/", password=GOOD)
        assert late.status_code == 410
        assert "used already" in late.content.decode()
        assert Account.objects.filter(name="Ngozi Okafor").count() == 1

    def test_proofs_given_on_the_way_grow_old(self, invited: Person) -> None:
        invited.open("ngozi@example.org")
        invited.begin()
        invited.prove("email", "ngozi@example.org")
        with time_machine.travel(NOW + dt.timedelta(minutes=61)):
            assert invited.client.get("/join/mobile/")["Location"] == "/join/"

    def test_a_court_order_that_came_meanwhile_closes_the_door(self, invited: Person, mother: Contact) -> None:
        invited.open("ngozi@example.org")
        invited.begin()
        mother.links.update(access=False)
        answer = invited.client.get("/join/email/")
        assert answer.status_code == 410
        assert "Millie" not in answer.content.decode()


class TestALetter:
    def test_proves_nothing_so_one_detail_is_proved_afresh(
        self, school: School, millie: Any, office: Account, sent: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        nobody = make_contact(school, "Wendy", "Bradshaw", millie)
        drawn: list[letters.Letter] = []
        monkeypatch.setattr(letters, "pdf", lambda made: drawn.extend(made) or b"")
        letter_making.print_letter(owner=nobody, by=office, now=NOW)
        person = Person(sent)
        answer = person.post("/join/letter/", number=drawn[0].number, code=drawn[0].code)
        assert answer["Location"] == "/join/"
        person.begin()
        person.post("/join/email/", choice="none")
        assert person.post("/join/mobile/", choice="none").status_code == 422
        person.prove("mobile", "+447700900222", "other", other="07700 900222")
        person.post("/join/children/", **children_of(nobody))
        assert person.post("/join/finish/", password=GOOD)["Location"] == "/join/done/"
        assert Account.objects.get(name="Wendy Bradshaw").mobile == "+447700900222"
        change = DetailChange.objects.get()
        assert (change.new_value, change.mis_state) == ("+447700900222", MisState.TO_UPDATE)


def test_no_page_on_the_way_holds_the_token(invited: Person) -> None:
    token = re.search(r"join/([^/]+)/", invited.link("ngozi@example.org"))
    assert token
    assert token[1] not in invited.open("ngozi@example.org").content.decode()
