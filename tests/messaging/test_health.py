"""Health says when notices do not leave."""

from __future__ import annotations

import datetime as dt

import pytest

from hub.core import health
from hub.core.health import Finding
from hub.messaging.models import Notice


@pytest.mark.parametrize(
    ("state", "minutes", "found"),
    [
        ("waiting", 14, Finding(True, {"stuck": 0, "oldest_seconds": None})),
        ("waiting", 15, Finding(False, {"stuck": 1, "oldest_seconds": 900})),
        ("sending", 20, Finding(False, {"stuck": 1, "oldest_seconds": 1200})),
        ("summary", 600, Finding(True, {"stuck": 0, "oldest_seconds": None})),
        ("failed", 600, Finding(True, {"stuck": 0, "oldest_seconds": None})),
    ],
)
def test_notices_that_wait_too_long_are_a_finding(
    db: None, now: dt.datetime, state: str, minutes: int, found: Finding
) -> None:
    made = now - dt.timedelta(minutes=minutes)
    Notice.objects.create(kind="code", channel="email", to="a@example.org", state=state, made_at=made, not_before=made)
    assert health.look(now)["notices"] == found
