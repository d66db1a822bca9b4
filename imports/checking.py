"""What is wrong in an uploaded spreadsheet, cell by cell: everything a preview would name, and where it stands."""

from __future__ import annotations

from typing import Any

from imports import canonical, policy
from imports.reading import Basis, Read, excluded_from
from imports.types import Plan, Problem
from mis_connectors.files import Locate

MOST = 3000
"""More wrong cells than this nobody reads; their number is told all the same."""
_ORDER = {"row": 0, "part": 1, "warning": 2}


def wrong_cells(read: Read, basis: Basis, plan: Plan) -> list[dict[str, Any]]:
    """Return a row for each wrong cell of a previewed spreadsheet, the gravest first; of other files none.

    Every record is judged, also one that is as it was last time: who uploads a file wants to know all of it. The file
    is not taken apart again for it, and where all was opened for the plan, nothing is judged twice.
    """
    snapshot, locate = read.snapshot, read.snapshot.locate
    if locate is None:
        return []
    judged = read.reading
    if len(judged.opened) < len(snapshot.records):
        judged = canonical.canonical(
            snapshot, records=snapshot.records, supplies=basis.connector.info.supplies,
            rule=policy.access_rule(basis.policy), excluded=excluded_from(basis.link),
        )  # fmt: skip
    found: dict[tuple[str, ...], dict[str, Any]] = {}
    for problem in (*judged.problems, *plan.problems):
        named = (problem.kind, problem.external_id, problem.field, problem.reason, problem.value)
        key = (*named, str(problem.row) if not problem.external_id else "")
        if key not in found:
            found[key] = _cell(problem, locate)
    return sorted(found.values(), key=_place)[:MOST]


def _cell(problem: Problem, locate: Locate) -> dict[str, Any]:
    at = locate(problem.kind, problem.external_id, problem.field, problem.value, problem.row)
    return {
        "severity": problem.severity,
        "sheet": at.sheet if at else "",
        "row": at.row if at else problem.row or 0,
        "column": at.column if at else "",
        "caption": at.caption if at and at.caption else "",
        "who": (at.who if at else "") or problem.label,
        "value": problem.value,
        "reason": problem.reason,
        "message": problem.message,
        "advice": problem.advice.replace("in the MIS", "in your spreadsheet"),
    }


def _place(cell: dict[str, Any]) -> tuple[Any, ...]:
    return _ORDER.get(cell["severity"], 3), cell["sheet"], cell["row"], len(cell["column"]), cell["column"]
