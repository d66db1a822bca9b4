"""What people confirm, at scale: the report page, its CSV, who is connected, a night that settles, the parents' home.

Pages are asked through Django's test client in this process, as in `bench.overview`. The CSV is read to its end
while the most memory it took is watched, for a tenth of the rows and for all: a stream takes the same for both.
"""

from __future__ import annotations

import resource
import time
from typing import Any

from django.db import connection, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from bench import crowd, database
from bench.overview import _figures, _queries, _signed_in
from bench.timing import Times
from hub.accounts.models import Account
from hub.core import scope
from hub.core.models import School
from hub.people.models import Connection, Contact, ContactDetail, Pupil, PupilContact
from verification.changes.drafting import draft
from verification.reporting import listing, settling

PAGE_LIMIT, HOME_LIMIT = 0.080, 0.040
REPORT = "/reports/verified-user-changes/"
CHILDREN = (1, 4, 12)
"""Of the parents whose home is asked for."""
GROWTH_LIMIT = 5.0
"""So many MB more may a CSV of ten times the rows take: buffers, not rows."""
CHUNKS_TO_WARM = 600

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
    office = [(_signed_in(crowd.head_of(school)), f"/{school.slug}{REPORT}") for school in made]
    pages = {
        "Report": office,
        "Report, everything, page 100": [(c, f"{path}?show=all&page=100") for c, path in office],
        "Connection status": [(c, path.replace(REPORT, "/reports/connections/")) for c, path in office],
    }
    seconds = {name: _figures(asked[:25], requests) for name, asked in pages.items()}
    queries = {name: sorted({_queries(client, path) for client, path in asked[:25]}) for name, asked in pages.items()}
    homes = {f"Home, {count} children": [(_parent(made[0], count), reverse("portal:home"))] for count in CHILDREN}
    seconds |= {name: _figures(asked, requests) for name, asked in homes.items()}
    queries |= {name: [_queries(*asked[0])] for name, asked in homes.items()}
    slowest = max(seconds[name]["p95"] for name in homes)
    counts = len({queries[name][0] for name in homes})
    memory = _memory(*office[0], changes // schools)
    night = _night(made[0])
    growth = memory["MB more for all"]
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
            {"name": "Home, p95 in seconds", "figure": slowest, "at most": HOME_LIMIT, "met": slowest <= HOME_LIMIT},
            {"name": "Home, different numbers of queries", "figure": counts, "at most": 1, "met": counts == 1},
            {"name": "CSV, MB more for all rows than for a tenth", "figure": growth, "at most": GROWTH_LIMIT,
             "met": growth <= GROWTH_LIMIT},
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
            moved = [pk for pk, _contact, _staff in listing.moved(school_id=school.pk)]
            listing.refresh(school_id=school.pk, ids=moved)


def _parent(school: School, children: int) -> Client:
    """Return a signed-in parent of so many children, who has confirmed an email and is asked about a mobile."""
    now = timezone.now()
    account = Account.objects.create_user(f"parent-of-{children}@example.org", name="A parent")
    with scope.schools(school.pk):
        contact = Contact.objects.create(school=school, forename="A", surname="Parent")
        pupils = list(Pupil.objects.filter(school=school).order_by("pk")[:children])
        PupilContact.objects.bulk_create(
            PupilContact(school=school, contact=contact, pupil=pupil, relationship="Mother") for pupil in pupils
        )
        Connection.objects.create(school=school, contact=contact, account=account, invited_at=now, connected_at=now)
        ContactDetail.objects.create(
            school=school, contact=contact, kind="email", value=account.email or "", source="person",
            changed_at=now, verified_at=now,
        )  # fmt: skip
        draft(
            owner=contact, field="mobile", new_value="+447700900456", origin="organisation", made_by="The office",
            status="pending", now=now,
        ).save()  # fmt: skip
    return _signed_in(account)


def _memory(client: Client, path: str, rows: int) -> dict[str, Any]:
    """Return how much the process grew when a tenth of the CSV was read, and how much more when all of it was."""
    address = path.rstrip("/") + ".csv"
    _read(client, address, CHUNKS_TO_WARM)
    warm = _largest()
    _read(client, address, rows // 10)
    tenth = _largest()
    began = time.perf_counter()
    count = _read(client, address, None)
    return {
        "rows": count,
        "seconds": round(time.perf_counter() - began, 1),
        "MB for a tenth": round(tenth - warm, 1),
        "MB more for all": round(_largest() - tenth, 1),
    }


def _read(client: Client, address: str, stop: int | None) -> int:
    response = client.get(address)
    count = 0
    for count, _line in enumerate(response.streaming_content):  # type: ignore[attr-defined]
        if stop is not None and count > stop:
            break
    response.close()
    return count - 1


def _largest() -> float:
    """Return the most memory this process has held so far, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


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
