"""The hub's own imports, timed from stored payload to committed import, under the app role and its walls."""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Callable
from functools import partial

from bench.files import Nights
from bench.timing import Measures
from hub.core import scope
from hub.core.models import School
from imports import services
from imports.link import links
from imports.models import Import, ImportKind, ImportPolicy, ImportState, LinkState, MisLink, RecipientRule

FIRST, IDENTICAL, NOBODY, SOME, FULL = (
    "first import",
    "byte-identical file",
    "new file, nobody changed",
    "1 % changed",
    "nobody changed, everything read",
)
NIGHT = dt.timedelta(days=1)
EVENING = dt.datetime(2026, 11, 22, 2, 0, tzinfo=dt.UTC)


class Broken(Exception):
    """An import did not end as it should have: there is nothing to measure."""


def new_school(dfe_number: str) -> MisLink:
    """Return the link of a new school, switched on, that imports everybody in its files."""
    with scope.every_school():
        school = School.objects.create(name=f"School {dfe_number}", slug=dfe_number, dfe_number=dfe_number)
    with scope.schools(school.pk):
        link = links.create_link(school=school, connector="sims", by=None, now=EVENING)
        link.state, link.scheduled_since = LinkState.ENABLED, EVENING
        link.save()
        ImportPolicy.objects.create(school=school, recipient_rule=RecipientRule.ALL)
    return link


def receive(link: MisLink, bundle: bytes, run_id: str, *, night: int) -> Import:
    """Return a run that waits, its payload stored; not part of any figure."""
    received = services.receive(
        link=link,
        stream=io.BytesIO(bundle),
        filename="reports.zip",
        run_id=run_id,
        kind=ImportKind.AUTOLINK,
        start=False,
        now=EVENING + night * NIGHT,
    )
    assert received.run is not None, received.sentence
    return received.run


def carry_out(run: Import, *, night: int, ends: ImportState) -> None:
    """Carry out a run; raises `Broken` where it does not end as it should."""
    done = services.run(import_id=run.pk, now=EVENING + night * NIGHT)
    if done is None or done.state != ends:
        raise Broken(f"{run.payload and run.payload.run_id}: {done and (done.state, done.reasons, done.detail)}")


def live_through(nights: Nights, link: MisLink, times: Measures, *, between: Callable[[], None]) -> None:
    """Measure a school's first import and the nights after it, in the order in which they happen."""
    some, unchanged = ImportState.APPLIED, ImportState.UNCHANGED
    plan = [
        (FIRST, nights.first.bundle, 0, some),
        (IDENTICAL, nights.first.bundle, 1, unchanged),
        (NOBODY, nights.nobody.bundle, 2, unchanged),
        (SOME, nights.some.bundle, 3, some),
        (FULL, nights.some.bundle, 7, unchanged),
    ]
    with scope.schools(link.school_id):
        for name, bundle, night, ends in plan:
            run = receive(link, bundle, name, night=night)
            times.measure(name, partial(carry_out, run, night=night, ends=ends))
            between()
