"""The import benchmark: a school's nights beside parsing, the floor and the rivals, all in one run."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from django.db import connection

from bench import database, files, hub_nights, memory, people, plain, rivals, tables
from bench.files import Nights
from bench.hub_nights import FIRST, FULL, IDENTICAL, NOBODY, SOME
from bench.people import People
from bench.timing import Statements, Times
from hub.core import scope
from imports.models import MisLink

PARSE, FLOOR, FLOOR_AGAIN = "parse", "floor", "floor, unchanged"
TEN_TIMES = 10
SMALL, LARGE = "the school", "ten times as large"
DFE = 8_230_000


def measure(*, pupils: int, quick: bool, repeats: int) -> dict[str, Any]:
    """Run everything and return the figures, ratios and targets."""
    tables.create()
    times = Times()
    warm, counted = _warm_up(pupils)
    rows = _rows_of(warm)
    nights = files.nights(pupils=pupils, dfe_number=str(DFE + 1))
    for number in range(repeats):
        _one_round(number, pupils, rows, times)
    loaded = _rivals(rows, times, quick=quick, repeats=repeats)
    grown = {SMALL: _memory(pupils, DFE + 900)}
    large = Times()
    if not quick:
        _large(pupils * TEN_TIMES, large, grown, repeats=max(1, repeats // 5))
    return _result(nights, rows, times, large, loaded, counted, grown)


def _warm_up(pupils: int) -> tuple[MisLink, dict[str, int]]:
    """Live through the nights of one school unmeasured, counting statements: into an empty database, at that."""
    nights = files.nights(pupils=pupils, dfe_number=str(DFE))
    link = hub_nights.new_school(str(DFE))
    counted = Statements()
    hub_nights.live_through(nights, link, counted, between=database.settle)
    return link, counted.found


def _rows_of(link: MisLink) -> People:
    with scope.schools(link.school_id):
        return people.of_school(link.school_id)


def _one_round(number: int, pupils: int, rows: People, times: Times) -> None:
    """Measure one more school, and parse and floor beside it: before and after it in turn, so that drift hits all."""
    dfe_number = str(DFE + 1 + number)
    nights = files.nights(pupils=pupils, dfe_number=dfe_number)
    link = hub_nights.new_school(dfe_number)
    if number % 2 == 0:
        _plain(nights, rows, times)
    hub_nights.live_through(nights, link, times, between=database.settle)
    if number % 2:
        _plain(nights, rows, times)


def _plain(nights: Nights, rows: People, times: Times) -> None:
    for export in (nights.first, nights.nobody, nights.some):
        times.measure(PARSE, partial(plain.parse, export.reports))
    plain.empty()
    database.settle()
    times.measure(FLOOR, lambda: plain.merge(rows))
    database.settle()
    times.measure(FLOOR_AGAIN, lambda: plain.merge(rows))


def _rivals(rows: People, times: Times, *, quick: bool, repeats: int) -> dict[str, tuple[str, str]]:
    """Measure the rivals' first load and the same again; the slow ones once. Returns the names of both figures."""
    named = {}
    for name, way in rivals.RIVALS.items():
        slow = name in rivals.SLOW
        if slow and quick:
            continue
        named[name] = (f"{name}: first", f"{name}: unchanged")
        for _ in range(1 if slow else min(repeats, 3)):
            tables.empty()
            database.settle()
            for figure in named[name]:
                times.measure(figure, partial(rivals.load, rows, way))
                database.settle()
    return named


def _memory(pupils: int, dfe_number: int) -> dict[str, float]:
    """Return the growth of a fresh process by a first import and by a night on which 1 % changed."""
    nights = files.nights(pupils=pupils, dfe_number=str(dfe_number))
    link = hub_nights.new_school(str(dfe_number))
    grown = {}
    with scope.schools(link.school_id):
        for name, bundle, night in ((FIRST, nights.first.bundle, 0), (SOME, nights.some.bundle, 1)):
            run = hub_nights.receive(link, bundle, name, night=night)
            connection.close()
            grown[name] = memory.growth_of(link.school_id, run.pk, night)
    return grown


