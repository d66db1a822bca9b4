"""What the school lets us see: the fields of each permission that are ticked, and what we then lack."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

STUDENT, CONTACT, STAFF = "Student", "Contact", "Staff"
OBJECTS = (STUDENT, CONTACT, STAFF)
_WHOSE = {STUDENT: "a student", CONTACT: "a contact", STAFF: "a member of staff"}
LISTS: Mapping[str, tuple[str, ...]] = {
    STUDENT: ("students",),
    CONTACT: ("contacts", "contactLinks"),
    STAFF: ("staff",),
}
"""What is fetched under a permission about these."""
FIELDS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    STUDENT: {
        "UPN": ("pupil.upn",),
        "FirstName": ("pupil.forename", "pupil.legal_forename"),
        "KnownName": (),
        "Surname": ("pupil.surname",),
        "LegalSurname": ("pupil.legal_surname",),
        "DateOfBirth": ("pupil.date_of_birth",),
        "CurrentYearGroup": ("pupil.year_group",),
        "CurrentClass": ("pupil.registration_group",),
    },
    CONTACT: {
        "Title": ("contact.title",),
        "FirstName": ("contact.forename",),
        "Surname": ("contact.surname",),
        "Email": ("contact.emails",),
        "Phone": ("contact.telephones",),
        "Relationship": ("link.relationship",),
        "ParentalResponsibility": ("link.parental_responsibility",),
        "EmergencyRanking": ("link.priority",),
    },
    STAFF: {
        "Forename": ("staff.forename",),
        "KnownName": (),
        "Surname": ("staff.surname",),
        "BusinessRole": ("staff.role",),
        "Email": ("staff.emails",),
    },
}
"""Field as Datashare names it → canonical fields that cannot be told without it.

Without a KnownName people go by their first name: nothing is lacking.
"""
SUPPLIES = frozenset(name for fields in FIELDS.values() for names in fields.values() for name in names)
OPTIONAL = frozenset(
    name
    for kind, fields in {
        STUDENT: ("UPN", "LegalSurname"),
        CONTACT: ("Title", "Email", "Phone", "ParentalResponsibility", "EmergencyRanking"),
        STAFF: ("BusinessRole", "Email"),
    }.items()
    for field in fields
    for name in FIELDS[kind][field]
)
"""What a school may untick, as we assume; what is unticked against that is noticed all the same."""


@dataclass(frozen=True, slots=True)
class Permissions:
    """What we may see. `withheld` holds (object, field) pairs; `refused` the objects of which nothing is granted."""

    withheld: frozenset[tuple[str, str]]
    refused: frozenset[str]

    @property
    def lists(self) -> tuple[str, ...]:
        """The lists that we may fetch."""
        return tuple(name for kind in OBJECTS if kind not in self.refused for name in LISTS[kind])

    @property
    def lacking(self) -> frozenset[str]:
        """The canonical fields that the school withholds."""
        whole = {(kind, field) for kind in self.refused for field in FIELDS[kind]}
        return frozenset(name for kind, field in self.withheld | whole for name in FIELDS[kind][field])


def read(about: Mapping[str, Any]) -> Permissions:
    """Return what `about` says. A permission or field that it does not name is taken as granted."""
    withheld: set[tuple[str, str]] = set()
    refused: set[str] = set()
    for permission in _objects(about.get("permissions")):
        kind = permission.get("object")
        if kind not in OBJECTS:
            continue
        if permission.get("granted") is False:
            refused.add(kind)
        for field in _objects(permission.get("fields")):
            if field.get("granted") is False and field.get("name") in FIELDS[kind]:
                withheld.add((kind, str(field["name"])))
    return Permissions(frozenset(withheld), frozenset(refused))


def words(withheld: Iterable[tuple[str, str]]) -> str:
    """Return the fields as a school finds them: `Email of a contact, UPN of a student`."""
    return ", ".join(f"{field} of {_WHOSE[kind]}" for kind, field in sorted(withheld))


def _objects(value: object) -> list[dict[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []
