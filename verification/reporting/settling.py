"""Settling what was confirmed against what the MIS says: rows close, open again, are replaced; drift gets its rows.

A fixed number of set-based statements at most, however many people: safe to call twice, and a night on which
nothing moved writes nothing. What a Connected person has confirmed is never touched here.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from django.db import connection, transaction

from hub.core.models import School
from hub.people.locking import lock_ids, lock_school
from hub.people.models import Contact, Staff
from verification import telling
from verification.reporting import drift, listing, matters

TWO_NIGHTS = dt.timedelta(hours=48)
"""So long an MIS may take to show what somebody has marked done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """What came of it: how many rows closed, opened again or were replaced, and the ids of new rows."""

    updated: int = 0
    differs: int = 0
    replaced: int = 0
    listed: list[int] = field(default_factory=list)
    """Rows of drift and offers that are new."""
    proposed: list[int] = field(default_factory=list)
    """New proposals; their people have been told."""


def settle(
    *,
    school: School,
    import_id: int | None,
    now: dt.datetime,
    owners: Iterable[Contact | Staff] | None = None,
    relist: bool = True,
) -> Settled:
    """Settle the rows of a school, or of some `owners`, against what the MIS says now.

    Call it in the school's scope, within an import's transaction or after it; `owners` are locked by the
    caller, and of a whole school whoever is concerned is locked here, before anything is written. With an
    `import_id`, what was marked done and has not shown within two nights opens again. `relist` says
    whether names, pupils and year groups may have moved, so that lists are brought up to date too. Whom it
    comes to ask something, after an import or an answer, is told of it here.
    """
    params: dict[str, Any] = {
        "school": school.pk,
        "import": import_id,
        "now": now,
        "done_before": now - TWO_NIGHTS if import_id is not None else None,
    }
    with transaction.atomic():
        moved_lists: list[int] = []
        if owners is None:
            lock_school(school.pk)
            whom, moved_lists = _concerned(params, relist=relist)
            lock_ids(school.pk, contacts=whom.contacts, staff=whom.staff, school_is_held=True)
        else:
            whom = _Whom.of(owners)
        if not whom:
            return Settled()
        params |= {"contacts": list(whom.contacts), "staff": list(whom.staff)}
        there = matters.look(params, everybody=False)
        moved = _states(params, there)
        if there.asked:
            drift.withdraw_proposals(params)
        new = drift.list_new(params, of=there.differ, import_id=import_id)
        if ids := [*moved_lists, *(pk for pk, _status in new)]:
            listing.refresh(school_id=school.pk, ids=ids)
        proposed = [pk for pk, status in new if status == "pending"]
        if proposed:
            telling.tell_proposed(school=school, ids=proposed, now=now)
    return Settled(
        updated=moved.count("updated"),
        differs=moved.count("differs"),
        replaced=moved.count("replaced"),
        listed=[pk for pk, status in new if status != "pending"],
        proposed=proposed,
    )


def settle_owner(*, owner: Contact | Staff, now: dt.datetime) -> Settled:
    """Settle one person's rows, after an answer or a change of theirs; in the caller's transaction."""
    return settle(school=owner.school, import_id=None, now=now, owners=[owner])


@dataclass(frozen=True, slots=True)
class _Whom:
    contacts: frozenset[int]
    staff: frozenset[int]

    @classmethod
    def of(cls, owners: Iterable[Contact | Staff]) -> _Whom:
        known = list(owners)
        return cls(
            frozenset(owner.pk for owner in known if isinstance(owner, Contact)),
            frozenset(owner.pk for owner in known if isinstance(owner, Staff)),
        )

    def __bool__(self) -> bool:
        return bool(self.contacts or self.staff)


def _concerned(params: dict[str, Any], *, relist: bool) -> tuple[_Whom, list[int]]:
    """Return whom settling a whole school would write about, and the rows to be listed anew; nothing is written.

    Whoever changes something else meanwhile settles it themselves, under the lock on the person.
    """
    there = matters.look(params, everybody=True)
    found: set[tuple[int | None, int | None]] = set()
    if there.fields:
        with connection.cursor() as cursor:
            cursor.execute(_MOVES.format(judged=_judged("true", there.fields)), params)
            found = set(cursor.fetchall())
    found |= drift.concerned(params, of=there.differ, asked=there.asked)
    lists = listing.moved(school_id=params["school"]) if relist else []
    found |= {(contact, staff) for _pk, contact, staff in lists}
    whom = _Whom(frozenset(contact for contact, _ in found if contact), frozenset(staff for _, staff in found if staff))
    return whom, [pk for pk, _contact, _staff in lists]


# Each row's state before, whether it still counts, and whether the MIS agrees with it.
# A record made by hand is in no MIS, so there is nothing to wait for; nor is there once the MIS has dropped a
# person: it shows nothing of them, whatever the office typed, until it has them again.
# Nothing is offered that its person has turned down since, when the school asked about the same.
_DETAILS = f"""
    SELECT c.id, c.status, c.mis_state, c.settled_at, c.made_at, c.field, c.contact_id, c.staff_id,
        CASE WHEN c.status = 'offer' THEN coalesce(dc.value, ds.value, '') = ''
                AND coalesce(dc.mis_value, ds.mis_value, '') = c.new_value AND NOT EXISTS (
                    SELECT FROM verification_detailchange n WHERE n.school_id = c.school_id AND n.field = c.field
                    AND (n.contact_id = c.contact_id OR n.staff_id = c.staff_id)
                    AND n.status = 'rejected' AND n.new_value = c.new_value AND n.made_at >= c.made_at)
            ELSE coalesce(dc.value, ds.value, '') = c.new_value END AS stands,
        coalesce(dc.mis_value, ds.mis_value, '') = c.new_value AS agrees,
        CASE WHEN c.mis_state = 'done' THEN EXISTS ({{of_mis}}) AND NOT EXISTS ({{of_mis}} AND i.gone_on IS NULL)
            ELSE false END AS dropped
    FROM verification_detailchange c
    LEFT JOIN people_contactdetail dc ON dc.school_id = c.school_id AND dc.contact_id = c.contact_id
        AND dc.kind = c.field AND dc.staff_id IS NULL
    LEFT JOIN people_contactdetail ds ON ds.school_id = c.school_id AND ds.staff_id = c.staff_id
        AND ds.kind = c.field AND ds.contact_id IS NULL
    WHERE c.school_id = %(school)s AND c.status IN ('approved', 'kept', 'offer') AND c.field IN ('email', 'mobile')
        AND {matters.ALIVE} AND {{whom}} AND NOT EXISTS (SELECT FROM people_contact k
            WHERE k.school_id = c.school_id AND k.id = c.contact_id AND k.merged_into_id IS NOT NULL)
"""

