"""Connection status, the panel on a person's page, and inviting everybody from the report."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from hub.accounts.models import Account
from hub.core import scope
from hub.core.models import Alert, School
from hub.messaging.models import Notice
from hub.people.models import Connection, Contact, ContactDetail
from tests.conftest import NOW
from tests.factories.people import give, link, make_contact, make_pupil, make_staff, tie
from verification import children
from verification.invitations import connections, inviting
from verification.models import DetailChange, Invitation, MisState, Status
from verification.reporting import marking

SignIn = Callable[[Account], Client]


@pytest.fixture(autouse=True)
def _the_hour() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def four(school: School, office: Account) -> dict[str, Contact]:
    """One parent in each state."""
    pupil = make_pupil(school, "Millie", "Okafor", year_group="Year 6", registration_group="6HB")
    made = {name: make_contact(school, name.title(), "Okafor", pupil) for name in ("new", "asked", "late", "in")}
    for name in ("asked", "late", "in"):
        give(made[name], "email", f"{name}@example.org")
    inviting.invite(owner=made["late"], by=office, now=NOW - dt.timedelta(days=11))
    inviting.invite(owner=made["asked"], by=office, now=NOW - dt.timedelta(days=2))
    tie(made["in"], Account.objects.create_user("in@example.org"), at=NOW)
    return made


def page(client: Client, query: str = "") -> str:
    return client.get(f"/8233001/reports/connections/?{query}").content.decode()


class TestTheReport:
    def test_counts_each_state(self, school: School, four: dict[str, Contact]) -> None:
        assert connections.counts(school, "parents", NOW) == {
            "all": 4,
            "connected": 1,
            "invited": 1,
            "lapsed": 1,
            "not-connected": 1,
            "undelivered": 0,
            "unreachable": 1,
        }

    @pytest.mark.parametrize(
        ("show", "name"), [("connected", "In"), ("invited", "Asked"), ("lapsed", "Late"), ("not-connected", "New")]
    )
    def test_shows_one_state(
        self, four: dict[str, Contact], office: Account, signed_in: SignIn, show: str, name: str
    ) -> None:
        text = page(signed_in(office), f"show={show}")
        assert [one for one in ("In", "Asked", "Late", "New") if f">{one} Okafor<" in text] == [name]

    def test_the_number_beside_a_state_is_how_many_it_shows(self, school: School, four: dict[str, Contact]) -> None:
        found = connections.everybody(school, "parents", NOW)
        for state, count in connections.counts(school, "parents", NOW).items():
            assert connections.narrowed(found, connections.Wanted(state=state)).count() == count, state

    def test_counts_each_person_once_and_nobody_who_is_not_here(
        self, school: School, four: dict[str, Contact], office: Account
    ) -> None:
        link(make_pupil(school, "Zoë"), four["in"])
        four["in"].made_by_hand = True
        four["in"].save()
        barred = make_contact(school, "Barred", "Okafor")
        link(make_pupil(school), barred, access=False)
        tie(barred, Account.objects.create_user("barred@example.org"), at=NOW)
        make_contact(school, "Shell", "Okafor", made_by_hand=True, merged_into=four["new"])
        Notice.objects.filter(to="late@example.org").update(state="unknown")
        found, counted = connections.everybody(school, "parents", NOW), connections.counts(school, "parents", NOW)
        assert (counted["all"], counted["connected"], counted["undelivered"]) == (4, 1, 1)
        for state, count in counted.items():
            assert connections.narrowed(found, connections.Wanted(state=state)).count() == count, state

    def test_counts_staff_alike(self, school: School, office: Account) -> None:
        here, gone = make_staff(school, "Tom", "Marsh"), make_staff(school, "Gone", "Marsh", leaving_date=NOW.date())
        for number, one in enumerate((here, gone)):
            tie(one, Account.objects.create_user(f"staff{number}@example.org"), at=NOW)
        counted = connections.counts(school, "staff", NOW)
        assert (counted["all"], counted["connected"], counted["unreachable"]) == (1, 1, 0)

    def test_says_when_how_and_until_when(self, four: dict[str, Contact], office: Account, signed_in: SignIn) -> None:
        text = page(signed_in(office))
        assert "1 of 4 parents connected" in text
        assert "On Sat 21 Nov by email, until Tue 1 Dec, 08:00" in text
        assert "Invited on Thu 12 Nov by email, without an answer" in text
        assert "Again from Sat 28 Nov" in text

    def test_narrows_to_a_year_group(self, school: School, four: dict[str, Contact], office: Account) -> None:
        make_contact(school, "Other", "Year", make_pupil(school, "Al", year_group="Year 1"))
        found = connections.everybody(school, "parents", NOW)
        assert connections.narrowed(found, connections.Wanted(year="Year 6")).count() == 4

    def test_leaves_out_whom_the_school_does_not_write_to(self, school: School) -> None:
        left = make_pupil(school, leaving_date=NOW.date())
        make_contact(school, "Left", "Okafor", left)
        link(make_pupil(school), make_contact(school, "Barred", "Okafor"), access=False)
        make_contact(school, "Governor", "Hill", made_by_hand=True)
        assert [str(one) for one in connections.everybody(school, "parents", NOW)] == ["Governor Hill"]

    def test_has_the_staff_too(self, school: School, office: Account, signed_in: SignIn) -> None:
        make_staff(school, "Tom", "Marsh")
        assert "Tom Marsh" in page(signed_in(office), "who=staff")

    def test_costs_the_same_for_many(
        self, school: School, four: dict[str, Contact], office: Account, signed_in: SignIn
    ) -> None:
        client = signed_in(office)
        page(client)
        with CaptureQueriesContext(connection) as few:
            page(client)
        pupil = make_pupil(school)
        for place in range(12):
            give(make_contact(school, f"More{place}", "Okafor", pupil), "email", f"more{place}@example.org")
        with CaptureQueriesContext(connection) as many:
            page(client)
        assert len(many) == len(few)

    def test_says_what_could_not_be_delivered_and_what_to_do(
        self, four: dict[str, Contact], office: Account, signed_in: SignIn
    ) -> None:
        refused = {"state": "failed", "trouble": "The mail server refused the address (550)."}
        Notice.objects.filter(to="asked@example.org").update(**refused)
        ContactDetail.objects.filter(contact=four["asked"]).update(deliverable=False)
        text = page(signed_in(office), "show=undelivered")
        assert [one for one in ("In", "Asked", "Late", "New") if f">{one} Okafor<" in text] == ["Asked"]
        told = "The mail server refused the address (550). Correct the email, or print a letter."
        assert f"Could not be delivered: {told}" in text
        csv = signed_in(office).get("/8233001/reports/connections.csv")
        assert told in b"".join(csv.streaming_content).decode()  # type: ignore[arg-type]
        assert "Print a letter" in text, "the email is known to be dead"
        ContactDetail.objects.filter(contact=four["asked"]).update(deliverable=True)
        again = page(signed_in(office), "show=undelivered")
        assert "Send again" in again
        assert "Again from" not in again
        panel = signed_in(office).get(f"/8233001/people/contacts/{four['asked'].pk}/").content.decode()
        assert "Could not be delivered: The mail server refused the address (550)." in panel
        inviting.void(owner=four["asked"], by=office, now=NOW)
        assert "Nobody is in this state" in page(signed_in(office), "show=undelivered")

    def test_as_csv(self, four: dict[str, Contact], office: Account, signed_in: SignIn) -> None:
        answer = signed_in(office).get("/8233001/reports/connections.csv?show=invited")
        text = b"".join(answer.streaming_content).decode()  # type: ignore[arg-type]
        assert (
            "Okafor,Asked,,Millie Okafor (6HB),Invited,2026-11-21 08:00,2026-12-01 08:00,email,1,asked@example.org,"
            in text
        )
        assert "Late" not in text

    def test_is_not_for_teachers(self, four: dict[str, Contact], teacher: Account, signed_in: SignIn) -> None:
        client = signed_in(teacher)
        for path in ("reports/connections/", "reports/connections.csv", "reports/connections/invite/"):
            assert client.get(f"/8233001/{path}").status_code == 403
        assert client.post("/8233001/reports/connections/letters/").status_code == 403


class TestInvitingEverybody:
    def test_the_preview_says_all_and_does_nothing(
        self, four: dict[str, Contact], office: Account, signed_in: SignIn
    ) -> None:
        before = Invitation.objects.count()
        text = signed_in(office).get("/8233001/reports/connections/invite/").content.decode()
        assert "Invite 1 parent?" in text
        assert "Invited less than a week ago: 1" in text
        assert "invited on Sat 21 Nov, may be asked again on Sat 28 Nov" in text
        assert Invitation.objects.count() == before

    def test_the_button_does_it_and_says_what_it_did(
        self, four: dict[str, Contact], office: Account, signed_in: SignIn
    ) -> None:
        client = signed_in(office)
        text = client.post("/8233001/reports/connections/invite/", follow=True).content.decode()
        assert "1 parent is invited" in text
        assert "1 letter to print" in text
        assert Invitation.objects.filter(contact=four["late"], sent_at=NOW).exists()
        answer = client.post("/8233001/reports/connections/letters/")
        assert answer["Content-Type"] == "application/pdf"
        assert answer["Cache-Control"] == "no-store"
        assert Invitation.objects.get(contact=four["new"]).channel == "letter"
        assert "Invited" in page(client, "show=invited")
        # The pile is printed once.
        assert client.post("/8233001/reports/connections/letters/").status_code == 302


class TestThePanel:
    def url(self, contact: Contact, verb: str = "") -> str:
        return f"/8233001/people/contacts/{contact.pk}/{verb}"

    def test_from_not_connected_to_invited_and_back(self, school: School, office: Account, signed_in: SignIn) -> None:
        contact = make_contact(school, "Ngozi", "Okafor", make_pupil(school))
        give(contact, "email", "ngozi@example.org")
        client = signed_in(office)
        assert "Never invited" in client.get(self.url(contact)).content.decode()
        client.post(self.url(contact, "invite/"))
        text = client.get(self.url(contact)).content.decode()
        assert "To ngozi@example.org, by Priya Shah. Good until Thu 3 Dec, 08:00." in text
        assert "may be asked again on Mon 30 Nov" in text
        client.post(self.url(contact, "take-back/"))
        assert "Invited before, last on Mon 23 Nov" in client.get(self.url(contact)).content.decode()
        assert not Connection.objects.filter(contact=contact, ended_at=None).exists()

    def test_prints_a_letter(self, school: School, office: Account, signed_in: SignIn) -> None:
        contact = make_contact(school, "Wendy", "Bradshaw", make_pupil(school))
        answer = signed_in(office).post(self.url(contact, "letter/"))
        assert answer.content.startswith(b"%PDF-")
        assert "Bradshaw" not in answer["Content-Disposition"]

    def test_says_why_somebody_is_not_invited(self, school: School, office: Account, signed_in: SignIn) -> None:
        barred = make_contact(school, "Barred", "Okafor")
        link(make_pupil(school), barred, access=False, court_order=True)
        give(barred, "email", "barred@example.org")
        client = signed_in(office)
        text = client.get(self.url(barred)).content.decode()
        assert "receives nothing, by the school’s rule" in text
        assert "Print a letter" not in text
        assert client.post(self.url(barred, "letter/")).status_code == 302
        client.post(self.url(barred, "invite/"))
        assert not Invitation.objects.exists()

    def test_a_stranger_and_another_schools_person_are_not_found(
        self, school: School, other_school: School, office: Account, signed_in: SignIn
    ) -> None:
        with scope.schools(other_school.pk):
            far = make_contact(other_school, "Far", "Away", make_pupil(other_school))
        for verb in ("invite/", "letter/", "take-back/"):
            assert signed_in(office).post(self.url(far, verb)).status_code == 404

    def test_gives_access_back(self, school: School, office: Account, signed_in: SignIn) -> None:
        contact = make_contact(school, "Ngozi", "Okafor", make_pupil(school))
        account = Account.objects.create_user("ngozi@example.org")
        tie(contact, account)
        tied = contact.links.get()
        change = children.not_my_child(account=account, link=tied, by_name="Ngozi Okafor", now=NOW)
        again = children.not_my_child(account=account, link=tied, by_name="Ngozi Okafor", now=NOW)
        assert again == change
        client = signed_in(office)
        assert "Says that Millie Okafor is not their child" in client.get(self.url(contact)).content.decode()
        client.post(f"/8233001/changes/{change.pk}/give-back/")
        tied.refresh_from_db()
        change.refresh_from_db()
        assert tied.denied_at is None
        assert (change.status, change.mis_state, change.answered_by) == (
            Status.REJECTED,
            MisState.NOTHING,
            "Priya Shah",
        )
        assert not Alert.objects.filter(resolved_at=None).exists()
        assert "already" in client.post(f"/8233001/changes/{change.pk}/give-back/", follow=True).content.decode()
        assert DetailChange.objects.count() == 1

    def test_the_alert_about_a_child_closes_when_the_mis_has_ended_the_link(
        self, school: School, office: Account
    ) -> None:
        contact = make_contact(school, "Ngozi", "Okafor", make_pupil(school), make_pupil(school, "Zoë"))
        account = Account.objects.create_user("ngozi@example.org")
        tie(contact, account)
        first, second = contact.links.order_by("pk")
        for one in (first, second):
            children.not_my_child(account=account, link=one, by_name="Ngozi Okafor", now=NOW)
        assert children.close_alerts(school=school, now=NOW) == 0
        DetailChange.objects.filter(pupil=first.pupil).update(mis_state=MisState.UPDATED)
        assert children.close_alerts(school=school, now=NOW) == 1
        (still,) = Alert.objects.filter(resolved_at=None)
        assert "Zoë" in still.title
        marking.mark_done(school=school, ids=[DetailChange.objects.get(pupil=second.pupil).pk], by=office, now=NOW)
        assert not Alert.objects.filter(resolved_at=None).exists()
