"""Many schools at once, of which a few hang, fetched and imported by the product's own workers.

Each round is new schools. The ones that hang are begun first, so that they take their threads before anybody else.
"""

from __future__ import annotations

import datetime as dt
import os
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import hub.celery
from bench import simulating
from bench.database import PROJECT
from bench.hub_nights import Broken
from bench.simulating import Simulated
from hub.core import scope
from hub.embedded import commands
from imports import collecting
from imports.models import GOOD_STATES, Import, ImportState, MisLink

BROKER = str(1 + os.getpid() % 15)
"""A database of the broker that nothing else uses, nor, most likely, another run at the same time."""
DFE = 8_250_000
PATIENCE = 900
"""Seconds; a measurement that takes longer is none."""
ALONE, BESIDE = "alone", "while others hang"


def measure(slug: str, *, schools: int, hang: int, pupils: int, repeats: int) -> dict[str, Any]:
    """Return the seconds until the schools that answer are in, without and with others that hang, and their ratio."""
    answering = schools - hang
    seconds: dict[str, list[float]] = {ALONE: [], BESIDE: []}
    _round(slug, 0, min(4, answering), 0, pupils)  # unmeasured
    for number in range(1, repeats + 1):
        pair = [(ALONE, 0), (BESIDE, hang)]
        for name, hanging in pair if number % 2 else pair[::-1]:  # drift hits both
            place = number * 2 + (name == BESIDE)
            seconds[name].append(_round(slug, place, answering, hanging, pupils))
    least = {name: round(min(all_), 2) for name, all_ in seconds.items()}
    return {
        "schools": schools, "of which hang": hang, "pupils each": pupils, "connector": slug,
        "seconds, least": least, "seconds": {name: [round(one, 2) for one in all_] for name, all_ in seconds.items()},
        "ratio": round(min(seconds[BESIDE]) / min(seconds[ALONE]), 3),
    }  # fmt: skip


def _round(slug: str, place: int, answering: int, hanging: int, pupils: int) -> float:
    """Fetch and import new schools all at once; return the seconds until every one that answers is in."""
    first = DFE + place * 500
    states = [simulating.a_school(first + number, pupils=pupils) for number in range(answering + hanging)]
    for state in states[:hanging]:
        state["fault"] = "hang"
    with simulating.simulator(slug, states) as mis:
        links = [simulating.link_to(mis, state["dfe_number"]) for state in states]
        with _workers(mis):
            began = time.perf_counter()
            _begin(links)
            _wait([link.school_id for link in links[hanging:]])
            return time.perf_counter() - began


def _begin(links: Sequence[MisLink]) -> None:
    for link in links:
        with scope.schools(link.school_id):
            now = dt.datetime.now(dt.UTC)
            MisLink.objects.filter(pk=link.pk).update(wanted_at=now, wanted_by="bench", scheduled_since=now)
            if collecting.begin(link_id=link.pk, now=now) is None:
                raise Broken(f"School {link.school_id} did not begin.")


def _wait(school_ids: list[int]) -> None:
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        with scope.every_school():
            ended = Import.objects.filter(school_id__in=school_ids, finished_at__isnull=False)
            states = list(ended.values_list("state", "reasons", "detail"))
        if bad := [one for one in states if ImportState(one[0]) not in GOOD_STATES]:
            raise Broken(str(bad[0]))
        if len(states) == len(school_ids):
            return
        time.sleep(0.1)
    raise Broken(f"{len(states)} of {len(school_ids)} schools were in after {PATIENCE} seconds.")


@contextmanager
def _workers(mis: Simulated) -> Iterator[None]:
    """Run the product's workers for imports and for an MIS, as the compose file does."""
    given = urlsplit(os.environ["REDIS_URL"])
    broker = urlunsplit(given._replace(path=f"/{BROKER}"))
    hub.celery.app.conf.update(broker_url=broker)
    with hub.celery.app.connection_for_write() as there:
        for queue in hub.celery.app.conf.task_queues:
            queue(there.default_channel).purge()
    environ = {**os.environ, **mis.environment, "REDIS_URL": broker, "SCHOOLGATE_LOG_LEVEL": "WARNING"}
    started = [
        subprocess.Popen(command, cwd=PROJECT, env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for command in (commands.worker(), commands.mis_worker())
    ]
    try:
        _until_they_answer(len(started))
        yield
    finally:
        for process in started:
            process.kill()  # whoever waits for an MIS that hangs would not end by itself
        for process in started:
            process.wait()


def _until_they_answer(workers: int) -> None:
    until = time.monotonic() + PATIENCE
    while len(hub.celery.app.control.broadcast("ping", reply=True, timeout=5, limit=workers) or ()) < workers:
        if time.monotonic() > until:
            raise Broken("The workers did not start.")
