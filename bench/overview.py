"""How long the Overview and All my schools take in the server, middleware and templates included, as a hub grows.

Asked through Django's test client in this process: everything of a request but the web server and the network.
Beside the wall clock stands the processor time of this process and of its PostgreSQL backend together: what a request
costs while nobody else wants the processor.
"""

from __future__ import annotations

import itertools
import statistics
import time
from typing import Any

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from bench import crowd, database
from bench.timing import backend_seconds

LIMIT = 0.050
WARM_UP = 10
VISITED = 25
"""So many schools take turns, each seen by its own administrator."""


def measure(*, schools: int, people: int, requests: int) -> dict[str, Any]:
    """Fill a hub, ask for both pages many times, and return the figures and the target."""
    made = crowd.create(schools=schools, people=people, now=timezone.now())
    database.settle()
    visited = made[:: max(1, len(made) // VISITED)]
    pages = {
        "Overview": [(_signed_in(crowd.head_of(school)), f"/{school.slug}/") for school in visited],
        "All my schools": [(_signed_in(crowd.trust_officer()), "/schools/")],
    }
    figures, queries = {}, {}
    for name, asked in pages.items():
        queries[name] = sorted({_queries(client, path) for client, path in asked})
        figures[name] = _figures(asked, requests)
    p95 = figures["Overview"]["p95"]
    constant = len(queries["Overview"]) == 1
    return {
        "benchmark": "overview",
        "hub": {"schools": schools, "people": schools * people, "schools asked for": len(visited)},
        "seconds": figures,
        "queries": queries,
        "targets": [
            {"name": "Overview, p95 in seconds", "figure": p95, "at most": LIMIT, "met": p95 <= LIMIT},
            {"name": "Overview, different numbers of queries", "figure": len(queries["Overview"]), "at most": 1,
             "met": constant},
        ],
    }  # fmt: skip


def _signed_in(account: Any) -> Client:
    client = Client(SERVER_NAME="127.0.0.1")
    client.force_login(account)
    return client


def _ask(client: Client, path: str) -> None:
    response = client.get(path)
    if response.status_code != 200:
        raise RuntimeError(f"{path} answered {response.status_code}")


def _queries(client: Client, path: str) -> int:
    """Return how many queries a page takes once warm; measured apart, for counting costs time."""
    _ask(client, path)
    with CaptureQueriesContext(connection) as captured:
        _ask(client, path)
    return len(captured)


def _figures(asked: list[tuple[Client, str]], requests: int) -> dict[str, float | int]:
    took, cpu = [], []
    warm = min(WARM_UP, requests)
    for number, (client, path) in enumerate(itertools.islice(itertools.cycle(asked), warm + requests)):
        own, began = time.process_time() + backend_seconds(), time.perf_counter()
        _ask(client, path)
        ended = time.perf_counter()
        if number >= warm:
            took.append(ended - began)
            cpu.append(time.process_time() + backend_seconds() - own)
    took.sort()
    cpu.sort()
    return {
        "median": round(statistics.median(took), 4),
        "p95": round(took[int(len(took) * 0.95)], 4),
        "max": round(took[-1], 4),
        "processor, median": round(statistics.median(cpu), 4),
        "processor, p95": round(cpu[int(len(cpu) * 0.95)], 4),
        "requests": requests,
    }
