"""RM Integris as we assume its Datashare answers: a partner key, a school's number, JSON in pages by offset.

Only the nouns are documented; see `mis_connectors/integris/README.md`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, ClassVar

from mis_connectors.simulators.faults import Fault
from mis_connectors.simulators.hosting import Hosted
from mis_connectors.simulators.model import Contact, Email, Link, People, Pupil, Staff, Telephone
from mis_connectors.simulators.server import Api, Request, Response, in_json

PARTNER_KEY = "simulated-partner-key"
LARGEST_PAGE = 100
ANOTHER_SCHOOL = "8239999"
PERMISSIONS: dict[str, dict[str, str]] = {
    "Basic information about a student": {
        "StudentID": "Required",
        "FirstName": "Required",
        "KnownName": "Required",
        "Surname": "Required",
        "DateOfBirth": "Required",
        "CurrentYearGroup": "Required",
        "CurrentClass": "Required",
        "LegalSurname": "Optional",
        "UPN": "Optional",
    },
    "Contacts of a student": {
        "ContactID": "Required",
        "FirstName": "Required",
        "Surname": "Required",
        "Relationship": "Required",
        "Title": "Optional",
        "Email": "Optional",
        "Phone": "Optional",
        "ParentalResponsibility": "Optional",
        "EmergencyRanking": "Optional",
    },
    "Basic information about staff": {
        "StaffID": "Required",
        "Forename": "Required",
        "KnownName": "Required",
        "Surname": "Required",
        "BusinessRole": "Optional",
        "Email": "Optional",
    },
}
"""Permission → its fields; the documented nouns under names of our own."""
OBJECTS = {
    "Basic information about a student": "Student",
    "Contacts of a student": "Contact",
    "Basic information about staff": "Staff",
}
UNTICKED = frozenset({("Contacts of a student", "Email"), ("Basic information about a student", "UPN")})
"""What a school withholds under that fault."""
_YEARS = {0: "R", -1: "N2", -2: "N1"}
_TYPES = {"H": "Personal", "W": "Work"}
_PHONES = {"H": "Home", "W": "Work", "M": "Mobile"}


class IntegrisApi(Api):
    """`/datashare/v1/about`, `students`, `contacts`, `contactLinks` and `staff`."""

    slug: ClassVar[str] = "integris"
    mis_name: ClassVar[str] = "RM Integris"

    def platform(self, address: str) -> dict[str, str]:
        return {"address": address, "partner_key": PARTNER_KEY}

    def school_of(self, request: Request) -> str:
        return request.headers.get("x-school-dfe", "")

    def handle(self, request: Request) -> Response:
        hosted = self.simulation.schools.get(self.school_of(request))
        refused = self._refused(request, hosted)
        if refused or hosted is None:
            return refused or _error(403, "access_not_granted")
        name = request.path.removeprefix("/datashare/v1/")
        if name == "about":
            return in_json(_about(hosted))
        if name not in _RESOURCES:
            return _error(404, "not_found")
        return in_json(_page(hosted, name, request))

    def _refused(self, request: Request, hosted: Hosted | None) -> Response | None:
        key_good = request.headers.get("x-partner-key") == PARTNER_KEY
        if not key_good or (hosted and hosted.fault is Fault.EXPIRED_TOKEN):
            return _error(401, "partner_key_not_valid")
        if hosted is None or hosted.fault in (Fault.PENDING, Fault.WITHDRAWN):
            return _error(403, "access_not_granted")
        return None


API = IntegrisApi


def _error(status: int, code: str) -> Response:
    return in_json({"error": code}, status=status)


def _dfe_number(hosted: Hosted) -> str:
    return ANOTHER_SCHOOL if hosted.fault is Fault.WRONG_SCHOOL else hosted.school.dfe_number


def _about(hosted: Hosted) -> dict[str, Any]:
    return {
        "schoolDfe": _dfe_number(hosted),
        "schoolName": hosted.school.name,
        "permissions": [
            {
                "name": permission,
                "object": OBJECTS[permission],
                "granted": True,
                "fields": [
                    {"name": name, "requirement": requirement, "granted": not _unticked(hosted, permission, name)}
                    for name, requirement in fields.items()
                ],
            }
            for permission, fields in PERMISSIONS.items()
        ],
    }


def _unticked(hosted: Hosted, permission: str, name: str) -> bool:
    return hosted.fault is Fault.UNTICKED and (permission, name) in UNTICKED


def _page(hosted: Hosted, name: str, request: Request) -> dict[str, Any]:
    start, count = request.number("offset", 0), min(request.number("limit", 100), LARGEST_PAGE)
    if name == "students":
        hosted.between_pages(start)
    items, write, permission = _RESOURCES[name]
    everything = items(hosted.people())
    fields = PERMISSIONS[permission]
    hidden = {field for field in fields if _unticked(hosted, permission, field)}
    hidden |= {f"{field}s" for field in hidden}
    rows = [write(item) for item in hosted.page(everything, start, count)]
    return {
        "schoolDfe": _dfe_number(hosted),
        "total": len(everything),
        "offset": start,
        "limit": count,
        name: [{key: value for key, value in row.items() if key not in hidden} for row in rows],
    }


def _pupils(people: People) -> list[Pupil]:
    """Everybody on roll: Datashare is assumed to know neither leavers nor those still to come."""
    return people.on_roll()


def _links(people: People) -> list[Link]:
    return [link for pupil in _pupils(people) for link in people.links[pupil.id] if not link.applicant]


def _contacts(people: People) -> list[Contact]:
    """Whoever is linked to at least one student."""
    linked = {link.contact_id for link in _links(people)}
    return [contact for contact in people.contacts.values() if contact.id in linked]


def _staff(people: People) -> list[Staff]:
    return [member for member in people.staff.values() if member.leaving_date is None]


def _student(pupil: Pupil) -> dict[str, Any]:
    return {
        "StudentID": str(pupil.id),
        "UPN": pupil.upn,
        "FirstName": pupil.forename,
        "KnownName": pupil.chosen_name,
        "Surname": pupil.surname,
        "LegalSurname": pupil.legal_surname,
        "DateOfBirth": pupil.dob.isoformat(),
        "CurrentYearGroup": _YEARS.get(pupil.year, str(pupil.year)),
        "CurrentClass": pupil.reg,
    }


def _contact(contact: Contact) -> dict[str, Any]:
    return {
        "ContactID": str(contact.id),
        "Title": contact.title,
        "FirstName": contact.forename,
        "Surname": contact.surname,
        "Emails": [*_emails(contact.emails)],
        "Phones": [*_phones(contact.telephones)],
    }


def _emails(emails: Sequence[Email]) -> Iterator[dict[str, Any]]:
    """Write the default last, where there are several: an order that means nothing."""
    default = next((email for email in emails if email.main), None)
    for email in reversed(emails):
        kind = _TYPES.get(email.location or "", "Other")
        yield {"Email": email.address, "Type": kind, "Default": email is default}


def _phones(telephones: Sequence[Telephone]) -> Iterator[dict[str, Any]]:
    mobile = next((telephone for telephone in telephones if telephone.location == "M"), None)
    for telephone in telephones:
        yield {
            "Phone": telephone.number,
            "Type": _PHONES.get(telephone.location or "", "Other"),
            "SetAsMobile": telephone is mobile,
            "Main": bool(telephone.main),
        }


def _link(link: Link) -> dict[str, Any]:
    return {
        "ContactID": str(link.contact_id),
        "StudentID": str(link.pupil_id),
        "Relationship": link.relationship,
        "ParentalResponsibility": link.responsibility,
        "EmergencyRanking": link.priority,
    }


def _member(member: Staff) -> dict[str, Any]:
    return {
        "StaffID": str(member.id),
        "Forename": member.forename,
        "KnownName": member.chosen_name,
        "Surname": member.surname,
        "BusinessRole": member.role,
        "Email": next((email.address for email in member.emails), None),
    }


_RESOURCES: dict[str, tuple[Callable[[People], Sequence[Any]], Callable[[Any], dict[str, Any]], str]] = {
    "students": (_pupils, _student, "Basic information about a student"),
    "contacts": (_contacts, _contact, "Contacts of a student"),
    "contactLinks": (_links, _link, "Contacts of a student"),
    "staff": (_staff, _member, "Basic information about staff"),
}
