"""Several workers at the same thing at once: real threads, real transactions, one copy."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection

from hub.messaging import channels, notices, sending, summaries
from hub.messaging.channels import Receipt
from hub.messaging.models import Notice, NoticeState
from tests.factories.inbox import swept

WORKERS = 6


def at_once(work: Callable[[], Any]) -> list[Any]:
    """Run `work` in several threads that begin together."""
    together = threading.Barrier(WORKERS)

    def one() -> Any:
        try:
            together.wait(30)
            return work()
        finally:
            connection.close()

    with ThreadPoolExecutor(WORKERS) as pool:
        return [found.result() for found in [pool.submit(one) for _ in range(WORKERS)]]


@pytest.fixture
def asked(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the carrier was asked for."""
    seen: list[str] = []

    class Counting:
        knows_references = False

        def available(self) -> bool:
            return True

        def deliver(self, *, to: str, subject: str, body: str, reference: str) -> Receipt:
            seen.append(reference)
            return Receipt()

    monkeypatch.setattr(channels, "carrier", lambda channel: Counting())
    monkeypatch.setattr(notices, "ask", lambda notice_id, *, urgent: None)
    return seen


def write(now: dt.datetime, **more: Any) -> Notice:
    given = {"kind": "code", "channel": "email", "to": "a@example.org", "template": "code"}
    made = notices.send(**{**given, **more}, context={"code": "482913"}, now=now)
    assert made is not None
    return made


def test_one_of_many_workers_sends_a_notice(asked: list[str], now: dt.datetime) -> None:
    notice = write(now)
    found = at_once(lambda: sending.deliver(notice.pk, now=now))
    assert sorted(found, key=str) == [None] * (WORKERS - 1) + ["sent"]
    assert len(asked) == 1


def test_of_many_sweeps_each_notice_has_one(asked: list[str], now: dt.datetime) -> None:
    made = {write(now).pk for _ in range(20)}
    found = at_once(lambda: swept(now=now + dt.timedelta(minutes=2)))
    assert sorted(pk for some in found for pk in some) == sorted(made)


def test_many_sweeps_write_one_summary(asked: list[str], now: dt.datetime) -> None:
    for _ in range(20):
        made = write(now, kind="reminder")
        Notice.objects.filter(pk=made.pk).update(state=NoticeState.SUMMARY)
    evening = now + dt.timedelta(hours=12)
    assert sum(at_once(lambda: summaries.write(before=evening, now=evening))) == 1
    assert Notice.objects.filter(kind="summary").count() == 1
