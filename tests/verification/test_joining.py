"""Registering, from the link to Connected; and what nobody can become by it."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import time_machine
from django.test import Client

from hub.accounts.models import Account
from hub.core import scope
from hub.core.models import Alert, School
from hub.messaging import notices
from hub.people.models import Connection, Contact, ContactDetail, PupilContact
from tests.conftest import NOW, PASSWORD
from tests.factories.people import give, link, make_contact, make_pupil, make_staff, tie
from verification.changes.drafting import draft
from verification.invitations import inviting, letter_making, letters
from verification.models import DetailChange, Invitation, MisState, Status
from verification.registration import rules
from verification.registration.rules import Known, Name, Said, Told

GOOD = "walnut harbour seventeen"


@pytest.fixture(autouse=True)
def _the_hour() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str, dict[str, Any]]]:
    """What was told to whom: address, template, context."""
    seen: list[tuple[str, str, dict[str, Any]]] = []
    real = notices.send_many

    def send_many(tellings: Iterable[notices.Telling], *, now: dt.datetime) -> Any:
        all_of_them = list(tellings)
        seen.extend((one.to, one.template, dict(one.context)) for one in all_of_them)
        return real(all_of_them, now=now)

    monkeypatch.setattr(notices, "send_many", send_many)
    return seen


@dataclass
class Person:
    """Somebody with a browser who reads what is sent to them."""

    sent: list[tuple[str, str, dict[str, Any]]]
    client: Client = field(default_factory=Client)

    def link(self, address: str) -> str:
        found = [
            said["link"] for to, template, said in self.sent if to == address and template.startswith("invitation")
        ]
        return str(found[-1]).removeprefix("http://").partition("/")[2]

    def open(self, address: str) -> Any:
        return self.client.get("/" + self.link(address), follow=True)

    def code(self, address: str) -> str:
        return [str(said["code"]) for to, template, said in self.sent if to == address and template == "code"][-1]

    def post(self, path: str, **said: Any) -> Any:
        return self.client.post(path, said)

    def begin(self) -> None:
        assert self.post("/join/")["Location"] == "/join/who/"
        assert self.post("/join/who/").status_code == 302

    def prove(self, kind: str, address: str, choice: str = "known0", **said: Any) -> Any:
        answer = self.post(f"/join/{kind}/", choice=choice, **said)
        if answer["Location"] == f"/join/{kind}/code/":
            answer = self.post(f"/join/{kind}/code/", code=self.code(address))
        return answer


@pytest.fixture
def millie(school: School) -> Any:
    return make_pupil(school, "Millie", "Okafor", registration_group="6HB")


@pytest.fixture
def mother(school: School, millie: Any) -> Contact:
    contact = make_contact(school, "Ngozi", "Okafor", millie)
    give(contact, "email", "ngozi@example.org")
    give(contact, "mobile", "+447700900111")
    return contact


@pytest.fixture
def invited(mother: Contact, office: Account, sent: Any) -> Person:
    inviting.invite(owner=mother, by=office, now=NOW)
    return Person(sent)


def mine(*links: PupilContact, no: tuple[PupilContact, ...] = ()) -> dict[str, str]:
    return {f"child_{one.pk}": "yes" for one in links} | {f"child_{one.pk}": "no" for one in no}


def children_of(contact: Contact) -> dict[str, str]:
    return mine(*PupilContact.objects.filter(contact=contact))


def register(person: Person, contact: Contact) -> Any:
    """All the way with the details the school has."""
    email, mobile = (contact.details.filter(kind=kind).first() for kind in ("email", "mobile"))
    person.begin()
    person.prove("email", email.value) if email else person.post("/join/email/", choice="none")
    person.prove("mobile", mobile.value) if mobile else person.post("/join/mobile/", choice="none")
    person.post("/join/children/", **children_of(contact))
    return person.post("/join/finish/", password=GOOD)


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
        assert "This link opens nothing" in answer.content.decode()

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


class TestAnExistingLogin:
    @pytest.fixture
    def elsewhere(self, other_school: School) -> Account:
        account = Account.objects.create_user("ngozi@example.org", name="Ngozi Okafor", password=PASSWORD)
        with scope.schools(other_school.pk):
            there = make_contact(other_school, "Ngozi", "Okafor", make_pupil(other_school, "Sam"))
            tie(there, account)
            proved = {"source": "person", "verified_at": NOW}
            give(there, "email", "ngozi@example.org", **proved)
            give(there, "mobile", "+447700900333", **proved)
        return account

    def test_one_login_connects_both_and_what_is_proved_there_needs_no_code(
        self, invited: Person, mother: Contact, elsewhere: Account, signed_in: Callable[[Account], Client], sent: Any
    ) -> None:
        invited.client = signed_in(elsewhere)
        invited.open("ngozi@example.org")
        invited.begin()
        page = invited.client.get("/join/mobile/")
        assert page["Location"] == "/join/email/"
        invited.post("/join/email/", choice="known0")
        text = invited.client.get("/join/mobile/").content.decode()
        assert "07700 900333" in text
        assert "no code needed" in text
        assert invited.post("/join/mobile/", choice="known1")["Location"] == "/join/children/"
        invited.post("/join/children/", **children_of(mother))
        assert "Connect with Larch Hill Primary" in invited.client.get("/join/finish/").content.decode()
        assert invited.post("/join/finish/")["Location"] == "/join/done/"
        assert not [to for to, template, _ in sent if template == "code"]
        with scope.every_school():
            assert Connection.objects.filter(account=elsewhere, connected_at__isnull=False).count() == 2
        assert mother.details.get(kind="mobile").value == "+447700900333"
        assert Account.objects.filter(name="Ngozi Okafor").count() == 1

    def test_signing_in_on_the_way_comes_back(self, invited: Person, elsewhere: Account) -> None:
        invited.open("ngozi@example.org")
        invited.post("/join/")
        assert "/sign-in/?next=/join/who/" in invited.client.get("/join/who/").content.decode()
        invited.client.force_login(elsewhere)
        assert "You are signed in as Ngozi Okafor" in invited.client.get("/join/who/").content.decode()

    def test_through_the_real_door_what_was_said_is_kept(
        self, invited: Person, mother: Contact, elsewhere: Account
    ) -> None:
        """Somebody new so far finds that their email has a login here already, signs in, and goes on with it."""
        invited.open("ngozi@example.org")
        invited.begin()
        invited.prove("email", "ngozi@example.org")
        invited.prove("mobile", "+447700900111")
        invited.post("/join/children/", **children_of(mother))
        page = invited.client.get("/join/finish/").content.decode()
        assert "so you sign in by your mobile" in page
        assert "/sign-in/?next=/join/who/" in page
        typed = {"username": "ngozi@example.org", "password": PASSWORD, "next": "/join/who/"}
        assert invited.client.post("/sign-in/", typed)["Location"] == "/join/who/"
        assert invited.post("/join/who/")["Location"] == "/join/finish/"
        assert invited.post("/join/finish/")["Location"] == "/join/done/"
        assert Connection.objects.get(contact=mother).account == elsewhere
        assert Account.objects.filter(name="Ngozi Okafor").count() == 1

    def test_what_is_typed_beside_another_choice_is_not_guessed(self, invited: Person) -> None:
        invited.open("ngozi@example.org")
        invited.begin()
        answer = invited.post("/join/email/", choice="known0", other="else@example.org")
        assert answer.status_code == 422
        assert "Choose this one, or" in answer.content.decode()
        assert invited.post("/join/email/", other="else@example.org")["Location"] == "/join/email/code/"

    def test_not_me_signs_out_and_keeps_the_invitation(
        self, invited: Person, elsewhere: Account, signed_in: Callable[[Account], Client]
    ) -> None:
        invited.client = signed_in(elsewhere)
        invited.open("ngozi@example.org")
        assert invited.post("/join/not-me/")["Location"] == "/join/"
        assert "_auth_user_id" not in invited.client.session
        assert invited.client.get("/join/").status_code == 200

    def test_while_this_was_not_me_stands_nothing_is_connected(
        self, invited: Person, elsewhere: Account, other_school: School, signed_in: Callable[[Account], Client]
    ) -> None:
        with scope.schools(other_school.pk):
            there = Contact.objects.get(school=other_school)
            row = draft(owner=there, field="email", origin="person", made_by="Somebody", status=Status.FROZEN, now=NOW)
            row.save()
        invited.client = signed_in(elsewhere)
        invited.open("ngozi@example.org")
        invited.post("/join/")
        answer = invited.client.get("/join/who/")
        assert answer.status_code == 410
        assert "Your details are frozen" in answer.content.decode()

    def test_a_member_of_staff_who_is_a_parent(
        self, school: School, millie: Any, office: Account, sent: Any, signed_in: Callable[[Account], Client]
    ) -> None:
        staff, parent = make_staff(school, "Priya", "Shah"), make_contact(school, "Priya", "Shah", millie)
        tie(staff, office)
        give(parent, "email", "priya@example.org")
        inviting.invite(owner=parent, by=office, now=NOW)
        person = Person(sent, signed_in(office))
        person.open("priya@example.org")
        person.begin()
        person.prove("email", "priya@example.org")
        person.post("/join/mobile/", choice="none")
        person.post("/join/children/", **children_of(parent))
        assert person.post("/join/finish/")["Location"] == "/join/done/"
        assert Connection.objects.filter(account=office, connected_at__isnull=False).count() == 2

    def test_staff_records_have_no_children_step(self, school: School, office: Account, sent: Any) -> None:
        staff = make_staff(school, "Tom", "Marsh")
        give(staff, "email", "tom@example.org")
        inviting.invite(owner=staff, by=office, now=NOW)
        person = Person(sent)
        person.open("tom@example.org")
        person.begin()
        person.prove("email", "tom@example.org")
        assert person.post("/join/mobile/", choice="none")["Location"] == "/join/finish/"
        assert person.post("/join/finish/", password=GOOD)["Location"] == "/join/done/"
        assert Connection.objects.get(staff=staff).connected_at == NOW


class TestTwoParentsOneMailbox:
    """Chidi and Ngozi share family@example.org; each has a mobile of their own."""

    @pytest.fixture
    def father(self, school: School, millie: Any) -> Contact:
        contact = make_contact(school, "Chidi", "Okafor", millie)
        give(contact, "email", "family@example.org")
        give(contact, "mobile", "+447700900999")
        return contact

    @pytest.fixture
    def both(self, mother: Contact, father: Contact, office: Account, sent: Any) -> tuple[Person, Person]:
        mother.details.filter(kind="email").update(value="family@example.org", mis_value="family@example.org")
        inviting.invite(owner=mother, by=office, now=NOW)
        hers = sent[-1]
        inviting.invite(owner=father, by=office, now=NOW)
        his = sent[-1]
        return Person([hers]), Person([his])

    def through(self, person: Person, sent: Any, contact: Contact) -> Any:
        person.open("family@example.org")
        person.sent = sent
        return register(person, contact)

    def test_both_register_and_the_second_signs_in_by_the_mobile(
        self, both: tuple[Person, Person], mother: Contact, father: Contact, sent: Any
    ) -> None:
        assert self.through(both[0], sent, mother)["Location"] == "/join/done/"
        assert self.through(both[1], sent, father)["Location"] == "/join/done/"
        hers, his = Account.objects.get(name="Ngozi Okafor"), Account.objects.get(name="Chidi Okafor")
        assert (hers.email, his.email) == ("family@example.org", None)
        assert (hers.mobile, his.mobile) == ("+447700900111", "+447700900999")
        emails = ContactDetail.objects.filter(kind="email", value="family@example.org", verified_at=NOW)
        assert emails.count() == 2

    def test_the_second_is_told_by_what_they_sign_in_and_nothing_of_the_other(
        self, both: tuple[Person, Person], mother: Contact, father: Contact, sent: Any
    ) -> None:
        self.through(both[0], sent, mother)
        person = both[1]
        person.open("family@example.org")
        person.sent = sent
        person.begin()
        pages = [person.client.get(page).content.decode() for page in ("/join/", "/join/email/")]
        person.prove("email", "family@example.org")
        pages.append(person.client.get("/join/mobile/").content.decode())
        person.prove("mobile", "+447700900999")
        person.post("/join/children/", **children_of(father))
        pages.append(person.client.get("/join/finish/").content.decode())
        assert "Your email signs in another person here too, so you sign in by your mobile" in pages[-1]
        assert not any("Ngozi" in page for page in pages)

    def test_neither_can_register_as_the_other_through_the_mailbox(
        self, both: tuple[Person, Person], father: Contact, sent: Any
    ) -> None:
        """She opens his mail first: without a code to his own mobile she does not become him."""
        her = both[1]
        her.open("family@example.org")
        her.sent = sent
        her.begin()
        her.post("/join/email/", choice="known0")
        page = her.client.get("/join/mobile/").content.decode()
        assert "show that you are you" in page
        assert her.post("/join/mobile/", choice="other", other="07700 900111").status_code == 422
        assert her.post("/join/mobile/", choice="none").status_code == 422
        assert her.post("/join/mobile/", choice="known0")["Location"] == "/join/mobile/code/"
        assert her.post("/join/mobile/code/", later="1").status_code == 422
        assert her.client.get("/join/finish/")["Location"] == "/join/mobile/"
        assert not Connection.objects.filter(contact=father, connected_at__isnull=False).exists()

    def test_nor_by_having_left_the_shared_mailbox_before(
        self, both: tuple[Person, Person], mother: Contact, sent: Any
    ) -> None:
        """Her email is another one now, but the MIS still says the shared one, and she still reads it."""
        mother.details.filter(kind="email").update(value="ngozi.own@example.org")
        her = both[1]
        her.open("family@example.org")
        her.sent = sent
        her.begin()
        her.post("/join/email/", choice="known0")
        assert "show that you are you" in her.client.get("/join/mobile/").content.decode()

    def test_one_who_is_connected_cannot_take_the_others_record_into_the_own_login(
        self, both: tuple[Person, Person], mother: Contact, father: Contact, sent: Any
    ) -> None:
        her = both[0]
        self.through(her, sent, mother)
        his_link = Person([one for one in sent if one[1] == "invitation"][-1:]).link("family@example.org")
        her.client.get("/" + his_link, follow=True)
        her.post("/join/")
        answer = her.client.get("/join/who/")
        assert answer.status_code == 410
        assert "for somebody else" in answer.content.decode()
        assert her.post("/join/who/").status_code == 410
        assert not Connection.objects.filter(contact=father, connected_at__isnull=False).exists()

    def test_sharing_everything_the_second_needs_a_passkey(
        self, both: tuple[Person, Person], mother: Contact, father: Contact, sent: Any
    ) -> None:
        father.details.filter(kind="mobile").update(value="+447700900111")
        self.through(both[0], sent, mother)
        answer = self.through(both[1], sent, father)
        assert answer.status_code == 200
        assert "so you sign in by a passkey" in answer.content.decode()
        assert not Connection.objects.filter(contact=father, connected_at__isnull=False).exists()


class TestTheRules:
    def test_a_second_proof_is_asked_only_where_the_link_went_to_a_shared_address(self) -> None:
        own, shared = Known("+447700900001"), Known("family@example.org", shared=True)
        assert rules.second_proof("email", shared.value, {"email": shared, "mobile": own}) == "mobile"
        assert rules.second_proof("email", "a@example.org", {"email": Known("a@example.org"), "mobile": own}) == ""
        assert rules.second_proof("email", shared.value, {"email": shared, "mobile": Known()}) == ""
        assert rules.second_proof("letter", "", {"email": shared, "mobile": own}) == ""

    def test_enough_is_one_proof_and_the_one_that_tells_two_apart(self) -> None:
        known = {"email": Known("a@example.org"), "mobile": Known("+447700900001")}
        email = {"email": Told(Said.PROVED, "a@example.org")}
        assert rules.enough(email, "", known)
        assert not rules.enough(email, "mobile", known)
        assert not rules.enough(email | {"mobile": Told(Said.PROVED, "+447700900002")}, "mobile", known)
        assert rules.enough(email | {"mobile": Told(Said.PROVED, "+447700900001")}, "mobile", known)
        assert not rules.enough({"email": Told(Said.KEPT, "a@example.org")}, "", known)

    @pytest.mark.parametrize(
        ("a", "b", "one"),
        [
            (("Mrs", "Ngozi", "Okafor"), ("", "NGOZI", "Bell"), True),
            (("Mrs", "N", "Okafor"), ("Mrs", "Ngozi", "Okafor"), True),
            (("Mrs", "Ngozi", "Okafor"), ("Mr", "Chidi", "Okafor"), False),
            (("Mrs", "", "Okafor"), ("Mr", "", "Okafor"), False),
            (("Mrs", "", "Okafor"), ("Mrs", "Ngozi", "Okafor"), True),
        ],
    )
    def test_who_may_be_one_person(self, a: tuple[str, ...], b: tuple[str, ...], one: bool) -> None:
        assert rules.may_be_one(Name(*a), Name(*b)) is one

    def test_one_signs_in_by_the_email_else_the_mobile_else_a_passkey(self) -> None:
        proved = {"email": "a@example.org", "mobile": "+447700900001"}
        assert rules.sign_in_kind(proved, set()) == "email"
        assert rules.sign_in_kind(proved, {"email"}) == "mobile"
        assert rules.sign_in_kind(proved, {"email", "mobile"}) == ""


def test_no_page_on_the_way_holds_the_token(invited: Person) -> None:
    token = re.search(r"join/([^/]+)/", invited.link("ngozi@example.org"))
    assert token
    assert token[1] not in invited.open("ngozi@example.org").content.decode()
