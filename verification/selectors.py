"""What is kept although the MIS says otherwise: the rows of the Verified User Changes Report. No writes."""

from __future__ import annotations

from django.db.models import Count, Exists, F, OuterRef, Prefetch, Q, QuerySet, Subquery

from hub.core.models import School
from hub.people.models import Connection, ContactDetail, PupilContact

_BY_PUPIL = ("pupil__surname", "pupil__forename", "pupil_id")
_KINDS = {
    "kept": Q(connected=True) & ~Q(value=""),
    "offers": Q(connected=True, value=""),
    "office": Q(connected=False),
}


def drift(school: School) -> QuerySet[ContactDetail]:
    """Return the details in use that differ from the MIS, and the offers, each with `connected` and its person.

    An offer has no value: a Connected person has none, the MIS has one. Of people not connected
    these are the details that the office has changed since the MIS last said something.
    """
    return (
        ContactDetail.objects.filter(school=school)
        .exclude(mis_value="")
        .exclude(mis_value=F("value"))
        .annotate(connected=_connected())
        .select_related("contact", "staff")
    )


def drift_by_pupil(school: School) -> QuerySet[ContactDetail]:
    """Return the same, by the first pupil of each parent, staff last; the standing links are loaded."""
    links = PupilContact.objects.filter(school=school, ended_on=None).select_related("pupil").order_by(*_BY_PUPIL)
    first = links.filter(contact=OuterRef("contact"))
    return (
        drift(school)
        .annotate(
            pupil_surname=Subquery(first.values("pupil__surname")[:1]),
            pupil_forename=Subquery(first.values("pupil__forename")[:1]),
            pupil_id=Subquery(first.values("pupil")[:1]),
        )
        .prefetch_related(Prefetch("contact__links", links, to_attr="standing_links"))
        .order_by(
            F("pupil_surname").asc(nulls_last=True),
            "pupil_forename",
            "pupil_id",
            "contact__surname",
            "contact_id",
            "staff__surname",
            "staff_id",
            "kind",
        )
    )


def of_kind(found: QuerySet[ContactDetail], kind: str) -> QuerySet[ContactDetail]:
    """Narrow to what is kept for the Connected, to offers, or to the office's own changes."""
    return found.filter(_KINDS[kind]) if kind in _KINDS else found


def counts(school: School) -> dict[str, int]:
    """Return how many rows of each kind there are, and `all`, in one query."""
    wanted = {kind: Count("pk", filter=condition) for kind, condition in _KINDS.items()}
    return drift(school).aggregate(all=Count("pk"), **wanted)


def count_drift(school: School) -> int:
    """Return how many kept values differ from the MIS."""
    return drift(school).count()


def _connected() -> Exists:
    theirs = Connection.objects.filter(connected_at__isnull=False, ended_at=None, school_id=OuterRef("school_id"))
    return Exists(theirs.filter(Q(contact=OuterRef("contact")) | Q(staff=OuterRef("staff"))))
