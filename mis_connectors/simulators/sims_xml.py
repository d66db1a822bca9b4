"""Writes a simulated school as SIMS's CommandReporter would: three reports, and the agent's zip of them.

Built from strings in one pass; what of it is SIMS's and what is ours is told in `README.md`.
"""

from __future__ import annotations

import datetime as dt
import io
import json
import zipfile
from collections.abc import Callable, Iterable, Iterator
from typing import BinaryIO

from mis_connectors.simulators.model import Contact, Email, Link, People, Pupil, Staff, Telephone
from mis_connectors.simulators.names import words

_ENCODING = "windows-1252"
_START = '<?xml version="1.0" encoding="iso-8859-1" standalone="yes"?>\r\n<SuperStarReport>\r\n'
_END = "</SuperStarReport>\r\n"
_BATCH = 500
_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})

PUPIL_COLUMNS = words(
    "SchoolDfE primary_id PupilExternalID UPN FormerUPN Adno Forename MiddleNames ChosenName Surname "
    "Legal_x0020_Surname DOB Gender Year Reg House Class DateOfAdmission LeavingDate PreAdmission"
)
CONTACT_COLUMNS = words(
    "SchoolDfE PupilID PupilExternalID ContactID ContactExternalID ContactTitle ContactForename ContactSurname "
    "ContactGender Relationship Priority Parental_x0020_Responsibility Court_x0020_Order Lives_x0020_With "
    "Correspondence ApplicantLink Telephone TelephoneLocation TelephoneMain Email EmailLocation EmailMain "
    "ContactAddress ContactPostcode ContactLanguage"
)
STAFF_COLUMNS = words(
    "SchoolDfE StaffID StaffExternalID StaffCode StaffTitle StaffForename StaffSurname StaffChosenName StaffRole "
    "StaffReg StaffTelephone StaffTelephoneLocation StaffEmail StaffEmailLocation StaffLeavingDate"
)
IDENTITIES = frozenset(words("primary_id PupilID PupilExternalID ContactID ContactExternalID StaffID StaffExternalID"))
"""What SIMS leaves out, without a word, for a user who is not in Third Party Reporter."""
_YEARS = {0: "Reception", -1: "Nursery", -2: "N1"}


def write_pupils(school: People, out: BinaryIO, *, hide: frozenset[str] = frozenset()) -> None:
    """Write the report *Schoolgate Pupils*; columns in `hide` are left out as SIMS would."""
    _write(out, PUPIL_COLUMNS, _pupil_rows(school, hide), hide)


def write_contacts(school: People, out: BinaryIO, *, hide: frozenset[str] = frozenset()) -> None:
    """Write *Schoolgate Contacts*: a row for each pupil × contact × telephone × email."""
    _write(out, CONTACT_COLUMNS, _contact_rows(school, hide), hide)


def write_staff(school: People, out: BinaryIO, *, hide: frozenset[str] = frozenset()) -> None:
    """Write *Schoolgate Staff*."""
    _write(out, STAFF_COLUMNS, _staff_rows(school, hide), hide)


def write_everything(school: People, out: BinaryIO, *, hide: frozenset[str] = frozenset()) -> None:
    """Write pupils and contacts as one report, the cross product of both."""
    element = _element(hide)
    own = {pupil.id: _pupil(pupil, school.dfe_number, element) for pupil in school.pupils.values()}
    _write(out, [*PUPIL_COLUMNS, *CONTACT_COLUMNS[3:]], _contact_rows(school, hide, own), hide)


WRITERS: dict[str, Callable[..., None]] = {
    "pupils.xml": write_pupils,
    "contacts.xml": write_contacts,
    "staff.xml": write_staff,
}
REPORTS = {"pupils.xml": "Schoolgate Pupils", "contacts.xml": "Schoolgate Contacts", "staff.xml": "Schoolgate Staff"}
"""File in the zip → name of the report in SIMS."""


def reports(school: People) -> dict[str, bytes]:
    """Return the three reports by file name."""
    written = {}
    for name, write in WRITERS.items():
        out = io.BytesIO()
        write(school, out)
        written[name] = out.getvalue()
    return written


