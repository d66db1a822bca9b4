"""A second worker, and one that is killed: with real transactions, other connections, and a process of its own."""

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
from typing import IO
from urllib.parse import quote

import pytest
from django.conf import settings
from django.db import connection

from hub.core import scope
from hub.core.models import School
from hub.people.models import ContactDetail, Pupil
from imports import apply, services, sweeping
from imports.models import Import, ImportState
from tests.conftest import make_school
from tests.factories.running import Nights, fingerprint, versions

ROOT = Path(__file__).resolve().parents[2]


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

    run = committed.changed()
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


def in_time(ask: Callable[[], bool]) -> bool:
    """Return whether it comes true within ten seconds: a session that has ended may take a moment to go."""
    for _try in range(100):
        if ask():
            return True
        time.sleep(0.1)
    return False


def test_a_run_that_another_process_holds_is_left_alone(committed: Nights) -> None:
    run, held, done = committed.changed(), threading.Event(), threading.Event()

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
    assert in_time(lambda: sweeping.restart(run.pk, now=committed.now))


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
    run, before = committed.changed(), versions(committed.school)
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
        run, before = committed.changed(), fingerprint(committed.school)
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
