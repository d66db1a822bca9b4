"""“This was not me”: everything goes back, the login is frozen, sessions end, the office is told and lifts it."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from hub.accounts import tokens
from hub.accounts.models import Account, Session
from hub.core import scope
from hub.core.models import Alert, AuditEntry, School
from hub.people.models import Connection, ContactDetail
from tests.factories.inbox import last_code, last_link, mails_to
from tests.factories.parents import EMAIL, MOBILE, make_login, make_parent, value_of
from tests.factories.people import tie
from verification import services
from verification.changes import freezing
from verification.errors import ChangeRefused, CodeRefused, LinkRefused
from verification.lifecycle import leaving
from verification.models import ChangeLink, DetailChange, MisState, Status

NEW, THIRD = "thief@example.org", "thief2@example.org"
WEEK = dt.timedelta(days=7)
HOUR = dt.timedelta(hours=1)
SignIn = Callable[[Account], Client]


@pytest.fixture
def ngozi(school: School) -> Connection:
    return make_parent(school)


@pytest.fixture
def both(ngozi: Connection, other_school: School) -> list[Connection]:
    return [ngozi, make_parent(other_school, ngozi.account)]


def account_of(one: Connection) -> Account:
    assert one.account is not None
    one.account.refresh_from_db()
    return one.account


def change(*ties: Connection, kind: str = "email", value: str = NEW, now: dt.datetime) -> DetailChange:
    account = account_of(ties[0])
    started = services.start_change(
        account=account, connections=ties, kind=kind, value=value, by_name="Ngozi Okafor", now=now
    )
    if started.code is None:
        with scope.schools(*{one.school_id for one in ties}):
            return DetailChange.objects.filter(batch=started.batch)[0]
    made = services.prove(
        account=account, batch=started.batch, code_id=started.code.pk, typed=last_code(value), now=now
    )
    return made[0]


def hash_of(link: str) -> str:
    return tokens.hashed(link.rstrip("/").rsplit("/", 1)[1])


def say_not_me(to: str, now: dt.datetime) -> list[DetailChange]:
    return services.not_me(token_hash=hash_of(last_link(to)), now=now)


# What goes back


def test_the_detail_goes_back_to_exactly_what_it_was(ngozi: Connection, now: dt.datetime) -> None:
    before = ContactDetail.objects.filter(kind="email").values().get()
    change(ngozi, now=now)
    (row,) = say_not_me(EMAIL, now + HOUR)
    row.refresh_from_db()
    assert (row.status, row.mis_state, row.settled_at) == (Status.FROZEN, "", None)
    assert ContactDetail.objects.filter(kind="email").values().get() == before


def test_a_detail_that_was_not_there_is_blank_again(school: School, now: dt.datetime) -> None:
    tie = make_parent(school, email="", proven=["mobile"])
    change(tie, now=now)
    say_not_me(MOBILE, now)
    assert value_of(tie.contact, "email") == ""
    assert account_of(tie).email is None


def test_the_sign_in_name_comes_back(ngozi: Connection, now: dt.datetime) -> None:
    change(ngozi, now=now)
    assert account_of(ngozi).email == NEW
    say_not_me(EMAIL, now)
    assert account_of(ngozi).email == EMAIL


def test_a_sign_in_name_taken_meanwhile_leaves_none_rather_than_the_thiefs(ngozi: Connection, now: dt.datetime) -> None:
    change(ngozi, now=now)
    make_login(EMAIL, "Somebody")
    say_not_me(EMAIL, now)
    assert account_of(ngozi).email is None


def test_a_thief_who_changes_twice_loses_both(ngozi: Connection, now: dt.datetime) -> None:
    change(ngozi, now=now)
    link = last_link(EMAIL)
    change(ngozi, value=THIRD, now=now + HOUR)
    assert account_of(ngozi).email == THIRD
    frozen = services.not_me(token_hash=hash_of(link), now=now + 2 * HOUR)
    assert len(frozen) == 2
    assert {one.status for one in DetailChange.objects.all()} == {Status.FROZEN}
    assert value_of(ngozi.contact, "email") == EMAIL
    assert account_of(ngozi).email == EMAIL


def test_the_later_of_two_changes_goes_back_one_step_only(ngozi: Connection, now: dt.datetime) -> None:
    first = change(ngozi, value="mine@example.org", now=now)
    change(ngozi, now=now + HOUR)
    say_not_me("mine@example.org", now + 2 * HOUR)
    assert value_of(ngozi.contact, "email") == "mine@example.org"
    first.refresh_from_db()
    assert (first.status, first.mis_state) == (Status.APPROVED, MisState.TO_UPDATE)


def test_drift_is_listed_again_after_going_back(ngozi: Connection, now: dt.datetime) -> None:
    change(ngozi, now=now)
    ContactDetail.objects.filter(kind="email").update(mis_value=NEW)
    say_not_me(EMAIL, now)
    kept = DetailChange.objects.get(status=Status.KEPT)
    assert (kept.new_value, kept.old_value) == (EMAIL, NEW)


def test_both_schools_go_back_by_one_link(both: list[Connection], now: dt.datetime) -> None:
    change(*both, now=now)
    say_not_me(EMAIL, now)
    assert [value_of(one.contact, "email") for one in both] == [EMAIL, EMAIL]


def test_a_school_that_has_disconnected_the_record_since_goes_back_too(
    both: list[Connection], now: dt.datetime
) -> None:
    made = change(*both, now=now)
    with scope.schools(both[1].school_id):
        leaving.disconnect(owner=both[1].contact, by=None, why="Asked for", now=now + HOUR)
    services.not_me_signed_in(account=account_of(both[0]), batch=made.batch, now=now + 2 * HOUR)
    assert [value_of(one.contact, "email") for one in both] == [EMAIL, EMAIL]


def test_what_was_carried_to_another_school_goes_back_too(both: list[Connection], now: dt.datetime) -> None:
    change(both[0], now=now)
    link = last_link(EMAIL)
    change(both[1], now=now + HOUR)
    services.not_me(token_hash=hash_of(link), now=now + 2 * HOUR)
    assert [value_of(one.contact, "email") for one in both] == [EMAIL, EMAIL]


def test_what_is_used_now_by_another_way_is_left(ngozi: Connection, now: dt.datetime) -> None:
    change(ngozi, now=now)
    ContactDetail.objects.filter(kind="email").update(value="office@example.org")
    say_not_me(EMAIL, now)
    assert value_of(ngozi.contact, "email") == "office@example.org"
    assert DetailChange.objects.get(new_value=NEW).status == Status.FROZEN


def test_an_approved_question_can_be_denied_too(ngozi: Connection, office: Account, now: dt.datetime) -> None:
    assert ngozi.contact is not None
    asked = services.edit_or_propose(owner=ngozi.contact, kind="email", value=NEW, by=office, now=now)
    assert asked is not None
    answered = services.approve(
        account=account_of(ngozi), change=asked, everywhere=False, by_name="Ngozi Okafor", now=now
    )
    assert answered.code is not None
    services.prove(
        account=account_of(ngozi), batch=asked.batch, code_id=answered.code.pk, typed=last_code(NEW), now=now
    )
    say_not_me(EMAIL, now)
    assert value_of(ngozi.contact, "email") == EMAIL


# What else happens


def test_every_session_of_the_login_ends(ngozi: Connection, now: dt.datetime, signed_in: SignIn) -> None:
    change(ngozi, now=now)
    client = signed_in(account_of(ngozi))
    assert Session.objects.filter(account=ngozi.account).exists()
    say_not_me(EMAIL, now)
    assert not Session.objects.filter(account=ngozi.account).exists()
    assert client.get("/home/").status_code == 302


def test_in_the_portal_the_own_session_goes_on(ngozi: Connection, now: dt.datetime, signed_in: SignIn) -> None:
    row = change(ngozi, now=now)
    mine, theirs = signed_in(account_of(ngozi)), signed_in(account_of(ngozi))
    services.not_me_signed_in(account=account_of(ngozi), batch=row.batch, keep=mine.session.session_key, now=now + HOUR)
    assert mine.get("/home/").status_code == 200
    assert theirs.get("/home/").status_code == 302
    assert value_of(ngozi.contact, "email") == EMAIL


def test_only_the_own_changes_of_the_last_seven_days_can_be_denied_in_the_portal(
    ngozi: Connection, school: School, now: dt.datetime
) -> None:
    row = change(ngozi, now=now)
    chidi = make_parent(school, forename="Chidi", email="chidi@example.org", mobile="+447700900124")
    for account, at in ((account_of(chidi), now), (account_of(ngozi), now + WEEK)):
        with pytest.raises(ChangeRefused, match="no such change"):
            services.not_me_signed_in(account=account, batch=row.batch, now=at)


def test_a_frozen_login_changes_and_answers_nothing(ngozi: Connection, office: Account, now: dt.datetime) -> None:
    assert ngozi.contact is not None
    change(ngozi, now=now)
    say_not_me(EMAIL, now)
    asked = services.edit_or_propose(owner=ngozi.contact, kind="mobile", value="07700 900777", by=office, now=now)
    assert asked is not None
    account = account_of(ngozi)
    tries: list[Callable[[], object]] = [
        lambda: change(ngozi, value=THIRD, now=now),
        lambda: services.take_out(account=account, connections=[ngozi], kind="mobile", by_name="x", now=now),
        lambda: services.approve(account=account, change=asked, everywhere=False, by_name="x", now=now),
        lambda: services.reject(account=account, change=asked, reason="no", by_name="x", now=now),
    ]
    for attempt in tries:
        with pytest.raises(ChangeRefused, match="this was not me"):
            attempt()


def test_a_change_that_waited_for_its_proof_is_stopped_and_its_code_void(
    ngozi: Connection, office: Account, now: dt.datetime
) -> None:
    assert ngozi.contact is not None
    asked = services.edit_or_propose(owner=ngozi.contact, kind="mobile", value="07700 900777", by=office, now=now)
    assert asked is not None
    change(ngozi, now=now)
    answered = services.approve(account=account_of(ngozi), change=asked, everywhere=False, by_name="x", now=now)
    assert answered.code is not None
    say_not_me(EMAIL, now)
    asked.refresh_from_db()
    assert asked.status == Status.PENDING
    answered.code.refresh_from_db()
    assert answered.code.voided_at == now
    with pytest.raises((ChangeRefused, CodeRefused)):
        services.prove(account=account_of(ngozi), batch=asked.batch, code_id=answered.code.pk, typed="123456", now=now)


def test_the_office_is_told_at_once_and_an_alert_stands(
    ngozi: Connection, office: Account, teacher: Account, now: dt.datetime
) -> None:
    change(ngozi, now=now)
    say_not_me(EMAIL, now)
    (mail,) = [one for one in mails_to("office@example.org") if "not me" in one.subject]
    assert "lift the freeze" in mail.body
    assert mails_to("teacher@example.org") == []
    alert = Alert.objects.get(resolved_at=None)
    assert alert.title == "Ngozi Okafor says: “this was not me”"
    assert alert.path == f"people/contacts/{ngozi.contact_id}/"
    assert AuditEntry.objects.filter(action="detail.frozen").exists()
    assert "Change your password" in mails_to(EMAIL)[-1].body


def test_two_records_at_one_school_are_one_mail_and_an_alert_each(
    ngozi: Connection, school: School, office: Account, now: dt.datetime
) -> None:
    second = make_parent(school, ngozi.account, surname="Okafor-Obi")
    change(ngozi, second, now=now)
    frozen = say_not_me(EMAIL, now)
    assert Alert.objects.filter(resolved_at=None).count() == 2
    assert len([one for one in mails_to("office@example.org") if "not me" in one.subject]) == 1
    for row in frozen:
        services.lift(change=row, by=office, now=now)
    assert not Alert.objects.filter(resolved_at=None).exists()


def test_each_school_hears_of_its_own(both: list[Connection], now: dt.datetime) -> None:
    change(*both, now=now)
    say_not_me(EMAIL, now)
    for one in both:
        with scope.schools(one.school_id):
            assert Alert.objects.filter(resolved_at=None).count() == 1


# Links


def test_a_link_is_good_once(ngozi: Connection, now: dt.datetime) -> None:
    change(ngozi, now=now)
    link = last_link(EMAIL)
    services.not_me(token_hash=hash_of(link), now=now)
    with pytest.raises(LinkRefused, match="used already"):
        services.not_me(token_hash=hash_of(link), now=now)


def test_the_link_at_the_other_address_finds_it_done(ngozi: Connection, now: dt.datetime) -> None:
    change(ngozi, now=now)
    other = last_link(MOBILE)
    say_not_me(EMAIL, now)
    with pytest.raises(LinkRefused, match="taken back"):
        services.not_me(token_hash=hash_of(other), now=now)


def test_a_link_is_good_for_seven_days(ngozi: Connection, now: dt.datetime) -> None:
    change(ngozi, now=now)
    with pytest.raises(LinkRefused, match="7 days"):
        say_not_me(EMAIL, now + WEEK)
    say_not_me(EMAIL, now + WEEK - dt.timedelta(seconds=1))


def test_an_unknown_link_opens_nothing(db: None, now: dt.datetime) -> None:
    with pytest.raises(LinkRefused, match="opens nothing"):
        services.not_me(token_hash="x" * 64, now=now)


def test_links_are_kept_as_hashes_of_256_bits(ngozi: Connection, now: dt.datetime) -> None:
    change(ngozi, now=now)
    token = last_link(EMAIL).rstrip("/").rsplit("/", 1)[1]
    assert len(token) >= 43
    assert not ChangeLink.objects.filter(token_hash__contains=token).exists()


# Lifting


def test_the_office_lifts_the_freeze_and_the_person_can_change_again(
    ngozi: Connection, office: Account, now: dt.datetime
) -> None:
    change(ngozi, now=now)
    (row,) = say_not_me(EMAIL, now)
    services.lift(change=row, by=office, now=now + HOUR)
    row.refresh_from_db()
    assert (row.status, row.settled_at, row.settled_by) == (Status.FROZEN, now + HOUR, "Priya Shah")
    assert not Alert.objects.filter(resolved_at=None).exists()
    assert "change your details again" in mails_to(EMAIL)[-1].subject
    assert value_of(ngozi.contact, "email") == EMAIL
    change(ngozi, value="mine@example.org", now=now + HOUR)
    with pytest.raises(ChangeRefused, match="not frozen any more"):
        services.lift(change=row, by=office, now=now + HOUR)


def test_whoever_is_connected_after_a_disconnected_thief_is_not_frozen(
    ngozi: Connection, office: Account, now: dt.datetime
) -> None:
    """It was the thief's login that was to change nothing: the office has ended it, and invited her again."""
    change(ngozi, now=now)
    say_not_me(EMAIL, now)
    assert ngozi.contact
    leaving.disconnect(owner=ngozi.contact, by=office, why="Somebody else had it", now=now)
    frozen = DetailChange.objects.get(status=Status.FROZEN)
    assert (frozen.settled_at, frozen.settled_by) == (now, "The end of the connection")
    assert not Alert.objects.filter(resolved_at=None).exists()
    hers = make_login("hers@example.org")
    again = tie(ngozi.contact, hers, now)
    started = services.start_change(
        account=hers, connections=[again], kind="email", value="third@example.org", by_name="Ngozi", now=now
    )
    assert started.code is not None


