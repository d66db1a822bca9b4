"""Verbs by which the office changes people: a detail of somebody not connected, and people added by hand."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from django.db import transaction

from hub.accounts.models import Account
from hub.core import audit
from hub.core.errors import HubError
from hub.core.models import School
from hub.people.confirming import judged
from hub.people.errors import ConnectedError, NotByHandError
from hub.people.models import Connection, Contact, ContactDetail, DetailSource, Staff
from hub.people.selectors import details_of


@transaction.atomic
def edit_detail(
    *, owner: Contact | Staff, kind: str, value: str, by: Account, now: dt.datetime
) -> ContactDetail | None:
    """Set the email or mobile of somebody not connected; blank clears it. Returns the detail, if there is one.

    Raises ConnectedError for somebody who is Connected, DetailRefusedError for what is no email or mobile.
    """
    field = "contact" if isinstance(owner, Contact) else "staff"
    type(owner).objects.select_for_update().get(pk=owner.pk)
    if Connection.objects.filter(**{field: owner}, connected_at__isnull=False, ended_at=None).exists():
        raise ConnectedError(
            f"{owner} is connected and looks after their own {kind}. Ask them to change it in the parents' portal."
        )
    new = judged(kind, value)
    detail = details_of(owner).filter(kind=kind).first()
    before = detail.value if detail else ""
    if new == before:
        return detail
    detail = detail or ContactDetail(**{field: owner}, school_id=owner.school_id, kind=kind)
    detail.value, detail.source, detail.deliverable = new, DetailSource.ORGANISATION, True
    detail.changed_at, detail.changed_by, detail.changed_import, detail.verified_at = now, str(by)[:200], None, None
    detail.save()
    _record(owner, by, "person.detail_edited", {"kind": kind, "before": before, "after": new}, now)
    return detail


@transaction.atomic
def add_by_hand(
    *,
    school: School,
    title: str = "",
    forename: str,
    surname: str,
    details: Mapping[str, str] | None = None,
    by: Account,
    now: dt.datetime,
) -> Contact:
    """Add somebody the MIS does not know, such as a governor; no import changes or ends them.

    Raises HubError without a surname, DetailRefusedError for a value that is no email or mobile.
    """
    if not surname.strip():
        raise HubError("Enter a surname.")
    contact = Contact.objects.create(
        school=school, title=title.strip(), forename=forename.strip(), surname=surname.strip(), made_by_hand=True
    )
    for kind, raw in (details or {}).items():
        if new := judged(kind, raw):
            ContactDetail.objects.create(
                school=school,
                contact=contact,
                kind=kind,
                value=new,
                source=DetailSource.ORGANISATION,
                changed_at=now,
                changed_by=str(by)[:200],
            )
    _record(contact, by, "person.added_by_hand", {"name": str(contact)}, now)
    return contact


@transaction.atomic
def remove_by_hand(*, contact: Contact, by: Account, now: dt.datetime) -> None:
    """Delete somebody who was added by hand. Raises NotByHandError for others, ConnectedError for the Connected."""
    if not contact.made_by_hand or contact.identities.exists():
        raise NotByHandError(f"{contact} came from the MIS. Take them out there, or add them to “Do not import”.")
    if contact.connections.filter(connected_at__isnull=False, ended_at=None).exists():
        raise ConnectedError(f"{contact} is connected. End the connection first.")
    _record(contact, by, "person.removed_by_hand", {"name": str(contact)}, now)
    contact.delete()


def _record(owner: Contact | Staff, by: Account, action: str, data: dict[str, str], now: dt.datetime) -> None:
    audit.record(
        school=owner.school,
        by=by,
        action=action,
        object_kind=owner._meta.model_name or "",
        object_id=owner.pk,
        data=data,
        now=now,
    )
