"""How a row of the report is listed: person, pupils, year groups and place, as they stand now. One definition, in SQL.

A row keeps these columns so that a long report is read without joins; `refresh` brings them up to date.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.db import connection

from hub.people.models import Contact, Pupil, Staff

OPEN = """(c.status IN ('waiting', 'pending') OR c.mis_state IN ('to_update', 'differs', 'done')
    OR c.status = 'offer' AND c.mis_state = '')"""
"""Rows that somebody still has to do with; what is closed stays as it was when it closed."""

_PERSON = "concat_ws(' ', nullif({0}.title, ''), nullif({0}.forename, ''), {0}.surname)"
_FORM = "coalesce(nullif(p.registration_group, ''), p.year_group)"
_PUPIL = f"p.forename || ' ' || p.surname || CASE WHEN {_FORM} <> '' THEN ' (' || {_FORM} || ')' ELSE '' END"
_PLACE = "lower(p.surname) || ' ' || lower(p.forename) || ' ' || p.id"

# Families first, by their first pupil; then staff, then whoever has no pupil here now, by their own name.
# Each row's family is looked up by itself: a plan that joins all of them is quick or dreadful, as it guesses.
_LISTED = f"""
    WITH wanted AS ({{wanted}}),
    listed AS (
        SELECT w.id,
            CASE WHEN k.id IS NOT NULL THEN {_PERSON.format("k")} ELSE {_PERSON.format("s")} END AS person_name,
            coalesce(f.pupil_names, '') AS pupil_names,
            coalesce(f.year_groups, '{{{{}}}}')::varchar[] AS year_groups,
            CASE WHEN w.staff_id IS NOT NULL THEN '1' || lower(s.surname) || ' ' || lower(s.forename) || ' ' || s.id
                WHEN f.place IS NOT NULL THEN '0' || f.place
                ELSE '2' || lower(k.surname) || ' ' || lower(k.forename) || ' ' || k.id END AS sort_key
        FROM wanted w
        LEFT JOIN people_contact k ON k.school_id = %(school)s AND k.id = w.contact_id
        LEFT JOIN people_staff s ON s.school_id = %(school)s AND s.id = w.staff_id
        LEFT JOIN LATERAL (
            SELECT string_agg({_PUPIL}, ', ' ORDER BY p.surname, p.forename, p.id) AS pupil_names,
                array_agg(DISTINCT p.year_group) FILTER (WHERE p.year_group <> '') AS year_groups,
                (array_agg({_PLACE} ORDER BY p.surname, p.forename, p.id))[1] AS place
            FROM people_pupilcontact l
            JOIN people_pupil p ON p.school_id = %(school)s AND p.id = l.pupil_id
            WHERE l.school_id = %(school)s AND l.contact_id = w.contact_id
                AND (l.pupil_id = w.pupil_id OR w.pupil_id IS NULL AND l.ended_on IS NULL AND l.denied_at IS NULL)
        ) f ON true
    )
"""
_COLUMNS = "person_name, pupil_names, year_groups, sort_key"


@dataclass(frozen=True, slots=True)
class Listed:
    """The list columns of one row."""

    person_name: str
    pupil_names: str
    year_groups: list[str]
    sort_key: str


def listed(owner: Contact | Staff, *, pupil: Pupil | None = None) -> Listed:
    """Return how a row about this person is listed now; of a row about one child, under that child alone."""
    contact_id, staff_id = (None, owner.pk) if isinstance(owner, Staff) else (owner.pk, None)
    wanted = "SELECT 0 AS id, %(contact)s::bigint AS contact_id, %(staff)s::bigint AS staff_id, %(pupil)s::bigint"
    sql = _LISTED.format(wanted=f"{wanted} AS pupil_id") + f"SELECT {_COLUMNS} FROM listed"
    params = {
        "school": owner.school_id,
        "contact": contact_id,
        "staff": staff_id,
        "pupil": pupil.pk if pupil else None,
    }
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return Listed(*cursor.fetchone())


_DIFFERS = """
    l.person_name <> '' AND (c.person_name, c.pupil_names, c.year_groups, c.sort_key)
        IS DISTINCT FROM (l.person_name, l.pupil_names, l.year_groups, l.sort_key)
"""


def moved(*, school_id: int) -> list[tuple[int, int | None, int | None]]:
    """Return the open rows whose list columns are no longer as they should read, each with its contact or staff."""
    sql = (
        _listed_rows(OPEN)
        + f"""
        SELECT c.id, c.contact_id, c.staff_id FROM verification_detailchange c JOIN listed l ON l.id = c.id
        WHERE c.school_id = %(school)s AND {_DIFFERS}
    """
    )
    with connection.cursor() as cursor:
        cursor.execute(sql, {"school": school_id})
        return list(cursor.fetchall())


def refresh(*, school_id: int, ids: list[int]) -> int:
    """Bring the list columns of these rows up to date; return how many were not. Nothing else is written."""
    sql = (
        _listed_rows("c.id = ANY(%(ids)s)")
        + f"""
        UPDATE verification_detailchange c SET ({_COLUMNS}) = (l.person_name, l.pupil_names, l.year_groups, l.sort_key)
        FROM listed l WHERE c.id = l.id AND c.school_id = %(school)s AND {_DIFFERS}
    """
    )
    with connection.cursor() as cursor:
        cursor.execute(sql, {"school": school_id, "ids": ids})
        return int(cursor.rowcount)


def _listed_rows(which: str) -> str:
    wanted = f"""SELECT c.id, c.contact_id, c.staff_id, c.pupil_id FROM verification_detailchange c
        WHERE c.school_id = %(school)s AND {which}"""
    return _LISTED.format(wanted=wanted)
