"""New rows of the report: values kept against the MIS, offers, and proposals where the school chose to ask.

Drift is what a Connected person has, or the office has entered, although the MIS says otherwise.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

from django.db import connection

from hub.core.audit import BY_ITSELF
from verification.changes.rules import OPEN_FOR
from verification.models import Choices
from verification.reporting.matters import true_of

_STANDS = """
    EXISTS (SELECT FROM verification_detailchange c WHERE c.school_id = d.school_id AND {owner}
        AND c.field = d.kind AND c.status IN ('approved', 'kept') AND c.new_value = d.value
        AND c.mis_state IN ('to_update', 'differs', 'done', 'updated'){more})
"""
_OFFERED = """
    EXISTS (SELECT FROM verification_detailchange c WHERE c.school_id = d.school_id AND {owner}
        AND c.field = d.kind AND c.status = 'offer' AND c.mis_state = '')
"""
_ASKED = """
    EXISTS (SELECT FROM verification_detailchange c WHERE c.school_id = d.school_id AND {owner}
        AND c.field = d.kind AND (c.status = 'pending' OR c.status = 'waiting' AND c.origin <> 'person'){more})
"""
# What the MIS has said since then was turned down: it is not offered again, but to be taken out there.
_DECLINED = """
    EXISTS (SELECT FROM verification_detailchange c WHERE c.school_id = d.school_id AND {owner}
        AND c.field = d.kind AND c.new_value = d.mis_value AND c.status = 'rejected'
        AND (d.mis_changed_at IS NULL OR c.made_at >= d.mis_changed_at))
"""
# The school may ask about what the MIS began to say: once, not while another question is open, and not
# somebody whose login is frozen.
_MAY_ASK = """
    d.connected AND d.mis_value <> '' AND NOT {pending} AND NOT EXISTS (
        SELECT FROM verification_detailchange c WHERE c.school_id = d.school_id AND {owner}
        AND (c.status = 'frozen' AND c.settled_at IS NULL
            OR c.field = d.kind AND c.new_value = d.mis_value
            AND c.status IN ('rejected', 'expired', 'withdrawn')
            AND (d.mis_changed_at IS NULL OR c.made_at >= d.mis_changed_at)))
"""

_DIFFERS = """
    SELECT d.school_id, d.contact_id, d.staff_id, d.kind, d.value, d.mis_value, d.mis_changed_at, d.source,
        EXISTS (SELECT FROM people_connection n WHERE n.school_id = d.school_id AND n.connected_at IS NOT NULL
            AND n.ended_at IS NULL AND {connection_owner}) AS connected
    FROM people_contactdetail d {person}
    WHERE d.school_id = %(school)s AND d.mis_value <> d.value AND {of} AND {whom}
"""


def _found(whom: str, *, of: str, propose: bool) -> str:
    """The details of contacts or of staff that need a row, each with the status of that row."""
    owner, other = f"c.{of}_id = d.{of}_id", "staff" if of == "contact" else "contact"
    person = ""
    if of == "contact":
        person = """JOIN people_contact k ON k.school_id = d.school_id AND k.id = d.contact_id
            AND k.merged_into_id IS NULL AND (NOT k.made_by_hand OR EXISTS (
                SELECT FROM people_misidentity i WHERE i.school_id = k.school_id AND i.contact_id = k.id))"""
    differs = _DIFFERS.format(
        connection_owner=f"n.{of}_id = d.{of}_id AND n.{other}_id IS NULL",
        person=person,
        of=f"d.{of}_id IS NOT NULL",
        whom=whom,
    )
    stands, offered = _STANDS.format(owner=owner, more=""), _OFFERED.format(owner=owner)
    declined = _DECLINED.format(owner=owner)
    said_since = " AND coalesce(c.effective_at, c.made_at) >= d.mis_changed_at"
    stands_since = _STANDS.format(owner=owner, more=said_since)
    pending = _ASKED.format(owner=owner, more="")
    asked = _ASKED.format(owner=owner, more=" AND c.new_value = d.mis_value")
    may_ask = _MAY_ASK.format(owner=owner, pending=pending) if propose else "false"
    return f"""
        SELECT d.*, CASE WHEN d.asks THEN 'pending' WHEN d.offers THEN 'offer' ELSE 'kept' END AS status
        FROM (SELECT d.*, {may_ask} AS asks, d.connected AND d.value = '' AND NOT {declined} AS offers
            FROM ({differs}) d
            WHERE (d.connected OR d.source <> 'mis' AND d.mis_value <> '') AND NOT {asked}) d
        WHERE CASE WHEN d.asks THEN NOT {stands_since}
            WHEN d.offers THEN NOT {offered} AND NOT {stands}
            ELSE NOT {stands} END
    """


_INSERT = """
    INSERT INTO verification_detailchange (school_id, contact_id, staff_id, pupil_id, field, old_value, new_value,
        origin, made_by, by_import, batch, status, mis_state, made_at, deadline, answered_by, reason, effective_at,
        previous, reminders, settled_by, person_name, pupil_names, year_groups, sort_key)
    SELECT %(school)s, f.contact_id, f.staff_id, NULL, f.kind,
        CASE f.status WHEN 'pending' THEN f.value WHEN 'kept' THEN f.mis_value ELSE '' END,
        CASE f.status WHEN 'kept' THEN f.value ELSE f.mis_value END,
        'import', %(by)s, %(import)s, gen_random_uuid(), f.status,
        CASE f.status WHEN 'kept' THEN 'to_update' ELSE '' END,
        %(now)s, CASE f.status WHEN 'pending' THEN %(deadline)s::timestamptz END, '', '', NULL,
        '{{}}', 0, '', '', '', '{{}}', ''
    FROM ({found}) f
    ON CONFLICT DO NOTHING
    RETURNING id, status
