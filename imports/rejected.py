"""The standing list of what could not be taken: a row opens when it first shows and closes when it is mended."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Set

from imports.models import Import, RejectedRecord, Rejection
from imports.types import Problem

Signature = tuple[str, str, str, str, str, str]


def record(
    *, run: Import, problems: Iterable[Problem], opened: Set[tuple[str, str]], present: Set[tuple[str, str]],
    complete: Set[str], now: dt.datetime,
) -> int:  # fmt: skip
    """Open what is new, close what a record read again no longer has; return how many are new and to be mended."""
    standing = {
        _signature(row): row.pk
        for row in RejectedRecord.objects.filter(school_id=run.school_id, link_id=run.link_id, resolved_at=None)
    }
    found = {_signature(problem): problem for problem in problems}
    mended = [
        pk
        for signature, pk in standing.items()
        if signature not in found and _was_judged(signature[:2], opened, present, complete)
    ]
    RejectedRecord.objects.filter(school_id=run.school_id, pk__in=mended).update(resolved_at=now)
    fresh = [problem for signature, problem in found.items() if signature not in standing]
    RejectedRecord.objects.bulk_create(
        [
            RejectedRecord(
                school_id=run.school_id, link_id=run.link_id, first_run=run, seen_at=now, severity=problem.severity,
                kind=problem.kind, external_id=problem.external_id[:100], label=problem.label[:200],
                file=problem.file[:100], row=problem.row, field=problem.field[:60], value=problem.value[:500],
                reason=problem.reason[:40], message=problem.message[:500], advice=problem.advice[:500],
            )
            for problem in fresh
        ],
        batch_size=500,
    )  # fmt: skip
    return to_mend(fresh)


def to_mend(problems: Iterable[Problem]) -> int:
    """Return how many of these kept something out; a warning kept out nothing."""
    return sum(problem.severity != Rejection.WARNING for problem in problems)


def _signature(row: RejectedRecord | Problem) -> Signature:
    return (row.kind, row.external_id[:100], row.severity, row.field[:60], row.reason[:40], row.value[:500])


def _was_judged(
    name: tuple[str, str], opened: Set[tuple[str, str]], present: Set[tuple[str, str]], complete: Set[str]
) -> bool:
    kind, external_id = name
    return name in opened or (kind in complete and (not external_id or name not in present))
