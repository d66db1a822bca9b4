"""Whatever happens to a login, its owner is told: once, soon, and in one notice what belongs together."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from hub.accounts import passwords, recovery_codes, second_factor, trail
from hub.accounts.models import Account, SecurityEvent
from hub.accounts.trail import What
from hub.core.models import School
from hub.messaging import security
from tests.factories.inbox import mails_to, swept
from tests.factories.people import give, make_contact

SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


@pytest.fixture
def parent(db: None) -> Account:
    return Account.objects.create_user("parent@example.org", name="Ngozi Ade", password="correct horse battery")


def test_a_changed_password_is_told_within_the_next_sweep(parent: Account, now: dt.datetime) -> None:
    passwords.set_password(account=parent, password="four other odd words", now=now)
    swept(now=now)
    (mail,) = mails_to("parent@example.org")
    assert "Your password was changed." in mail.body
    assert "/account/" in mail.body
    assert "Mon 23 Nov, 08:00" in mail.body


def test_a_first_password_is_no_news(db: None, now: dt.datetime) -> None:
    passwords.set_password(account=Account.objects.create_user("new@example.org"), password="x" * 12, now=now)
    assert not SecurityEvent.objects.exists()


def test_what_belongs_together_is_one_notice_and_told_once(parent: Account, now: dt.datetime) -> None:
    second_factor.reset(account=parent)
    recovery_codes.make(account=parent, now=now)
    assert security.tell(now=now) == 1
    assert security.tell(now=now) == 0
    (mail,) = mails_to("parent@example.org")
    assert "second factor was taken away" in mail.body
    assert "New recovery codes were made" in mail.body


def test_a_login_without_an_email_is_told_by_text(db: None, now: dt.datetime) -> None:
    account = Account.objects.create_user(None, mobile="+447700900123", name="Ngozi Ade")
    trail.record(account=account, what=What.NEW_DEVICE, device="Firefox on Android", now=now)
    security.tell(now=now)
    (text,) = mails_to("+447700900123")
    assert "had not been used before" in text.body
    assert len(text.body) <= 306


def test_a_login_at_whose_email_nothing_arrives_is_told_by_text(school: School, now: dt.datetime) -> None:
    account = Account.objects.create_user("old@example.org", mobile="+447700900123", name="Ngozi Ade")
    give(make_contact(school, "Ngozi", "Ade"), "email", "old@example.org", deliverable=False)
    trail.record(account=account, what=What.PASSKEY_ADDED, now=now)
    security.tell(now=now)
    assert (len(mails_to("+447700900123")), mails_to("old@example.org")) == (1, [])


def test_each_event_has_a_sentence() -> None:
    assert all(security.sentence(what) for what in What)


def test_a_login_with_neither_is_not_looked_at_for_ever(db: None, now: dt.datetime) -> None:
    trail.record(account=Account.objects.create_user(None), what=What.PASSKEY_ADDED, now=now)
    assert security.tell(now=now) == 0
    assert not SecurityEvent.objects.filter(told_at=None).exists()


def test_one_login_that_cannot_be_told_keeps_no_other_from_being_told(
    parent: Account, now: dt.datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = Account.objects.create_user("other@example.org", name="Sam Reed")
    for account in (parent, other):
        trail.record(account=account, what=What.PASSKEY_ADDED, now=now)
    send = security.notices.send

    def fails(*, account: Account, **given: Any) -> Any:
        if account == parent:
            raise ValueError("broken")
        return send(account=account, **given)

    monkeypatch.setattr(security.notices, "send", fails)
    with pytest.raises(ExceptionGroup) as raised:
        security.tell(now=now)
    assert [one.__notes__ for one in raised.value.exceptions] == [[f"This was {parent.pk}."]]
    assert len(mails_to("other@example.org")) == 1
    monkeypatch.undo()
    assert security.tell(now=now) == 1
    assert len(mails_to("parent@example.org")) == 1
