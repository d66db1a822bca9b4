"""What people confirm, at scale: the report page, its CSV, a night that settles, and the parents' home.

Pages are asked through Django's test client in this process, as in `bench.overview`. The CSV is read to its end
while the most memory it took is watched, for a tenth of the rows and for all: a stream takes the same for both.
"""

from __future__ import annotations

import tracemalloc
from typing import Any

from django.db import connection, transaction
from django.test import Client
from django.utils import timezone

from bench import crowd, database
from bench.overview import _figures, _queries, _signed_in
from bench.timing import Times
from hub.core import scope
from hub.core.models import School
from verification import listing, settling

PAGE_LIMIT = 0.080
GROWTH_LIMIT = 1.5
"""A CSV of ten times the rows may take so many times the memory: buffers, not rows."""

_CHANGES = """
CREATE TEMPORARY TABLE chosen ON COMMIT DROP AS
SELECT id, school_id, n FROM (
    SELECT id, school_id, row_number() OVER (PARTITION BY school_id ORDER BY id) AS n FROM people_contact) c
WHERE n <= %(of_each)s;

UPDATE people_contactdetail d SET value = 'new' || d.contact_id || '@example.org', source = 'person',
    mis_value = 'old' || d.contact_id || '@example.org', verified_at = %(now)s
FROM chosen c WHERE d.school_id = c.school_id AND d.contact_id = c.id AND d.kind = 'email';

INSERT INTO verification_detailchange (school_id, contact_id, field, old_value, new_value, origin, made_by, batch,
    status, mis_state, made_at, answered_by, reason, effective_at, previous, reminders, settled_by, person_name,
    pupil_names, year_groups, sort_key)
SELECT c.school_id, c.id, 'email', 'old' || c.id || '@example.org', 'new' || c.id || '@example.org', 'person',
    'Parent' || c.id, gen_random_uuid(), 'approved', CASE WHEN past THEN 'replaced' ELSE 'to_update' END,
    %(now)s - (c.n %% 40) * interval '1 day', '', '', %(now)s, '{}', 0, '', 'Parent', '', '{}', ''
FROM chosen c, unnest(ARRAY[true, true, false]) past;
"""


def measure(*, people: int, changes: int, schools: int, requests: int) -> dict[str, Any]:
    """Fill a hub, ask for the report many times, download it, settle it; return the figures and the targets."""
    made = crowd.create(schools=schools, people=people // schools, now=timezone.now())
    _confirm(made, changes // schools)
    database.settle()
    office = [(_signed_in(crowd.head_of(school)), f"/{school.slug}/reports/verified-user-changes/") for school in made]
    pages = {"Report": office, "Report, everything, page 100": [(c, f"{path}?show=all&page=100") for c, path in office]}
    seconds = {name: _figures(asked[:25], requests) for name, asked in pages.items()}
    queries = {name: sorted({_queries(client, path) for client, path in asked[:25]}) for name, asked in pages.items()}
    memory = _memory(*office[0], changes // schools)
    night = _night(made[0])
    growth = memory["all rows, MB"] / max(memory["a tenth of the rows, MB"], 0.1)
    return {
        "benchmark": "confirming",
        "hub": {"schools": schools, "people": people, "changes to copy": changes},
        "seconds": seconds,
        "queries": queries,
        "csv": memory,
        "settling": night,
        "targets": [
            {"name": "Report, p95 in seconds", "figure": seconds["Report"]["p95"], "at most": PAGE_LIMIT,
             "met": seconds["Report"]["p95"] <= PAGE_LIMIT},
            {"name": "CSV, memory for all rows over a tenth of them", "figure": round(growth, 2),
             "at most": GROWTH_LIMIT, "met": growth <= GROWTH_LIMIT},
        ],
    }  # fmt: skip


def _confirm(schools: list[School], of_each: int) -> None:
    """Let so many parents of each school have changed their email, which the MIS does not know yet."""
    with scope.every_school(), transaction.atomic(), connection.cursor() as cursor:
        for statement in _CHANGES.split(";\n\n"):
            cursor.execute(statement, {"of_each": of_each, "now": timezone.now()})
    database.settle()
    for school in schools:
        with scope.schools(school.pk):
            listing.refresh(school_id=school.pk)


def _memory(client: Client, path: str, rows: int) -> dict[str, Any]:
    """Return the most memory that reading the CSV took, of a tenth of its rows and of all."""
    address = path.rstrip("/") + ".csv"
    few = _peak(client, address, rows // 10)
    every = _peak(client, address, None)
    return {"a tenth of the rows, MB": few[0], "all rows, MB": every[0], "rows": every[1]}


def _peak(client: Client, address: str, stop: int | None) -> tuple[float, int]:
    response = client.get(address)
    tracemalloc.start()
    count = 0
    for count, _line in enumerate(response.streaming_content):  # type: ignore[attr-defined]
        if stop is not None and count > stop:
            break
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    response.close()
    return round(peak / 1e6, 2), count - 1


def _night(school: School) -> dict[str, Any]:
    """Return how long it takes to settle a school: nothing new, then everything in the MIS at once."""
    times, now = Times(), timezone.now()
    with scope.schools(school.pk):
        for _ in range(5):
            times.measure(
                "a night that changed nothing",
                lambda: settling.settle(school=school, import_id=1, now=now, relist=False),
            )
        for _ in range(3):
            times.measure(
                "a night that changed names too", lambda: settling.settle(school=school, import_id=1, now=now)
            )
        with connection.cursor() as cursor:
            cursor.execute("UPDATE people_contactdetail SET mis_value = value WHERE school_id = %s", [school.pk])
        times.measure(
            "every change has come", lambda: settling.settle(school=school, import_id=1, now=now, relist=False)
        )
    return times.rows()
