"""What time does: expiry at 168 hours to the second, reminders on day three and six, each once, both sides told."""

from __future__ import annotations

import datetime as dt
import traceback
from typing import Any

import pytest

from hub.accounts.models import Account
from hub.core import scope
from hub.core.models import School
from hub.people.models import Connection, ContactDetail
from tests.conftest import join
from tests.factories.inbox import last_code, mails_to
from tests.factories.parents import EMAIL, make_parent, value_of
from verification import selectors, services, sweeping, tasks
from verification.models import ChangeLink, DetailChange, ProofCode, RecoveryRequest, Status
from verification.recovery import recovering
from verification.reporting.report import Writer
from verification.templatetags.confirming import shown

NEW = "new@example.org"
OFFICE = "office@example.org"
WEEK = dt.timedelta(hours=168)
DAY = dt.timedelta(days=1)
SECOND = dt.timedelta(seconds=1)


@pytest.fixture
def ngozi(school: School) -> Connection:
    return make_parent(school)


def ask(one: Connection, by: Account, now: dt.datetime, kind: str = "email", value: str = NEW) -> DetailChange:
    assert one.contact is not None
    with scope.schools(one.school_id):
        made = services.edit_or_propose(owner=one.contact, kind=kind, value=value, by=by, now=now)
    assert made is not None
    return made


def subjects(to: str) -> list[str]:
    return [one.subject for one in mails_to(to)]


def test_a_question_expires_at_168_hours_to_the_second(ngozi: Connection, office: Account, now: dt.datetime) -> None:
    change = ask(ngozi, office, now)
    assert sweeping.expire(now + WEEK - SECOND) == 0
    assert sweeping.expire(now + WEEK) == 1
    change.refresh_from_db()
    assert change.status == Status.EXPIRED
    assert value_of(ngozi.contact, "email") == EMAIL


def test_both_sides_are_told_once(ngozi: Connection, office: Account, now: dt.datetime) -> None:
    ask(ngozi, office, now)
    for _ in range(3):
        sweeping.sweep(now + WEEK)
    assert subjects(EMAIL)[1:] == ["Nothing was changed: your email address stays as it was"]
    assert subjects(OFFICE) == ["No answer from Ngozi Okafor about their email address"]
    assert "Mon 30 Nov, 08:00" in mails_to(OFFICE)[0].body


def test_an_own_change_without_its_code_is_told_to_the_person_alone(
    ngozi: Connection, office: Account, now: dt.datetime
) -> None:
    assert ngozi.account is not None
    services.start_change(account=ngozi.account, connections=[ngozi], kind="email", value=NEW, by_name="Ngozi", now=now)
    sweeping.sweep(now + 6 * DAY)
    assert subjects(EMAIL) == []
    sweeping.sweep(now + WEEK)
    assert DetailChange.objects.get().status == Status.EXPIRED
    assert subjects(EMAIL) == ["Nothing was changed: your email address stays as it was"]
    assert subjects(OFFICE) == []


def test_a_yes_without_its_code_expires_too(ngozi: Connection, office: Account, now: dt.datetime) -> None:
    change = ask(ngozi, office, now)
    assert ngozi.account is not None
    services.approve(account=ngozi.account, change=change, everywhere=False, by_name="Ngozi", now=now)
    sweeping.sweep(now + WEEK)
    change.refresh_from_db()
    assert change.status == Status.EXPIRED
    assert "They said yes" in mails_to(OFFICE)[0].body
    assert "You said yes" in mails_to(EMAIL)[-1].body, "nobody who answered is told that they did not"
    mis = selectors.mis(change.school)
    (listed,) = Writer(change.school, mis=mis, now=now + WEEK).rows([change])
    assert listed.said[0].startswith("Ngozi said yes on")
    assert "proved nothing by" in listed.said[0]
    assert shown(change, connected=True).sentence.startswith("They said yes on")


def test_reminders_come_on_the_third_and_the_sixth_day(ngozi: Connection, office: Account, now: dt.datetime) -> None:
    ask(ngozi, office, now)
    told = []
    for hour in range(169):
        sweeping.sweep(now + dt.timedelta(hours=hour))
        count = len([one for one in subjects(EMAIL) if one.startswith("Waiting for you")])
        if count > len(told):
            told.append(hour)
    assert told == [72, 144]
    assert "until Mon 30 Nov, 08:00" in subjects(EMAIL)[1]


