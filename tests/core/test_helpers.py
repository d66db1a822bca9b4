"""Audit, alerts, the key ring and health."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.test import Client

from hub.accounts.models import Account
from hub.core import alerts, audit, health, keyring
from hub.core.health import Finding
from hub.core.models import Alert, AuditEntry, School, Severity
from hub.core.services import SchoolRefused, change_school, create_school


def test_an_audit_entry_outlives_its_account(school: School, office: Account, now: dt.datetime) -> None:
    audit.record(school=school, by=office, action="import.undone", object_kind="import", object_id=7, now=now)
    office.delete()
    entry = AuditEntry.objects.get()
    assert (entry.actor_name, entry.object_id, entry.at) == ("Priya Shah", 7, now)


def test_the_hub_by_itself_has_a_name(school: School, now: dt.datetime) -> None:
    assert audit.record(school=school, by=None, action="link.resumed", now=now).actor_name == "Schoolgate"


def raised(school: School, now: dt.datetime, **more: str) -> Alert:
    says = {"key": "import.failed", "severity": Severity.BAD, "title": "Last night failed", **more}
    return alerts.raise_alert(school=school, now=now, **says)


def test_an_alert_is_raised_once_and_kept_up_to_date(school: School, now: dt.datetime) -> None:
    first = raised(school, now, path="/imports/1/")
    again = raised(school, now + dt.timedelta(days=1), title="Two nights failed")
    assert first.pk == again.pk
    held = Alert.objects.get()
    assert (held.title, held.raised_at, held.path) == ("Two nights failed", now, "")


def test_an_alert_closes_once_and_may_come_back(school: School, now: dt.datetime) -> None:
    raised(school, now)
    assert alerts.resolve_alert(school=school, key="import.failed", now=now)
    assert not alerts.resolve_alert(school=school, key="import.failed", now=now)
    raised(school, now)
    assert Alert.objects.filter(resolved_at=None).count() == 1


def test_what_an_old_key_wrote_is_read_with_a_new_key_in_front(settings: Any) -> None:
    old, new = Fernet.generate_key().decode(), Fernet.generate_key().decode()
    settings.KEY_RING = [old]
    sealed = keyring.encrypt(b"payload")
    settings.KEY_RING = [new, old]
    assert keyring.decrypt(memoryview(sealed)) == b"payload"
    settings.KEY_RING = [new]
    with pytest.raises(keyring.KeyringError, match="SCHOOLGATE_KEYS"):
        keyring.decrypt(sealed)


@pytest.fixture
def broker_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("redis.Redis.ping", lambda self: True)


def look(path: str = "/health") -> tuple[int, dict[str, Any]]:
    answer = Client().get(path)
    return answer.status_code, json.loads(answer.content)


def test_all_is_well_while_the_beat_ticks(db: None, broker_answers: None, monkeypatch: pytest.MonkeyPatch) -> None:
    from django.utils import timezone

    monkeypatch.setattr(health, "_checks", {"links": lambda now: Finding(ok=True, facts={"overdue": 0})})
    health.beat_ticked(timezone.now() - dt.timedelta(minutes=5))
    health.beat_ticked(timezone.now())
    status, said = look()
    assert (status, said["ok"]) == (200, True)
    assert said["checks"]["links"] == {"ok": True, "overdue": 0}


@pytest.mark.parametrize("silent", [None, 200])
def test_a_silent_beat_is_unwell(db: None, now: dt.datetime, silent: int | None) -> None:
    if silent:
        health.beat_ticked(now - dt.timedelta(seconds=silent))
    assert health.beat(now) == Finding(ok=False, facts={"age_seconds": silent})


def test_a_broker_that_does_not_answer_is_unwell(db: None, settings: Any) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    status, said = look()
    assert status == 503
    assert said["checks"]["broker"] == {"ok": False, "error": "ConnectionError"}


def test_a_check_that_breaks_is_unwell_and_says_no_more_than_its_kind(
    db: None, broker_answers: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(now: dt.datetime) -> Finding:
        raise ValueError("Millie Okafor")

    monkeypatch.setattr(health, "_checks", {"links": breaks})
    _, said = look()
    assert said["checks"]["links"] == {"ok": False, "error": "ValueError"}


def test_live_says_only_that_the_process_answers(settings: Any) -> None:
    assert look("/health/live") == (200, {"ok": True, "checks": {}})


def test_a_dfe_number_is_one_schools(school: School, now: dt.datetime) -> None:
    with pytest.raises(SchoolRefused, match="8233001"):
        create_school(dfe_number="8233001", name="Another", now=now)


def test_changing_nothing_writes_nothing(school: School, administrator: Account, now: dt.datetime) -> None:
    same = {"name": school.name, "office_email": school.office_email, "urn": ""}
    change_school(school=school, **same, by=administrator, now=now)
    assert not AuditEntry.objects.exists()
    change_school(school=school, **{**same, "name": "Larch Hill"}, by=administrator, now=now)
    assert AuditEntry.objects.get().data == {"name": "Larch Hill"}
