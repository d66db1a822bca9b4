"""What did not arrive is seen by the office, until something does."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest
from django.test import Client
from django.utils import timezone

from hub.accounts.models import Account
from hub.core.models import School
from hub.messaging import selectors
from hub.messaging.models import Notice
from tests.factories.people import give, make_contact, make_pupil

TO, OTHER = "ngozi@example.org", "sam@example.org"


def held(now: dt.datetime, to: str, state: str, *, hours: int = 0, account: Account | None = None) -> Notice:
    at = now - dt.timedelta(hours=hours)
    why = "" if state == "sent" else "The mail server refused the address (550)."
    return Notice.objects.create(
        kind="code", channel="email", to=to, state=state, made_at=at, not_before=at, trouble=why, account=account
    )


def test_a_notice_that_failed_is_told_in_a_sentence(db: None, now: dt.datetime) -> None:
    held(now, TO, "failed")
    [trouble] = selectors.trouble_for(TO, now=now)
    assert trouble.sentence == "The last email was not sent. The mail server refused the address (550)."


def test_a_later_one_that_arrived_takes_it_away(db: None, now: dt.datetime) -> None:
    held(now, TO, "failed", hours=2)
    held(now, TO, "sent", hours=1)
    held(now, TO, "waiting")
    assert selectors.trouble_for(TO, now=now) == []


def test_one_that_is_being_tried_again_says_so(db: None, now: dt.datetime) -> None:
    held(now, TO, "waiting")
    assert selectors.trouble_for(TO, now=now) == []
    Notice.objects.update(tries=1, trouble="The mail server could not be reached.")
    [trouble] = selectors.trouble_for(TO, now=now)
    assert trouble.sentence == (
        "The last email has not left yet and is tried again. The mail server could not be reached."
    )


def test_an_old_one_is_forgotten(db: None, now: dt.datetime) -> None:
    held(now, TO, "failed", hours=24 * 30)
    assert selectors.trouble_for(TO, now=now) == []


def test_it_is_found_by_login_and_for_lists_in_one_query(
    office: Account, now: dt.datetime, django_assert_num_queries: object
) -> None:
    held(now, TO, "unknown", account=office)
    held(now, OTHER, "too_late")
    assert [one.to for one in selectors.trouble_for(office, now=now)] == [TO]
    with django_assert_num_queries(1):  # type: ignore[operator]
        found = selectors.trouble_at([TO, OTHER, "nobody@example.org"], now=now)
    assert {to: one.state for to, one in found.items()} == {TO: "unknown", OTHER: "too_late"}


@pytest.mark.parametrize(("kind", "value"), [("email", TO), ("mobile", "+447700900123")])
def test_the_office_sees_it_on_the_persons_page(
    school: School, office: Account, signed_in: Callable[[Account], Client], kind: str, value: str
) -> None:
    contact = make_contact(school, "Ngozi", "Okafor", make_pupil(school))
    give(contact, kind, value)
    page = f"/8233001/people/contacts/{contact.pk}/"
    client = signed_in(office)
    assert "was not sent" not in client.get(page).text
    held(timezone.now(), value, "failed")
    assert "The last email was not sent. The mail server refused the address (550)." in client.get(page).text
