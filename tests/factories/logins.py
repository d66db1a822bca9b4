"""Logins of parents, with records and proven details, in one line each."""

from __future__ import annotations

import datetime as dt
from typing import Any

from hub.accounts.models import Account
from hub.core import scope
from hub.core.models import School
from hub.people.models import Contact, ContactDetail, DetailSource, Pupil
from tests.factories.people import LONG_AGO, give, make_contact, make_pupil, tie

PASSWORD = "correct horse battery"


def proven(owner: Any, kind: str, value: str, mis_value: str | None = None, **fields: Any) -> ContactDetail:
    """A detail that its owner has proved."""
    said = {"source": DetailSource.PERSON, "verified_at": LONG_AGO} | fields
    return give(owner, kind, value, mis_value, **said)


def a_parent(
    school: School,
    forename: str = "Ngozi",
    surname: str = "Okafor",
    *,
    pupil: Pupil | None = None,
    email: str = "",
    mobile: str = "",
    signs_in_by: dict[str, str] | None = None,
    at: dt.datetime = LONG_AGO,
) -> tuple[Account, Contact]:
    """A connected parent of a pupil with these proven details; signs in by them, or by `signs_in_by`."""
    names = {"email": email or None, "mobile": mobile or None} if signs_in_by is None else signs_in_by
    account = Account.objects.create_user(
        names.get("email"), name=f"{forename} {surname}", password=PASSWORD, mobile=names.get("mobile")
    )
    return account, a_record(account, school, forename, surname, pupil=pupil, email=email, mobile=mobile, at=at)


def a_record(
    account: Account,
    school: School,
    forename: str = "Ngozi",
    surname: str = "Okafor",
    *,
    pupil: Pupil | None = None,
    email: str = "",
    mobile: str = "",
    at: dt.datetime = LONG_AGO,
) -> Contact:
    """A record at a school, connected with this login."""
    with scope.schools(school.pk):
        contact = make_contact(school, forename, surname, pupil or make_pupil(school))
        for kind, value in (("email", email), ("mobile", mobile)):
            if value:
                proven(contact, kind, value)
        tie(contact, account, at)
    return contact
