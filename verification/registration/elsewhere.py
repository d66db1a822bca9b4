"""Whether somebody else, at another school, has an address that an invitation went to. No writes."""

from __future__ import annotations

from django.db.models import F

from hub.core import scope
from hub.core.models import School
from hub.people.models import ContactDetail
from verification.owners import Owner
from verification.registration.rules import Name, may_be_one

_NAMES = (
    "contact__title",
    "contact__forename",
    "contact__surname",
    "staff__title",
    "staff__forename",
    "staff__surname",
)


def name_of(owner: Owner) -> Name:
    """Return how a record calls its person."""
    return Name(owner.title, owner.forename, owner.surname)


def is_anothers(owner: Owner, kind: str, value: str) -> bool:
    """Whether another school has this address for somebody who is not this person: they read the same mailbox.

    Nobody is asked for more because their own school and another one know them by the same address.
    """
    if not value:
        return False
    with scope.every_school():
        schools = list(School.objects.exclude(pk=owner.school_id).values_list("pk", flat=True))
        found = ContactDetail.objects.filter(school__in=schools, kind=kind, contact__merged_into=None)
        said = found.filter(mis_value=value).exclude(mis_value=F("value"))
        names = [*found.filter(value=value).values_list(*_NAMES), *said.values_list(*_NAMES)]
    mine = name_of(owner)
    return any(not may_be_one(mine, Name(*(part or "" for part in _of(row)))) for row in names)


def _of(row: tuple[str | None, ...]) -> tuple[str | None, ...]:
    """Return the title, forename and surname of whichever of the two the detail belongs to."""
    return row[:3] if row[2] is not None else row[3:]
