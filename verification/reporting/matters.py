"""What there is to settle: one cheap look, so that a dear statement is asked only where it can find something.

Planning those costs PostgreSQL several times what running them does, and most people have nothing of most kinds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db import connection

ALIVE = "(c.mis_state IN ('to_update', 'differs', 'done', 'updated') OR c.status = 'offer' AND c.mis_state = '')"
OWNERS = ("contact", "staff")


@dataclass(frozen=True, slots=True)
class Matters:
    """Of which kinds there are rows to be judged, of whom details that differ, and whether an import's questions."""

    fields: tuple[str, ...]
    """Of "detail", "child" and "record": what the rows are about that the MIS may agree with."""
    differ: tuple[str, ...]
    """Of "contact" and "staff": who has a detail of which the MIS says something else."""
    asked: bool
    """An import has asked something that is still open."""


def look(params: dict[str, Any], *, everybody: bool) -> Matters:
    """Return what there is of everybody at the school, or of the people in `params`; nothing is written."""
    rows, details = (true_of(name, params, everybody=everybody) for name in "cd")
    with connection.cursor() as cursor:
        cursor.execute(_LOOK.format(rows=rows, details=details), params)
        detail, child, record, asked, contact, staff = cursor.fetchone()
    of_fields = (("detail", detail), ("child", child), ("record", record))
    return Matters(
        fields=tuple(name for name, there in of_fields if there),
        differ=tuple(name for name, there in zip(OWNERS, (contact, staff), strict=True) if there),
        asked=bool(asked),
    )


def true_of(name: str, params: dict[str, Any], *, everybody: bool) -> str:
    """Return the SQL for: the row called `name` is about one of the people in `params`, or about anybody."""
    if everybody:
        return "true"
    said = {"contact": params["contacts"], "staff": params["staff"]}
    keys = {"contact": "%(contacts)s", "staff": "%(staff)s"}
    found = [f"{name}.{of}_id = ANY({keys[of]})" for of in OWNERS if said[of]]
    return f"({' OR '.join(found)})"


_LOOK = f"""
    SELECT a.*, q.*, d.* FROM (
        SELECT bool_or(c.field IN ('email', 'mobile')), bool_or(c.field = 'child'), bool_or(c.field = 'record')
        FROM verification_detailchange c WHERE c.school_id = %(school)s AND {ALIVE} AND {{rows}}
    ) a, (
        SELECT EXISTS (SELECT FROM verification_detailchange c
            WHERE c.school_id = %(school)s AND c.status = 'pending' AND c.origin = 'import' AND {{rows}})
    ) q, (
        SELECT bool_or(d.contact_id IS NOT NULL), bool_or(d.staff_id IS NOT NULL)
        FROM people_contactdetail d WHERE d.school_id = %(school)s AND d.mis_value <> d.value AND {{details}}
    ) d
"""
