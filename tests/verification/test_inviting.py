"""Inviting: whom, where, how often; one open invitation; everybody at once."""

from __future__ import annotations

import datetime as dt

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from hub.accounts.models import Account
from hub.core import scope
from hub.core.models import AuditEntry, School
from hub.messaging.models import Notice
from hub.people.models import Connection, Contact
from tests.conftest import NOW
from tests.factories.inbox import mails_to
from tests.factories.people import give, link, make_contact, make_pupil, make_staff, tie
from verification.errors import InvitationRefused, InvitationTrouble
from verification.invitations import inviting, letter_making, rules
from verification.invitations.rules import Ask, Asked, Reason, Record, Refusal
from verification.invitations.words import short_reason
from verification.models import Invitation

DAY = dt.timedelta(days=1)
WITH_BOTH = Record(email="a@example.org", mobile="+447700900001")


class TestTheRules:
    def test_email_first_then_text_then_a_letter(self) -> None:
        assert rules.decide(WITH_BOTH, now=NOW) == Ask("email", "a@example.org")
        assert rules.decide(Record(mobile="+447700900001"), now=NOW) == Ask("text", "+447700900001")
        assert rules.decide(Record(), now=NOW) == Ask("letter", "")

    def test_the_office_may_choose_another_way_that_exists(self) -> None:
        assert rules.decide(WITH_BOTH, channel="text", now=NOW) == Ask("text", "+447700900001")
        assert rules.decide(WITH_BOTH, channel="letter", now=NOW) == Ask("letter", "")
        assert rules.decide(Record(), channel="email", now=NOW) == Refusal(Reason.NO_ADDRESS)

    @pytest.mark.parametrize("days", [0, 1, 6])
    def test_at_most_once_a_week(self, days: int) -> None:
        last = NOW - days * DAY
        record = Record(email="a@example.org", asked={"a@example.org": Asked(1, last)})
        assert rules.decide(record, now=NOW) == Refusal(Reason.TOO_SOON, last=last, again=last + 7 * DAY)

    def test_again_after_seven_days_to_the_second(self) -> None:
        record = Record(email="a@example.org", asked={"a@example.org": Asked(9, NOW - 7 * DAY)})
        assert rules.decide(record, now=NOW) == Ask("email", "a@example.org")
        assert isinstance(rules.decide(record, now=NOW - dt.timedelta(seconds=1)), Refusal)

    def test_ten_times_is_the_most(self) -> None:
        record = Record(email="a@example.org", asked={"a@example.org": Asked(10, NOW - 90 * DAY)})
        refused = rules.decide(record, now=NOW)
        assert isinstance(refused, Refusal)
        assert refused.reason == Reason.TEN_TIMES

    def test_another_address_begins_again(self) -> None:
        record = Record(email="new@example.org", asked={"old@example.org": Asked(10, NOW)})
        assert rules.decide(record, now=NOW) == Ask("email", "new@example.org")

    def test_a_week_and_ten_times_count_both_their_addresses_together(self) -> None:
        """One record, one invitation: nobody is asked by email today and by text tomorrow."""
        by_text = Record(email="a@example.org", mobile="+447700900001", asked={"+447700900001": Asked(1, NOW - DAY)})
        for channel in (None, "email", "text"):
            refused = rules.decide(by_text, channel=channel, now=NOW)
            assert refused == Refusal(Reason.TOO_SOON, last=NOW - DAY, again=NOW + 6 * DAY)
        long_ago = NOW - 30 * DAY
        often = Record(
            email="a@example.org",
            mobile="+447700900001",
            asked={"+447700900001": Asked(4, long_ago), "a@example.org": Asked(6, long_ago - DAY)},
        )
        assert rules.decide(often, now=NOW) == Refusal(Reason.TEN_TIMES, last=long_ago)

    def test_a_letter_asks_no_address_and_may_be_printed_any_time(self) -> None:
        record = Record(email="a@example.org", asked={"a@example.org": Asked(10, NOW)})
        assert rules.decide(record, channel="letter", now=NOW) == Ask("letter", "")

    @pytest.mark.parametrize(
        ("record", "reason"),
        [
            (Record(connected=True), Reason.CONNECTED),
            (Record(merged=True), Reason.MERGED),
            (Record(left=True), Reason.LEFT),
            (Record(belongs=False, sight=False), Reason.NO_CHILD),
            (Record(sight=False), Reason.NO_ACCESS),
            (Record(sight=False, denied=True), Reason.NOT_MY_CHILD),
        ],
    )
    def test_who_has_nothing_to_connect_to_is_not_invited(self, record: Record, reason: Reason) -> None:
        assert rules.decide(record, now=NOW) == Refusal(reason)
        assert rules.decide(record, channel="letter", now=NOW) == Refusal(reason)

    def test_a_code_has_sixty_bits_and_no_character_to_confuse(self) -> None:
        code = rules.make_code()
        assert len(rules.ALPHABET) == 32
        assert not set(rules.ALPHABET) & set("01IO")
        assert len(rules.typed_code(code)) == 12
        assert rules.typed_code(f" {code.lower()} ".replace("-", " ")) == rules.typed_code(code)


