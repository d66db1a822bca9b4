"""A simulated MIS in a process of its own, with as many schools as are asked for, and the hub told of it."""

from __future__ import annotations

import datetime as dt
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings

from bench.database import PROJECT
from hub.core import scope
from hub.core.models import School
from imports.link import links, secrets
from imports.link.changing import info_of
from imports.models import ImportPolicy, LinkState, MisLink, RecipientRule
from mis_connectors.simulators import running
from mis_connectors.simulators.hosting import Simulation
from mis_connectors.simulators.server import Api

EVENING = dt.datetime(2026, 11, 22, 2, 0, tzinfo=dt.UTC)


@dataclass(frozen=True, slots=True)
class Simulated:
    """A simulated MIS that runs, and what it tells of itself."""

    slug: str
    api: Api
    environment: dict[str, str]
    """What the operator of a hub sets to fetch from it."""


def a_school(number: int, *, pupils: int, **more: Any) -> dict[str, Any]:
    """Return the state of a simulated school."""
    phase = "secondary" if pupils > 600 else "primary"
    return {"dfe_number": str(number), "name": f"School {number}", "seed": 1, "size": pupils, "phase": phase, **more}


@contextmanager
def simulator(slug: str, schools: Sequence[dict[str, Any]]) -> Iterator[Simulated]:
    """Run a simulated MIS, and have this process fetch from it as an operator would set it."""
    with tempfile.TemporaryDirectory() as place:
        states = Path(place) / "schools.json"
        states.write_text(json.dumps(list(schools)), encoding="utf-8")
        command = [sys.executable, "-m", "mis_connectors.simulators", slug, "--states", str(states)]
        process = subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE, text=True)
        try:
            assert process.stdout is not None
            address = process.stdout.readline().split()[-1]
            api = running.api_of(slug)(Simulation())
            settings.MIS_LOOPBACK, settings.MIS_PLATFORM[slug] = True, api.platform(address)
            told = {"SCHOOLGATE_MIS_LOOPBACK": "1", **running.environment(api, address)}
            yield Simulated(slug, api, told)
        finally:
            process.terminate()
            process.wait()


def link_to(mis: Simulated, dfe_number: str) -> MisLink:
    """Return the link of a new school, let in, that imports everybody."""
    with scope.every_school():
        school = School.objects.create(name=f"School {dfe_number}", slug=dfe_number, dfe_number=dfe_number)
    with scope.schools(school.pk):
        link = links.create_link(school=school, connector=mis.slug, by=None, now=EVENING)
        typed, kept = mis.api.settings(dfe_number), dict(mis.api.secrets(dfe_number))
        hidden = {field.name for field in info_of(mis.slug).setting_fields if field.secret}
        link.settings = {name: value for name, value in typed.items() if name not in hidden}
        secrets.merge(link, {**kept, **{name: value for name, value in typed.items() if name in hidden}})
        link.state, link.scheduled_since = LinkState.ENABLED, EVENING
        link.save()
        ImportPolicy.objects.create(school=school, recipient_rule=RecipientRule.ALL)
    return link
