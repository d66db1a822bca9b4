"""The numbers of a run and the rows that a preview or a hold shows. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from imports.types import CONTACT, KINDS, PUPIL, STAFF, Action, Assessment, Change, Plan, Reading, Verdict, Why

SHOWN = 5_000
"""Rows a preview or a hold keeps to show; the numbers count all."""
_STILL_KEPT = frozenset({Why.KEPT_CONNECTED, Why.OFFER})
_BUCKETS = {
    Action.ADDED: "added",
    Action.UPDATED: "updated",
    Action.RETURNED: "updated",
    Action.ENDED: "ended",
    Action.RELINKED: "updated",
}


def counts_of(plan: Plan, reading: Reading, assessment: Assessment, *, rejected: int) -> dict[str, Any]:
    """Return `Import.counts`: people, not rows; each person once per number."""
    people: dict[str, dict[str, set[int]]] = {kind: defaultdict(set) for kind in KINDS}
    kept = 0
    for change in plan.changes:
        if change.action is Action.KEPT:
            kept += change.why in _STILL_KEPT
            continue
        bucket = _bucket(change)
        people[change.person_kind][bucket].add(change.person_id)
    by_kind = {kind: _numbers(found) for kind, found in people.items()}
    in_file: dict[str, int] = defaultdict(int)
    for kind, _external_id in reading.present:
        in_file[kind] += 1
    removed = {} if assessment.verdict is Verdict.HOLD else {k: s.removed for k, s in plan.stats.items() if s.removed}
    return {
        **{name: sum(numbers[name] for numbers in by_kind.values()) for name in ("added", "updated", "ended")},
        "kept": kept,
        "rejected": rejected,
        "pupils": in_file[PUPIL],
        "contacts": in_file[CONTACT],
        "staff": in_file[STAFF],
        "by_kind": by_kind,
        "known": {kind: stats.known + stats.added for kind, stats in plan.stats.items() if stats.known + stats.added},
        "removed": {kind: number for kind, number in removed.items() if kind not in assessment.held_kinds},
        "removals_held": {
            kind: plan.stats[kind].removed for kind in assessment.held_kinds if plan.stats[kind].removed
        },
    }  # fmt: skip


def _bucket(change: Change) -> str:
    """Return which number a change belongs to: a link added or altered is an update of its contact."""
    bucket = _BUCKETS[change.action]
    if change.model in KINDS:
        return bucket
    return "ended" if bucket == "ended" and change.why is Why.GONE else "updated"


def _numbers(found: dict[str, set[int]]) -> dict[str, int]:
    added = found["added"]
    return {
        "added": len(added),
        "updated": len(found["updated"] - added - found["ended"]),
        "ended": len(found["ended"]),
    }


def rows_of(changes: Iterable[Change]) -> list[dict[str, Any]]:
    """Return changes as rows to show: one per person and field, at most `SHOWN`."""
    rows: list[dict[str, Any]] = []
    for change in changes:
        if len(rows) >= SHOWN:
            break
        rows += _rows(change)
    return rows


def _rows(change: Change) -> list[dict[str, Any]]:
    base = {
        "person": change.name, "person_id": max(change.person_id, 0), "kind": change.person_kind,
        "action": change.action.value, "why": change.why.value, "model": change.model,
    }  # fmt: skip
    if change.action is Action.ADDED and change.model in KINDS:
        return [{**base, "field": "", "before": "", "after": ""}]
    if change.model == "detail":
        before, after = change.before["value"], change.after["value"]
        if change.action is Action.KEPT:
            after = change.after["mis_value"]
        return [{**base, "field": change.after["kind"], "before": before, "after": after}]
    names = [name for name in change.after if name != "pupil_id"]
    return [
        {**base, "field": name, "before": _shown(change.before.get(name)), "after": _shown(change.after[name])}
        for name in names
    ]


def _shown(value: Any) -> Any:
    return value if value is None or isinstance(value, str | int | bool) else str(value)