@pytest.fixture
def mother(school: School) -> Contact:
    contact = make_contact(school, "Ngozi", "Okafor", make_pupil(school))
    give(contact, "email", "ngozi@example.org")
    give(contact, "mobile", "+447700900111")
    return contact


def the_notice() -> Notice:
    return Notice.objects.latest("pk")


class TestOne:
    def test_makes_the_record_invited_and_sends_a_link_that_is_kept_as_a_hash(
        self, mother: Contact, office: Account
    ) -> None:
        made = inviting.invite(owner=mother, by=office, now=NOW)
        assert (made.channel, made.sent_to, made.expires_at) == ("email", "ngozi@example.org", NOW + 10 * DAY)
        assert Connection.objects.get(contact=mother).invited_at == NOW
        notice = the_notice()
        assert (notice.kind, notice.to, notice.secret) == ("invitation", "ngozi@example.org", True)
        assert len(made.token_hash) == 64
        assert AuditEntry.objects.get(action="person.invited").data == {"channel": "email"}

    def test_a_newer_one_voids_the_older(self, mother: Contact, office: Account) -> None:
        first = inviting.invite(owner=mother, by=office, now=NOW)
        second = inviting.resend(owner=mother, by=office, now=NOW + 7 * DAY)
        first.refresh_from_db()
        assert first.voided_at == NOW + 7 * DAY
        assert Invitation.objects.filter(contact=mother, voided_at=None).get() == second
        with pytest.raises(InvitationRefused) as refused:
            inviting.find(token_hash=first.token_hash, now=NOW + 8 * DAY)
        assert refused.value.trouble == InvitationTrouble.VOIDED
        assert Connection.objects.filter(contact=mother, ended_at=None).count() == 1

    def test_too_soon_is_refused_with_both_days(self, mother: Contact, office: Account) -> None:
        inviting.invite(owner=mother, by=office, now=NOW)
        with pytest.raises(InvitationRefused, match="invited on Mon 23 Nov and may be asked again on Mon 30 Nov"):
            inviting.invite(owner=mother, by=office, now=NOW + DAY)
        with pytest.raises(InvitationRefused, match="at most once a week"):
            inviting.invite(owner=mother, by=office, channel="text", now=NOW + DAY)
        assert inviting.invite(owner=mother, by=office, channel="text", now=NOW + 7 * DAY).sent_to == "+447700900111"

    @pytest.mark.parametrize("state", ["failed", "too_late"])
    def test_what_could_not_be_delivered_counts_as_no_invitation(
        self, mother: Contact, office: Account, state: str
    ) -> None:
        for hour in range(rules.MOST + 1):
            made = inviting.invite(owner=mother, by=office, now=NOW + dt.timedelta(hours=hour))
            assert made.channel == "email"
            assert mother.pk not in inviting.plan(school=mother.school, now=made.sent_at).asks, "it is on its way"
            Notice.objects.filter(to=made.sent_to).update(state=state)
            assert inviting.plan(school=mother.school, now=made.sent_at).asks == {mother.pk: Ask("email", made.sent_to)}

    @pytest.mark.parametrize("state", ["waiting", "sending", "sent", "unknown"])
    def test_what_may_have_arrived_counts(self, mother: Contact, office: Account, state: str) -> None:
        made = inviting.invite(owner=mother, by=office, now=NOW)
        Notice.objects.filter(to=made.sent_to).update(state=state)
        with pytest.raises(InvitationRefused, match="at most once a week"):
            inviting.invite(owner=mother, by=office, now=NOW + DAY)

    def test_a_failure_does_not_open_the_week_of_the_one_before_it(self, mother: Contact, office: Account) -> None:
        inviting.invite(owner=mother, by=office, now=NOW)
        Notice.objects.update(state="sent")
        second = inviting.invite(owner=mother, by=office, now=NOW + 7 * DAY)
        Notice.objects.filter(made_at=second.sent_at).update(state="failed")
        third = inviting.invite(owner=mother, by=office, now=NOW + 7 * DAY + dt.timedelta(hours=1))
        Notice.objects.filter(made_at=third.sent_at).update(state="sent")
        with pytest.raises(InvitationRefused, match="invited on Mon 30 Nov and may be asked again on Mon 7 Dec"):
            inviting.invite(owner=mother, by=office, now=NOW + 8 * DAY)

    def test_after_a_correction_of_the_email_at_once(self, mother: Contact, office: Account) -> None:
        inviting.invite(owner=mother, by=office, now=NOW)
        mother.details.filter(kind="email").update(value="right@example.org")
        assert inviting.invite(owner=mother, by=office, now=NOW + DAY).sent_to == "right@example.org"

    def test_dead_addresses_are_none(self, mother: Contact, office: Account) -> None:
        mother.details.filter(kind="email").update(deliverable=False)
        assert inviting.invite(owner=mother, by=office, now=NOW).channel == "text"

    def test_somebody_with_neither_gets_a_letter_instead(self, school: School, office: Account) -> None:
        nobody = make_contact(school, "Wendy", "Bradshaw", make_pupil(school))
        with pytest.raises(InvitationRefused, match="Print a letter"):
            inviting.invite(owner=nobody, by=office, now=NOW)

    def test_a_member_of_staff_too(self, school: School, office: Account) -> None:
        staff = make_staff(school)
        give(staff, "email", "tom@example.org")
        made = inviting.invite(owner=staff, by=office, now=NOW)
        assert made.staff == staff
        assert Connection.objects.get(staff=staff).invited_at == NOW

    def test_taken_back_it_opens_nothing_and_the_record_is_not_connected(
        self, mother: Contact, office: Account
    ) -> None:
        made = inviting.invite(owner=mother, by=office, now=NOW)
        assert inviting.void(owner=mother, by=office, now=NOW + DAY)
        assert not Connection.objects.filter(contact=mother, ended_at=None).exists()
        with pytest.raises(InvitationRefused):
            inviting.find(token_hash=made.token_hash, now=NOW + DAY)
        assert not inviting.void(owner=mother, by=office, now=NOW + DAY)

    @pytest.mark.parametrize(("at", "opens"), [(10 * DAY - dt.timedelta(seconds=1), True), (10 * DAY, False)])
    def test_it_lapses_after_ten_days_to_the_second(
        self, mother: Contact, office: Account, at: dt.timedelta, opens: bool
    ) -> None:
        made = inviting.invite(owner=mother, by=office, now=NOW)
        if opens:
            assert inviting.find(token_hash=made.token_hash, now=NOW + at) == made
        else:
            with pytest.raises(InvitationRefused) as refused:
                inviting.find(token_hash=made.token_hash, now=NOW + at)
            assert refused.value.trouble == InvitationTrouble.LAPSED