def test_a_sweep_that_was_away_sends_one_reminder_not_two(ngozi: Connection, office: Account, now: dt.datetime) -> None:
    ask(ngozi, office, now)
    assert sweeping.remind(now + 6 * DAY) == 1
    assert sweeping.remind(now + 6 * DAY) == 0
    assert DetailChange.objects.get().reminders == 2


def test_nobody_is_reminded_of_what_is_over(ngozi: Connection, office: Account, now: dt.datetime) -> None:
    change = ask(ngozi, office, now)
    assert ngozi.account is not None
    services.reject(account=ngozi.account, change=change, reason="no", by_name="Ngozi", now=now)
    assert sweeping.remind(now + 4 * DAY) == 0
    ask(ngozi, office, now, value="other@example.org")
    assert sweeping.remind(now + WEEK) == 0


def test_every_school_is_swept_in_its_own_scope(
    ngozi: Connection, other_school: School, office: Account, now: dt.datetime
) -> None:
    theirs = make_parent(other_school, forename="Chidi", email="chidi@example.org", mobile="+447700900124")
    bea = join(other_school, "bea@example.org", "Bea Lund", "office")  # type: ignore[arg-type]
    ask(ngozi, office, now)
    ask(theirs, bea, now)
    with scope.schools():
        sweeping.sweep(now + WEEK)
    assert subjects(OFFICE) == ["No answer from Ngozi Okafor about their email address"]
    assert subjects("bea@example.org") == ["No answer from Chidi Okafor about their email address"]


def test_what_expires_leaves_its_drift_listed(ngozi: Connection, office: Account, now: dt.datetime) -> None:
    ask(ngozi, office, now)
    ContactDetail.objects.filter(kind="email").update(mis_value=NEW, mis_changed_at=now)
    sweeping.sweep(now + WEEK)
    kept = DetailChange.objects.get(status=Status.KEPT)
    assert (kept.new_value, kept.old_value, kept.mis_state) == (EMAIL, NEW, "to_update")


def test_more_than_one_chunk_expires_in_one_sweep(
    school: School, office: Account, now: dt.datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweeping, "AT_ONCE", 2)
    for number in range(5):
        one = make_parent(
            school, forename=f"Ada{number}", email=f"ada{number}@example.org", mobile=f"+4477009002{number:02d}"
        )
        ask(one, office, now)
    assert sweeping.remind(now + 3 * DAY) == 5
    assert sweeping.expire(now + WEEK) == 5
    assert not DetailChange.objects.exclude(status=Status.EXPIRED).exists()


