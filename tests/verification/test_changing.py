"""People change their own email and mobile: proved at the new address, told to the old one, kept against the MIS."""

from __future__ import annotations

import datetime as dt
import logging
import uuid

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from hub.accounts.models import Account
from hub.core import scope
from hub.core.models import AuditEntry, School
from hub.people.errors import DetailRefusedError
from hub.people.models import Connection, Contact, ContactDetail
from tests.factories.inbox import last_code, mails_to
from tests.factories.parents import EMAIL, MOBILE, make_login, make_parent, value_of
from verification import services
from verification.changes import changing
from verification.changes.changing import Started
from verification.errors import ChangeRefused, CodeRefused, CodeTrouble
from verification.models import ChangeLink, DetailChange, MisState, Status

NEW, NEW_MOBILE = "new@example.org", "+447700900777"
WEEK = dt.timedelta(hours=168)
SECOND = dt.timedelta(seconds=1)


@pytest.fixture
def ngozi(school: School) -> Connection:
    return make_parent(school)


@pytest.fixture
def both(ngozi: Connection, other_school: School) -> list[Connection]:
    """Ngozi at two schools."""
    return [ngozi, make_parent(other_school, ngozi.account)]


def start(*ties: Connection, kind: str = "email", value: str = NEW, now: dt.datetime) -> Started:
    account = ties[0].account
    assert account is not None
    return services.start_change(
        account=account, connections=ties, kind=kind, value=value, by_name="Ngozi Okafor", now=now
    )


def prove(tie: Connection, started: Started, *, to: str = NEW, now: dt.datetime) -> list[DetailChange]:
    assert tie.account is not None
    assert started.code is not None
    return services.prove(
        account=tie.account, batch=started.batch, code_id=started.code.pk, typed=last_code(to), now=now
    )


def change(*ties: Connection, kind: str = "email", value: str = NEW, now: dt.datetime) -> list[DetailChange]:
    return prove(ties[0], start(*ties, kind=kind, value=value, now=now), to=value, now=now)


def contact_of(tie: Connection) -> Contact:
    assert tie.contact is not None
    return tie.contact


def detail_of(tie: Connection, kind: str = "email") -> ContactDetail:
    return ContactDetail.objects.get(contact=contact_of(tie), kind=kind)


# One school


def test_nothing_changes_until_the_new_address_is_proved(ngozi: Connection, now: dt.datetime) -> None:
    started = start(ngozi, now=now)
    row = DetailChange.objects.get()
    assert (row.status, row.mis_state, row.old_value, row.new_value) == (Status.WAITING, "", EMAIL, NEW)
    assert (row.deadline, row.made_at, row.batch) == (now + WEEK, now, started.batch)
    assert (row.made_by, row.made_by_account, row.person_name) == ("Ngozi Okafor", ngozi.account, "Ngozi Okafor")
    assert row.pupil_names == "Millie Okafor (6HB)"
    assert row.year_groups == ["6"]
    assert value_of(ngozi.contact, "email") == EMAIL
    assert mails_to(EMAIL) == []


def test_a_proved_value_is_in_use_verified_and_still_to_be_copied(ngozi: Connection, now: dt.datetime) -> None:
    (row,) = change(ngozi, now=now)
    row.refresh_from_db()
    assert (row.status, row.mis_state, row.effective_at) == (Status.APPROVED, MisState.TO_UPDATE, now)
    detail = detail_of(ngozi)
    assert (detail.value, detail.source, detail.verified_at, detail.mis_value) == (NEW, "person", now, EMAIL)
    assert row.previous["value"] == EMAIL
    assert AuditEntry.objects.get(action="detail.changed").object_id == ngozi.contact_id


def test_a_row_is_settled_at_once_where_the_mis_has_it_already(ngozi: Connection, now: dt.datetime) -> None:
    ContactDetail.objects.filter(pk=detail_of(ngozi).pk).update(mis_value=NEW)
    (row,) = change(ngozi, now=now)
    row.refresh_from_db()
    assert (row.mis_state, row.settled_at) == (MisState.UPDATED, now)