def bundle(school: People, run_id: str, started_at: dt.datetime) -> bytes:
    """Return the zip an agent sends: the same school, run and moment give the same bytes."""
    return zipped(reports(school), run_id=run_id, started_at=started_at)


def zipped(files: dict[str, bytes], *, run_id: str, started_at: dt.datetime, agent_version: str = "1.0") -> bytes:
    """Return any files as one run of the agent, written ten seconds after it began."""
    written_at = (started_at + dt.timedelta(seconds=10)).isoformat()
    run = {
        "run_id": run_id,
        "started_at": started_at.isoformat(),
        "agent_version": agent_version,
        "hub": "",
        "files": dict.fromkeys(files, written_at),
    }
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        for name, data in {"run.json": json.dumps(run).encode(), **files}.items():
            info = zipfile.ZipInfo(name, date_time=(2026, 1, 1, 0, 0, 0))
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, data)
    return out.getvalue()


def _write(out: BinaryIO, columns: list[str], rows: Iterable[str], hide: frozenset[str]) -> None:
    """Stream the rows in batches. The bytes are windows-1252 under a declaration that says iso-8859-1."""
    out.write((_START + _schema([column for column in columns if column not in hide])).encode())
    batch: list[str] = []
    for row in rows:
        batch.append(row)
        if len(batch) == _BATCH:
            out.write("".join(batch).encode(_ENCODING, "xmlcharrefreplace"))
            batch.clear()
    out.write(("".join(batch) + _END).encode(_ENCODING, "xmlcharrefreplace"))


def _schema(columns: list[str]) -> str:
    """The inline schema that reports are commonly seen to begin with."""
    elements = "".join(
        f'          <xs:element name="{column}" type="xs:string" minOccurs="0" />\r\n' for column in columns
    )
    return (
        '  <xs:schema id="SuperStarReport" xmlns="" xmlns:xs="http://www.w3.org/2001/XMLSchema">\r\n'
        '    <xs:element name="Record">\r\n      <xs:complexType>\r\n        <xs:sequence>\r\n'
        f"{elements}"
        "        </xs:sequence>\r\n      </xs:complexType>\r\n    </xs:element>\r\n  </xs:schema>\r\n"
    )


Element = Callable[[str, object], str]


def _element(hide: frozenset[str]) -> Element:
    """Return the writer of one column: nothing at all where there is no value, as SIMS does."""

    def element(name: str, value: object) -> str:
        if value is None or name in hide:
            return ""
        if value is True or value is False:
            return f"    <{name}>{'T' if value else 'F'}</{name}>\r\n"
        if value == "":
            return f"    <{name} />\r\n"
        return f"    <{name}>{str(value).translate(_ESCAPES)}</{name}>\r\n"

    return element


def _day(day: dt.date | None) -> str | None:
    return f"{day.isoformat()}T00:00:00" if day else None


def _pupil_rows(school: People, hide: frozenset[str]) -> Iterator[str]:
    element = _element(hide)
    for pupil in school.pupils.values():
        yield f"  <Record>\r\n{_pupil(pupil, school.dfe_number, element)}  </Record>\r\n"


def _pupil(pupil: Pupil, dfe_number: str, element: Element) -> str:
    house = pupil.house or ("" if pupil.id % 2 else None)
    return "".join(
        (
            element("SchoolDfE", dfe_number),
            element("primary_id", pupil.id),
            element("PupilExternalID", pupil.guid),
            element("UPN", pupil.upn),
            element("FormerUPN", pupil.former_upn),
            element("Adno", pupil.adno),
            element("Forename", pupil.forename),
            element("MiddleNames", pupil.middle_names),
            element("ChosenName", pupil.chosen_name),
            element("Surname", pupil.surname),
            element("Legal_x0020_Surname", pupil.legal_surname),
            element("DOB", _day(pupil.dob)),
            element("Gender", pupil.gender),
            element("Year", None if pupil.pre_admission else _YEARS.get(pupil.year, f"Year  {pupil.year}")),
            element("Reg", pupil.reg),
            element("House", house),
            element("Class", pupil.class_name),
            element("DateOfAdmission", _day(pupil.admission_date)),
            element("LeavingDate", _day(pupil.leaving_date)),
            element("PreAdmission", pupil.pre_admission),
        )
    )


