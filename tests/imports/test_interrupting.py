"""Crashes, runs that nobody carries out, and people who act in the middle of an import."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from hub.accounts.models import Account
from hub.core import scope
from hub.core.models import School
from hub.people import services as people
from hub.people.models import ContactDetail
from imports import apply, reading, services, sweeping
from imports.models import Import, ImportChange, ImportState
from tests.factories.running import Nights, versions

OWN = "+447700900777"


@pytest.fixture
def school(db: None, first_night: Nights) -> Iterator[School]:
    with scope.schools(first_night.school.pk):
        yield first_night.school


def test_a_crash_while_writing_leaves_nothing_and_the_next_attempt_finishes(
    nights: Nights, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, before = nights.changed(), versions(nights.school)
    for name in ("people", "details", "identities", "audit"):
        with monkeypatch.context() as broken:
            broken.setattr(apply._Writer, name, crash)
            Import.objects.filter(pk=run.pk).update(attempts=0)
            assert services.run(import_id=run.pk, now=nights.now) is not None
        run.refresh_from_db()
        assert run.state == ImportState.INTERRUPTED, name
        assert versions(nights.school) == before, name
        assert not ImportChange.objects.filter(run=run).exists()
    assert services.run(import_id=run.pk, now=nights.now) is not None
    run.refresh_from_db()
    assert run.state == ImportState.APPLIED


def crash(*_: object) -> None:
    raise RuntimeError("the power went")


def test_an_import_that_crashes_three_times_is_given_up_with_a_sentence(
    nights: Nights, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = nights.changed()
    monkeypatch.setattr(apply._Writer, "audit", crash)
    for _attempt in range(3):
        services.run(import_id=run.pk, now=nights.now)
    run.refresh_from_db()
    assert run.state == ImportState.FAILED
    assert "given up" in run.reasons[0]["sentence"]
    assert services.run(import_id=run.pk, now=nights.now) is None


@pytest.mark.parametrize("left_in", ["reading", "planning", "applying"])
def test_a_run_that_nobody_holds_is_marked_interrupted_and_finished(
    nights: Nights, left_in: str, django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    run = nights.changed()
    Import.objects.filter(pk=run.pk).update(state=left_in, attempts=1)
    with django_capture_on_commit_callbacks() as asked:
        sweeping.sweep(now=nights.now + dt.timedelta(minutes=2))
    run.refresh_from_db()
    assert run.state == ImportState.INTERRUPTED
    assert len(asked) == 1
    asked[0]()
    run.refresh_from_db()
    assert run.state == ImportState.APPLIED


def test_a_run_that_no_worker_took_is_asked_for_again(
    nights: Nights, django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    run = nights.changed()
    with django_capture_on_commit_callbacks() as early:
        sweeping.sweep(now=nights.now + dt.timedelta(seconds=30))
    assert early == []
    with django_capture_on_commit_callbacks(execute=True):
        sweeping.sweep(now=nights.now + dt.timedelta(minutes=2))
    run.refresh_from_db()
    assert run.state == ImportState.APPLIED


def test_a_second_run_of_a_link_waits_for_the_first(nights: Nights) -> None:
    first, second = nights.changed(), nights.send().run
    assert second is not None
    Import.objects.filter(pk=first.pk).update(state=ImportState.PLANNING)
    assert services.run(import_id=second.pk, now=nights.now) is None
    second.refresh_from_db()
    assert second.state == ImportState.QUEUED
    Import.objects.filter(pk=first.pk).update(state=ImportState.APPLIED, finished_at=nights.now)
    assert services.run(import_id=second.pk, now=nights.now) is not None


def test_a_run_that_has_been_carried_out_is_not_carried_out_again(nights: Nights) -> None:
    done = nights.passed[0]
    before = versions(nights.school)
    assert services.run(import_id=done.pk, now=nights.now) is None
    assert versions(nights.school) == before


def test_an_interrupted_run_does_not_turn_back_what_a_newer_file_brought(nights: Nights) -> None:
    (record,) = nights.usual_parents(1)
    nights.mis.change_mobile(record, "07700 900801")
    old = nights.send().run
    assert old is not None
    Import.objects.filter(pk=old.pk).update(state=ImportState.INTERRUPTED, attempts=1)
    nights.now += dt.timedelta(minutes=30)
    nights.mis.change_mobile(record, "07700 900802")
    nights.night()
    services.run(import_id=old.pk, now=nights.now)
    old.refresh_from_db()
    assert old.state == ImportState.DISCARDED
    assert old.reasons[0]["code"] == "overtaken"
    assert nights.value(record) == "+447700900802"


def act_after_planning(monkeypatch: pytest.MonkeyPatch, act: Callable[[], Any]) -> list[int]:
    """Let `act` happen once between the plan and its application; returns a list that counts the plans."""
    real, plans = reading.plan_run, []

    def plan_run(*args: Any, **more: Any) -> reading.Planned:
        planned = real(*args, **more)
        plans.append(1)
        if len(plans) == 1:
            act()
        return planned

    monkeypatch.setattr(reading, "plan_run", plan_run)
    return plans


@pytest.mark.parametrize("verified", [{"mobile": OWN}, {}])
def test_a_person_who_connects_between_plan_and_application_is_not_overwritten(
    nights: Nights, monkeypatch: pytest.MonkeyPatch, verified: dict[str, str]
) -> None:
    run = nights.changed()
    (record,) = nights.usual_parents(1)
    old = nights.value(record)
    plans = act_after_planning(monkeypatch, lambda: nights.connect(record, **verified))
    assert nights.carry_out(run).state == ImportState.APPLIED
    assert len(plans) == 2
    assert nights.value(record) == verified.get("mobile", old)
    detail = ContactDetail.objects.get(contact=nights.contact(record), kind="mobile")
    assert detail.mis_value == "+447700900801", "it is shown as drift"


def test_an_edit_between_plan_and_application_is_seen(
    nights: Nights, administrator: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = nights.changed()
    (record,) = nights.usual_parents(1)

    def edit() -> None:
        people.edit_detail(
            owner=nights.contact(record), kind="mobile", value=OWN, by=administrator, now=nights.now
        )  # fmt: skip

    act_after_planning(monkeypatch, edit)
    nights.carry_out(run)
    change = ImportChange.objects.get(run=run, model="detail", action="updated")
    assert (change.why, change.before["value"]) == ("mis_over_office", OWN), "both are shown"
