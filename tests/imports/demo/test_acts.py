"""The demo's story: two nights of both schools, and between them parents in every state. Imports run here, at once."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from django.utils import timezone

from hub.core import scope
from hub.core.models import School
from hub.people.models import Connection, Contact
from imports.demo import acts, night, schools
from imports.demo.schools import SCHOOLS
from imports.demo.server import Server
from tests.factories.world import import_night
from verification.models import DetailChange, Invitation, Merge

WANTED = {
    ("waiting", ""), ("pending", ""), ("approved", "to_update"), ("approved", "updated"), ("approved", "done"),
    ("approved", "differs"), ("rejected", ""), ("expired", ""), ("withdrawn", ""), ("frozen", ""),
    ("kept", "to_update"), ("offer", ""),
}  # fmt: skip


def a_night(school: School, server: Server, name: str, now: dt.datetime) -> None:
    with scope.schools(school.pk):
        import_night(schools.link_of(school), server.school(), name, now=now)


def stages(made: list[School], servers: list[Server], now: dt.datetime) -> list[acts.Stage]:
    return [
        acts.Stage(night.people_of(school, server), schools.office(server.demo), now)
        for school, server in zip(made, servers, strict=True)
    ]


def test_two_nights_show_parents_in_every_state(db: None, tmp_path: Path) -> None:
    now = timezone.now()
    demos = (SCHOOLS[0], replace(SCHOOLS[1], size=120))
    made = [schools.make(demo, now=now) for demo in demos]
    servers = [Server(demo, tmp_path / demo.dfe_number, "", {}) for demo in demos]
    for school, server in zip(made, servers, strict=True):
        server.folder.mkdir()
        a_night(school, server, "night-1", now)
    with scope.schools(*(school.pk for school in made)):
        first, second = stages(made, servers, now)
        assert len({(one.forename, one.surname) for one in first.people.values()}) >= len(first.people) - 2
        acts.play(first, all_of_it=True)
        acts.play(second, all_of_it=False)
        account = acts.join_both(first, second)
        assert acts.is_played(first)
        assert Connection.objects.filter(account=account, ended_at=None).values("school").distinct().count() == 2
    for school, server in zip(made, servers, strict=True):
        changes = night.change_the_mis(school, server)
        a_night(school, server, "night-2", now)
        night.check(school, changes)
        acts.morning_after(school, now)
    with scope.schools(made[0].pk):
        rows = Counter(DetailChange.objects.values_list("status", "mis_state"))
        assert set(rows) >= WANTED, WANTED - set(rows)
        assert set(DetailChange.objects.values_list("field", flat=True)) == {"email", "mobile", "child", "record"}
        channels = Invitation.objects.filter(used_at=None).values_list("channel", flat=True)
        assert set(channels) == {"email", "text", "letter"}
        assert Merge.objects.count() == 1
        leaver = Contact.objects.get(pk=first.people["leaver"].pk)
        assert not leaver.links.filter(ended_on=None, pupil__leaving_date=None).exists()
        assert leaver.connections.get().no_child_since == timezone.localdate(now)


@pytest.mark.parametrize("which", [0, 1])
def test_everybody_in_the_story_has_another_name(which: int, tmp_path: Path) -> None:
    server = Server(SCHOOLS[which], tmp_path, "", {})
    mis = server.school()
    names = [(mis.contacts[pk].forename, mis.contacts[pk].surname) for pk in server.cast.records.values()]
    assert len(set(names)) == len(names) == len(set(server.cast.records.values()))
