"""“Not my child”: a parent says so, sees nothing of the pupil at once, and the office decides what is right."""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.db.models import QuerySet

from hub.accounts.models import Account
from hub.core import alerts, audit
from hub.core.models import Alert, School, Severity
from hub.people.models import Contact, PupilContact
from verification import telling
from verification.changes.drafting import draft
from verification.errors import ChangeRefused
from verification.models import TO_COPY, DetailChange, Field, MisState, Origin, Status
from verification.owners import lock

_KEY = "not-my-child-"


@transaction.atomic
def not_my_child(*, account: Account, link: PupilContact, by_name: str, now: dt.datetime) -> DetailChange:
    """Withhold the pupil from this parent at once, list it for the MIS and alert the office.

    Said twice it is the same row. The caller has found the link among the login's own.
    """
    lock([link.contact], links=True)
    held = PupilContact.objects.select_for_update(of=("self",)).select_related("pupil", "contact").get(pk=link.pk)
    known = _standing(held.contact, held).first()
    if held.denied_at is not None and known is not None:
        return known
    PupilContact.objects.filter(pk=held.pk).update(denied_at=now)
    link.denied_at = now
    change = draft(
        owner=held.contact,
        field=Field.CHILD,
        old_value=held.relationship or "Related",
        new_value="Not my child",
        origin=Origin.PERSON,
        made_by=by_name,
        account=account,
        pupil=held.pupil,
        status=Status.APPROVED,
        mis_state=MisState.TO_UPDATE,
        now=now,
    )
    change.effective_at = now
    change.save()
    _alert(held, by_name, now)
    _record(held, account, "child.denied", now)
    return change


@transaction.atomic
def give_back(*, change: DetailChange, by: Account, now: dt.datetime) -> None:
    """Let the parent see the pupil again: the office knows better. Raises `ChangeRefused` if it did so already."""
    if change.contact is not None:
        lock([change.contact], links=True)
    mine = DetailChange.objects.filter(pk=change.pk, field=Field.CHILD, status=Status.APPROVED)
    said = {
        "status": Status.REJECTED,
        "mis_state": MisState.NOTHING,
        "answered_at": now,
        "answered_by": str(by)[:200],
        "reason": "The office gave access back.",
    }
    if not mine.update(**said):
        raise ChangeRefused("Access was given back already.")
    links = _links(change)
    links.update(denied_at=None)
    for link in links:
        alerts.resolve_alert(school=link.school, key=_key(link), now=now)
        _record(link, by, "child.given_back", now)


def row_of(link: PupilContact) -> DetailChange | None:
    """Return the standing row that says of this link “not my child”."""
    return _standing(link.contact, link).first()


def close_alerts(*, school: School, now: dt.datetime) -> int:
    """Close the alerts about children that need nobody any more; returns how many.

    The office has marked the row done or given access back, or the MIS has ended the link.
    """
    raised = {alert.key: alert for alert in Alert.objects.filter(school=school, key__startswith=_KEY, resolved_at=None)}
    if not raised:
        return 0
    waiting = DetailChange.objects.filter(
        school=school, field=Field.CHILD, status=Status.APPROVED, mis_state__in=TO_COPY
    ).values_list("contact_id", "pupil_id")
    pairs = set(waiting)
    links = PupilContact.objects.filter(school=school, pk__in=[int(key.removeprefix(_KEY)) for key in raised])
    needed = {_key(link) for link in links if (link.contact_id, link.pupil_id) in pairs}
    over = [alert.pk for key, alert in raised.items() if key not in needed]
    return Alert.objects.filter(pk__in=over).update(resolved_at=now)


def _links(change: DetailChange) -> QuerySet[PupilContact]:
    found = PupilContact.objects.filter(school_id=change.school_id, contact=change.contact, pupil=change.pupil)
    return found.select_related("school", "pupil", "contact")


def _standing(contact: Contact, link: PupilContact) -> QuerySet[DetailChange]:
    return DetailChange.objects.filter(
        school_id=link.school_id, contact=contact, pupil_id=link.pupil_id, field=Field.CHILD, status=Status.APPROVED
    ).order_by("-made_at")


def _alert(link: PupilContact, by_name: str, now: dt.datetime) -> None:
    says = f"{by_name} says that {link.pupil} is not their child"
    alerts.raise_alert(
        school=link.school,
        key=_key(link),
        severity=Severity.WARN,
        title=says,
        body=(
            f"{by_name} sees nothing of {link.pupil} since then. If that is right, take the link out in the MIS: the "
            "report lists it until then. If it is wrong, give access back on their page."
        ),
        button=f"See {by_name}"[:40],
        path=f"people/contacts/{link.contact_id}/",
        now=now,
    )
    telling.tell_office(
        school=link.school,
        kind="concern",
        template="not_my_child",
        context={"person": by_name, "pupil": str(link.pupil), "path": f"people/contacts/{link.contact_id}/"},
        now=now,
    )


def _key(link: PupilContact) -> str:
    return f"{_KEY}{link.pk}"


def _record(link: PupilContact, by: Account, action: str, now: dt.datetime) -> None:
    audit.record(
        school=link.school,
        by=by,
        action=action,
        object_kind="contact",
        object_id=link.contact_id,
        data={"pupil": link.pupil_id},
        now=now,
    )