def _large(pupils: int, times: Times, grown: dict[str, dict[str, float]], *, repeats: int) -> None:
    """Measure schools ten times as large."""
    for number in range(repeats):
        dfe_number = str(DFE + 500 + number)
        nights = files.nights(pupils=pupils, dfe_number=dfe_number)
        link = hub_nights.new_school(dfe_number)
        times.measure(PARSE, partial(plain.parse, nights.first.reports))
        hub_nights.live_through(nights, link, times, between=database.settle)
    grown[LARGE] = _memory(pupils, DFE + 901)


def _result(
    nights: Nights,
    rows: People,
    times: Times,
    large: Times,
    loaded: dict[str, tuple[str, str]],
    counted: dict[str, int],
    grown: dict[str, dict[str, float]],
) -> dict[str, Any]:
    memory = {"memory growth, MiB": max(grown[SMALL].values())}
    of_medians = _ratios(Times.median, times, large, loaded) | memory
    of_least = _ratios(Times.least, times, large, loaded) | memory
    return {
        "benchmark": "import",
        "school": {
            "pupils": nights.pupils, "contacts": nights.contacts, "staff": nights.staff, "links": nights.links,
            "changed": nights.changed, "rows": len(rows),
            "megabytes": round(sum(len(data) for data in nights.first.reports.values()) / 1e6, 1),
        },
        "seconds": times.rows(),
        f"seconds, {LARGE}": large.rows(),
        "statements": counted,
        "memory growth, MiB": grown,
        "ratios of medians": {name: round(value, 3) for name, value in of_medians.items()},
        "ratios of the least": {name: round(value, 3) for name, value in of_least.items()},
        "targets": _targets(of_least),
    }  # fmt: skip


def _ratios(
    of: Callable[[Times, str], float], times: Times, large: Times, loaded: dict[str, tuple[str, str]]
) -> dict[str, float]:
    """Return every ratio of two figures, each the median of its rounds or the least.

    Targets are held against the least: what else the machine does, and how fast it happens to run,
    only ever adds.
    """
    parse, floor = of(times, PARSE), of(times, FLOOR)
    ratios = {f"{name} / parse": of(times, name) / parse for name in (IDENTICAL, NOBODY, SOME, FULL)}
    ratios["first import / (parse + floor)"] = of(times, FIRST) / (parse + floor)
    for name, (first, again) in loaded.items():
        ratios[f"{name} / first import"] = of(times, first) / of(times, FIRST)
        ratios[f"{name} / nobody changed"] = of(times, again) / of(times, NOBODY)
    if large.wall:
        for name in (FIRST, NOBODY):
            ratios[f"{name}: time per pupil, ten times as large"] = of(large, name) / TEN_TIMES / of(times, name)
    return ratios


_AT_MOST = {
    f"{IDENTICAL} / parse": 0.25,
    f"{NOBODY} / parse": 2.0,
    f"{SOME} / parse": 2.5,
    "first import / (parse + floor)": 5.0,
    "memory growth, MiB": 120.0,
    f"{FIRST}: time per pupil, ten times as large": 1.2,
    f"{NOBODY}: time per pupil, ten times as large": 1.2,
}
_AT_LEAST = {"django-import-export / first import": 12.0, "django-import-export / nobody changed": 40.0}


def _targets(ratios: dict[str, float]) -> list[dict[str, Any]]:
    """Return each target that was measured, and whether it was met."""
    found = []
    for name, limit in (_AT_MOST | _AT_LEAST).items():
        if name in ratios:
            met = ratios[name] >= limit if name in _AT_LEAST else ratios[name] <= limit
            words = "at least" if name in _AT_LEAST else "at most"
            found.append({"name": name, "figure": round(ratios[name], 3), words: limit, "met": met})
    return found