def test_a_mobile_is_proved_by_a_text(ngozi: Connection, now: dt.datetime) -> None:
    change(ngozi, kind="mobile", value=NEW_MOBILE, now=now)
    assert value_of(ngozi.contact, "mobile") == NEW_MOBILE


def test_what_came_from_the_mis_can_be_confirmed_as_it_is(school: School, now: dt.datetime) -> None:
    tie = make_parent(school, proven=["email"])
    change(tie, kind="mobile", value=MOBILE, now=now)
    row = DetailChange.objects.get()
    assert (row.old_value, row.new_value, row.mis_state) == (MOBILE, MOBILE, MisState.UPDATED)
    assert detail_of(tie, "mobile").verified_at == now
    assert mails_to(EMAIL) == [], "nothing was changed"


def test_what_is_confirmed_already_is_not_confirmed_again(ngozi: Connection, now: dt.datetime) -> None:
    with pytest.raises(ChangeRefused, match="in use already"):
        start(ngozi, value=EMAIL.upper(), now=now)


@pytest.mark.parametrize(("kind", "value"), [("email", "ngozi@"), ("mobile", "01632 960001"), ("email", " ")])
def test_what_is_no_address_is_refused_in_words(ngozi: Connection, now: dt.datetime, kind: str, value: str) -> None:
    with pytest.raises(DetailRefusedError):
        start(ngozi, kind=kind, value=value, now=now)
    assert not DetailChange.objects.exists()


def test_somebody_elses_record_is_nobodys(ngozi: Connection, school: School, now: dt.datetime) -> None:
    chidi = make_parent(school, forename="Chidi", email="chidi@example.org", mobile="+447700900124")
    assert ngozi.account is not None
    for connections in ([chidi], [ngozi, chidi], []):
        with pytest.raises(ChangeRefused, match="no longer connected"):
            services.start_change(
                account=ngozi.account, connections=connections, kind="email", value=NEW, by_name="x", now=now
            )


def test_a_record_disconnected_meanwhile_is_not_changed(ngozi: Connection, now: dt.datetime) -> None:
    started = start(ngozi, now=now)
    Connection.objects.filter(pk=ngozi.pk).update(ended_at=now)
    with pytest.raises(ChangeRefused):
        prove(ngozi, started, now=now)
    assert value_of(ngozi.contact, "email") == EMAIL


# Codes


def test_a_wrong_code_changes_nothing_and_stays_counted(ngozi: Connection, now: dt.datetime) -> None:
    started = start(ngozi, now=now)
    assert started.code is not None
    assert ngozi.account is not None
    with pytest.raises(CodeRefused) as refusal:
        services.prove(account=ngozi.account, batch=started.batch, code_id=started.code.pk, typed="000000", now=now)
    assert refusal.value.trouble == CodeTrouble.WRONG
    started.code.refresh_from_db()
    assert started.code.tries == 1
    assert DetailChange.objects.get().status == Status.WAITING


def test_another_code_can_be_sent_and_only_the_newest_counts(ngozi: Connection, now: dt.datetime) -> None:
    started = start(ngozi, now=now)
    assert ngozi.account is not None
    again = services.send_again(account=ngozi.account, batch=started.batch, now=now)
    assert last_code(NEW)
    with pytest.raises(CodeRefused):
        prove(ngozi, started, now=now)
    prove(ngozi, Started(started.batch, again), now=now)
    assert value_of(ngozi.contact, "email") == NEW


def test_the_code_of_one_change_proves_no_other(ngozi: Connection, now: dt.datetime) -> None:
    first = start(ngozi, value="first@example.org", now=now)
    second = start(ngozi, value="second@example.org", now=now)
    assert first.code is not None
    with pytest.raises((CodeRefused, ChangeRefused)):
        prove(ngozi, Started(second.batch, first.code), to="first@example.org", now=now)
    assert value_of(ngozi.contact, "email") == EMAIL