_OF_MIS = """SELECT FROM people_misidentity i WHERE i.school_id = c.school_id
    AND (i.contact_id = c.contact_id OR i.staff_id = c.staff_id)"""

_CHILDREN = """
    SELECT c.id, c.status, c.mis_state, c.settled_at, c.made_at, c.field, c.contact_id, c.staff_id, true AS stands,
        l.id IS NULL OR l.ended_on IS NOT NULL OR NOT l.access AS agrees, false AS dropped
    FROM verification_detailchange c
    LEFT JOIN people_pupilcontact l ON l.school_id = c.school_id AND l.pupil_id = c.pupil_id
        AND l.contact_id = c.contact_id
    WHERE c.school_id = %(school)s AND c.status = 'approved' AND c.field = 'child'
        AND c.mis_state IN ('to_update', 'differs', 'done', 'updated') AND {whom}
"""

# The MIS has made them one when it has no more than one of the two left.
_RECORDS = """
    SELECT c.id, c.status, c.mis_state, c.settled_at, c.made_at, c.field, c.contact_id, c.staff_id, true AS stands,
        NOT EXISTS ({of_gone}) OR NOT EXISTS ({of_kept}) AS agrees, false AS dropped
    FROM verification_detailchange c
    WHERE c.school_id = %(school)s AND c.status = 'approved' AND c.field = 'record'
        AND c.mis_state IN ('to_update', 'differs', 'done', 'updated') AND {{whom}}
"""
_STILL_THERE = """
    SELECT FROM people_misidentity i WHERE i.school_id = c.school_id AND i.gone_on IS NULL
        AND i.id IN (SELECT jsonb_array_elements_text(c.previous -> '{of}')::bigint)
"""
_RECORDS = _RECORDS.format(**{of: _STILL_THERE.format(of=of) for of in ("of_gone", "of_kept")})

# A later row about the same detail stands instead: this one is history.
_NEWER = """
    EXISTS (SELECT FROM verification_detailchange n WHERE n.school_id = %(school)s AND n.field = f.field
        AND (n.contact_id = f.contact_id OR n.staff_id = f.staff_id) AND n.id > f.id
        AND n.status IN ('approved', 'kept') AND n.mis_state IN ('to_update', 'differs', 'done', 'updated'))
"""

_JUDGED = f"""
    SELECT f.id, f.status, f.mis_state, f.contact_id, f.staff_id, CASE
        WHEN NOT f.stands THEN 'replaced'
        WHEN f.status = 'offer' THEN ''
        WHEN f.agrees THEN 'updated'
        WHEN f.mis_state = 'updated' AND f.field IN ('email', 'mobile') AND {_NEWER} THEN 'replaced'
        WHEN f.mis_state = 'updated' THEN 'differs'
        WHEN f.mis_state = 'done' AND NOT f.dropped AND f.settled_at <= %(done_before)s THEN 'differs'
        ELSE f.mis_state END AS becomes
    FROM ({{facts}}) f
"""

# Judged once more as it is written: somebody may have answered since it was read.
_SETTLE = """
    UPDATE verification_detailchange c SET mis_state = j.becomes,
        settled_at = CASE j.becomes WHEN 'updated' THEN %(now)s WHEN 'differs' THEN NULL ELSE c.settled_at END,
        settled_by = CASE WHEN j.becomes IN ('updated', 'differs') THEN '' ELSE c.settled_by END,
        settled_import = CASE j.becomes WHEN 'updated' THEN %(import)s WHEN 'differs' THEN NULL
            ELSE c.settled_import END
    FROM ({judged}) j
    WHERE c.school_id = %(school)s AND c.id = j.id AND j.becomes <> j.mis_state
        AND c.mis_state = j.mis_state AND c.status = j.status
    RETURNING j.becomes
"""


_MOVES = "SELECT DISTINCT j.contact_id, j.staff_id FROM ({judged}) j WHERE j.becomes <> j.mis_state"
_KINDS = {"detail": _DETAILS, "child": _CHILDREN, "record": _RECORDS}


@cache
def _judged(whom: str, fields: tuple[str, ...]) -> str:
    facts = " UNION ALL ".join(_KINDS[name].format(whom=whom, of_mis=_OF_MIS) for name in fields)
    return _JUDGED.format(facts=facts)


def _states(params: dict[str, Any], there: matters.Matters) -> list[str]:
    if not there.fields:
        return []
    these = matters.true_of("c", params, everybody=False)
    with connection.cursor() as cursor:
        cursor.execute(_SETTLE.format(judged=_judged(these, there.fields)), params)
        return [becomes for (becomes,) in cursor.fetchall()]
