"""Ended connections, logins reset by an office, and those whose child has left."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from hub.accounts import second_factor
from hub.accounts.models import Account, Membership, Role, Session
from hub.core import scope
from hub.core.models import AuditEntry, School
from hub.messaging.models import Notice
from hub.people.models import Connection, Contact, ContactDetail, Pupil, PupilContact
from tests.factories.inbox import mails_to
from tests.factories.logins import PASSWORD, a_parent, a_record
from tests.factories.people import give, make_contact, make_pupil, make_staff, tie
from verification.changes.drafting import draft
from verification.errors import ChangeRefused, LinkRefused
from verification.invitations import letters
from verification.lifecycle import leavers, leaving
from verification.models import Choices, DetailChange, Invitation, Origin, RecoveryLink, Status
from verification.recovery import letters as recovery_letters
from verification.recovery import recovering

HERS = "+447700900111"
NEW = "three unlike words here"
DAY = dt.timedelta(days=1)


@pytest.fixture
def millie(school: School) -> Pupil:
    return make_pupil(school, "Millie")


@pytest.fixture
def ngozi(school: School, millie: Pupil) -> tuple[Account, Contact]:
    return a_parent(school, pupil=millie, email="ngozi@example.org", mobile=HERS)


def connection(contact: Contact) -> Connection:
    """Return the connection they had; a letter begins another, which waits."""
    return Connection.objects.get(contact=contact, connected_at__isnull=False)


# Disconnecting


def test_a_disconnected_parent_keeps_the_details_and_loses_the_rest(
    ngozi: tuple[Account, Contact], office: Account, now: dt.datetime, millie: Pupil
) -> None:
    account, contact = ngozi
    Client().force_login(account)
    waits = draft(
        owner=contact, field="email", new_value="n@example.org", origin=Origin.ORGANISATION, made_by="Priya",
        status=Status.PENDING, now=now,
    )  # fmt: skip
    waits.save()
    leaving.disconnect(owner=contact, by=office, why="Moved away", now=now)
    tied = connection(contact)
    assert (tied.ended_at, tied.ended_why, tied.account) == (now, "Moved away", account)
    waits.refresh_from_db()
    assert waits.status == Status.WITHDRAWN
    held = ContactDetail.objects.get(contact=contact, kind="email")
    assert (held.value, held.source, held.verified_at is not None) == ("ngozi@example.org", "person", True)
    account.refresh_from_db()
    assert (account.is_active, account.email, account.mobile) == (False, None, None), "it opened nothing else"
    assert not Session.objects.filter(account=account).exists()
    assert "no longer connected" in mails_to("ngozi@example.org")[-1].subject
    assert "Moved away" not in mails_to("ngozi@example.org")[-1].body
    entry = AuditEntry.objects.get(action="person.disconnected")
    assert (entry.actor_name, entry.data) == (str(office), {"why": "Moved away"})
    with pytest.raises(ChangeRefused):
        leaving.disconnect(owner=contact, by=office, why="Again", now=now)


@pytest.mark.parametrize("other", ["record", "school", "staff"])
def test_a_login_that_opens_more_lives_on(
    ngozi: tuple[Account, Contact], office: Account, school: School, other_school: School, now: dt.datetime, other: str
) -> None:
    account, contact = ngozi
    if other == "staff":
        Membership.objects.create(school=school, account=account, role=Role.TEACHER, accepted_at=now)
    else:
        a_record(account, school if other == "record" else other_school)
    leaving.disconnect(owner=contact, by=office, why="Twice here", now=now)
    account.refresh_from_db()
    assert (account.is_active, account.email) == (True, "ngozi@example.org")
    assert account.check_password(PASSWORD)


def test_the_freed_email_signs_in_a_new_login(
    ngozi: tuple[Account, Contact], office: Account, now: dt.datetime
) -> None:
    leaving.disconnect(owner=ngozi[1], by=office, why="Wrong person", now=now)
    assert Account.objects.create_user("ngozi@example.org", mobile=HERS).pk != ngozi[0].pk


# Reset by the office


def letter_of(monkeypatch: Any) -> list[letters.Letter]:
    """Catch what is printed: the code is on the paper only."""
    caught: list[letters.Letter] = []
    draw = letters.pdf
    monkeypatch.setattr(letters, "pdf", lambda found: draw(caught.extend(kept := list(found)) or kept))
    return caught


def test_a_parent_who_lost_everything_comes_back_by_a_letter(
    ngozi: tuple[Account, Contact], office: Account, now: dt.datetime, monkeypatch: Any
) -> None:
    account, contact = ngozi
    second_factor.give_time_code(account=account, secret="A" * 32, now=now)
    phone = Client()
    phone.force_login(account)
    printed = letter_of(monkeypatch)
    done = leaving.reset(owner=contact, by=office, now=timezone.now())
    assert done.same_login
    assert done.letter.startswith(b"%PDF")
    account.refresh_from_db()
    assert (account.has_usable_password(), second_factor.has_one(account)) == (False, False)
    assert phone.get(reverse("account:home")).status_code == 302
    assert connection(contact).ended_at is None, "what they confirmed stays theirs"
    assert {one.to for one in Notice.objects.filter(kind="security")} >= {"ngozi@example.org", HERS}
    client = Client()
    assert client.post(reverse("recovery:letter"), {"code": "AAAA-BBBB-CCCC-DDDD"}).status_code == 422
    answer = client.post(reverse("recovery:letter"), {"code": printed[0].code.lower().replace("-", " ")})
    assert answer["Location"] == reverse("recovery:login")
    assert client.post(reverse("recovery:login"))["Location"] == reverse("recovery:password")
    assert client.post(reverse("recovery:password"), {"password": NEW})["Location"] == "/"
    account.refresh_from_db()
    assert account.check_password(NEW)
    square = Client()
    square.get(printed[0].link.partition("//")[2].partition("/")[2].join(("/", "")))
    assert square.get(reverse("recovery:login")).status_code == 410, "the square on it is void with the code"


def test_a_new_letter_makes_the_old_one_void(ngozi: tuple[Account, Contact], office: Account, monkeypatch: Any) -> None:
    printed = letter_of(monkeypatch)
    for _ in range(2):
        leaving.reset(owner=ngozi[1], by=office, now=timezone.now())
    assert not recovery_letters.find(typed=printed[0].code, now=timezone.now())
    assert recovery_letters.find(typed=printed[1].code, now=timezone.now())
    assert not recovery_letters.find(typed=printed[1].code, now=timezone.now() + 10 * DAY)


def test_after_a_reset_only_the_letter_opens_the_login(
    ngozi: tuple[Account, Contact], office: Account, now: dt.datetime
) -> None:
    account, contact = ngozi
    second_factor.give_time_code(account=account, secret="A" * 32, now=now)
    leaving.reset(owner=contact, by=office, now=timezone.now())
    for at in (timezone.now(), timezone.now() + 40 * DAY):
        token_hash = recovering._make_link(account, "ngozi@example.org", at)[1].token_hash
        with pytest.raises(LinkRefused, match="only that opens it"):
            recovering.look(token_hash=token_hash, now=at)


@pytest.mark.parametrize("other", ["school", "staff there", "invited there", "staff here", "staff record", "operator"])
def test_no_office_gets_into_a_login_that_opens_more_than_its_own_school(
    ngozi: tuple[Account, Contact],
    office: Account,
    school: School,
    other_school: School,
    now: dt.datetime,
    other: str,
) -> None:
    account, contact = ngozi
    second_factor.give_time_code(account=account, secret="A" * 32, now=now)
    more(account, school, other_school, other, now)
    done = leaving.reset(owner=contact, by=office, now=timezone.now())
    assert not done.same_login
    account.refresh_from_db()
    assert account.is_active
    assert account.check_password(PASSWORD)
    assert second_factor.has_one(account)
    assert account.email == "ngozi@example.org"
    assert not RecoveryLink.objects.exists()
    assert connection(contact).ended_why == leaving.LOST_EVERYTHING
    assert Invitation.objects.get(contact=contact, voided_at=None).channel == "letter"


@pytest.mark.parametrize("other", ["school", "staff there", "invited there", "staff here", "staff record", "operator"])
def test_a_letter_opens_nothing_once_the_login_opens_more(
    ngozi: tuple[Account, Contact],
    office: Account,
    school: School,
    other_school: School,
    now: dt.datetime,
    other: str,
    monkeypatch: Any,
) -> None:
    account, contact = ngozi
    printed = letter_of(monkeypatch)
    leaving.reset(owner=contact, by=office, now=timezone.now())
    more(account, school, other_school, other, now)
    client = Client()
    client.post(reverse("recovery:letter"), {"code": printed[0].code})
    assert client.get(reverse("recovery:login")).status_code == 410
    assert client.post(reverse("recovery:password"), {"password": NEW}).status_code == 410
    for token_hash in RecoveryLink.objects.filter(account=account).values_list("token_hash", flat=True):
        with pytest.raises(LinkRefused):
            recovering.look(token_hash=token_hash, now=timezone.now())


def more(account: Account, school: School, other_school: School, what: str, now: dt.datetime) -> None:
    """Let a login open something beyond this school's parents' pages."""
    with scope.schools(school.pk, other_school.pk):
        if what == "school":
            a_record(account, other_school)
        elif what == "staff there":
            Membership.objects.create(school=other_school, account=account, role=Role.TEACHER, accepted_at=now)
        elif what == "invited there":
            Membership.objects.create(school=other_school, account=account, role=Role.TEACHER, invited_at=now)
        elif what == "staff here":
            Membership.objects.create(school=school, account=account, role=Role.TEACHER, accepted_at=now)
        elif what == "staff record":
            tie(make_staff(school), account)
        else:
            Account.objects.filter(pk=account.pk).update(is_operator=True)
            account.is_operator = True


# The pages


def test_the_office_disconnects_and_resets_on_the_pages(
    ngozi: tuple[Account, Contact], office: Account, school: School, signed_in: Callable[[Account], Client]
) -> None:
    contact = ngozi[1]
    client = signed_in(office)
    page = client.get(reverse("people:contact", args=[school.slug, contact.pk])).content.decode()
    there = reverse("verification:reset", args=[school.slug, contact.pk])
    away = reverse("verification:disconnect", args=[school.slug, "contacts", contact.pk])
    assert there in page
    assert away in page
    assert "stay connected" in client.get(there).content.decode()
    printed = client.post(there)
    assert printed["Content-Type"] == "application/pdf"
    assert client.post(away, {"why": ""}).status_code == 422
    assert connection(contact).ended_at is None
    assert client.post(away, {"why": "Moved away"}).status_code == 302
    assert connection(contact).ended_at is not None
    assert client.get(away).status_code == 404
    page = client.get(reverse("people:contact", args=[school.slug, contact.pk])).content.decode()
    assert "Was connected until" in page
    assert "Moved away" in page
    assert "Never invited" not in page


def test_the_page_says_that_a_letter_waits_to_be_used_and_when_it_has_lapsed(
    ngozi: tuple[Account, Contact], office: Account, school: School, signed_in: Callable[[Account], Client]
) -> None:
    """Until then the login opens to nobody: whoever they ring must see it."""
    account, contact = ngozi
    client, there = signed_in(office), reverse("people:contact", args=[school.slug, contact.pk])

    def says() -> str:
        return client.get(there).content.decode()

    assert "let back in" not in says()
    client.post(reverse("verification:reset", args=[school.slug, contact.pk]))
    assert "To be let back in by a letter" in says()
    assert "It is good until" in says()
    RecoveryLink.objects.update(expires_at=timezone.now())
    assert "It has lapsed unused" in says()
    client.post(reverse("verification:reset", args=[school.slug, contact.pk]))
    assert "It has lapsed unused" not in says()
    recovering.void_links(account, timezone.now())
    assert "let back in" not in says()


def test_no_other_school_and_no_teacher_comes_near(
    ngozi: tuple[Account, Contact],
    teacher: Account,
    stranger: Account,
    school: School,
    other_school: School,
    signed_in: Callable[[Account], Client],
) -> None:
    contact = ngozi[1]
    for name, args in (("reset", [contact.pk]), ("disconnect", ["contacts", contact.pk])):
        here = reverse(f"verification:{name}", args=[school.slug, *args])
        there = reverse(f"verification:{name}", args=[other_school.slug, *args])
        assert signed_in(teacher).post(here, {"why": "x"}).status_code == 403
        assert signed_in(stranger).post(here, {"why": "x"}).status_code == 404
        assert signed_in(stranger).post(there, {"why": "x"}).status_code == 404
    assert connection(contact).ended_at is None


# Leavers


def sweep(school: School, at: dt.datetime) -> int:
    return leavers.sweep_school(school, at)


def test_sight_ends_at_once_and_the_login_after_the_stated_period(
    ngozi: tuple[Account, Contact], school: School, millie: Pupil, now: dt.datetime
) -> None:
    account, contact = ngozi
    assert sweep(school, now) == 0
    assert connection(contact).no_child_since is None
    Pupil.objects.filter(pk=millie.pk).update(leaving_date=now.date())
    sweep(school, now)
    assert connection(contact).no_child_since == now.date()
    sweep(school, now + 75 * DAY)
    assert connection(contact).ending_told_at is None
    sweep(school, now + 76 * DAY)
    sweep(school, now + 77 * DAY)
    told = [mail for mail in mails_to("ngozi@example.org") if "will end" in mail.subject]
    assert len(told) == 1
    assert sweep(school, now + 89 * DAY) == 0
    assert sweep(school, now + 90 * DAY) == 1
    tied = connection(contact)
    assert (tied.ended_why, tied.ended_at) == (leavers.NO_CHILD, now + 90 * DAY)
    account.refresh_from_db()
    assert not account.is_active
    assert "has ended" in mails_to("ngozi@example.org")[-1].subject
    assert sweep(school, now + 91 * DAY) == 0


def test_a_child_who_comes_back_stops_the_clock(
    ngozi: tuple[Account, Contact], school: School, millie: Pupil, now: dt.datetime
) -> None:
    Pupil.objects.filter(pk=millie.pk).update(leaving_date=now.date())
    sweep(school, now)
    sweep(school, now + 80 * DAY)
    Pupil.objects.filter(pk=millie.pk).update(leaving_date=None)
    assert sweep(school, now + 100 * DAY) == 0
    tied = connection(ngozi[1])
    assert (tied.no_child_since, tied.ending_told_at, tied.ended_at) == (None, None, None)


@pytest.mark.parametrize("lost", [{"access": False}, {"denied_at": timezone.now()}, {"ended_on": dt.date(2026, 9, 1)}])
def test_whoever_sees_no_child_has_none(
    ngozi: tuple[Account, Contact], school: School, now: dt.datetime, lost: dict[str, Any]
) -> None:
    PupilContact.objects.update(**lost)
    sweep(school, now)
    assert connection(ngozi[1]).no_child_since == now.date()


def test_the_school_chooses_the_period_and_nobody_is_ended_untold(
    ngozi: tuple[Account, Contact], school: School, millie: Pupil, now: dt.datetime
) -> None:
    Choices.objects.create(school=school, leaver_login_days=7)
    Pupil.objects.filter(pk=millie.pk).update(leaving_date=now.date())
    sweep(school, now)
    sweep(school, now + 7 * DAY)
    assert connection(ngozi[1]).ended_at is None, "a fortnight's notice comes first"
    assert sweep(school, now + 14 * DAY) == 1


def test_a_governor_and_a_parent_elsewhere_stay(
    school: School, other_school: School, ngozi: tuple[Account, Contact], millie: Pupil, now: dt.datetime
) -> None:
    account, contact = ngozi
    governor = make_contact(school, "Dr", "Governor", made_by_hand=True)
    tie(governor, Account.objects.create_user("governor@example.org"))
    a_record(account, other_school)
    Pupil.objects.filter(pk=millie.pk).update(leaving_date=now.date())
    for days in (0, 76, 90):
        leavers.sweep_leavers(now + days * DAY)
    assert connection(governor).no_child_since is None
    assert connection(contact).ended_at is not None
    account.refresh_from_db()
    assert account.is_active, "the other school's children are still theirs"
    with scope.schools(other_school.pk):
        assert Connection.objects.get(account=account).ended_at is None


def test_staff_who_leave_are_disconnected_on_the_day(school: School, now: dt.datetime) -> None:
    staff = make_staff(school, leaving_date=now.date() + DAY)
    account = Account.objects.create_user("tom@example.org")
    tie(staff, account)
    assert sweep(school, now) == 0
    assert sweep(school, now + DAY) == 1
    assert Connection.objects.get(staff=staff).ended_at == now + DAY


def test_only_who_was_told_beforehand_reads_that_it_ended_as_it_said(
    ngozi: tuple[Account, Contact], school: School, now: dt.datetime
) -> None:
    """Staff are disconnected on the day they leave, of which the MIS and not the hub has spoken."""
    staff = make_staff(school, leaving_date=now.date())
    give(staff, "email", "tom@example.org")
    tie(staff, Account.objects.create_user("tom@example.org"))
    assert sweep(school, now) == 1
    said = mails_to("tom@example.org")[-1].body
    assert "as it said it would" not in said
    assert "the school’s records say that you have left" in said
    Pupil.objects.update(leaving_date=now.date())
    for days in (0, 76, 90):
        sweep(school, now + days * DAY)
    assert "as it said it would" in mails_to("ngozi@example.org")[-1].body


def test_one_school_that_fails_does_not_keep_the_next_from_ending_its_leavers(
    school: School, other_school: School, now: dt.datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    with scope.schools(other_school.pk):
        staff = make_staff(other_school, "Tom", "Marsh", leaving_date=now.date())
        tie(staff, Account.objects.create_user("tom@example.org"))
    swept = leavers.sweep_school

    def fails(one: School, now: dt.datetime) -> int:
        if one == school:
            raise ValueError
        return swept(one, now)

    monkeypatch.setattr(leavers, "sweep_school", fails)
    assert school.pk < other_school.pk, "the one that fails has its turn first"
    with scope.schools(), pytest.raises(ExceptionGroup):
        leavers.sweep_leavers(now)
    with scope.schools(other_school.pk):
        assert Connection.objects.get(staff=staff).ended_at == now


def test_a_night_with_nothing_due_asks_little(
    school: School, now: dt.datetime, django_assert_max_num_queries: Any
) -> None:
    for number in range(5):
        a_parent(school, f"Parent{number}", email=f"p{number}@example.org")
    with django_assert_max_num_queries(8):
        sweep(school, now)


def test_rows_of_the_report_stay(ngozi: tuple[Account, Contact], office: Account, now: dt.datetime) -> None:
    contact = ngozi[1]
    ContactDetail.objects.filter(contact=contact, kind="email").update(mis_value="old@example.org")
    row = draft(
        owner=contact, field="email", old_value="old@example.org", new_value="ngozi@example.org",
        origin=Origin.PERSON, made_by="Ngozi", status=Status.APPROVED, mis_state="to_update", now=now,
    )  # fmt: skip
    row.save()
    leaving.disconnect(owner=contact, by=office, why="Moved away", now=now)
    assert DetailChange.objects.get(pk=row.pk).mis_state == "to_update"
