"""Health, for machines: what the hub stands on, and what a domain registers. No personal data.

A domain adds a check from its `AppConfig.ready`: `health.register("links", check)`.
"""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Callable
from dataclasses import dataclass, field

from django.conf import settings
from django.db import connection

from hub.core import scope
from hub.core.models import Heartbeat

logger = logging.getLogger(__name__)

BEAT = "beat"
BEAT_MAY_BE_SILENT = dt.timedelta(minutes=3)
"""It ticks every 30 seconds; after this it has stopped."""
BROKER_SECONDS = 1.5


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found: well or not, and numbers or short words beside it."""

    ok: bool
    facts: dict[str, int | str | None] = field(default_factory=dict)


Check = Callable[[dt.datetime], Finding]
_checks: dict[str, Check] = {}


def register(name: str, check: Check) -> None:
    """Add a domain's check under `name`. It runs without a scope and opens its own."""
    _checks[name] = check


def beat_ticked(now: dt.datetime) -> None:
    """Remember that the beat ticked."""
    Heartbeat.objects.update_or_create(name=BEAT, defaults={"at": now})


def look(now: dt.datetime) -> dict[str, Finding]:
    """Run every check. A check that breaks is a finding too."""
    checks: dict[str, Check] = {"database": database, "broker": broker, "beat": beat, **_checks}
    return {name: _look(name, check, now) for name, check in checks.items()}


def database(now: dt.datetime) -> Finding:
    """Whether the database answers."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return Finding(ok=True)


def broker(now: dt.datetime) -> Finding:
    """Whether the broker answers, soon."""
    import redis  # a tenth of the start of every process, and most are never asked how the broker is

    client = redis.Redis.from_url(
        settings.REDIS_URL, socket_timeout=BROKER_SECONDS, socket_connect_timeout=BROKER_SECONDS
    )
    try:
        client.ping()
    finally:
        client.close()
    return Finding(ok=True)


def beat(now: dt.datetime) -> Finding:
    """How long ago the beat ticked."""
    with scope.schools():
        last = Heartbeat.objects.filter(name=BEAT).values_list("at", flat=True).first()
    if last is None:
        return Finding(ok=False, facts={"age_seconds": None})
    return Finding(ok=now - last <= BEAT_MAY_BE_SILENT, facts={"age_seconds": int((now - last).total_seconds())})


def _look(name: str, check: Check, now: dt.datetime) -> Finding:
    try:
        return check(now)
    except Exception as error:  # noqa: BLE001  (that it breaks is the finding)
        logger.warning("Health: %s does not answer: %s", name, type(error).__name__)
        return Finding(ok=False, facts={"error": type(error).__name__})
