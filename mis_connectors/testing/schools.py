"""Simulated schools for the contract: one with every field filled in, one with codes that nobody knows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields

from mis_connectors.records import (
    ContactRecord,
    IncomingPayload,
    Kind,
    LinkRecord,
    Opened,
    PupilRecord,
    Record,
    Snapshot,
    StaffRecord,
)
from mis_connectors.simulators.model import Email, Telephone
from mis_connectors.simulators.school import School, generate

RELATIONSHIP = "Zorb 9"
TITLE = "Xqz"
ROLE = "Nobody knows this role"
_OF: dict[str, type] = {"pupil": PupilRecord, "contact": ContactRecord, "link": LinkRecord, "staff": StaffRecord}
CANONICAL = frozenset(
    f"{kind}.{field.name}"
    for kind, made in _OF.items()
    for field in fields(made)
    if field.name not in ("links", "pupil_external_id")
)
"""Every field there is, as `ConnectorInfo.supplies` names them."""
_EMPTY: tuple[object, ...] = (None, (), "")


def small(seed: int = 5, size: int = 24) -> School:
    return generate(seed=seed, size=size)


def full(size: int = 40) -> School:
    """Return a school in which everything that an MIS may hold is held of somebody."""
    school = generate(seed=7, size=size)
    pupils, staff = list(school.pupils.values()), list(school.staff.values())
    one, two, three = school.on_roll()[:3]
    school.leave(pupils[-1].id)
    one.former_upn, one.middle_names, one.chosen_name, one.legal_surname = "A123456789012", "Ruth", "Millie", "Hale"
    two.house, two.class_name, two.pre_admission = "Oak", "2x/Ma1", False
    three.pre_admission, three.admission_date = True, school.today
    contact = school.contacts[school.links[one.id][0].contact_id]
    contact.language, contact.title, contact.gender = "Polish", "Mrs", "Female"
    contact.telephones, contact.emails = [Telephone("07700 900123")], [Email("ngozi.okafor@example.org")]
    link = school.links[one.id][0]
    link.priority, link.responsibility, link.court_order = 1, True, False
    link.lives_with, link.correspondence = True, True
    school.links[two.id][-1].applicant = True
    staff[0].chosen_name, staff[0].role, staff[0].reg = "Tom", "Teacher", one.reg
    staff[0].telephone, staff[0].emails = Telephone("07700 900124"), [Email("tom@school.example.org", "W")]
    school.staff_leave(staff[-1].id)
    return school


def strange() -> School:
    """Return a school with codes in it that no MIS has ever had, and letters that few do."""
    school = small()
    for pupil in school.pupils.values():
        pupil.gender, pupil.surname, pupil.house = "Q?", "Ó’Neïll-𝔘 \u202eŁ", "—"
    for contact in school.contacts.values():
        contact.title, contact.gender, contact.language = TITLE, "Neither & <both>", "qqq-Zz"
        for telephone in contact.telephones:
            telephone.location = "Q"
        for email in contact.emails:
            email.location = "Q"
    for link in school.all_links():
        link.relationship, link.priority = RELATIONSHIP, 99
    for member in school.staff.values():
        member.role, member.reg = ROLE, "99ZZ"
    return school


def private(school: School) -> list[str]:
    """Return what may stand in no message or log: everybody's addresses and numbers."""
    found = [email.address for contact in school.contacts.values() for email in contact.emails]
    found += [telephone.number for contact in school.contacts.values() for telephone in contact.telephones]
    found += [contact.address for contact in school.contacts.values()]
    return [text for text in found if len(text) > 6]


def opened(snapshot: Snapshot) -> dict[tuple[Kind, str], Opened]:
    """Return every record opened, by key; each key must stand once."""
    found = {(record.kind, record.external_id): record.open() for record in snapshot.records}
    assert len(found) == len(snapshot.records), "a kind and external id stand twice"
    return found


def said(snapshot: Snapshot) -> tuple[object, ...]:
    """Return everything a snapshot says, to compare."""
    return (
        [(one.kind, one.external_id, one.digest, one.file, one.row, one.open()) for one in snapshot.records],
        snapshot.complete,
        snapshot.dfe_numbers,
        snapshot.lacking,
        snapshot.notes,
        [(one.kind, one.digest, one.row, problem) for one, problem in snapshot.orphans],
    )


def values(record: Record) -> Iterator[tuple[str, object]]:
    """Yield each canonical field of a record with its value, links too."""
    kind = next(name for name, made in _OF.items() if isinstance(record, made))
    for field in fields(record):
        if field.name != "links":
            yield f"{kind}.{field.name}", getattr(record, field.name)
    for link in record.links if isinstance(record, ContactRecord) else ():
        for field in fields(link):
            if field.name != "pupil_external_id":
                yield f"link.{field.name}", getattr(link, field.name)


def supplied(snapshot: Snapshot) -> frozenset[str]:
    """Return the fields that some record has a value in; `applicant_only` counts where it is true."""
    return frozenset(
        name
        for one in opened(snapshot).values()
        if one.record is not None
        for name, value in values(one.record)
        if value not in _EMPTY and not (name == "link.applicant_only" and value is False)
    )


def texts(record: Record) -> Iterator[str]:
    """Yield all text of a record."""
    for _, value in values(record):
        yield from (one for one in (value if isinstance(value, tuple) else (value,)) if isinstance(one, str))


def incoming(data: bytes, name: str, *, limit: int = 1 << 26, salt: bytes = b"contract") -> IncomingPayload:
    """Return bytes as a payload that counts nothing and can be opened again and again."""
    from io import BytesIO

    return IncomingPayload(filename=name, open=lambda: BytesIO(data), unpacked_limit=limit, salt=salt)