def test_a_newer_change_takes_the_place_of_one_that_waits(ngozi: Connection, now: dt.datetime) -> None:
    first = start(ngozi, value="first@example.org", now=now)
    second = start(ngozi, value="second@example.org", now=now)
    assert DetailChange.objects.get(batch=first.batch).status == Status.WITHDRAWN
    with pytest.raises(ChangeRefused, match="taken back"):
        prove(ngozi, first, to="first@example.org", now=now)
    prove(ngozi, second, to="second@example.org", now=now)
    assert value_of(ngozi.contact, "email") == "second@example.org"


def test_an_email_and_a_mobile_may_be_under_way_at_once(ngozi: Connection, now: dt.datetime) -> None:
    email = start(ngozi, now=now)
    mobile = start(ngozi, kind="mobile", value=NEW_MOBILE, now=now)
    prove(ngozi, email, now=now)
    prove(ngozi, mobile, to=NEW_MOBILE, now=now)
    assert {one.value for one in ContactDetail.objects.all()} == {NEW, NEW_MOBILE}


def test_a_change_waits_for_its_proof_168_hours_to_the_second(ngozi: Connection, now: dt.datetime) -> None:
    started = start(ngozi, now=now)
    assert ngozi.account is not None
    late = now + WEEK - SECOND
    with pytest.raises(ChangeRefused, match="over since Mon 30 Nov, 08:00"):
        services.send_again(account=ngozi.account, batch=started.batch, now=now + WEEK)
    code = services.send_again(account=ngozi.account, batch=started.batch, now=late)
    with pytest.raises(ChangeRefused, match="over since"):
        prove(ngozi, Started(started.batch, code), now=now + WEEK)
    prove(ngozi, Started(started.batch, code), now=late)
    assert value_of(ngozi.contact, "email") == NEW


def test_a_change_can_be_taken_back_before_it_is_proved(ngozi: Connection, now: dt.datetime) -> None:
    started = start(ngozi, now=now)
    assert ngozi.account is not None
    services.cancel(account=ngozi.account, batch=started.batch, now=now)
    assert DetailChange.objects.get().status == Status.WITHDRAWN
    with pytest.raises(ChangeRefused):
        services.cancel(account=ngozi.account, batch=started.batch, now=now)


def test_an_unknown_change_is_not_here(ngozi: Connection, now: dt.datetime) -> None:
    assert ngozi.account is not None
    with pytest.raises(ChangeRefused, match="not here"):
        services.prove(account=ngozi.account, batch=uuid.uuid4(), code_id=1, typed="123456", now=now)


def test_nobody_proves_the_change_of_another_family(ngozi: Connection, school: School, now: dt.datetime) -> None:
    chidi = make_parent(school, forename="Chidi", email="chidi@example.org", mobile="+447700900124")
    started = start(ngozi, now=now)
    assert started.code is not None
    assert chidi.account is not None
    with pytest.raises(ChangeRefused, match="not here"):
        services.prove(
            account=chidi.account, batch=started.batch, code_id=started.code.pk, typed=last_code(NEW), now=now
        )


# Taking out


def test_a_mobile_is_taken_out_at_once(ngozi: Connection, now: dt.datetime) -> None:
    assert ngozi.account is not None
    services.take_out(account=ngozi.account, connections=[ngozi], kind="mobile", by_name="Ngozi Okafor", now=now)
    row = DetailChange.objects.get()
    assert (row.status, row.old_value, row.new_value, row.mis_state) == ("approved", MOBILE, "", MisState.TO_UPDATE)
    assert value_of(ngozi.contact, "mobile") == ""
    assert "taken out" in mails_to(EMAIL)[-1].subject


def test_the_last_proven_detail_is_never_taken_out(school: School, now: dt.datetime) -> None:
    tie = make_parent(school, proven=["email"])
    assert tie.account is not None
    with pytest.raises(ChangeRefused, match="last address you have confirmed for Larch Hill Primary"):
        services.take_out(account=tie.account, connections=[tie], kind="email", by_name="x", now=now)
    services.take_out(account=tie.account, connections=[tie], kind="mobile", by_name="x", now=now)
    with pytest.raises(ChangeRefused, match="no mobile number to take out"):
        services.take_out(account=tie.account, connections=[tie], kind="mobile", by_name="x", now=now)


