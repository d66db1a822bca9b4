"""Sending: one copy, none lost unseen, tried again where that is safe."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from hub.core import scope
from hub.core.models import AuditEntry, School
from hub.messaging import channels, notices, sending, sweeping, tasks
from hub.messaging.channels import Receipt, Refused, Unanswered
from hub.messaging.models import Notice, NoticeState
from hub.people.models import ContactDetail
from tests.factories.inbox import swept
from tests.factories.people import give, make_contact

TO, MOBILE = "ngozi@example.org", "+447700900123"
MINUTES = dt.timedelta(minutes=1)


class Scripted:
    """Answers as it is told to, and remembers what it was asked."""

    def __init__(self, *, knows_references: bool = False) -> None:
        self.knows_references = knows_references
        self.asked: list[dict[str, str]] = []
        self.answer: Exception | Callable[[], None] | None = None

    def available(self) -> bool:
        return True

    def deliver(self, **asked: str) -> Receipt:
        self.asked.append(asked)
        if isinstance(self.answer, Exception):
            raise self.answer
        if self.answer is not None:
            self.answer()
        return Receipt("1")


@pytest.fixture
def carriers(db: None, monkeypatch: pytest.MonkeyPatch) -> dict[str, Scripted]:
    made = {"email": Scripted(), "text": Scripted(knows_references=True)}
    monkeypatch.setattr(channels, "carrier", made.__getitem__)
    return made


@pytest.fixture
def mail(carriers: dict[str, Scripted]) -> Scripted:
    return carriers["email"]


def write(now: dt.datetime, channel: str = "email", **more: Any) -> Notice:
    to = TO if channel == "email" else MOBILE
    given = {"kind": "code", "template": "code", "context": {"code": "482913"}, "channel": channel, "to": to}
    notice = notices.send(**{**given, **more}, now=now)
    assert notice is not None
    return notice


def state(notice: Notice) -> tuple[str, int, str]:
    notice.refresh_from_db()
    return notice.state, notice.tries, notice.trouble


def test_a_notice_is_sent_once_however_often_it_is_asked_for(mail: Scripted, now: dt.datetime) -> None:
    notice = write(now)
    assert [sending.deliver(notice.pk, now=now) for _ in range(3)] == ["sent", None, None]
    assert len(mail.asked) == 1


def test_nobody_else_can_send_it_while_it_is_being_sent(mail: Scripted, now: dt.datetime) -> None:
    notice, seen = write(now), []
    mail.answer = lambda: seen.append((state(notice)[0], sending.deliver(notice.pk, now=now)))
    sending.deliver(notice.pk, now=now)
    assert seen == [("sending", None)]
    assert len(mail.asked) == 1


@pytest.mark.django_db(transaction=True)
def test_the_claim_is_committed_before_the_provider_hears_of_it(now: dt.datetime, monkeypatch: Any) -> None:
    carrier, open_transactions = Scripted(), []
    monkeypatch.setattr(channels, "carrier", lambda channel: carrier)
    monkeypatch.setattr(notices, "ask", lambda notice_id, *, urgent: None)
    notice = write(now)
    carrier.answer = lambda: open_transactions.append(connection.in_atomic_block)
    sending.deliver(notice.pk, now=now)
    assert open_transactions == [False]
    again = write(now)
    with pytest.raises(RuntimeError, match="durable"), transaction.atomic():
        sending.deliver(again.pk, now=now)


@pytest.mark.parametrize(("tries", "seconds"), [(1, 10), (2, 30), (3, 120), (4, 600), (5, 1800), (6, 3600), (7, 3600)])
def test_what_may_be_tried_again_waits_longer_each_time(
    mail: Scripted, now: dt.datetime, tries: int, seconds: int
) -> None:
    mail.answer = Refused("The mail server could not be reached.", again=True)
    notice = write(now)
    Notice.objects.update(tries=tries - 1)
    assert sending.deliver(notice.pk, now=now) == "waiting"
    notice.refresh_from_db()
    assert notice.not_before == now + dt.timedelta(seconds=seconds)
    assert state(notice) == ("waiting", tries, "The mail server could not be reached.")
    assert notice.sealed is not None
    early, due = (swept(now=notice.not_before + one) for one in (-dt.timedelta(seconds=1), dt.timedelta()))
    assert (early, due) == ([], [notice.pk])


@pytest.mark.parametrize(("after", "waits"), [(45 * MINUTES, 45 * MINUTES), (600 * MINUTES, 60 * MINUTES)])
def test_the_provider_may_ask_for_time_but_not_for_ever(
    mail: Scripted, now: dt.datetime, after: dt.timedelta, waits: dt.timedelta
) -> None:
    mail.answer = Refused("Later.", again=True, after=after)
    notice = write(now)
    sending.deliver(notice.pk, now=now)
    notice.refresh_from_db()
    assert notice.not_before == now + waits


def test_after_a_day_it_is_given_up(mail: Scripted, now: dt.datetime) -> None:
    mail.answer = Refused("The mail server could not be reached.", again=True)
    notice = write(now)
    sending.deliver(notice.pk, now=now)
    assert sending.deliver(notice.pk, now=now + dt.timedelta(hours=23, minutes=59, seconds=45)) == "failed"
    assert state(notice)[2] == "The mail server could not be reached."
    other = write(now)
    sending.deliver(other.pk, now=now)
    swept(now=now + dt.timedelta(hours=24))
    assert state(other)[0] == "failed"


def test_a_code_is_never_sent_late(mail: Scripted, now: dt.datetime) -> None:
    until = now + 10 * MINUTES
    mail.answer = Refused("Later.", again=True, after=20 * MINUTES)
    refused = write(now, good_until=until)
    assert sending.deliver(refused.pk, now=now) == "too_late"
    mail.answer = None
    missed = write(now, good_until=until)
    assert sending.deliver(missed.pk, now=until) is None
    swept(now=until)
    assert state(missed)[0] == "too_late"
    assert Notice.objects.filter(sealed__isnull=False).count() == 0


def test_what_is_refused_for_good_says_why(mail: Scripted, now: dt.datetime) -> None:
    mail.answer = Refused("The mail server refused the mail (554).")
    notice = write(now)
    assert sending.deliver(notice.pk, now=now) == "failed"
    assert state(notice) == ("failed", 1, "The mail server refused the mail (554).")
    assert notice.sealed is None


def test_an_address_that_is_gone_is_marked_at_every_school_until_it_takes_something_again(
    carriers: dict[str, Scripted], school: School, other_school: School, now: dt.datetime
) -> None:
    carriers["text"].answer = Refused("The number takes no texts.", about_address=True)
    here = give(make_contact(school), "mobile", MOBILE)
    other = give(make_contact(school, "Other"), "mobile", "+447700900456")
    with scope.schools(other_school.pk):
        there = give(make_contact(other_school), "mobile", MOBILE)
    sending.deliver(write(now, "text").pk, now=now)
    with scope.every_school():
        found = dict(ContactDetail.objects.values_list("pk", "deliverable"))
        assert found == {here.pk: False, there.pk: False, other.pk: True}
        entries = AuditEntry.objects.filter(action="person.undeliverable")
        assert {entry.school_id for entry in entries} == {school.pk, other_school.pk}
        assert all(MOBILE not in str(entry.data) for entry in entries)
    carriers["text"].answer = None
    sending.deliver(write(now, "text").pk, now=now)
    with scope.every_school():
        assert not ContactDetail.objects.filter(deliverable=False).exists()
        assert AuditEntry.objects.filter(action="person.deliverable_again").count() == 2


def test_an_email_that_was_not_answered_is_not_sent_twice(mail: Scripted, now: dt.datetime) -> None:
    mail.answer = Unanswered("The mail server broke off the conversation.")
    notice = write(now)
    assert sending.deliver(notice.pk, now=now) == "unknown"
    assert state(notice) == ("unknown", 1, "The mail server broke off the conversation.")
    assert notice.sealed is None
    assert swept(now=now + 60 * MINUTES) == []


def test_a_text_that_was_not_answered_is_asked_for_again_by_the_same_name(
    carriers: dict[str, Scripted], now: dt.datetime
) -> None:
    texts = carriers["text"]
    texts.answer = Unanswered("The text gateway did not answer.")
    notice = write(now, "text")
    assert sending.deliver(notice.pk, now=now) == "waiting"
    texts.answer = None
    [again] = swept(now=now + MINUTES)
    assert sending.deliver(again, now=now + MINUTES) == "sent"
    assert len({asked["reference"] for asked in texts.asked}) == 1
    sending.deliver(write(now, "text").pk, now=now)
    assert len({asked["reference"] for asked in texts.asked}) == 2


class Killed(BaseException):
    """The process ends."""


@pytest.mark.parametrize(("channel", "after", "asked"), [("email", "unknown", 1), ("text", "sent", 2)])
def test_a_worker_that_dies_leaves_no_second_copy_and_no_loss_unseen(
    carriers: dict[str, Scripted], now: dt.datetime, channel: str, after: str, asked: int
) -> None:
    def dies() -> None:
        raise Killed

    carriers[channel].answer = dies
    notice = write(now, channel)
    with pytest.raises(Killed):
        sending.deliver(notice.pk, now=now)
    assert state(notice)[0] == "sending"
    carriers[channel].answer = None
    assert swept(now=now + 4 * MINUTES) == []
    for found in swept(now=now + 6 * MINUTES):
        sending.deliver(found, now=now + 6 * MINUTES)
    assert state(notice)[0] == after
    assert len(carriers[channel].asked) == asked


def test_a_code_whose_worker_died_is_not_sent_late_and_may_have_been_sent(
    carriers: dict[str, Scripted], now: dt.datetime
) -> None:
    notice = write(now, "text", good_until=now + 5 * MINUTES)
    Notice.objects.update(state="sending", claimed_at=now)
    assert swept(now=now + 6 * MINUTES) == []
    assert state(notice)[0] == "unknown"


def test_an_answer_that_comes_after_all_counts(mail: Scripted, now: dt.datetime) -> None:
    notice = write(now)
    mail.answer = lambda: sending.settle_lost(now=now + 6 * MINUTES)
    assert sending.deliver(notice.pk, now=now) == "sent"
    assert state(notice)[0] == "sent"


@pytest.mark.parametrize(("good_for", "found_after"), [(None, 60), (600, 10)])
def test_the_sweep_asks_for_what_no_worker_took_and_not_twice_at_a_time(
    mail: Scripted, now: dt.datetime, good_for: int | None, found_after: int
) -> None:
    def sweep(seconds: int) -> list[int]:
        return swept(now=now + dt.timedelta(seconds=seconds))

    notice = write(now, good_until=now + dt.timedelta(seconds=good_for) if good_for else None)
    assert sweep(found_after - 1) == []
    assert sweep(found_after) == [notice.pk]
    assert sweep(found_after + 59) == []
    assert sweep(found_after + 60) == [notice.pk]


@pytest.mark.parametrize("error", [Unanswered("Silence."), Refused("Later.", again=True)])
def test_a_code_that_cannot_be_tried_again_in_time_says_what_is_known(
    carriers: dict[str, Scripted], now: dt.datetime, error: Unanswered | Refused
) -> None:
    carriers["text"].answer = error
    notice = write(now, "text", good_until=now + dt.timedelta(seconds=9))
    known = "unknown" if isinstance(error, Unanswered) else "too_late"
    assert sending.deliver(notice.pk, now=now) == known
    assert state(notice) == (known, 1, error.why)


def test_the_sweep_takes_as_many_statements_for_many_as_for_one(mail: Scripted, now: dt.datetime) -> None:
    counts = []
    for made, minutes in ((3, 1), (30, 3)):
        for _ in range(made):
            write(now)
        with CaptureQueriesContext(connection) as statements:
            swept(now=now + minutes * MINUTES)
        counts.append(len(statements))
    assert counts[0] == counts[1] < 20


def test_a_code_goes_before_any_number_of_invitations(
    mail: Scripted, now: dt.datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: dict[int, int] = {}
    monkeypatch.setattr(
        tasks.deliver_notice, "apply_async", lambda args, priority, **more: asked.update({args[0]: priority})
    )
    monkeypatch.setattr(timezone, "now", lambda: now + MINUTES)
    invitations = [write(now, kind="invitation") for _ in range(3)]
    code = write(now, good_until=now + 10 * MINUTES)
    tasks.sweep_notices()
    assert len(asked) == 4
    assert all(asked[code.pk] < asked[one.pk] for one in invitations)


def test_words_are_wiped_after_a_month_and_notices_after_a_year(mail: Scripted, now: dt.datetime) -> None:
    kept = write(now, kind="reminder")
    sending.deliver(kept.pk, now=now)
    swept(now=now + dt.timedelta(days=29))
    kept.refresh_from_db()
    assert kept.sealed is not None
    swept(now=now + dt.timedelta(days=30))
    kept.refresh_from_db()
    assert (kept.sealed, kept.state) == (None, NoticeState.SENT)
    swept(now=now + dt.timedelta(days=400))
    assert not Notice.objects.exists()


def test_words_that_no_key_opens_are_not_sent_and_said(mail: Scripted, now: dt.datetime) -> None:
    notice = write(now)
    Notice.objects.update(sealed=b"gAAAA-not-ours")
    assert sending.deliver(notice.pk, now=now) == "failed"
    assert "key" in state(notice)[2]
    assert mail.asked == []


@pytest.mark.parametrize("broken", ["security.tell", "sending.settle_lost", "sending.settle_late", "summaries.write"])
def test_what_waits_is_sent_and_the_rest_is_done_whatever_fails(
    mail: Scripted, now: dt.datetime, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    module, name = broken.split(".")
    monkeypatch.setattr(timezone, "now", lambda: now + MINUTES)
    notice = write(now)
    old = Notice.objects.create(
        kind="code", channel="email", to=TO, made_at=now - dt.timedelta(days=401), not_before=now
    )

    def fails(**given: object) -> None:
        raise ValueError(broken)

    monkeypatch.setattr(getattr(sweeping, module), name, fails)
    with pytest.raises(ExceptionGroup) as raised:
        tasks.sweep_notices()
    assert [str(one) for one in raised.value.exceptions] == [broken]
    assert state(notice)[0] == NoticeState.SENT
    assert not Notice.objects.filter(pk=old.pk).exists()
