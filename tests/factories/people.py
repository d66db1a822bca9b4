"""People of a school, made in one line each."""

from __future__ import annotations

import datetime as dt
from typing import Any

from hub.accounts.models import Account
from hub.core.models import School
from hub.people.models import (
    Connection,
    Contact,
    ContactDetail,
    DetailSource,
    Group,
    GroupKind,
    GroupMember,
    IdentityKind,
    MisIdentity,
    MisSource,
    Pupil,
    PupilContact,
    Staff,
)

LONG_AGO = dt.datetime(2026, 9, 1, 2, 4, tzinfo=dt.UTC)


def make_source(school: School) -> MisSource:
    source, _ = MisSource.objects.get_or_create(
        school=school, generation=1, defaults={"connector": "sims", "started_at": LONG_AGO}
    )
    return source


def make_pupil(school: School, forename: str = "Millie", surname: str = "Okafor", **fields: Any) -> Pupil:
    return Pupil.objects.create(school=school, forename=forename, surname=surname, **fields)


def make_contact(
    school: School, forename: str = "Ngozi", surname: str = "Okafor", *pupils: Pupil, **fields: Any
) -> Contact:
    """A contact, linked as mother to each of `pupils`."""
    contact = Contact.objects.create(school=school, forename=forename, surname=surname, **fields)
    for pupil in pupils:
        link(pupil, contact)
    return contact


def link(pupil: Pupil, contact: Contact, **fields: Any) -> PupilContact:
    fields = {"relationship": "Mother", "priority": 1, "parental_responsibility": True} | fields
    return PupilContact.objects.create(school=pupil.school, pupil=pupil, contact=contact, **fields)


def make_staff(school: School, forename: str = "Tom", surname: str = "Marsh", **fields: Any) -> Staff:
    return Staff.objects.create(school=school, forename=forename, surname=surname, **fields)


def give(owner: Contact | Staff, kind: str, value: str, mis_value: str | None = None, **fields: Any) -> ContactDetail:
    """A detail that the MIS said; another `mis_value` makes it differ."""
    fields = {"source": DetailSource.MIS, "changed_at": LONG_AGO, "mis_changed_at": LONG_AGO} | fields
    owner_field = "contact" if isinstance(owner, Contact) else "staff"
    return ContactDetail.objects.create(
        school=owner.school,
        kind=kind,
        value=value,
        mis_value=value if mis_value is None else mis_value,
        **{owner_field: owner},
        **fields,
    )


def make_identity(person: Pupil | Contact | Staff, external_id: str = "1001", **fields: Any) -> MisIdentity:
    kind = IdentityKind(person._meta.model_name or "")
    return MisIdentity.objects.create(
        school=person.school,
        source=make_source(person.school),
        kind=kind,
        external_id=external_id,
        digest=b"x" * 16,
        **{kind.value: person},
        **fields,
    )


def tie(owner: Contact | Staff, account: Account, at: dt.datetime = LONG_AGO) -> Connection:
    """Connect `owner` without the ceremony of the service."""
    field = "contact" if isinstance(owner, Contact) else "staff"
    return Connection.objects.create(
        school=owner.school, account=account, invited_at=at, connected_at=at, **{field: owner}
    )


def make_group(school: School, name: str = "6HB", *pupils: Pupil, kind: str = GroupKind.REGISTRATION) -> Group:
    group, _ = Group.objects.get_or_create(school=school, kind=kind, name=name)
    for pupil in pupils:
        GroupMember.objects.create(school=school, group=group, pupil=pupil)
    return group
