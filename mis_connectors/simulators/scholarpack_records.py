"""The generated school as ScholarPack's lists show it: one contact record per sibling, with an id of its own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence, Set
from typing import Any

from mis_connectors.simulators.model import Contact, Email, Link, People, Pupil, Staff, Telephone

Records = list[dict[str, Any]]

_YEARS = {0: "Reception", -1: "Nursery", -2: "N1"}
_MERGED = 90_000_000
"""Ids from here on are those that *Manage Duplicate Contacts* gave."""


def contact_id(link: Link, merged: Set[int]) -> int:
    """Return the id of a contact's record on this pupil: for each sibling another, until they are merged."""
    return _MERGED + link.contact_id if link.contact_id in merged else link.contact_id * 10_000 + link.pupil_id


def students(people: People, inactive: bool, merged: bool) -> Records:
    return [_student(pupil) for pupil in _pupils(people, inactive)]


def contacts(people: People, inactive: bool, merged: bool) -> Records:
    found: dict[int, dict[str, Any]] = {}
    met: set[int] = set()
    one = _of_several(people) if merged else frozenset[int]()
    for link in _links(people, inactive):
        again = link.contact_id in met
        met.add(link.contact_id)
        key = contact_id(link, one)
        if key not in found:
            found[key] = _contact(key, people.contacts[link.contact_id], again)
    return list(found.values())


def student_contacts(people: People, inactive: bool, merged: bool) -> Records:
    one = _of_several(people) if merged else frozenset[int]()
    return [
        {
            "student_id": link.pupil_id,
            "contact_id": contact_id(link, one),
            "relationship": link.relationship,
            "contact_order": link.priority,
            "responsibility": link.responsibility,
        }
        for link in _links(people, inactive)
    ]


def staff(people: People, inactive: bool, merged: bool) -> Records:
    return [_member(member) for member in people.staff.values() if inactive or not member.leaving_date]


LISTS: dict[str, Callable[[People, bool, bool], Records]] = {
    "students": students,
    "contacts": contacts,
    "student-contacts": student_contacts,
    "staff": staff,
}


def _pupils(people: People, inactive: bool) -> Sequence[Pupil]:
    return list(people.pupils.values()) if inactive else people.on_roll()


def _links(people: People, inactive: bool) -> Iterator[Link]:
    """Yield the links; ScholarPack has no applications in which a link could live on."""
    for pupil in _pupils(people, inactive):
        for link in people.links[pupil.id]:
            if not link.applicant:
                yield link


def _of_several(people: People) -> frozenset[int]:
    """Return the contacts whom *Manage Duplicate Contacts* finds several times."""
    times = Counter(link.contact_id for link in _links(people, True))
    return frozenset(contact for contact, count in times.items() if count > 1)


def _status(pupil: Pupil) -> str:
    return "Pre-Admission" if pupil.pre_admission else "Off Roll" if pupil.leaving_date else "On Roll"


def _student(pupil: Pupil) -> dict[str, Any]:
    return {
        "id": pupil.id,
        "upn": pupil.upn,
        "admission_number": pupil.adno,
        "forename": pupil.forename,
        "preferred_forename": pupil.chosen_name,
        "middle_names": pupil.middle_names,
        "surname": pupil.surname,
        "legal_surname": pupil.legal_surname,
        "date_of_birth": pupil.dob.isoformat(),
        "gender": pupil.gender,
        "year_group": None if pupil.pre_admission else _YEARS.get(pupil.year, f"Year {pupil.year}"),
        "form": pupil.reg,
        "house": pupil.house,
        "admission_date": pupil.admission_date.isoformat() if pupil.admission_date else None,
        "leaving_date": pupil.leaving_date.isoformat() if pupil.leaving_date else None,
        "status": _status(pupil),
    }


def _contact(key: int, contact: Contact, again: bool) -> dict[str, Any]:
    """Return a record of a contact; that of a second child was typed again, and not quite alike."""
    email, other = _emails(contact.emails, "H")
    return {
        "id": key,
        "title": contact.title,
        "forename": contact.forename,
        "surname": contact.surname,
        "address": contact.address,
        "postcode": contact.postcode,
        "email": email.upper() if again and email and contact.id % 3 == 0 and email.endswith("@example.org") else email,
        "email_2": other,
        "phones": [_phone(telephone) for telephone in contact.telephones],
    }


def _phone(telephone: Telephone) -> dict[str, Any]:
    return {"location": telephone.location, "number": telephone.number}


def _emails(emails: Sequence[Email], location: str) -> tuple[str | None, str | None]:
    """Return Email and Email 2: one of this location first."""
    ordered = iter([email.address for email in sorted(emails, key=lambda email: email.location != location)])
    return next(ordered, None), next(ordered, None)


def _member(member: Staff) -> dict[str, Any]:
    email, other = _emails(member.emails, "W")
    return {
        "id": member.id,
        "title": member.title,
        "forename": member.forename,
        "preferred_forename": member.chosen_name,
        "surname": member.surname,
        "role": member.role,
        "form": member.reg,
        "active": "No" if member.leaving_date else "Yes",
        "leaving_date": member.leaving_date.isoformat() if member.leaving_date else None,
        "email": email,
        "email_2": other,
        "phones": [_phone(member.telephone)] if member.telephone else [],
    }
