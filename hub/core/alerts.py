"""Alerts: what needs a person at a school. One open alert per cause; it closes when its cause does."""

from __future__ import annotations

import datetime as dt

from hub.core.models import Alert, School, Severity


def raise_alert(
    *,
    school: School,
    key: str,
    severity: Severity | str,
    title: str,
    body: str = "",
    button: str = "",
    path: str = "",
    now: dt.datetime,
) -> Alert:
    """Open the alert of this cause, or bring the open one up to date; it keeps the time it was first raised.

    `path` leads below the school's address: `imports/12/`. Raising twice says nothing twice.
    """
    says = {"severity": severity, "title": title[:200], "body": body, "button": button, "path": path.lstrip("/")}
    alert, _ = Alert.objects.update_or_create(
        school=school, key=key, resolved_at=None, defaults=says, create_defaults={**says, "raised_at": now}
    )
    return alert


def resolve_alert(*, school: School, key: str, now: dt.datetime) -> bool:
    """Close the open alert of this cause. Returns whether there was one."""
    return Alert.objects.filter(school=school, key=key, resolved_at=None).update(resolved_at=now) > 0
