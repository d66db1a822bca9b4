"""While an MIS hangs, a thread waits and nothing else: no connection to the database, no lock, no transaction."""

from __future__ import annotations

import datetime as dt
import threading
import time
from collections.abc import Iterator

import pytest
from django.db import connection

from hub.accounts.models import Role
from hub.core import scope
from hub.core.models import School
from imports import collecting
from imports.link import links, secrets
from imports.models import Import, ImportKind, ImportState, MisLink
from mis_connectors.base import Access, SetUp, Sink
from tests.conftest import join, make_school
from tests.factories.pulling import PulledMis, a_link, an_mis, install


@pytest.fixture
def hanging(monkeypatch: pytest.MonkeyPatch) -> PulledMis:
    mis = an_mis("hanging", SetUp.CREDENTIALS)
    install(monkeypatch, mis)
    return mis


@pytest.fixture
def school_there(transactional_db: None) -> Iterator[School]:
    school = make_school("Larch Hill Primary", "8233001")
    with scope.schools(school.pk):
        yield school


def connections() -> int:
    """How many others are connected to this database."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        return int(cursor.fetchone()[0])


def at_last(expected: int) -> int:
    """How many there are once the server has taken leave of those who went, which takes it a moment."""
    until = time.monotonic() + 10
    while (found := connections()) != expected and time.monotonic() < until:
        time.sleep(0.05)
    return found


def test_a_hung_mis_holds_no_connection_and_no_lock(school_there: School, hanging: PulledMis, now: dt.datetime) -> None:
    by = join(school_there, "head@example.org", "Helen Ward", Role.ADMINISTRATOR)
    link = a_link(school_there, hanging, by=by, since=now)
    run = Import.objects.create(school=school_there, link=link, kind=ImportKind.CLOUDLINK, created_at=now)
    asked, answers = threading.Event(), threading.Event()

    def hang(access: Access, sink: Sink) -> None:
        access.save_secrets({"refresh": "rotated"})
        asked.set()
        assert answers.wait(60)
        hanging.pupils(access, sink)

    hanging.answer = hang

    def work() -> None:
        with scope.schools(school_there.pk):
            try:
                collecting.collect(import_id=run.pk, now=now)
            finally:
                connection.close()

    before = connections()
    thread = threading.Thread(target=work)
    thread.start()
    assert asked.wait(60)
    try:
        assert at_last(before) == before
        assert secrets.secrets_of(MisLink.objects.get(pk=link.pk)) == {"refresh": "rotated"}
        assert Import.objects.get(pk=run.pk).state == ImportState.COLLECTING
        links.disable(link=link, by=by, now=now)  # no lock stands in anybody's way
    finally:
        answers.set()
        thread.join()
    run.refresh_from_db()
    assert run.state == ImportState.DISCARDED
    assert run.payload is not None
