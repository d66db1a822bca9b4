"""Fetching: each connector's school from its simulator over loopback, and many schools of which a few hang."""

from __future__ import annotations

import statistics
from functools import partial
from typing import Any
from unittest import mock

from bench import fetching, hanging, simulating
from bench.hub_nights import NIGHT, Broken
from bench.simulating import EVENING, Simulated
from bench.timing import Times
from hub.core import scope
from imports import collecting, services
from imports.models import Import, ImportKind, ImportState, MisLink
from mis_connectors import registry
from mis_connectors.base import Delivery
from mis_connectors.simulators import running

DFE = 8_240_000
FETCHED, FIRST, AGAIN = "collect and keep", "first import", "the same again"


def measure(*, pupils: int, repeats: int, schools: int, hang: int, small: int, of: str) -> dict[str, Any]:
    """Return what each connector costs, and whether hanging schools hold up the others."""
    fetched: dict[str, dict[str, Any]] = {}
    times = Times()
    for slug in slugs():
        fetched[slug] = _one(slug, pupils, repeats, times)
    raced = hanging.measure(of, schools=schools, hang=hang, pupils=small, repeats=repeats)
    ratio = raced.pop("ratio")
    name = f"{schools - hang} schools while {hang} hang / alone"
    return {
        "benchmark": "collecting",
        "fetched": fetched,
        "seconds": _without_cpu_of_fetching(times.rows()),
        "schools": raced,
        "ratios": {name: ratio},
        "targets": [{"name": name, "figure": ratio, "at most": 1.3, "met": ratio <= 1.3}],
    }


def slugs() -> list[str]:
    """Return the connectors that fetch and have a simulator."""
    pulled = {info.slug for info in registry.infos() if info.delivery is Delivery.PULL}
    return sorted(pulled & set(running.known()))


def _one(slug: str, pupils: int, repeats: int, times: Times) -> dict[str, Any]:
    """Measure one connector: every round is a new school of the same people; one goes first unmeasured."""
    numbers = [str(DFE + slugs().index(slug) * 100 + number) for number in range(repeats + 1)]
    with simulating.simulator(slug, [simulating.a_school(int(number), pupils=pupils) for number in numbers]) as mis:
        found = []
        for number in numbers:
            link = simulating.link_to(mis, number)
            seen = fetching.of(slug, link.school_id, link.pk, mis.environment)
            _live_through(mis, link, times if number != numbers[0] else Times())
            found.append(seen)
    return {key: round(statistics.median(one[key] for one in found[1:]), 3) for key in found[0]}


def _live_through(mis: Simulated, link: MisLink, times: Times) -> None:
    """Measure the first night and one on which nothing changed: what is kept, and what is imported."""
    with scope.schools(link.school_id), mock.patch.object(services, "enqueue"):
        for night, name, ends in ((0, FIRST, ImportState.APPLIED), (1, AGAIN, ImportState.UNCHANGED)):
            now = EVENING + night * NIGHT
            run = Import.objects.create(
                school_id=link.school_id, link=link, kind=ImportKind.CLOUDLINK, created_at=now
            )  # fmt: skip
            times.measure(f"{mis.slug}: {FETCHED}", partial(collecting.collect, import_id=run.pk, now=now))
            done = times.measure(f"{mis.slug}: {name}", partial(services.run, import_id=run.pk, now=now))
            if done is None or done.state != ends:
                run.refresh_from_db()
                raise Broken(f"{mis.slug}, {name}: {run.state} {run.reasons} {run.detail}")


def _without_cpu_of_fetching(rows: dict[str, dict[str, float | int]]) -> dict[str, dict[str, float | int]]:
    """Leave out what cannot be said: fetching gives its connection back, and the next has another backend."""
    return {
        name: {key: value for key, value in row.items() if key != "cpu" or not name.endswith(FETCHED)}
        for name, row in rows.items()
    }
