"""What a school asks is answered once: yes here or everywhere, no with a reason, or not at all within 168 hours."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from hub.accounts.models import Account
from hub.core import scope
from hub.core.models import AuditEntry, School
from hub.people.models import Connection, Contact, ContactDetail
from tests.conftest import join
from tests.factories.inbox import last_code, mails_to
from tests.factories.parents import EMAIL, MOBILE, make_parent, value_of
from tests.factories.people import give, make_contact, make_identity, make_staff, tie
from verification import services
from verification.changes import declining
from verification.changes.answering import Answered
from verification.changes.proposing import Outcome, Typed
from verification.errors import ChangeRefused
from verification.models import DetailChange, MisState, Origin, Status
from verification.reporting import settling

NEW = "new@example.org"
WEEK = dt.timedelta(hours=168)
DAY = dt.timedelta(days=1)
SECOND = dt.timedelta(seconds=1)
OFFICE = "office@example.org"


@pytest.fixture
def ngozi(school: School) -> Connection:
    return make_parent(school)


@pytest.fixture
def both(ngozi: Connection, other_school: School) -> list[Connection]:
    return [ngozi, make_parent(other_school, ngozi.account)]


@pytest.fixture
def other_office(other_school: School) -> Account:
    return join(other_school, "beck@example.org", "Bea Lund", "office")  # type: ignore[arg-type]


def contact_of(one: Connection) -> Contact:
    assert one.contact is not None
    return one.contact


def ask(one: Connection, by: Account, now: dt.datetime, *, kind: str = "email", value: str = NEW) -> DetailChange:
    with scope.schools(one.school_id):
        made = services.edit_or_propose(owner=contact_of(one), kind=kind, value=value, by=by, now=now)
    assert made is not None
    return made


def approve(one: Connection, change: DetailChange, now: dt.datetime, *, everywhere: bool = False) -> Answered:
    assert one.account is not None
    return services.approve(account=one.account, change=change, everywhere=everywhere, by_name="Ngozi Okafor", now=now)


def reject(one: Connection, change: DetailChange, now: dt.datetime, reason: str = "It is my sister’s.") -> None:
    assert one.account is not None
    services.reject(account=one.account, change=change, reason=reason, by_name="Ngozi Okafor", now=now)


def prove(one: Connection, answered: Answered, now: dt.datetime, to: str = NEW) -> None:
    assert one.account is not None
    assert answered.code is not None
    services.prove(account=one.account, batch=answered.batch, code_id=answered.code.pk, typed=last_code(to), now=now)


def state(change: DetailChange) -> str:
    with scope.schools(change.school_id):
        return DetailChange.objects.get(pk=change.pk).status


# The office edits


def test_somebody_not_connected_is_changed_at_once_unverified(
    school: School, office: Account, now: dt.datetime
) -> None:
    contact = make_contact(school)
    give(contact, "email", EMAIL)
    change = services.edit_or_propose(owner=contact, kind="email", value="NEW@example.org", by=office, now=now)
    assert change is not None
    assert (change.status, change.origin, change.mis_state) == (Status.APPROVED, Origin.ORGANISATION, "to_update")
    assert (change.old_value, change.new_value, change.made_by) == (EMAIL, NEW, "Priya Shah")
    detail = ContactDetail.objects.get()
    assert (detail.value, detail.source, detail.verified_at) == (NEW, "organisation", None)
    assert mails_to(EMAIL) == mails_to(NEW) == []


def test_the_offices_second_edit_replaces_the_first(school: School, office: Account, now: dt.datetime) -> None:
    contact = make_contact(school)
    give(contact, "email", EMAIL)
    for value in ("first@example.org", "second@example.org", EMAIL):
        services.edit_or_propose(owner=contact, kind="email", value=value, by=office, now=now)
    states = [one.mis_state for one in DetailChange.objects.order_by("pk")]
    assert states == [MisState.REPLACED, MisState.REPLACED, MisState.UPDATED]


def test_what_is_so_already_makes_no_row(school: School, ngozi: Connection, office: Account, now: dt.datetime) -> None:
    contact = make_contact(school, "Chidi")
    for owner, value in ((contact_of(ngozi), EMAIL), (contact, "")):
        assert services.edit_or_propose(owner=owner, kind="email", value=value, by=office, now=now) is None
    assert not DetailChange.objects.exists()


def test_somebody_the_mis_does_not_know_leaves_nothing_to_copy(
    school: School, office: Account, now: dt.datetime
) -> None:
    governor = make_contact(school, "Grace", made_by_hand=True)
    change = services.edit_or_propose(owner=governor, kind="email", value=NEW, by=office, now=now)
    assert change is not None
    assert change.mis_state == MisState.NOTHING
    make_identity(governor)
    again = services.edit_or_propose(owner=governor, kind="email", value="b@example.org", by=office, now=now)
    assert again is not None
    assert again.mis_state == MisState.TO_UPDATE


def test_a_connected_person_is_asked_and_nothing_changes(ngozi: Connection, office: Account, now: dt.datetime) -> None:
    change = ask(ngozi, office, now)
    assert (change.status, change.mis_state, change.deadline) == (Status.PENDING, "", now + WEEK)
    assert value_of(ngozi.contact, "email") == EMAIL
    (mail,) = mails_to(EMAIL)
    assert mail.subject == "Larch Hill Primary asks: is this your email address?"
    assert "Mon 30 Nov, 08:00" in mail.body
    assert "Priya Shah" in mail.body
    assert NEW not in mail.body
    assert mails_to(MOBILE) == []
    assert AuditEntry.objects.get().action == "detail.asked"


def test_the_mobile_is_told_too_where_the_old_email_is_a_dead_one(
    ngozi: Connection, office: Account, now: dt.datetime
) -> None:
    ContactDetail.objects.filter(kind="email").update(deliverable=False)
    ask(ngozi, office, now)
    (text,) = mails_to(MOBILE)
    assert "Mon 30 Nov, 08:00" in text.body
    assert len(text.body) <= 306


def test_a_connected_member_of_staff_is_asked_too(school: School, office: Account, now: dt.datetime) -> None:
    tom = make_staff(school)
    give(tom, "email", "tom@example.org")
    tie(tom, Account.objects.create_user("tom@example.org", name="Tom Marsh"))
    change = services.edit_or_propose(owner=tom, kind="email", value=NEW, by=office, now=now)
    assert change is not None
    assert change.status == Status.PENDING


def test_asking_the_same_twice_is_one_question(ngozi: Connection, office: Account, now: dt.datetime) -> None:
    assert ask(ngozi, office, now) == ask(ngozi, office, now + DAY)
    assert len(mails_to(EMAIL)) == 1


def test_a_newer_question_takes_the_place_of_the_older(ngozi: Connection, office: Account, now: dt.datetime) -> None:
    first, second = ask(ngozi, office, now), ask(ngozi, office, now, value="other@example.org")
    assert (state(first), state(second)) == (Status.WITHDRAWN, Status.PENDING)
    with pytest.raises(ChangeRefused, match=r"taken back.*Replaced by a newer one"):
        approve(ngozi, first, now)


# Yes


def test_a_yes_to_something_new_waits_for_its_proof(ngozi: Connection, office: Account, now: dt.datetime) -> None:
    change = ask(ngozi, office, now)
    answered = approve(ngozi, change, now + DAY)
    assert answered.needs_proof
    change.refresh_from_db()
    assert (change.status, change.answered_by, change.answered_at) == (Status.WAITING, "Ngozi Okafor", now + DAY)
    assert change.deadline == now + WEEK
    assert value_of(ngozi.contact, "email") == EMAIL
    prove(ngozi, answered, now + DAY)
    change.refresh_from_db()
    assert (change.status, change.effective_at, change.mis_state) == (Status.APPROVED, now + DAY, "to_update")
    detail = ContactDetail.objects.get(kind="email")
    assert (detail.value, detail.source, detail.changed_by, detail.verified_at) == (
        NEW,
        "person",
        "Ngozi Okafor",
        now + DAY,
    )
    assert "approved the email address" in mails_to(OFFICE)[-1].subject
    assert "was changed" in mails_to(EMAIL)[-1].subject


def test_a_yes_is_settled_at_once_where_the_mis_sent_it_meanwhile(
    ngozi: Connection, office: Account, now: dt.datetime
) -> None:
    change = ask(ngozi, office, now)
    ContactDetail.objects.filter(kind="email").update(mis_value=NEW, mis_changed_at=now)
    settling.settle(school=ngozi.school, import_id=7, now=now)
    assert state(change) == Status.PENDING
    prove(ngozi, approve(ngozi, change, now), now)
    change.refresh_from_db()
    assert (change.status, change.mis_state, change.settled_at) == (Status.APPROVED, MisState.UPDATED, now)
    assert "nothing left to do" in mails_to(OFFICE)[-1].body


def test_a_no_lists_what_the_mis_sent_meanwhile_as_kept(ngozi: Connection, office: Account, now: dt.datetime) -> None:
    change = ask(ngozi, office, now)
    ContactDetail.objects.filter(kind="email").update(mis_value=NEW, mis_changed_at=now)
    settling.settle(school=ngozi.school, import_id=7, now=now)
    reject(ngozi, change, now)
    kept = DetailChange.objects.get(status=Status.KEPT)
    assert (kept.new_value, kept.old_value, kept.mis_state) == (EMAIL, NEW, MisState.TO_UPDATE)


def test_the_answer_is_taken_until_the_last_second(ngozi: Connection, office: Account, now: dt.datetime) -> None:
    change = ask(ngozi, office, now)
    with pytest.raises(ChangeRefused, match="over since Mon 30 Nov, 08:00"):
        approve(ngozi, change, now + WEEK)
    with pytest.raises(ChangeRefused, match="over since"):
        reject(ngozi, change, now + WEEK)
    assert approve(ngozi, change, now + WEEK - SECOND).needs_proof


def test_proof_after_a_late_yes_is_due_by_the_same_deadline(
    ngozi: Connection, office: Account, now: dt.datetime
) -> None:
    change = ask(ngozi, office, now)
    answered = approve(ngozi, change, now + WEEK - SECOND)
    with pytest.raises(ChangeRefused, match="over since"):
        prove(ngozi, answered, now + WEEK)
    assert value_of(ngozi.contact, "email") == EMAIL


def test_an_answer_is_given_once(ngozi: Connection, office: Account, now: dt.datetime) -> None:
    change = ask(ngozi, office, now)
    reject(ngozi, change, now)
    with pytest.raises(ChangeRefused, match="answered already: it was rejected on Mon 23 Nov, 08:00"):
        approve(ngozi, change, now)
    with pytest.raises(ChangeRefused, match="answered already"):
        services.withdraw(change=change, by=office, now=now)


def test_a_yes_taken_back_is_a_question_again(ngozi: Connection, office: Account, now: dt.datetime) -> None:
    change = ask(ngozi, office, now)
    answered = approve(ngozi, change, now)
    assert ngozi.account is not None
    services.cancel(account=ngozi.account, batch=answered.batch, now=now)
    change.refresh_from_db()
    assert (change.status, change.answered_at, change.answered_by) == (Status.PENDING, None, "")
    reject(ngozi, change, now)


def test_the_person_may_prefer_their_own_after_a_yes(ngozi: Connection, office: Account, now: dt.datetime) -> None:
    change = ask(ngozi, office, now)
    approve(ngozi, change, now)
    assert ngozi.account is not None
    started = services.start_change(
        account=ngozi.account, connections=[ngozi], kind="email", value="own@example.org", by_name="Ngozi", now=now
    )
    assert state(change) == Status.PENDING
    prove(ngozi, Answered(True, started.code, started.batch), now, "own@example.org")
    assert state(change) == Status.WITHDRAWN
    assert value_of(ngozi.contact, "email") == "own@example.org"


def test_a_yes_for_all_answers_a_yes_that_waits_elsewhere_and_that_school_hears_of_it(
    both: list[Connection], office: Account, other_office: Account, now: dt.datetime
) -> None:
    theirs = ask(both[1], other_office, now, value="other@example.org")
    approve(both[1], theirs, now)
    approve(both[0], ask(both[0], office, now), now, everywhere=True)
    assert state(theirs) == Status.WITHDRAWN
    assert "changed their email address themselves" in mails_to("beck@example.org")[-1].subject


def test_a_yes_to_have_none_is_made_at_once_but_never_of_the_last(
    school: School, ngozi: Connection, office: Account, now: dt.datetime
) -> None:
    assert not approve(ngozi, ask(ngozi, office, now, kind="mobile", value=""), now).needs_proof
    assert value_of(ngozi.contact, "mobile") == ""
    last = ask(ngozi, office, now, value="")
    with pytest.raises(ChangeRefused, match="last address"):
        approve(ngozi, last, now)
    assert state(last) == Status.PENDING


def test_another_family_cannot_answer(school: School, ngozi: Connection, office: Account, now: dt.datetime) -> None:
    chidi = make_parent(school, forename="Chidi", email="chidi@example.org", mobile="+447700900124")
    change = ask(ngozi, office, now)
    with pytest.raises(ChangeRefused, match="no longer connected"):
        approve(chidi, change, now)
    with pytest.raises(ChangeRefused, match="no longer connected"):
        reject(chidi, change, now)
    assert state(change) == Status.PENDING


def test_a_family_of_another_school_is_refused_in_the_same_words(
    ngozi: Connection, other_school: School, office: Account, now: dt.datetime
) -> None:
    chidi = make_parent(other_school, forename="Chidi", email="chidi@example.org", mobile="+447700900124")
    assert chidi.account is not None
    made = ask(ngozi, office, now)
    with scope.schools(ngozi.school_id):
        change = DetailChange.objects.get(pk=made.pk)
    with pytest.raises(ChangeRefused, match="no longer connected"):
        approve(chidi, change, now, everywhere=True)
    with pytest.raises(ChangeRefused, match="no longer connected"):
        reject(chidi, change, now)
    with pytest.raises(ChangeRefused, match="no longer connected"):
        declining.decline(account=chidi.account, offer=change, by_name="Chidi Okafor", now=now)
    with pytest.raises(ChangeRefused, match="no such change"):
        services.not_me_signed_in(account=chidi.account, batch=change.batch, now=now)
    with pytest.raises(ChangeRefused, match="not here"):
        services.cancel(account=chidi.account, batch=change.batch, now=now)
    assert state(change) == Status.PENDING


# No


def test_a_no_needs_a_reason_and_the_office_reads_it(ngozi: Connection, office: Account, now: dt.datetime) -> None:
    change = ask(ngozi, office, now)
    with pytest.raises(ChangeRefused, match="few words why"):
        reject(ngozi, change, now, "  ")
    reject(ngozi, change, now)
    change.refresh_from_db()
    assert (change.status, change.reason, change.mis_state) == (Status.REJECTED, "It is my sister’s.", "")
    assert "It is my sister’s." in mails_to(OFFICE)[-1].body
    assert value_of(ngozi.contact, "email") == EMAIL


# Two schools


def test_a_yes_for_all_schools_needs_one_proof(
    both: list[Connection], office: Account, other_office: Account, now: dt.datetime
) -> None:
    change = ask(both[0], office, now)
    theirs = ask(both[1], other_office, now, value="other@example.org")
    answered = approve(both[0], change, now, everywhere=True)
    assert state(theirs) == Status.WITHDRAWN
    assert [value_of(one.contact, "email") for one in both] == [EMAIL, EMAIL]
    prove(both[0], answered, now)
    assert [value_of(one.contact, "email") for one in both] == [NEW, NEW]
    with scope.schools(both[1].school_id):
        sibling = DetailChange.objects.get(batch=answered.batch)
        assert (sibling.origin, sibling.status, sibling.deadline) == (Origin.PERSON, Status.APPROVED, now + WEEK)
    assert "changed their email address themselves" in mails_to("beck@example.org")[-1].subject


def test_two_schools_that_ask_for_different_values_get_each_its_answer(
    both: list[Connection], office: Account, other_office: Account, now: dt.datetime
) -> None:
    here, there = ask(both[0], office, now), ask(both[1], other_office, now, value="other@example.org")
    prove(both[0], approve(both[0], here, now), now)
    assert state(there) == Status.PENDING
    reject(both[0], there, now)
    assert [value_of(one.contact, "email") for one in both] == [NEW, EMAIL]


def test_what_is_proved_at_another_school_needs_no_code(
    both: list[Connection], office: Account, other_office: Account, now: dt.datetime
) -> None:
    prove(both[0], approve(both[0], ask(both[0], office, now), now), now)
    there = ask(both[1], other_office, now)
    answered = approve(both[1], there, now)
    assert not answered.needs_proof
    assert state(there) == Status.APPROVED
    assert value_of(both[1].contact, "email") == NEW


# Asking again and taking back


def test_an_expired_question_is_asked_again_with_seven_new_days(
    ngozi: Connection, office: Account, now: dt.datetime
) -> None:
    change = ask(ngozi, office, now)
    DetailChange.objects.filter(pk=change.pk).update(status=Status.EXPIRED)
    again = services.ask_again(change=DetailChange.objects.get(), by=office, now=now + WEEK)
    assert (again.status, again.new_value, again.deadline) == (Status.PENDING, NEW, now + 2 * WEEK)
    assert len(mails_to(EMAIL)) == 2


def test_nobody_is_asked_twice_within_a_day(ngozi: Connection, office: Account, now: dt.datetime) -> None:
    change = ask(ngozi, office, now)
    with pytest.raises(ChangeRefused, match="last 24 hours"):
        services.ask_again(change=change, by=office, now=now + DAY - SECOND)
    again = services.ask_again(change=change, by=office, now=now + DAY)
    assert (state(change), again.status) == (Status.WITHDRAWN, Status.PENDING)


def test_a_question_that_was_answered_on_a_page_left_open_is_not_asked_again(
    ngozi: Connection, office: Account, now: dt.datetime
) -> None:
    on_the_page = ask(ngozi, office, now)
    approve(ngozi, DetailChange.objects.get(), now + DAY)
    with pytest.raises(ChangeRefused, match="waits for the code"):
        services.ask_again(change=on_the_page, by=office, now=now + 2 * DAY)
    assert DetailChange.objects.count() == 1


def test_what_makes_no_sense_is_not_asked_again(ngozi: Connection, office: Account, now: dt.datetime) -> None:
    change = ask(ngozi, office, now)
    prove(ngozi, approve(ngozi, change, now), now)
    change.refresh_from_db()
    with pytest.raises(ChangeRefused, match="the change was made"):
        services.ask_again(change=change, by=office, now=now)
    DetailChange.objects.filter(pk=change.pk).update(status=Status.EXPIRED)
    change.refresh_from_db()
    with pytest.raises(ChangeRefused, match="already: there is nothing to ask"):
        services.ask_again(change=change, by=office, now=now)
    Connection.objects.update(ended_at=now)
    with pytest.raises(ChangeRefused, match="not connected any more"):
        services.ask_again(change=change, by=office, now=now)


def test_the_school_takes_a_question_back_and_the_person_is_told(
    ngozi: Connection, office: Account, now: dt.datetime
) -> None:
    change = ask(ngozi, office, now)
    services.withdraw(change=change, by=office, now=now)
    assert state(change) == Status.WITHDRAWN
    assert "took its question back" in mails_to(EMAIL)[-1].subject
    with pytest.raises(ChangeRefused, match="taken back"):
        approve(ngozi, change, now)


# Many at once


def test_each_of_many_edits_is_judged_and_saved_by_itself(
    school: School, ngozi: Connection, office: Account, now: dt.datetime
) -> None:
    chidi, ada = make_contact(school, "Chidi"), make_contact(school, "Ada")
    rows: list[Typed] = [
        Typed(contact_of(ngozi), "email", NEW),
        Typed(chidi, "email", "chidi@"),
        Typed(chidi, "mobile", "07700 900456"),
        Typed(ada, "email", ""),
    ]
    edited = services.edit_many(school=school, rows=rows, by=office, now=now)
    assert [one.outcome for one in edited] == [Outcome.ASKED, Outcome.FAILED, Outcome.SAVED, Outcome.SAME]
    assert "not an email address" in edited[1].sentence
    assert DetailChange.objects.count() == 2
    batches: Any = {one.batch for one in DetailChange.objects.all()}
    assert len(batches) == 2
