"""Progresso as we assume its Web API V2 answers: a username and password, JSON in pages by number.

Only how a school lets us in and the shape of the username are documented; see `mis_connectors/progresso/README.md`.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from mis_connectors.simulators.faults import Fault
from mis_connectors.simulators.hosting import Hosted
from mis_connectors.simulators.model import Contact, Email, Link, People, Pupil, Staff, Telephone
from mis_connectors.simulators.server import Api, Request, Response, in_json

PREFIX = "SG"
PASSWORD = "simulated-Pa55word"  # noqa: S105 - everybody's
LARGEST_PAGE = 200
ANOTHER_SCHOOL = "8239999"
_YEARS = {0: "Reception", -1: "Nursery", -2: "Nursery 1"}
_PLACES = {"H": "Home", "W": "Work", "M": "Mobile"}
_USERNAME = re.compile(r"[A-Za-z]+(\d{7})", re.ASCII)


class ProgressoApi(Api):
    """`/api/v2/school`, `students`, `contacts`, `studentcontacts` and `staff`."""

    slug: ClassVar[str] = "progresso"
    mis_name: ClassVar[str] = "Progresso"

    def platform(self, address: str) -> dict[str, str]:
        return {"address": address, "prefix": PREFIX}

    def settings(self, dfe_number: str) -> dict[str, str]:
        """Return what Progresso's email says."""
        return {"username": f"{PREFIX}{dfe_number}", "password": PASSWORD}

    def school_of(self, request: Request) -> str:
        found = _USERNAME.fullmatch(_signed_in(request)[0])
        return found[1] if found else ""

    def handle(self, request: Request) -> Response:
        hosted = self.simulation.schools.get(self.school_of(request))
        username, password = _signed_in(request)
        known = hosted is not None and username.startswith(PREFIX) and password == PASSWORD
        if hosted is None or not known or hosted.fault in (Fault.WITHDRAWN, Fault.EXPIRED_TOKEN):
            headers = {"WWW-Authenticate": 'Basic realm="Web API V2"'}
            return in_json({"Message": "The username or password is not correct."}, status=401, headers=headers)
        if hosted.fault is Fault.PENDING:
            return in_json({"Message": "The company has no access."}, status=403)
        name = request.path.removeprefix("/api/v2/").lower()
        if name == "school":
            return in_json(_school(hosted))
        if name not in _LISTS:
            return in_json({"Message": "Not found."}, status=404)
        return in_json(_page(hosted, name, request))


API = ProgressoApi


def _signed_in(request: Request) -> tuple[str, str]:
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return "", ""
    try:
        username, _, password = base64.b64decode(given, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    return username, password


def _school(hosted: Hosted) -> dict[str, Any]:
    number = ANOTHER_SCHOOL if hosted.fault is Fault.WRONG_SCHOOL else hosted.school.dfe_number
    return {"LA": number[:3], "Estab": number[3:], "SchoolName": hosted.school.name}


def _page(hosted: Hosted, name: str, request: Request) -> dict[str, Any]:
    number, size = max(1, request.number("Page", 1)), min(request.number("PageSize", 50), LARGEST_PAGE)
    start = (number - 1) * size
    if name == "students":
        hosted.between_pages(start)
    key, items, write = _LISTS[name]
    everything = items(hosted.people())
    return {
        "Page": number,
        "PageSize": size,
        "TotalPages": -(-len(everything) // size),
        key: [write(item) for item in hosted.page(everything, start, size)],
    }


def _pupils(people: People) -> list[Pupil]:
    """Everybody on roll, and the leavers of the last year; Progresso is assumed to keep applicants apart."""
    return [pupil for pupil in people.pupils.values() if not pupil.pre_admission]


def _links(people: People) -> list[Link]:
    return [link for pupil in _pupils(people) for link in people.links[pupil.id] if not link.applicant]


def _contacts(people: People) -> list[Contact]:
    """Whoever is linked to at least one pupil."""
    linked = {link.contact_id for link in _links(people)}
    return [contact for contact in people.contacts.values() if contact.id in linked]


def _staff(people: People) -> list[Staff]:
    return list(people.staff.values())


def _pupil(pupil: Pupil) -> dict[str, Any]:
    return {
        "StudentId": pupil.id,
        "UPN": pupil.upn,
        "AdmissionNumber": pupil.adno,
        "LegalForename": pupil.forename,
        "LegalSurname": pupil.legal_surname,
        "Forename": pupil.chosen_name or pupil.forename,
        "Surname": pupil.surname,
        "DateOfBirth": pupil.dob.isoformat(),
        "Gender": pupil.gender,
        "YearGroup": _YEARS.get(pupil.year, f"Year {pupil.year}"),
        "TutorGroup": pupil.reg,
        "House": pupil.house,
        "AdmissionDate": pupil.admission_date.isoformat() if pupil.admission_date else None,
        "LeavingDate": pupil.leaving_date.isoformat() if pupil.leaving_date else None,
    }


def _contact(contact: Contact) -> dict[str, Any]:
    return {
        "ContactId": contact.id,
        "Title": contact.title,
        "Forename": contact.forename,
        "Surname": contact.surname,
        "Address": contact.address,
        "Postcode": contact.postcode,
        "Telephones": [_telephone(one) for one in contact.telephones],
        "Emails": [_email(one) for one in contact.emails],
    }


def _telephone(telephone: Telephone) -> dict[str, Any]:
    kind = _PLACES.get(telephone.location or "", telephone.location)
    return {"Number": telephone.number, "Type": kind, "IsMain": telephone.main}


def _email(email: Email) -> dict[str, Any]:
    return {"Address": email.address, "Type": _PLACES.get(email.location or "", email.location), "IsMain": email.main}


def _link(link: Link) -> dict[str, Any]:
    return {
        "StudentId": link.pupil_id,
        "ContactId": link.contact_id,
        "Relationship": link.relationship,
        "Priority": link.priority,
        "ParentalResponsibility": link.responsibility,
    }


def _member(member: Staff) -> dict[str, Any]:
    return {
        "StaffId": member.id,
        "StaffCode": member.code,
        "Title": member.title,
        "Forename": member.chosen_name or member.forename,
        "Surname": member.surname,
        "LegalSurname": member.surname,
        "DisplayName": f"{member.title} {member.surname}",
        "Role": member.role,
        "TutorGroup": member.reg,
        "Telephones": [_telephone(member.telephone)] if member.telephone else [],
        "Emails": [_email(one) for one in member.emails],
        "LeavingDate": member.leaving_date.isoformat() if member.leaving_date else None,
    }


_LISTS: dict[str, tuple[str, Callable[[People], Sequence[Any]], Callable[[Any], dict[str, Any]]]] = {
    "students": ("Students", _pupils, _pupil),
    "contacts": ("Contacts", _contacts, _contact),
    "studentcontacts": ("StudentContacts", _links, _link),
    "staff": ("Staff", _staff, _member),
}