def test_a_login_frozen_at_two_schools_waits_for_both(
    both: list[Connection], office: Account, now: dt.datetime
) -> None:
    change(*both, now=now)
    rows = say_not_me(EMAIL, now)
    first, second = sorted(rows, key=lambda one: one.school_id != both[0].school_id)
    services.lift(change=first, by=office, now=now)
    with pytest.raises(ChangeRefused):
        change(both[0], value="mine@example.org", now=now)
    with scope.schools(second.school_id):
        services.lift(change=second, by=office, now=now)
    change(both[0], value="mine@example.org", now=now)


# The page


@pytest.fixture
def notice(ngozi: Connection, now: dt.datetime, monkeypatch: pytest.MonkeyPatch) -> str:
    """The path of the link in the notice of a change, with the pages' clock an hour later."""
    change(ngozi, now=now)
    monkeypatch.setattr("verification.changes.not_me_views.timezone.now", lambda: now + HOUR)
    return "/" + last_link(EMAIL).split("/", 3)[3]


def test_opening_the_link_changes_nothing_however_often(ngozi: Connection, notice: str) -> None:
    client = Client()
    for _ in range(3):
        answer = client.get(notice)
        assert answer["Location"] == reverse("not_me:page")
        page = client.get(answer["Location"])
        assert page.status_code == 200
        text = page.content.decode()
        assert "Ngozi Okafor" in text
        assert "Larch Hill Primary" in text
        assert "Mon 23 Nov, 08:00" in text
        assert NEW not in text
        client.head(notice)
        client.head(answer["Location"])
    assert value_of(ngozi.contact, "email") == NEW
    assert DetailChange.objects.get().status == Status.APPROVED


