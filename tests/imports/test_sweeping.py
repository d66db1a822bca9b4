"""A tick does what is due at every school and in every step, whatever fails at one of them."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from hub.accounts.models import Account
from hub.core import scope
from hub.core.alerts import raise_alert
from hub.core.models import Alert, School
from imports import alerts, payloads, sweeping
from imports.link import nights
from tests.factories.links import enabled_link


@pytest.fixture(autouse=True)
def _operator(settings: Any) -> None:
    settings.OPERATOR_EMAIL = "operator@example.org"


def fails_of(monkeypatch: pytest.MonkeyPatch, module: Any, name: str, school_id: int) -> list[int]:
    """Let a function that begins with a school, or does one thing of it, fail there; returns where it was done."""
    work, done = getattr(module, name), []

    def fails(school: School, *args: Any, **how: Any) -> Any:
        if school.pk == school_id:
            raise ValueError
        done.append(school.pk)
        return work(school, *args, **how)

    monkeypatch.setattr(module, name, fails)
    return done


def test_one_school_that_fails_does_not_keep_the_next_from_its_alerts(
    school: School, other_school: School, administrator: Account, stranger: Account, now: dt.datetime,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    for one, by in ((school, administrator), (other_school, stranger)):
        with scope.schools(one.pk):
            enabled_link(one, by=by, since=now - dt.timedelta(days=3))
    done = fails_of(monkeypatch, alerts, "refresh", school.pk)
    with scope.schools(), pytest.raises(ExceptionGroup):
        alerts.refresh_overdue(now)
    assert done == [other_school.pk]
    with scope.schools(other_school.pk):
        assert Alert.objects.filter(school=other_school, resolved_at=None).exists()


def test_one_school_that_fails_does_not_keep_the_next_from_its_mail(
    school: School, other_school: School, now: dt.datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    for one in (school, other_school):
        with scope.schools(one.pk):
            raise_alert(school=one, key="one", severity="bad", title="Title", now=now)
    done = fails_of(monkeypatch, alerts, "_mail_school", school.pk)
    with scope.schools(), pytest.raises(ExceptionGroup):
        alerts.mail_new(now)
    assert done == [other_school.pk]
    with scope.schools(other_school.pk):
        assert Alert.objects.get(school=other_school).mailed_at == now


@pytest.mark.parametrize("step", ["dead", "waiting", "due"])
def test_one_school_that_fails_does_not_keep_the_next_from_being_fetched(
    school: School, other_school: School, now: dt.datetime, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    found, done = {"dead": [], "waiting": [], "due": []}, []
    found[step] = [(school.pk, 1), (other_school.pk, 2)]
    monkeypatch.setattr(sweeping.collecting, "lost", lambda **how: found["dead"])
    monkeypatch.setattr(sweeping.collecting, "to_collect", lambda **how: found["waiting"])
    monkeypatch.setattr(sweeping.collecting, "to_begin", lambda **how: found["due"])

    def deed(pk: int) -> None:
        if scope.current_schools() == (school.pk,):
            raise ValueError
        done.append((scope.current_schools(), pk))

    monkeypatch.setattr(sweeping.collecting, "restart", lambda *, import_id, now: deed(import_id))
    monkeypatch.setattr(sweeping.collecting, "begin", lambda *, link_id, now: deed(link_id))
    monkeypatch.setattr(sweeping, "_enqueue", deed)
    with pytest.raises(ExceptionGroup):
        sweeping.fetch(now=now)
    assert done == [((other_school.pk,), 2)]


def test_one_run_that_cannot_be_restarted_does_not_keep_the_next_from_it(
    school: School, other_school: School, now: dt.datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = []

    def restart(import_id: int, *, now: dt.datetime) -> bool:
        if import_id == 1:
            raise ValueError
        done.append(import_id)
        return True

    monkeypatch.setattr(sweeping, "_stuck", lambda **how: [(school.pk, 1), (other_school.pk, 2)])
    monkeypatch.setattr(sweeping, "restart", restart)
    with pytest.raises(ExceptionGroup):
        sweeping.sweep(now=now)
    assert done == [2]


@pytest.mark.parametrize(
    ("module", "name"),
    [(nights, "tick"), (sweeping, "fetch"), (sweeping, "_stuck"), (alerts, "refresh_overdue"), (alerts, "mail_new")],
)
def test_a_step_that_fails_does_not_keep_the_rest_from_being_done(
    school: School, now: dt.datetime, monkeypatch: pytest.MonkeyPatch, module: Any, name: str
) -> None:
    def fails(*args: Any, **how: Any) -> int:
        raise ValueError

    cleared = []
    monkeypatch.setattr(module, name, fails)
    monkeypatch.setattr(payloads, "clear_old", lambda *, now: cleared.append(now) or 0)
    with pytest.raises(ExceptionGroup) as raised:
        sweeping.sweep(now=now)
    assert raised.value.subgroup(ValueError)
    assert cleared == [now]
