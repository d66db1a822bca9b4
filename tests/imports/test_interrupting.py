"""Crashes, second workers, people who act in the middle of an import, and a worker that is killed."""

from __future__ import annotations

import datetime as dt
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import IO, Any
from urllib.parse import quote

import pytest
from django.conf import settings
from django.db import connection

from hub.accounts.models import Account
from hub.core import scope
from hub.core.models import School
from hub.people import services as people
from hub.people.models import ContactDetail, Pupil
from imports import apply, reading, services, sweeping
from imports.models import Import, ImportChange, ImportState
from tests.conftest import make_school
from tests.factories.running import Nights, fingerprint, versions

OWN = "+447700900777"
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def begun(school: School) -> Nights:
    nights = Nights.of(school, 20)
    nights.night()
    return nights


def waiting(nights: Nights) -> Import:
    """A run that changes somebody's mobile, not yet begun."""
    (record,) = nights.usual_parents(1)
    nights.mis.change_mobile(record, "07700 900801")
    nights.mis.add_pupil()
    run = nights.send().run
    assert run is not None
    return run


def test_a_crash_while_writing_leaves_nothing_and_the_next_attempt_finishes(
    begun: Nights, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, before = waiting(begun), versions(begun.school)
    for name in ("people", "details", "identities", "audit"):
        with monkeypatch.context() as broken:
            broken.setattr(apply._Writer, name, crash)
            Import.objects.filter(pk=run.pk).update(attempts=0)
            assert services.run(import_id=run.pk, now=begun.now) is not None
        run.refresh_from_db()
        assert run.state == ImportState.INTERRUPTED, name
        assert versions(begun.school) == before, name
        assert not ImportChange.objects.filter(run=run).exists()
    assert services.run(import_id=run.pk, now=begun.now) is not None
    run.refresh_from_db()
    assert run.state == ImportState.APPLIED


def crash(*_: object) -> None:
    raise RuntimeError("the power went")


def test_an_import_that_crashes_three_times_is_given_up_with_a_sentence(
    begun: Nights, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = waiting(begun)
    monkeypatch.setattr(apply._Writer, "audit", crash)
    for _attempt in range(3):
        services.run(import_id=run.pk, now=begun.now)
    run.refresh_from_db()
    assert run.state == ImportState.FAILED
    assert "given up" in run.reasons[0]["sentence"]
    assert services.run(import_id=run.pk, now=begun.now) is None


@pytest.mark.parametrize("left_in", ["reading", "planning", "applying"])
def test_a_run_that_nobody_holds_is_marked_interrupted_and_finished(
    begun: Nights, left_in: str, django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    run = waiting(begun)
    Import.objects.filter(pk=run.pk).update(state=left_in, attempts=1)
    with django_capture_on_commit_callbacks() as asked:
        sweeping.sweep(now=begun.now + dt.timedelta(minutes=2))
    run.refresh_from_db()
    assert run.state == ImportState.INTERRUPTED
    assert len(asked) == 1
    asked[0]()
    run.refresh_from_db()
    assert run.state == ImportState.APPLIED


def test_a_run_that_no_worker_took_is_asked_for_again(
    begun: Nights, django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    run = waiting(begun)
    with django_capture_on_commit_callbacks() as early:
        sweeping.sweep(now=begun.now + dt.timedelta(seconds=30))
    assert early == []
    with django_capture_on_commit_callbacks(execute=True):
        sweeping.sweep(now=begun.now + dt.timedelta(minutes=2))
    run.refresh_from_db()
    assert run.state == ImportState.APPLIED


def test_a_second_run_of_a_link_waits_for_the_first(begun: Nights) -> None:
    first, second = waiting(begun), begun.send().run
    assert second is not None
    Import.objects.filter(pk=first.pk).update(state=ImportState.PLANNING)
    assert services.run(import_id=second.pk, now=begun.now) is None
    second.refresh_from_db()
    assert second.state == ImportState.QUEUED
    Import.objects.filter(pk=first.pk).update(state=ImportState.APPLIED, finished_at=begun.now)
    assert services.run(import_id=second.pk, now=begun.now) is not None


def test_a_run_that_has_been_carried_out_is_not_carried_out_again(begun: Nights) -> None:
    done = begun.passed[0]
    before = versions(begun.school)
    assert services.run(import_id=done.pk, now=begun.now) is None
    assert versions(begun.school) == before


def test_an_interrupted_run_does_not_turn_back_what_a_newer_file_brought(begun: Nights) -> None:
    (record,) = begun.usual_parents(1)
    begun.mis.change_mobile(record, "07700 900801")
    old = begun.send().run
    assert old is not None
    Import.objects.filter(pk=old.pk).update(state=ImportState.INTERRUPTED, attempts=1)
    begun.now += dt.timedelta(minutes=30)
    begun.mis.change_mobile(record, "07700 900802")
    begun.night()
    services.run(import_id=old.pk, now=begun.now)
    old.refresh_from_db()
    assert old.state == ImportState.DISCARDED
    assert old.reasons[0]["code"] == "overtaken"
    assert begun.value(record) == "+447700900802"


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
    begun: Nights, monkeypatch: pytest.MonkeyPatch, verified: dict[str, str]
) -> None:
    run = waiting(begun)
    (record,) = begun.usual_parents(1)
    old = begun.value(record)
    plans = act_after_planning(monkeypatch, lambda: begun.connect(record, **verified))
    assert begun.carry_out(run).state == ImportState.APPLIED
    assert len(plans) == 2
    assert begun.value(record) == verified.get("mobile", old)
    detail = ContactDetail.objects.get(contact=begun.contact(record), kind="mobile")
    assert detail.mis_value == "+447700900801", "it is shown as drift"


def test_an_edit_between_plan_and_application_is_seen(
    begun: Nights, administrator: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = waiting(begun)
    (record,) = begun.usual_parents(1)

    def edit() -> None:
        people.edit_detail(
            owner=begun.contact(record), kind="mobile", value=OWN, by=administrator, now=begun.now
        )  # fmt: skip

    act_after_planning(monkeypatch, edit)
    begun.carry_out(run)
    change = ImportChange.objects.get(run=run, model="detail", action="updated")
    assert (change.why, change.before["value"]) == ("mis_over_office", OWN), "both are shown"


# With real transactions, a second connection, and a process that is killed.


@pytest.fixture
def committed(transactional_db: None) -> Iterator[Nights]:
    made = make_school("Larch Hill Primary", "8233001")
    with scope.schools(made.pk):
        nights = Nights.of(made, 20)
        nights.night()
        yield nights


def aside(school: School, work: Callable[[], None]) -> threading.Thread:
    """Do `work` in another thread, on a connection of its own."""

    def run() -> None:
        try:
            with scope.schools(school.pk):
                work()
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    return thread


def test_who_is_connecting_at_that_very_moment_is_waited_for(committed: Nights) -> None:
    """They confirm the value they had already, so that nothing but the connection shows."""
    from django.db import transaction

    run = waiting(committed)
    (record,) = committed.usual_parents(1)
    old, confirmed = committed.value(record), threading.Event()

    def connect_slowly() -> None:
        with transaction.atomic():
            committed.connect(record, mobile=old)
            confirmed.set()
            time.sleep(1)

    thread = aside(committed.school, connect_slowly)
    assert confirmed.wait(10)
    done = committed.carry_out(run)
    thread.join()
    assert done.state == ImportState.APPLIED
    assert committed.value(record) == old
    assert ContactDetail.objects.get(contact=committed.contact(record), kind="mobile").source == "person"


def test_a_run_that_another_process_holds_is_left_alone(committed: Nights) -> None:
    run, held, done = waiting(committed), threading.Event(), threading.Event()

    def hold() -> None:
        assert apply.try_lock(run.pk)
        held.set()
        done.wait(10)

    thread = aside(committed.school, hold)
    assert held.wait(10)
    Import.objects.filter(pk=run.pk).update(state=ImportState.APPLYING)
    assert services.run(import_id=run.pk, now=committed.now) is None
    assert not sweeping.restart(run.pk, now=committed.now)
    run.refresh_from_db()
    assert run.state == ImportState.APPLYING
    done.set()
    thread.join()
    assert sweeping.restart(run.pk, now=committed.now)


WORKER = """
import sys, time, django
django.setup()
from django.utils import timezone
from hub.core import scope
from imports import apply, services
school, run, stop = sys.argv[1:]
if stop:
    real = getattr(apply._Writer, stop)
    def slow(self):
        real(self)
        print("in the middle", flush=True)
        time.sleep(60)
    setattr(apply._Writer, stop, slow)
print("begun", flush=True)
with scope.schools(int(school)):
    services.run(import_id=int(run), now=timezone.now())
"""


@contextmanager
def worker(nights: Nights, run: Import, stop: str = "") -> Iterator[IO[str]]:
    """Import in a process of its own, which pauses after this step of writing, and kill it in the end."""
    database = settings.DATABASES["default"]
    who = f"{quote(database['USER'])}:{quote(database['PASSWORD'])}"
    url = f"postgresql://{who}@{database['HOST']}:{database['PORT']}/{connection.settings_dict['NAME']}"
    process = subprocess.Popen(
        [sys.executable, "-c", WORKER, str(nights.school.pk), str(run.pk), stop],
        cwd=ROOT, env={**os.environ, "DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "hub.settings"},
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert process.stdout
        assert process.stdout.readline() == "begun\n"
        yield process.stdout
    finally:
        process.kill()
        process.communicate()


def settle(nights: Nights, run: Import) -> None:
    """Do as the tick does until the run has ended; the killed session may take a moment to go."""
    for _try in range(100):
        run.refresh_from_db()
        if run.state in (ImportState.APPLIED, ImportState.FAILED):
            return
        Import.objects.filter(pk=run.pk).update(attempts=1)
        if not sweeping.restart(run.pk, now=nights.now):
            time.sleep(0.1)
    raise AssertionError(f"still {run.state}")


def test_a_worker_killed_while_writing_leaves_all_or_nothing_and_the_next_finishes(committed: Nights) -> None:
    run, before = waiting(committed), versions(committed.school)
    with worker(committed, run, "identities") as said:
        assert said.readline() == "in the middle\n"
        run.refresh_from_db()
        assert run.state == ImportState.APPLYING, "the phase shows; the rest does not"
        assert versions(committed.school) == before
    assert versions(committed.school) == before
    settle(committed, run)
    assert run.state == ImportState.APPLIED
    pupils = [pupil for pupil in committed.mis.pupils.values() if not pupil.pre_admission]
    assert Pupil.objects.count() == len(pupils)


@pytest.mark.long
def test_a_worker_killed_at_any_moment_leaves_all_or_nothing(committed: Nights) -> None:
    rng = Random(7)
    for round_ in range(25):
        run, before = waiting(committed), fingerprint(committed.school)
        with worker(committed, run):
            time.sleep(rng.random() * 0.6)
        run.refresh_from_db()
        halfway = fingerprint(committed.school)
        assert halfway == before or run.state == ImportState.APPLIED, round_
        settle(committed, run)
        assert run.state == ImportState.APPLIED
        if halfway != before:
            assert fingerprint(committed.school) == halfway
        committed.now += dt.timedelta(days=1)
