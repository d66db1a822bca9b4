"""One run at a time renews what lets a link in: the second waits, and finds what the first was given."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Iterator

import pytest
from django.db import connection
from django.utils import timezone

from hub.accounts.models import Role
from hub.core import scope
from hub.core.models import School
from imports.link import renewal, secrets
from imports.models import MisLink
from mis_connectors.base import SetUp
from mis_connectors.errors import ConnectorUnavailable
from tests.conftest import join, make_school
from tests.factories.pulling import a_link, an_mis, install


@pytest.fixture
def link(transactional_db: None, monkeypatch: pytest.MonkeyPatch, now: dt.datetime) -> Iterator[MisLink]:
    mis = an_mis("rotating", SetUp.CONSENT)
    install(monkeypatch, mis)
    school: School = make_school("Larch Hill Primary", "8233001")
    with scope.schools(school.pk):
        by = join(school, "head@example.org", "Helen Ward", Role.ADMINISTRATOR)
        link = a_link(school, mis, by=by, since=now)
        secrets.keep(link.pk, school.pk, {"refresh": "0"}, now=now)
        yield link


def kept(link: MisLink) -> dict[str, str]:
    return secrets.secrets_of(MisLink.objects.get(pk=link.pk))


def test_of_many_at_once_one_renews_at_a_time_each_with_what_the_last_was_given(link: MisLink) -> None:
    inside: list[str] = []
    used: list[str] = []

    def renew() -> None:
        try:
            with renewal.one_at_a_time(
                link.pk, link.school_id, patience=60, sleep=lambda _: threading.Event().wait(0.01)
            ):
                inside.append("")
                assert len(inside) == 1
                found = secrets.reread(link.pk, link.school_id)["refresh"]
                threading.Event().wait(0.05)  # the MIS takes its time
                used.append(found)
                secrets.keep(link.pk, link.school_id, {"refresh": str(int(found) + 1)}, now=timezone.now())
                inside.pop()
        finally:
            connection.close()

    threads = [threading.Thread(target=renew) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert used == ["0", "1", "2", "3"]
    assert kept(link) == {"refresh": "4"}, "nothing of it stays"


def test_whoever_waits_too_long_says_so_and_changes_nothing(link: MisLink) -> None:
    with renewal.one_at_a_time(link.pk, link.school_id, patience=0):
        second = renewal.one_at_a_time(link.pk, link.school_id, patience=0)
        with pytest.raises(ConnectorUnavailable, match="Another run is renewing"), second:
            pytest.fail("two renew at once")
        assert kept(link)["refresh"] == "0"
    with renewal.one_at_a_time(link.pk, link.school_id, patience=0):
        pass


def test_one_that_died_in_the_middle_keeps_the_others_for_a_minute_and_a_half(link: MisLink) -> None:
    before = timezone.now() - renewal.LIFE
    slower = renewal.LIFE + dt.timedelta(seconds=5)
    for until, waits in ((before, False), (timezone.now() + renewal.LIFE / 2, True), (timezone.now() + slower, True)):
        secrets.keep(link.pk, link.school_id, {"renewing_until": until.isoformat()}, now=timezone.now())
        try:
            with renewal.one_at_a_time(link.pk, link.school_id, patience=0):
                assert not waits
        except ConnectorUnavailable:
            assert waits


def test_a_clock_that_is_far_ahead_keeps_nobody_waiting(link: MisLink) -> None:
    until = timezone.now() + dt.timedelta(days=1)
    secrets.keep(link.pk, link.school_id, {"renewing_until": until.isoformat()}, now=timezone.now())
    with renewal.one_at_a_time(link.pk, link.school_id, patience=0):
        pass


def test_a_renewal_that_fails_lets_the_next_one_begin(link: MisLink) -> None:
    with pytest.raises(ZeroDivisionError), renewal.one_at_a_time(link.pk, link.school_id, patience=0):
        raise ZeroDivisionError
    with renewal.one_at_a_time(link.pk, link.school_id, patience=0):
        pass
