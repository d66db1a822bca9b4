"""What the agent says of itself, kept with its token: when it was heard, its log, what its checks found."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from typing import Any

from django.db import transaction

from hub.core import audit
from imports.models import AgentToken

LOG_LIMIT = 64_000
CHECKS_LIMIT = 30
_SECRETS = re.compile(r"sg_[A-Za-z0-9_-]{16,}|(?i:(?<=/PASSWORD:))\S+")


@transaction.atomic
def heard(*, token: AgentToken, said: Mapping[str, Any], now: dt.datetime) -> None:
    """Keep what a copy of the agent says. When it is first heard, older copies of its name are ended."""
    first = token.last_seen_at is None
    token.last_seen_at = now
    token.agent_version = _text(said.get("version"), 20) or token.agent_version
    token.host_name = _text(said.get("host"), 100) or token.host_name
    if "log" in said:
        token.log_tail = _text(said["log"], LOG_LIMIT, end=True)
    about = dict(token.last_check)
    if isinstance(run := said.get("last_run"), dict) and run:
        about["run"] = {"ok": run.get("ok") is True, "sentence": _text(run.get("sentence")), "at": _text(run.get("at"))}
    if isinstance(checks := said.get("checks"), list):
        about["checks"] = [_check(check) for check in checks[:CHECKS_LIMIT] if isinstance(check, dict)]
        about["checked_at"] = now.isoformat()
    token.last_check = about
    token.save(update_fields=["last_seen_at", "agent_version", "host_name", "log_tail", "last_check"])
    if first:
        _end_older_copies(token, now=now)


def seen(*, token: AgentToken, now: dt.datetime) -> None:
    """Keep that a copy of the agent was heard, where it says nothing of itself."""
    heard(token=token, said={}, now=now)


def _end_older_copies(token: AgentToken, *, now: dt.datetime) -> None:
    older = AgentToken.objects.filter(
        school_id=token.school_id, link_id=token.link_id, name=token.name, revoked_at=None, pk__lt=token.pk
    )
    if older.update(revoked_at=now, revoked_by=token.created_by):
        audit.record(
            school=token.school,
            by=None,
            action="link.token_replaced",
            object_kind="link",
            object_id=token.link_id,
            data={"name": token.name},
            now=now,
        )


def _check(said: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "name": _text(said.get("name"), 100),
        "ok": said.get("ok") is True,
        "sentence": _text(said.get("sentence")),
        "advice": _text(said.get("advice")),
    }


def _text(said: object, limit: int = 500, *, end: bool = False) -> str:
    """Return text without secrets and NULs, cut at its end, or at its beginning where the `end` matters."""
    text = _SECRETS.sub("***", said.replace("\0", "")) if isinstance(said, str) else ""
    return text[-limit:] if end else text[:limit]
