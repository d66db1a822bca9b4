"""Connected parents with proven details, made in one line each."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection

from hub.accounts.models import Account
from hub.core import scope
from hub.core.models import School
from hub.people.models import Connection, Contact, DetailSource
from tests.factories.people import LONG_AGO, give, make_contact, make_pupil, tie

EMAIL, MOBILE = "ngozi@example.org", "+447700900123"
BOTH = ("email", "mobile")


def make_login(email: str | None = EMAIL, name: str = "Ngozi Okafor", **fields: object) -> Account:
    return Account.objects.create_user(email, name=name, password="correct horse battery", **fields)


def make_parent(
    school: School,
    account: Account | None = None,
    *,
    forename: str = "Ngozi",
    surname: str = "Okafor",
    email: str = EMAIL,
    mobile: str = MOBILE,
    proven: Collection[str] = BOTH,
    at: dt.datetime = LONG_AGO,
) -> Connection:
    """A parent of Millie, connected, whose details are as the MIS says and, those `proven`, confirmed by them."""
    with scope.schools(school.pk):
        contact = make_contact(school, forename, surname, make_pupil(school, year_group="6", registration_group="6HB"))
        for kind, value in (("email", email), ("mobile", mobile)):
            if value and kind in proven:
                by = {"source": DetailSource.PERSON, "changed_by": str(contact), "verified_at": at}
                give(contact, kind, value, **by)
            elif value:
                give(contact, kind, value)
        made = tie(contact, account or make_login(email or None, f"{forename} {surname}"), at)
        return Connection.objects.select_related("school", "contact", "staff", "account").get(pk=made.pk)


def value_of(contact: Contact | None, kind: str) -> str:
    """What is in use now."""
    assert contact is not None
    with scope.schools(contact.school_id):
        found = contact.details.filter(kind=kind).first()
        return found.value if found else ""
