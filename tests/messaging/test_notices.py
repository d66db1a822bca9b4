"""Telling one person something: written down with what it tells, sealed, sent after the commit, wiped."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.core import mail
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from hub.accounts.models import Account
from hub.messaging import choices, notices, sending, tasks
from hub.messaging.models import How, Notice, NoticeState
from tests.factories.inbox import last_code, mails_to

TO = "ngozi@example.org"
MOBILE = "+447700900123"


def send(now: dt.datetime, **more: Any) -> Notice:
    given = {"kind": "code", "channel": "email", "to": TO, "template": "code", "context": {"code": "482913"}}
    sent = notices.send(**{**given, **more}, now=now)
    assert sent is not None
    return sent


def test_a_code_arrives_by_mail(db: None, now: dt.datetime) -> None:
    send(now, context={"code": "482913", "why": "Larch Hill Primary asks whether this address is yours."})
    assert last_code(TO) == "482913"
    [sent] = mails_to(TO)
    assert sent.subject == "482 913 is your Schoolgate code"
    assert "Larch Hill Primary asks" in sent.body
    assert "It is good for 10 minutes and works once." in sent.body
    assert "Nobody from the school will ever ask you for it." in sent.body


def test_a_code_arrives_by_text_as_a_phone_fills_it_in(db: None, now: dt.datetime, settings: Any) -> None:
    settings.PUBLIC_URL = "https://hub.example.org"
    send(now, channel="text", to=MOBILE)
    [sent] = mails_to(MOBILE)
    assert sent.body == (
        "482 913 is your Schoolgate code. It is good for 10 minutes. "
        "Nobody from the school will ask you for it.\n\n@hub.example.org #482913"
    )
    assert last_code(MOBILE) == "482913"


def test_the_words_are_sealed_until_they_are_sent_and_wiped_then(db: None, now: dt.datetime) -> None:
    notice = send(now)
    assert b"482" not in bytes(notice.sealed or b"")
    assert notices.opened(notice)[0] == "482 913 is your Schoolgate code"
    assert sending.deliver(notice.pk, now=now) == "sent"
    notice.refresh_from_db()
    assert (notice.sealed, notice.state, notice.sent_at) == (None, NoticeState.SENT, now)


@pytest.mark.django_db(transaction=True)
def test_it_leaves_after_the_commit_and_not_after_a_rollback(now: dt.datetime) -> None:
    with transaction.atomic():
        send(now)
        assert not mail.outbox
    assert len(mail.outbox) == 1
    with transaction.atomic():
        send(now)
        transaction.set_rollback(True)
    assert len(mail.outbox) == 1
    assert Notice.objects.count() == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("error", [tasks.deliver_notice.OperationalError("no broker"), ZeroDivisionError("a surprise")])
def test_a_broker_that_is_away_breaks_nothing(
    now: dt.datetime, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def away(*args: Any, **options: Any) -> None:
        raise error

    monkeypatch.setattr(tasks.deliver_notice, "apply_async", away)
    assert send(now).state == NoticeState.WAITING


def test_who_chose_not_to_be_told_is_not(db: None, office: Account, now: dt.datetime) -> None:
    choices.choose(account=office, kind="proposal_answered", how=How.NEVER)
    given = {"kind": "proposal_answered", "channel": "email", "to": TO, "template": "code", "context": {"code": "1"}}
    assert notices.send(**given, account=office, now=now) is None  # type: ignore[arg-type]
    assert notices.send(**given, now=now) is not None  # type: ignore[arg-type]


def test_a_text_where_texts_are_not_set_up_is_kept_as_not_sent(db: None, now: dt.datetime, settings: Any) -> None:
    settings.NOTICE_CARRIERS = {**settings.NOTICE_CARRIERS, "text": "hub.messaging.texting.Texting"}
    settings.TEXT_URL = ""
    notice = send(now, channel="text", to=MOBILE)
    assert (notice.state, notice.trouble, notice.sealed) == ("failed", "Text messages are not set up here.", None)


def test_a_line_break_in_a_name_makes_no_header(db: None, now: dt.datetime) -> None:
    send(now, context={"code": "482913\r\nBcc: all@example.org"})
    [sent] = mails_to(TO)
    assert "\n" not in sent.subject
    assert mail.outbox[0].message()["Bcc"] is None


def test_many_are_told_in_as_many_statements_as_one(db: None, office: Account, now: dt.datetime) -> None:
    choices.choose(account=office, kind="reminder", how=How.NEVER)
    counts = []
    for many in (1, 40):
        to_all = [
            notices.Telling("invitation", "email", f"p{at}@example.org", "code", {"code": "482913"})
            for at in range(many)
        ]
        to_office = notices.Telling("reminder", "email", TO, "code", {"code": "482913"}, account=office)
        with CaptureQueriesContext(connection) as statements:
            made = notices.send_many([*to_all, to_office], now=now)
        assert [one.to for one in made] == [one.to for one in to_all]
        counts.append(len(statements))
    assert counts == [2, 2]
    assert len(mails_to("p0@example.org")) == 2


@pytest.mark.django_db(transaction=True)
def test_a_broker_that_is_away_is_not_asked_a_thousand_times(now: dt.datetime, monkeypatch: Any) -> None:
    asked: list[int] = []

    def away(args: tuple[int], **options: Any) -> None:
        asked.append(args[0])
        raise tasks.deliver_notice.OperationalError("no broker")

    monkeypatch.setattr(tasks.deliver_notice, "apply_async", away)
    told = [notices.Telling("invitation", "email", TO, "code", {"code": "482913"}) for _ in range(5)]
    assert len(notices.send_many(told, now=now)) == 5
    assert len(asked) == 1
