"""The people of one school as plain rows, read back from the hub: what the floor and the rivals load."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db import connection

from mis_connectors.simulators.names import words

PUPIL = words(
    "upn former_upn admission_number forename surname legal_forename legal_surname middle_names date_of_birth gender "
    "year_group registration_group house class_name admission_date leaving_date pre_admission"
)
CONTACT = words("title forename surname gender address postcode language email mobile")
STAFF = words("code title forename surname role tutor_of leaving_date email mobile")
LINK = words(
    "pupil_id contact_id relationship priority parental_responsibility court_order lives_with correspondence access"
)

COLUMNS = {"pupil": PUPIL, "contact": CONTACT, "staff": STAFF, "link": LINK}
_DETAIL = "coalesce((SELECT value FROM people_contactdetail d WHERE d.school_id = p.school_id AND d.{kind}_id = p.id"
_DETAIL += " AND d.kind = '{detail}'), '')"


@dataclass(frozen=True, slots=True)
class People:
    """Rows by kind, each a dict of column to value; `key` is what a record is found again by.

    Links hold the ids that pupils and contacts have in the hub: whoever loads them puts its own in their place.
    """

    pupil: list[dict[str, Any]]
    contact: list[dict[str, Any]]
    staff: list[dict[str, Any]]
    link: list[dict[str, Any]]

    def __len__(self) -> int:
        return len(self.pupil) + len(self.contact) + len(self.staff) + len(self.link)


def of_school(school_id: int) -> People:
    """Return everybody the hub holds of a school. Call it in the school's scope."""
    return People(
        pupil=_rows("people_pupil", PUPIL, school_id),
        contact=_rows("people_contact", CONTACT, school_id, "contact"),
        staff=_rows("people_staff", STAFF, school_id, "staff"),
        link=_rows("people_pupilcontact", LINK, school_id),
    )


def _rows(table: str, columns: list[str], school_id: int, kind: str = "") -> list[dict[str, Any]]:
    names = [_DETAIL.format(kind=kind, detail=name) if name in ("email", "mobile") else f"p.{name}" for name in columns]
    query = f"SELECT p.id::text, p.school_id, {', '.join(names)} FROM {table} p WHERE p.school_id = %s ORDER BY p.id"
    with connection.cursor() as cursor:
        cursor.execute(query, [school_id])
        return [dict(zip(("key", "school_id", *columns), row, strict=True)) for row in cursor.fetchall()]
