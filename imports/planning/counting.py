"""The numbers of a run and the rows that a preview or a hold shows. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
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


def counts_of(
    plan: Plan, reading: Reading, assessment: Assessment, *, rejected: int, approved: Mapping[str, int] | None = None
) -> dict[str, Any]:
    """Return `Import.counts`: people, not rows; each person once per number.

    Removals that a person has `approved` are not counted among those that nothing explained.
    """
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
    would_go = {kind: stats.removed for kind, stats in plan.stats.items() if stats.removed}
    is_held = assessment.verdict is Verdict.HOLD
    held_kinds = frozenset(would_go) if is_held else assessment.held_kinds
    answered = {kind for kind, number in (approved or {}).items() if would_go.get(kind, 0) <= number}
    return {
        **{name: sum(numbers[name] for numbers in by_kind.values()) for name in ("added", "updated", "ended")},
        "kept": kept,
        "rejected": rejected,
        "pupils": in_file[PUPIL],
        "contacts": in_file[CONTACT],
        "staff": in_file[STAFF],
        "by_kind": by_kind,
        "known": {kind: stats.known + stats.added for kind, stats in plan.stats.items() if stats.known + stats.added},
        "removed": {kind: number for kind, number in would_go.items() if kind not in held_kinds | answered},
        "removals_held": {kind: number for kind, number in would_go.items() if kind in held_kinds},
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