# What is asked meanwhile


def test_the_persons_own_change_answers_what_the_school_asks(
    ngozi: Connection, office: Account, now: dt.datetime
) -> None:
    asked = services.edit_or_propose(
        owner=contact_of(ngozi), kind="email", value="school@example.org", by=office, now=now
    )
    assert asked is not None
    started = start(ngozi, now=now)
    asked.refresh_from_db()
    assert asked.status == Status.PENDING
    prove(ngozi, started, now=now)
    asked.refresh_from_db()
    assert (asked.status, asked.reason) == (Status.WITHDRAWN, "Ngozi Okafor changed it themselves.")
    assert "changed their email address themselves" in mails_to("office@example.org")[-1].subject


def test_earlier_rows_are_replaced_by_a_later_change(ngozi: Connection, now: dt.datetime) -> None:
    change(ngozi, value="first@example.org", now=now)
    change(ngozi, value="second@example.org", now=now)
    first, second = DetailChange.objects.order_by("pk")
    assert (first.mis_state, second.mis_state) == (MisState.REPLACED, MisState.TO_UPDATE)


def test_going_back_to_what_the_mis_has_leaves_nothing_to_do(ngozi: Connection, now: dt.datetime) -> None:
    change(ngozi, value="first@example.org", now=now)
    change(ngozi, value=EMAIL, now=now)
    assert [one.mis_state for one in DetailChange.objects.order_by("pk")] == ["replaced", "updated"]


# Telling


def test_the_old_address_and_another_proven_one_are_told(ngozi: Connection, now: dt.datetime) -> None:
    change(ngozi, now=now)
    (mail,) = mails_to(EMAIL)
    assert mail.subject == "Your email address was changed"
    assert "Mon 23 Nov, 08:00" in mail.body
    assert "Mon 30 Nov, 08:00" in mail.body
    assert "n•••@example.org" in mail.body
    assert NEW not in mail.body
    (text,) = mails_to(MOBILE)
    assert "/not-me/" in text.body
    assert len(text.body) <= 306
    assert not [one for one in mails_to(NEW) if "not-me" in one.body]
    assert {one.sent_to for one in ChangeLink.objects.all()} == {EMAIL, MOBILE}
    assert {one.expires_at for one in ChangeLink.objects.all()} == {now + WEEK}


def test_an_unproven_detail_is_not_told(school: School, now: dt.datetime) -> None:
    change(make_parent(school, proven=["email"]), now=now)
    assert mails_to(MOBILE) == []