class TestEverybody:
    def test_says_exactly_who_goes_how_and_who_is_left_out_and_why(self, school: School, office: Account) -> None:
        pupil = make_pupil(school)
        mail, text, letter, connected, denied, barred, gone = (
            make_contact(school, forename, "Okafor")
            for forename in ("Mail", "Text", "Letter", "Connected", "Denied", "Barred", "Gone")
        )
        give(mail, "email", "mail@example.org")
        give(text, "mobile", "+447700900112")
        give(denied, "email", "denied@example.org")
        for contact in (mail, text, letter, connected):
            link(pupil, contact)
        link(pupil, denied, denied_at=NOW)
        link(pupil, barred, access=False, court_order=True)
        link(pupil, gone, ended_on=NOW.date())
        tie(connected, office)
        make_contact(school, "Merged", "Okafor", pupil, merged_into=mail)

        planned = inviting.plan(school=school, now=NOW)
        assert planned.by_channel == {"email": 1, "text": 1}
        assert planned.letters == [letter.pk]
        assert {one: short_reason(why) for one, why in planned.skipped.items()} == {
            denied.pk: "says: not my child",
            barred.pk: "receives nothing",
            gone.pk: "no child here",
        }
        assert not Invitation.objects.exists()

        done = inviting.invite_all(school=school, by=office, now=NOW)
        assert (done.sent, done.letters) == ({"email": 1, "text": 1}, 1)
        assert set(Invitation.objects.values_list("contact_id", flat=True)) == {mail.pk, text.pk}
        assert Connection.objects.filter(connected_at=None, ended_at=None).count() == 2

        again = inviting.invite_all(school=school, by=office, now=NOW + DAY)
        assert again.sent == {}
        assert short_reason(again.skipped[mail.pk]) == "invited on Mon 23 Nov, may be asked again on Mon 30 Nov"
        assert Notice.objects.filter(kind="invitation").count() == 2

    def test_leaves_out_whoever_holds_a_letter_that_is_still_good(
        self, mother: Contact, school: School, office: Account
    ) -> None:
        """The office has handed it out because the mailbox is never read: its code must open when it is typed."""
        letter_making.print_letter(owner=mother, by=office, now=NOW)
        done = inviting.invite_all(school=school, by=office, now=NOW + DAY)
        assert (done.sent, done.letters) == ({}, 0)
        assert short_reason(done.skipped[mother.pk]) == "until Thu 3 Dec, 08:00"
        assert Invitation.objects.get(contact=mother).voided_at is None
        later = inviting.invite_all(school=school, by=office, now=NOW + 10 * DAY)
        assert later.sent == {"email": 1}

    def test_leaves_out_whom_somebody_has_asked_by_text_this_week(
        self, mother: Contact, school: School, office: Account
    ) -> None:
        inviting.invite(owner=mother, by=office, channel="text", now=NOW)
        assert inviting.invite_all(school=school, by=office, now=NOW + DAY).sent == {}
        assert Invitation.objects.get(contact=mother).voided_at is None

    def test_a_parent_who_is_denied_one_child_and_has_another_is_invited(self, school: School) -> None:
        contact = make_contact(school, "Ngozi", "Okafor", make_pupil(school))
        link(make_pupil(school, "Zoë"), contact, denied_at=NOW)
        give(contact, "email", "ngozi@example.org")
        assert inviting.plan(school=school, now=NOW).by_channel == {"email": 1}

    def test_whose_pupils_have_left_is_not_asked_but_a_governor_is(self, school: School) -> None:
        left = make_contact(school, "Left", "Okafor", make_pupil(school, leaving_date=NOW.date()))
        governor = make_contact(school, "Gwen", "Hill", made_by_hand=True)
        give(left, "email", "left@example.org")
        give(governor, "email", "gwen@example.org")
        planned = inviting.plan(school=school, now=NOW)
        assert list(planned.asks) == [governor.pk]
        assert planned.skipped[left.pk].reason == Reason.NO_CHILD

    def test_planning_costs_the_same_for_many(self, school: School) -> None:
        def queries() -> int:
            with CaptureQueriesContext(connection) as seen:
                inviting.plan(school=school, now=NOW)
            return len(seen)

        pupil = make_pupil(school)
        give(make_contact(school, "A", "Okafor", pupil), "email", "a@example.org")
        few = queries()
        for place in range(10):
            give(make_contact(school, f"B{place}", "Okafor", pupil), "email", f"b{place}@example.org")
        assert queries() == few

    def test_inviting_costs_the_same_for_many(self, school: School, office: Account) -> None:
        def queries(count: int, prefix: str) -> int:
            pupil = make_pupil(school)
            for place in range(count):
                give(make_contact(school, prefix, f"P{place}", pupil), "email", f"{prefix}{place}@example.org")
            with CaptureQueriesContext(connection) as seen:
                assert inviting.invite_all(school=school, by=office, now=NOW).sent == {"email": count}
            return len(seen)

        few = queries(2, "a")
        assert queries(14, "b") == few

    def test_another_schools_parents_are_not_asked(self, school: School, other_school: School, office: Account) -> None:
        with scope.schools(other_school.pk):
            give(make_contact(other_school, "Far", "Away", make_pupil(other_school)), "email", "far@example.org")
        assert inviting.invite_all(school=school, by=office, now=NOW).sent == {}
        assert not Invitation.objects.exists()


def test_no_link_stands_in_the_database(mother: Contact, office: Account) -> None:
    inviting.invite(owner=mother, by=office, now=NOW)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT row_to_json(i)::text || row_to_json(c)::text FROM verification_invitation i, people_connection c"
        )
        (text,) = cursor.fetchone()
    assert "/join/" not in text


@pytest.mark.parametrize("channel", ["email", "text"])
def test_every_invitation_says_until_which_hour_it_is_good(school: School, office: Account, channel: str) -> None:
    mother = make_contact(school, "Ngozi", "Okafor", make_pupil(school))
    give(mother, "email", "ngozi@example.org")
    give(mother, "mobile", "+447700900123")
    inviting.invite(owner=mother, by=office, channel=channel, now=NOW)
    (sent,) = mails_to("ngozi@example.org" if channel == "email" else "+447700900123")
    assert "Thu 3 Dec, 08:00" in sent.body