def test_one_trouble_does_not_keep_the_rest_from_being_done(
    ngozi: Connection, office: Account, now: dt.datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(now: dt.datetime) -> int:
        raise ValueError

    ask(ngozi, office, now)
    monkeypatch.setattr(sweeping, "remind", fails)
    with pytest.raises(ExceptionGroup) as raised:
        sweeping.sweep(now + WEEK)
    assert raised.value.subgroup(ValueError)
    assert DetailChange.objects.get().status == Status.EXPIRED


@pytest.mark.parametrize(("work", "due", "left"), [("_expire", WEEK, "expired"), ("_remind", 3 * DAY, "pending")])
def test_one_school_that_fails_does_not_keep_the_next_from_its_turn(
    ngozi: Connection, other_school: School, office: Account, now: dt.datetime, monkeypatch: pytest.MonkeyPatch,
    work: str, due: dt.timedelta, left: str,
) -> None:  # fmt: skip
    theirs = make_parent(other_school, forename="Chidi", email="chidi@example.org", mobile="+447700900124")
    bea = join(other_school, "bea@example.org", "Bea Lund", "office")  # type: ignore[arg-type]
    ask(ngozi, office, now)
    ask(theirs, bea, now)
    done = getattr(sweeping, work)

    def fails(rows: list[DetailChange], now: dt.datetime) -> int:
        if any(one.school_id == ngozi.school_id for one in rows):
            raise ValueError
        return int(done(rows, now))

    monkeypatch.setattr(sweeping, work, fails)
    assert ngozi.school_id < other_school.pk, "the one that fails has its turn first"
    before = len(mails_to("chidi@example.org"))
    with scope.schools(), pytest.raises(ExceptionGroup):
        sweeping.sweep(now + due)
    assert len(mails_to("chidi@example.org")) == before + 1
    with scope.schools(other_school.pk):
        assert DetailChange.objects.get(school=other_school).status == left


def test_one_notice_that_fails_keeps_no_other_row_of_the_school_from_its_turn(
    school: School, ngozi: Connection, office: Account, now: dt.datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    others = [make_parent(school, surname=f"Parent{at}", email=f"p{at}@example.org", mobile="") for at in range(4)]
    bad = ask(ngozi, office, now - SECOND)
    good = [ask(one, office, now, value=f"new{at}@example.org") for at, one in enumerate(others)]
    hears = sweeping.telling.person_hears

    def fails(change: DetailChange, **given: Any) -> None:
        if change.pk == bad.pk:
            raise ValueError("broken")
        hears(change, **given)

    monkeypatch.setattr(sweeping.telling, "person_hears", fails)
    with pytest.raises(ExceptionGroup) as raised:
        sweeping.expire(now + WEEK)
    assert f"This was change {bad.pk}." in "".join(traceback.format_exception(raised.value))
    assert {DetailChange.objects.get(pk=one.pk).status for one in good} == {Status.EXPIRED}
    assert len(subjects("p0@example.org")) == 2
    bad.refresh_from_db()
    assert bad.status == Status.PENDING
    monkeypatch.undo()
    assert sweeping.expire(now + WEEK) == 1


def test_a_sweep_of_which_every_row_fails_comes_to_an_end(
    school: School, office: Account, now: dt.datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweeping, "GIVEN_UP_AFTER", 2)
    for at in range(3):
        ask(make_parent(school, surname=f"Parent{at}", email=f"p{at}@example.org", mobile=""), office, now)

    def fails(*args: object, **given: object) -> None:
        raise ValueError("broken")

    monkeypatch.setattr(sweeping.telling, "person_hears", fails)
    with pytest.raises(ExceptionGroup) as raised:
        sweeping.expire(now + WEEK)
    (of_the_school,) = raised.value.exceptions
    assert isinstance(of_the_school, ExceptionGroup)
    assert len(of_the_school.exceptions) == 2


def test_one_request_that_fails_does_not_keep_the_others_from_their_answer(
    school: School, now: dt.datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = [recovering.ask(typed=f"p{number}@example.org", now=now - dt.timedelta(minutes=1)) for number in range(2)]
    answer = recovering.answer

    def fails(*, request_id: int, now: dt.datetime) -> None:
        if request_id == asked[0].pk:
            raise ValueError
        answer(request_id=request_id, now=now)

    monkeypatch.setattr(recovering, "answer", fails)
    with pytest.raises(ExceptionGroup):
        sweeping.sweep(now)
    assert [RecoveryRequest.objects.get(pk=one.pk).answered_at for one in asked] == [None, now]


def test_codes_and_links_are_forgotten_a_month_after_their_end(ngozi: Connection, now: dt.datetime) -> None:
    assert ngozi.account is not None
    started = services.start_change(
        account=ngozi.account, connections=[ngozi], kind="email", value=NEW, by_name="Ngozi", now=now
    )
    assert started.code is not None
    services.prove(account=ngozi.account, batch=started.batch, code_id=started.code.pk, typed=last_code(NEW), now=now)
    sweeping.sweep(now + 29 * DAY)
    assert (ProofCode.objects.count(), ChangeLink.objects.count()) == (1, 2)
    sweeping.sweep(now + 30 * DAY)
    assert (ProofCode.objects.count(), ChangeLink.objects.count()) == (0, 2)
    sweeping.sweep(now + 37 * DAY)
    assert not ChangeLink.objects.exists()


def test_the_task_sweeps_by_the_clock(ngozi: Connection, office: Account, now: dt.datetime) -> None:
    ask(ngozi, office, now)
    DetailChange.objects.update(deadline=dt.datetime(2020, 1, 1, tzinfo=dt.UTC))
    tasks.sweep()
    assert DetailChange.objects.get().status == Status.EXPIRED