def _contact_rows(school: People, hide: frozenset[str], pupils: dict[int, str] | None = None) -> Iterator[str]:
    """Each link's rows; `pupils` holds the pupil's own columns where both stand in one report."""
    element = _element(hide)
    people = {contact.id: _contact(contact, element) for contact in school.contacts.values()}
    for pupil in school.pupils.values():
        links = school.links[pupil.id]
        if pupils is None:
            start = "  <Record>\r\n" + element("SchoolDfE", school.dfe_number) + element("PupilID", pupil.id)
            start += element("PupilExternalID", pupil.guid)
        else:
            start = f"  <Record>\r\n{pupils[pupil.id]}"
            if not links:
                yield f"{start}  </Record>\r\n"
        for link in links:
            name, details, address = people[link.contact_id]
            head = f"{start}{name}{_link(link, element)}"
            for detail in details:
                yield f"{head}{detail}{address}  </Record>\r\n"


def _contact(contact: Contact, element: Element) -> tuple[str, list[str], str]:
    """Return a contact's names, its telephone × email combinations and its address."""
    name = (
        element("ContactID", contact.id)
        + element("ContactExternalID", contact.guid)
        + element("ContactTitle", contact.title)
        + element("ContactForename", contact.forename)
        + element("ContactSurname", contact.surname)
        + element("ContactGender", contact.gender)
    )
    telephones = [_telephone(telephone, "Telephone", element) for telephone in contact.telephones] or [""]
    emails = [_email(email, "Email", element) for email in contact.emails] or [""]
    address = (
        element("ContactAddress", contact.address)
        + element("ContactPostcode", contact.postcode)
        + element("ContactLanguage", contact.language)
    )
    return name, [telephone + email for telephone in telephones for email in emails], address


def _telephone(telephone: Telephone, column: str, element: Element) -> str:
    said = element(column, telephone.number) + element(f"{column}Location", telephone.location)
    return said if column.startswith("Staff") else said + element(f"{column}Main", telephone.main)


def _email(email: Email, column: str, element: Element) -> str:
    said = element(column, email.address) + element(f"{column}Location", email.location)
    return said if column.startswith("Staff") else said + element(f"{column}Main", email.main)


def _link(link: Link, element: Element) -> str:
    return (
        element("Relationship", link.relationship)
        + element("Priority", link.priority)
        + element("Parental_x0020_Responsibility", link.responsibility)
        + element("Court_x0020_Order", link.court_order)
        + element("Lives_x0020_With", link.lives_with)
        + element("Correspondence", link.correspondence)
        + element("ApplicantLink", link.applicant)
    )


def _staff_rows(school: People, hide: frozenset[str]) -> Iterator[str]:
    element = _element(hide)
    for member in school.staff.values():
        telephone = _telephone(member.telephone, "StaffTelephone", element) if member.telephone else ""
        start = _staff(member, school.dfe_number, element)
        for said in [_email(email, "StaffEmail", element) for email in member.emails] or [""]:
            left = element("StaffLeavingDate", _day(member.leaving_date))
            yield f"  <Record>\r\n{start}{telephone}{said}{left}  </Record>\r\n"


def _staff(member: Staff, dfe_number: str, element: Element) -> str:
    return (
        element("SchoolDfE", dfe_number)
        + element("StaffID", member.id)
        + element("StaffExternalID", member.guid)
        + element("StaffCode", member.code)
        + element("StaffTitle", member.title)
        + element("StaffForename", member.forename)
        + element("StaffSurname", member.surname)
        + element("StaffChosenName", member.chosen_name)
        + element("StaffRole", member.role)
        + element("StaffReg", member.reg)
    )