def test_no_address_and_no_code_is_in_a_log(
    ngozi: Connection, now: dt.datetime, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    started = start(ngozi, now=now)
    code = last_code(NEW)
    prove(ngozi, started, now=now)
    mails_to(EMAIL)
    for canary in (code, NEW, EMAIL, MOBILE, "Ngozi", "/not-me/"):
        assert not [line for line in caplog.messages if canary in line], canary


# Signing in


def test_the_sign_in_name_moves_along_with_the_proven_email(ngozi: Connection, now: dt.datetime) -> None:
    change(ngozi, now=now)
    assert ngozi.account is not None
    ngozi.account.refresh_from_db()
    assert ngozi.account.email == NEW
    assert DetailChange.objects.get().previous["sign_in"] == EMAIL


def test_a_sign_in_name_that_another_login_has_stays_as_it_was(ngozi: Connection, now: dt.datetime) -> None:
    make_login(NEW, "Chidi Okafor")
    change(ngozi, now=now)
    assert ngozi.account is not None
    ngozi.account.refresh_from_db()
    assert ngozi.account.email == EMAIL
    assert value_of(ngozi.contact, "email") == NEW
    assert "sign_in" not in DetailChange.objects.get().previous


def test_a_sign_in_name_that_was_something_else_stays(school: School, now: dt.datetime) -> None:
    tie = make_parent(school, make_login("work@example.org"))
    change(tie, now=now)
    assert tie.account is not None
    tie.account.refresh_from_db()
    assert tie.account.email == "work@example.org"


# Two schools


def test_one_proof_changes_all_chosen_schools(both: list[Connection], now: dt.datetime) -> None:
    made = change(*both, now=now)
    assert len(made) == 2
    assert len({one.batch for one in made}) == 1
    assert {one.school_id for one in made} == {one.school_id for one in both}
    assert [value_of(one.contact, "email") for one in both] == [NEW, NEW]
    (mail,) = mails_to(EMAIL)
    assert "Larch Hill Primary" in mail.body
    assert "Beck Road Academy" in mail.body


def test_school_by_school_the_other_keeps_what_it_has(both: list[Connection], now: dt.datetime) -> None:
    change(both[0], now=now)
    assert [value_of(one.contact, "email") for one in both] == [NEW, EMAIL]


def test_what_is_proved_at_one_school_needs_no_code_at_the_other(both: list[Connection], now: dt.datetime) -> None:
    change(both[0], now=now)
    started = start(both[1], now=now)
    assert started.code is None
    assert value_of(both[1].contact, "email") == NEW


def test_an_undeliverable_proof_counts_no_more(both: list[Connection], now: dt.datetime) -> None:
    change(both[0], now=now)
    ContactDetail.objects.filter(contact=both[0].contact, kind="email").update(deliverable=False)
    assert start(both[1], now=now).code is not None


def test_a_dead_address_that_is_proved_again_is_believed_in_again(ngozi: Connection, now: dt.datetime) -> None:
    ContactDetail.objects.filter(pk=detail_of(ngozi).pk).update(deliverable=False)
    change(ngozi, value=EMAIL, now=now)
    assert detail_of(ngozi).deliverable
    with pytest.raises(ChangeRefused, match="in use already"):
        start(ngozi, value=EMAIL, now=now)


def test_a_change_at_one_school_shows_the_other_school_nothing(both: list[Connection], now: dt.datetime) -> None:
    change(both[0], now=now)
    with scope.schools(both[1].school_id):
        assert not DetailChange.objects.exists()
        assert not AuditEntry.objects.exists()


def test_the_number_of_queries_does_not_depend_on_the_children(
    ngozi: Connection, school: School, now: dt.datetime
) -> None:
    from tests.factories.people import link, make_pupil

    with CaptureQueriesContext(connection) as one:
        start(ngozi, value="one@example.org", now=now)
    changing.cancel(account=_account(ngozi), batch=DetailChange.objects.latest("pk").batch, now=now)
    for number in range(6):
        link(make_pupil(school, f"Child {number}"), contact_of(ngozi))
    with CaptureQueriesContext(connection) as many:
        start(ngozi, value="many@example.org", now=now)
    assert len(many) <= len(one) + 1


def _account(tie: Connection) -> Account:
    assert tie.account is not None
    return tie.account


def test_a_mobile_one_signs_in_by_moves_along_too(school: School, now: dt.datetime) -> None:
    tie = make_parent(school, make_login(EMAIL, mobile=MOBILE))
    change(tie, kind="mobile", value=NEW_MOBILE, now=now)
    account = Account.objects.get(pk=_account(tie).pk)
    assert (account.email, account.mobile) == (EMAIL, NEW_MOBILE)


def test_the_first_address_of_somebody_who_had_none_becomes_their_sign_in_name(
    school: School, now: dt.datetime
) -> None:
    tie = make_parent(school, make_login(None, mobile=MOBILE), email="")
    change(tie, now=now)
    assert Account.objects.get(pk=_account(tie).pk).email == NEW


def test_two_parents_who_share_a_mailbox_do_not_take_each_others_sign_in_name(school: School, now: dt.datetime) -> None:
    make_parent(school)
    chidi = make_parent(school, make_login(None, "Chidi Okafor", mobile="+447700900124"), forename="Chidi")
    change(chidi, value=NEW, now=now)
    assert Account.objects.get(pk=_account(chidi).pk).email is None
    change(chidi, value=EMAIL, now=now)
    assert Account.objects.get(pk=_account(chidi).pk).email is None
    assert Account.objects.get(email=EMAIL).name == "Ngozi Okafor"