"""


def concerned(params: dict[str, Any], *, of: Sequence[str], asked: bool) -> set[tuple[int | None, int | None]]:
    """Return of whom a school has drift without a row, or a question that the MIS has overtaken; writes nothing.

    `of` says whose details differ at all ("contact", "staff"), `asked` whether an import's questions are open.
    """
    found: set[tuple[int | None, int | None]] = set()
    with connection.cursor() as cursor:
        if of:
            union = _union("true", of=tuple(of), propose=_asks(params))
            cursor.execute(f"SELECT f.contact_id, f.staff_id FROM ({union}) f", params)
            found |= set(cursor.fetchall())
        if asked:
            cursor.execute(_ASKED_IN_VAIN, params)
            found |= set(cursor.fetchall())
    return found


def list_new(params: dict[str, Any], *, of: Sequence[str], import_id: int | None) -> list[tuple[int, str]]:
    """Give every drift of these people that has none its row; return the new ids with their status.

    They are locked, so that nobody answers between the question and the row. `of` says whose details
    differ at all.
    """
    if not of:
        return []
    said = {"by": f"Import {import_id}" if import_id else BY_ITSELF, "deadline": params["now"] + OPEN_FOR}
    found = _union(true_of("d", params, everybody=False), of=tuple(of), propose=_asks(params))
    with connection.cursor() as cursor:
        cursor.execute(_INSERT.format(found=found), params | said)
        return [(pk, status) for pk, status in cursor.fetchall()]


def _asks(params: dict[str, Any]) -> bool:
    """Whether the school chose to ask about what the MIS begins to say."""
    return Choices.objects.filter(school_id=params["school"], propose_drift=True).exists()


@cache
def _union(whom: str, *, of: tuple[str, ...], propose: bool) -> str:
    return " UNION ALL ".join(
        f"SELECT contact_id, staff_id, kind, value, mis_value, status FROM ({_found(whom, of=one, propose=propose)}) u"
        for one in of
    )


# The MIS says something else, or nothing at all: an undo takes away the very row that said it.
_SAYS_SO = """
    EXISTS (SELECT FROM people_contactdetail d WHERE d.school_id = c.school_id AND d.{of}_id = c.{of}_id
        AND d.{other}_id IS NULL AND d.kind = c.field AND d.mis_value = c.new_value)
"""
_OVERTAKEN = f"""
    c.school_id = %(school)s AND c.status = 'pending' AND c.origin = 'import'
        AND NOT {_SAYS_SO.format(of="contact", other="staff")}
        AND NOT {_SAYS_SO.format(of="staff", other="contact")}
"""
_ASKED_IN_VAIN = f"SELECT c.contact_id, c.staff_id FROM verification_detailchange c WHERE {_OVERTAKEN}"
_WITHDRAW = f"""
    UPDATE verification_detailchange c SET status = 'withdrawn', answered_at = %(now)s,
        reason = 'The MIS no longer says this.'
    WHERE {_OVERTAKEN} AND (c.contact_id = ANY(%(contacts)s) OR c.staff_id = ANY(%(staff)s))
"""


def withdraw_proposals(params: dict[str, Any]) -> int:
    """Take back what an import asked these people, where the MIS says something else by now; return how many."""
    with connection.cursor() as cursor:
        cursor.execute(_WITHDRAW, params)
        return int(cursor.rowcount)