def test_the_button_takes_it_back_and_says_what_to_do(ngozi: Connection, notice: str) -> None:
    client = Client()
    client.get(notice)
    done = client.post(reverse("not_me:page"))
    assert done.status_code == 200
    assert "Change your password" in done.content.decode()
    assert value_of(ngozi.contact, "email") == EMAIL
    assert client.get(reverse("not_me:page")).status_code == 410
    client.get(notice)
    again = client.get(reverse("not_me:page"))
    assert again.status_code == 410
    assert "used already" in again.content.decode()


def test_the_button_needs_the_link_and_the_forms_token(ngozi: Connection, notice: str) -> None:
    assert Client().post(reverse("not_me:page")).status_code == 410
    strict = Client(enforce_csrf_checks=True)
    strict.get(notice)
    assert strict.post(reverse("not_me:page")).status_code == 403
    assert value_of(ngozi.contact, "email") == NEW


def test_posting_to_the_link_itself_does_nothing(ngozi: Connection, notice: str) -> None:
    assert Client().post(notice).status_code == 405
    assert value_of(ngozi.contact, "email") == NEW


def test_neither_token_nor_address_is_in_a_log_or_kept_by_a_cache(
    ngozi: Connection, notice: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    client = Client()
    answer = client.get(notice)
    assert "no-store" in answer["Cache-Control"]
    page = client.get(reverse("not_me:page"))
    assert "no-store" in page["Cache-Control"]
    assert page["Referrer-Policy"] == "same-origin"
    client.post(reverse("not_me:page"))
    token = notice.rstrip("/").rsplit("/", 1)[1]
    for canary in (token, EMAIL, NEW, "Ngozi"):
        assert not [line for line in caplog.messages if canary in line], canary


def test_a_change_without_a_login_any_more_is_taken_back_by_who_made_it(ngozi: Connection, now: dt.datetime) -> None:
    change(ngozi, now=now)
    Connection.objects.update(ended_at=now)
    say_not_me(EMAIL, now)
    assert DetailChange.objects.get().status == Status.FROZEN
    assert freezing.alert_key(ngozi.contact or ngozi.staff) == f"not-me-contact-{ngozi.contact_id}"  # type: ignore[arg-type]


def test_whoever_is_signed_in_while_they_press_the_button_reads_what_happened(
    ngozi: Connection, signed_in: SignIn, now: dt.datetime
) -> None:
    """The session that the button is pressed in ends with the others; the page still says so."""
    client = signed_in(account_of(ngozi))
    change(ngozi, now=timezone.now())
    link = last_link(EMAIL)
    client.get(link[link.index("/not-me/") :])
    answer = client.post(reverse("not_me:page"))
    assert answer.status_code == 200
    assert client.get(reverse("portal:home")).status_code == 302
