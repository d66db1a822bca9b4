"""The daily summary: at six in the evening in London, one email per login and address, none if there is nothing."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from hub.accounts.models import Account
from hub.core.models import School
from hub.messaging import choices, notices, summaries, sweeping
from hub.messaging.models import How, Notice
from tests.factories.inbox import mails_to, swept
from tests.factories.people import give, make_contact

MORNING = dt.datetime(2026, 11, 23, 8, 0, tzinfo=dt.UTC)
EVENING = dt.datetime(2026, 11, 23, 18, 0, tzinfo=dt.UTC)
TO = "priya@example.org"


@pytest.fixture
def reader(office: Account) -> Account:
    choices.choose(account=office, kind="proposal_answered", how=How.SUMMARY)
    return office


def tell(reader: Account | None, what: str, now: dt.datetime = MORNING, **more: Any) -> Notice:
    given = {"kind": "proposal_answered", "channel": "email", "to": TO, "template": "security"}
    context = {"what": what, "name": "Priya"}
    notice = notices.send(**{**given, **more}, context=context, account=reader, now=now)
    assert notice is not None
    return notice


@pytest.mark.parametrize(
    ("now", "last"),
    [
        ("2026-11-23T17:59:59+00:00", "2026-11-22T18:00:00+00:00"),
        ("2026-11-23T18:00:00+00:00", "2026-11-23T18:00:00+00:00"),
        ("2026-07-01T16:59:59+00:00", "2026-06-30T17:00:00+00:00"),
        ("2026-07-01T17:00:00+00:00", "2026-07-01T17:00:00+00:00"),
        ("2026-10-25T17:59:00+00:00", "2026-10-24T17:00:00+00:00"),
        ("2026-10-25T18:00:00+00:00", "2026-10-25T18:00:00+00:00"),
        ("2026-03-29T17:00:00+00:00", "2026-03-29T17:00:00+00:00"),
    ],
)
def test_six_in_the_evening_is_londons_in_summer_too(now: str, last: str) -> None:
    assert sweeping.last_summary(dt.datetime.fromisoformat(now)) == dt.datetime.fromisoformat(last)


def test_what_was_asked_to_come_together_does(reader: Account) -> None:
    for what in ("Ngozi Okafor approved a mobile.", "Sam Reed rejected an email."):
        assert tell(reader, what).state == "summary"
    assert swept(now=EVENING - dt.timedelta(seconds=1)) == []
    assert mails_to(TO) == []
    assert len(swept(now=EVENING)) == 1
    [mail] = mails_to(TO)
    assert mail.subject == "Your Schoolgate summary: 2 notices"
    assert mail.body.index("Ngozi Okafor approved a mobile.") < mail.body.index("Sam Reed rejected an email.")
    assert "Hello Priya" not in mail.body
    assert "/account/notices/" in mail.body


def test_there_is_one_a_day_and_none_about_nothing(reader: Account) -> None:
    tell(reader, "One.")
    swept(now=EVENING)
    tell(reader, "Two.", now=EVENING)
    for hours in (0, 1, 23):
        swept(now=EVENING + dt.timedelta(hours=hours))
    assert len(mails_to(TO)) == 1
    swept(now=EVENING + dt.timedelta(days=1))
    assert [mail.subject for mail in mails_to(TO)] == ["Your Schoolgate summary: one notice"] * 2
    swept(now=EVENING + dt.timedelta(days=2))
    assert len(mails_to(TO)) == 2


def test_an_evening_that_was_missed_is_made_up_for(reader: Account) -> None:
    tell(reader, "One.")
    swept(now=EVENING + dt.timedelta(hours=5))
    assert len(mails_to(TO)) == 1


def test_each_login_and_address_has_its_own(reader: Account, administrator: Account) -> None:
    choices.choose(account=administrator, kind="proposal_answered", how=How.SUMMARY)
    tell(reader, "For Priya.")
    tell(reader, "For Priya at home.", to="home@example.org")
    tell(administrator, "For Helen.", to="helen@example.org")
    swept(now=EVENING)
    for to, words in ((TO, "For Priya."), ("home@example.org", "For Priya at home."), ("helen@example.org", "Helen")):
        [mail] = mails_to(to)
        assert words in mail.body
    assert "Helen" not in mails_to(TO)[0].body


def test_a_text_is_in_the_email_already_and_comes_alone_only_where_there_is_none(
    reader: Account, administrator: Account
) -> None:
    choices.choose(account=administrator, kind="proposal_answered", how=How.SUMMARY)
    text = {"channel": "text", "template": "code", "to": "+447700900123"}
    tell(reader, "One.")
    tell(reader, "One.", **text)
    swept(now=EVENING)
    assert (len(mails_to(TO)), mails_to("+447700900123")) == (1, [])
    tell(administrator, "One.", EVENING, **text)
    tell(administrator, "Two.", EVENING, **text)
    swept(now=EVENING + dt.timedelta(days=1))
    [sent] = mails_to("+447700900123")
    assert sent.body.startswith("Schoolgate: you have 2 new notices.")


def test_the_text_comes_too_where_nothing_arrives_at_the_email(
    reader: Account, administrator: Account, school: School
) -> None:
    choices.choose(account=administrator, kind="proposal_answered", how=How.SUMMARY)
    give(make_contact(school, "Priya", "Shah"), "email", TO, deliverable=False)
    for account, to, mobile in ((reader, TO, "+447700900123"), (administrator, "helen@example.org", "+447700900124")):
        tell(account, "One.", to=to)
        tell(account, "One.", channel="text", template="code", to=mobile)
    swept(now=EVENING)
    assert (len(mails_to(TO)), len(mails_to("+447700900123"))) == (1, 1)
    assert (len(mails_to("helen@example.org")), mails_to("+447700900124")) == (1, [])


def test_it_takes_as_many_statements_for_many_as_for_one(reader: Account, django_assert_num_queries: Any) -> None:
    for count in (1, 20):
        for at in range(count):
            tell(reader, "One.", to=f"r{at}@example.org")
        with django_assert_num_queries(5):
            assert summaries.write(before=EVENING, now=EVENING) == count


def test_one_login_whose_summary_fails_keeps_no_other_from_theirs(
    reader: Account, administrator: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    choices.choose(account=administrator, kind="proposal_answered", how=How.SUMMARY)
    kept = tell(reader, "For Priya.")
    tell(administrator, "For Helen.", to="helen@example.org")
    put_together = summaries._of_account

    def fails(held: list[Notice], *more: Any) -> list[Notice]:
        if held[0].account_id == reader.pk:
            raise ValueError("broken")
        return put_together(held, *more)

    monkeypatch.setattr(summaries, "_of_account", fails)
    with pytest.raises(ExceptionGroup) as raised:
        summaries.write(before=EVENING, now=EVENING)
    assert [one.__notes__ for one in raised.value.exceptions] == [[f"This was {reader.pk}."]]
    assert len(mails_to("helen@example.org")) == 1
    kept.refresh_from_db()
    assert kept.state == "summary"
    monkeypatch.undo()
    assert summaries.write(before=EVENING, now=EVENING) == 1


def test_a_notice_that_no_key_opens_is_left_out_of_the_summary_and_said(reader: Account) -> None:
    lost = tell(reader, "Nobody reads this.")
    tell(reader, "One.")
    Notice.objects.filter(pk=lost.pk).update(sealed=b"gAAAA-not-ours")
    assert summaries.write(before=EVENING, now=EVENING) == 1
    [mail] = mails_to(TO)
    assert mail.subject == "Your Schoolgate summary: one notice"
    lost.refresh_from_db()
    assert lost.state == "failed"
    assert "key" in lost.trouble
