"""Registering with a login one has, or beside somebody with the same mailbox; and what nobody can become by it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from hub.accounts.models import Account
from hub.core import scope
from hub.core.models import School
from hub.people.models import Connection, Contact, ContactDetail
from tests.conftest import NOW, PASSWORD
from tests.factories.joining import GOOD, Person, children_of, register
from tests.factories.people import give, make_contact, make_pupil, make_staff, tie
from verification.changes.drafting import draft
from verification.invitations import inviting
from verification.models import Status
from verification.registration import rules
from verification.registration.rules import Known, Name, Said, Told


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
