"""Whose a row is: the record, its login, every record of a login.

Whoever writes a change locks its person first, by `lock`. An import locks the same rows before it writes a detail.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from django.db.models import Q

from hub.accounts.models import Account
from hub.core import scope
from hub.core.models import School
from hub.people import selectors as people
from hub.people.locking import lock_people as lock
from hub.people.models import Connection, Contact, Staff
from verification.models import DetailChange

__all__ = ["Circle", "Owner", "OwnerKey", "circle_of", "key_of", "lock", "login_of", "of_owner", "owned", "owner_of"]

Owner = Contact | Staff
OwnerKey = tuple[str, int]


def key_of(owner: Owner) -> OwnerKey:
    """Return what names a record within its school: `("contact", 17)`."""
    return owner._meta.model_name or "", owner.pk


def owned(owner: Owner) -> dict[str, int | None]:
    """Return the columns that say whose a row is; naming the other as none lets PostgreSQL use the unique index."""
    if isinstance(owner, Staff):
        return {"school_id": owner.school_id, "contact_id": None, "staff_id": owner.pk}
    return {"school_id": owner.school_id, "contact_id": owner.pk, "staff_id": None}


def of_owner(owner: Owner, field: str = "") -> Q:
    """The rows of one record; of one field, if given."""
    mine = Q(**owned(owner))
    return mine & Q(field=field) if field else mine


def owner_of(row: Connection | DetailChange) -> Owner:
    """Return the contact or member of staff a row belongs to."""
    owner = row.contact or row.staff
    assert owner is not None
    return owner


def login_of(owner: Owner) -> Account | None:
    """Return the login of a Connected person."""
    tie = people.open_connection(owner)
    return tie.account if tie is not None and tie.connected_at else None


@dataclass(frozen=True, slots=True)
class Circle:
    """A login and every record it is connected to; what a person does, they do inside it."""

    account: Account
    connections: tuple[Connection, ...]

    @property
    def owners(self) -> list[Owner]:
        return [owner_of(one) for one in self.connections]

    @property
    def schools(self) -> list[School]:
        """Return the schools, each once, in the order in which a person reads them."""
        return list({one.school_id: one.school for one in self.connections}.values())

    def own(self, row: DetailChange) -> Owner | None:
        """Return which of these records the row is of; None for a stranger's, which is not looked for."""
        place = (row.school_id, row.contact_id, row.staff_id)
        mine = (one for one in self.connections if (one.school_id, one.contact_id, one.staff_id) == place)
        found = next(mine, None)
        return owner_of(found) if found else None

    def mine(self) -> Q:
        """The rows of these records: of changes, details and connections alike."""
        contacts = [one.contact_id for one in self.connections if one.contact_id]
        staff = [one.staff_id for one in self.connections if one.staff_id]
        places = Q(contact_id__in=contacts, staff=None) | Q(staff_id__in=staff, contact=None)
        return Q(school_id__in={one.school_id for one in self.connections}) & places


@contextmanager
def circle_of(account: Account, *also: int) -> Iterator[Circle]:
    """See the schools the login is connected at, and `also` these; no transaction is begun."""
    found = Circle(account, people.connections_of(account))
    with scope.schools(*sorted({*also, *(one.school_id for one in found.connections)})):
        yield found
