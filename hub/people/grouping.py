"""Verbs of groups: they follow what the MIS says of each pupil, and teachers are given some of them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable

from django.db import connection, transaction

from hub.accounts.models import Account, Membership
from hub.core import audit
from hub.core.errors import HubError
from hub.people.models import Group, GroupAccess, GroupKind

PRE_ADMISSION = "Pre-admission"

_WANTED = """
WITH wanted AS (
  SELECT pupil.school_id, said.kind, said.name, pupil.id AS pupil_id
  FROM people_pupil AS pupil
  CROSS JOIN LATERAL (VALUES
    (%(year)s, pupil.year_group),
    (%(registration)s, pupil.registration_group),
    (%(house)s, pupil.house),
    (%(class)s, pupil.class_name),
    (%(pre_admission)s, CASE WHEN pupil.pre_admission THEN %(pre_admission_name)s ELSE '' END)
  ) AS said (kind, name)
  WHERE pupil.school_id = %(school)s AND said.name <> ''
    AND (%(pupils)s::bigint[] IS NULL OR pupil.id = ANY (%(pupils)s))
    AND (pupil.leaving_date IS NULL OR pupil.leaving_date > coalesce(%(on)s::date, CURRENT_DATE))
)
"""
_REMOVE = f"""
{_WANTED}
DELETE FROM people_groupmember AS member USING people_group AS held
WHERE member.school_id = %(school)s AND held.school_id = %(school)s AND held.id = member.group_id
  AND (%(pupils)s::bigint[] IS NULL OR member.pupil_id = ANY (%(pupils)s))
  AND NOT EXISTS (
    SELECT FROM wanted
    WHERE wanted.kind = held.kind AND wanted.name = held.name AND wanted.pupil_id = member.pupil_id
  )
"""  # noqa: S608  (constants)
_ADD = f"""
{_WANTED},
made AS (
  INSERT INTO people_group (school_id, kind, name)
  SELECT DISTINCT wanted.school_id, wanted.kind, wanted.name FROM wanted
  WHERE NOT EXISTS (
    SELECT FROM people_group AS held
    WHERE held.school_id = %(school)s AND held.kind = wanted.kind AND held.name = wanted.name
  )
  RETURNING id, kind, name
),
known AS (
  SELECT id, kind, name FROM people_group WHERE school_id = %(school)s UNION ALL SELECT id, kind, name FROM made
)
INSERT INTO people_groupmember (school_id, group_id, pupil_id)
SELECT wanted.school_id, known.id, wanted.pupil_id
FROM wanted JOIN known USING (kind, name)
WHERE NOT EXISTS (
  SELECT FROM people_groupmember AS member
  WHERE member.school_id = %(school)s AND member.group_id = known.id AND member.pupil_id = wanted.pupil_id
)
"""  # noqa: S608  (constants)


@transaction.atomic
def refresh_groups(
    *, school_id: int, on: dt.date | None = None, pupil_ids: Collection[int] | None = None
) -> tuple[int, int]:
    """Bring groups and their members in line with the pupils who are at the school on a day (today).

    With `pupil_ids`, only these pupils are looked at. Writes nothing where nothing changed. A group
    that empties stays, for teachers' sake: it fills again when pupils come back to it. Returns how
    many members were added and removed.
    """
    values: dict[str, str | int | dt.date | list[int] | None] = {kind.value: kind.value for kind in GroupKind}
    values["pupils"] = None if pupil_ids is None else list(pupil_ids)
    values |= {"school": school_id, "on": on, "pre_admission_name": PRE_ADMISSION}
    with connection.cursor() as cursor:
        cursor.execute(_REMOVE, values)
        removed = cursor.rowcount
        cursor.execute(_ADD, values)
        return cursor.rowcount, removed


@transaction.atomic
def set_group_access(*, membership: Membership, groups: Iterable[Group], by: Account, now: dt.datetime) -> None:
    """Give a teacher exactly these groups. Raises HubError for a group of another school."""
    chosen = {group.pk: group for group in groups}
    if any(group.school_id != membership.school_id for group in chosen.values()):
        raise HubError("That group belongs to another school.")
    held = set(GroupAccess.objects.filter(membership=membership).values_list("group_id", flat=True))
    if held == chosen.keys():
        return
    GroupAccess.objects.filter(membership=membership).exclude(group_id__in=chosen).delete()
    GroupAccess.objects.bulk_create(
        GroupAccess(school_id=membership.school_id, membership=membership, group_id=group_id)
        for group_id in chosen.keys() - held
    )
    audit.record(
        school=membership.school,
        by=by,
        action="staff.groups_set",
        object_kind="membership",
        object_id=membership.pk,
        data={"groups": sorted(group.name for group in chosen.values())},
        now=now,
    )
