"""Making a school and keeping its details."""

from __future__ import annotations

import datetime as dt

from django.db import IntegrityError, transaction
from django.db.models import Model

from hub.core import audit, scope
from hub.core.errors import HubError
from hub.core.models import School


class SchoolRefused(HubError):
    """A school that cannot be made."""


def create_school(*, dfe_number: str, name: str, office_email: str = "", now: dt.datetime) -> School:
    """Make a school. Its DfE number (seven digits) is also its place in addresses.

    Raises `SchoolRefused` if a real school has that number already.
    """
    try:
        with scope.every_school(), transaction.atomic():
            school = School.objects.create(
                name=name.strip(), slug=dfe_number, dfe_number=dfe_number, office_email=office_email.strip().lower()
            )
            audit.record(school=school, by=None, action="school.created", now=now)
    except IntegrityError as error:
        raise SchoolRefused(f"There is a school with the DfE number {dfe_number} already.") from error
    return school


@transaction.atomic
def change_school(*, school: School, name: str, office_email: str, urn: str, by: Model, now: dt.datetime) -> None:
    """Change what a school is called and where its alerts go. Nothing is written if nothing differs."""
    wanted = {"name": name.strip(), "office_email": office_email.strip().lower(), "urn": urn.strip()}
    changed = {field: value for field, value in wanted.items() if getattr(school, field) != value}
    if not changed:
        return
    School.objects.filter(pk=school.pk).update(**changed)
    audit.record(school=school, by=by, action="school.changed", data=changed, now=now)
