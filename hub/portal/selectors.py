"""What a parent may see: the own records, their details, children and changes. One query each, however many.

Everything starts from the open connections of the login (`request.connections`), so that nothing of
another family can be found through here.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from typing import Any, TypeVar

from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from hub.core.models import School
from hub.core.prepared import AmongGiven, Given, Prepared
from hub.people import selectors as people
from hub.people.models import Connection, Contact, ContactDetail, Pupil, PupilContact, Staff
from verification.lifecycle import merging_rules
from verification.models import DetailChange, Merge, Origin, Status

Row = TypeVar("Row", ContactDetail, DetailChange)

THIS_WAS_NOT_ME = dt.timedelta(days=7)
"""How long after a change its person can say in the portal that it was not them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One record of the person at one school, with its details by kind."""

    connection: Connection
    owner: Contact | Staff
    details: dict[str, ContactDetail] = field(default_factory=dict)

    @property
    def school(self) -> School:
        return self.connection.school

    @property
    def is_staff(self) -> bool:
        return isinstance(self.owner, Staff)


@dataclass(frozen=True, slots=True, kw_only=True)
class Child:
    """A pupil this parent sees, and the link by which they do."""

    link: PupilContact
    school: School

    @property
    def pupil(self) -> Pupil:
        return self.link.pupil

    @property
    def year(self) -> str:
        """`Year 6`; `Reception` and the like as the school writes them."""
        year = self.pupil.year_group
        return _("Year {number}").format(number=year) if year.isdecimal() else year


def owner_of(connection: Connection) -> Contact | Staff:
    """Return whose record the connection is."""
    owner = connection.contact or connection.staff
    assert owner is not None
    return owner


def records(connections: Iterable[Connection]) -> list[Record]:
    """Return the person's records with their details, by school."""
    own = list(connections)
    found: dict[tuple[int | None, int | None], dict[str, ContactDetail]] = {}
    for detail in _details(_is_staff(own))(**_ids(own)) if own else ():
        found.setdefault((detail.contact_id, detail.staff_id), {})[detail.kind] = detail
    return [
        Record(connection=one, owner=owner_of(one), details=found.get((one.contact_id, one.staff_id), {}))
        for one in own
    ]


def children(connections: Iterable[Connection], on: dt.date) -> list[Child]:
    """Return the children this parent sees on this day, by school and forename; each once."""
    schools = {one.school_id: one.school for one in connections if one.contact_id}
    once: dict[int, PupilContact] = {}
    for link in _seen_links(**_ids(connections), on=on) if schools else ():
        once.setdefault(link.pupil_id, link)
    found = [Child(link=link, school=schools[link.school_id]) for link in once.values()]
    return sorted(found, key=lambda child: (child.school.name, child.pupil.date_of_birth or dt.date.max))


def links_to(connections: Iterable[Connection], pupil_id: int, on: dt.date) -> list[PupilContact]:
    """Return every link by which this parent sees the pupil; none for somebody else's child."""
    return list(_links(connections, on).filter(pupil_id=pupil_id).select_related("pupil", "contact", "school"))


def _links(connections: Iterable[Connection], on: dt.date) -> QuerySet[PupilContact]:
    own = [one for one in connections if one.contact_id]
    return PupilContact.objects.filter(
        people.with_sight(on),
        school_id__in={one.school_id for one in own},
        contact_id__in=[one.contact_id for one in own],
    )


def changes(connections: Iterable[Connection]) -> QuerySet[DetailChange]:
    """Return every change of this person's records, the newest first."""
    return _of(list(connections), DetailChange.objects.order_by("-made_at", "-id"))


def waiting(connections: Iterable[Connection], now: dt.datetime) -> list[DetailChange]:
    """Return what stands open: proposals and proofs before their deadline, freezes not lifted, offers and refusals."""
    own = list(connections)
    rows = _open_changes(_is_staff(own))(**_ids(own), now=now) if own else []
    return sorted(rows, key=lambda row: (row.deadline or row.made_at, row.pk))


def as_it_reads(row: DetailChange, now: dt.datetime) -> DetailChange:
    """Call what ran out expired, also before the sweep has marked it."""
    if row.status in (Status.PENDING, Status.WAITING) and not is_open(row, now):
        row.status = Status.EXPIRED
    return row


def is_open(row: DetailChange, now: dt.datetime) -> bool:
    """Whether a proposal or a proof can still be answered."""
    open_ = row.status in (Status.PENDING, Status.WAITING)
    return open_ and row.deadline is not None and row.deadline > now


def pairs(records: Iterable[Record]) -> list[tuple[Record, Record]]:
    """Return the parent records of one school that may be one, none that an office has parted again."""
    own = {one.owner.pk: one for one in records if not one.is_staff}
    if len({one.school.pk for one in own.values()}) == len(own):
        return []
    undone = Merge.objects.filter(kept_id__in=own, gone_id__in=own, undone_at__isnull=False)
    known = [merging_rules.Record(one.owner.pk, one.school.pk) for one in own.values()]
    found = merging_rules.pairs(known, undone.values_list("kept_id", "gone_id"))
    return [(own[kept], own[gone]) for kept, gone in found]


def asking_the_same(connections: Iterable[Connection], change: DetailChange, now: dt.datetime) -> list[DetailChange]:
    """Return this proposal, and those of the person's other schools that ask for the same value."""
    rows = changes(connections).filter(status=Status.PENDING, deadline__gt=now, field=change.field)
    return list(rows.filter(new_value=change.new_value).select_related("school").order_by("pk"))


def count_questions(connections: Iterable[Connection], now: dt.datetime) -> int:
    """Return how many questions wait for this person's answer: what schools ask about one detail is one."""
    asked = changes(connections).filter(status=Status.PENDING, deadline__gt=now)
    return asked.order_by().values("field").distinct().count()


def recent(connections: Iterable[Connection], now: dt.datetime, most: int = 60) -> list[DetailChange]:
    """Return the person's history: the newest changes, of any state but offers, since they connected.

    What was before may have been another person's, who had the record by mistake.
    """
    own = list(connections)
    since = {(one.contact_id, one.staff_id): one.connected_at for one in own}
    rows = changes(own).exclude(status=Status.OFFER).select_related("pupil")[:most]
    return [
        as_it_reads(row, now) for row in rows if row.made_at >= (since[row.contact_id, row.staff_id] or row.made_at)
    ]


def frozen_at(connections: Iterable[Connection]) -> list[School]:
    """Return the schools at which “this was not me” stands: until each has lifted it, nothing can be changed."""
    rows = changes(connections).filter(status=Status.FROZEN, settled_at=None).select_related("school")
    found = {row.school_id: row.school for row in rows}
    return sorted(found.values(), key=lambda school: school.name)


def today() -> dt.date:
    """Return the school's day."""
    return timezone.localdate()


def _of(own: list[Connection], rows: QuerySet[Row]) -> QuerySet[Row]:
    contacts = [one.contact_id for one in own if one.contact_id]
    staff = [one.staff_id for one in own if one.staff_id]
    whose = Q(contact_id__in=contacts, staff=None) if contacts or not staff else Q()
    if staff:
        whose |= Q(staff_id__in=staff, contact=None)
    return rows.filter(whose, school_id__in={one.school_id for one in own})


# What the home asks, and the other pages with it


def _ids(connections: Iterable[Connection]) -> dict[str, Any]:
    own = list(connections)
    return {
        "schools": sorted({one.school_id for one in own}),
        "contacts": [one.contact_id for one in own if one.contact_id],
        "staff": [one.staff_id for one in own if one.staff_id],
    }


def _is_staff(own: list[Connection]) -> bool:
    return any(one.staff_id for one in own)


def _whose(rows: QuerySet[Row], staff: bool) -> QuerySet[Row]:
    """The rows of the records given; whoever is no staff is spared the search for it."""
    whose = Q(AmongGiven("contact_id", "contacts"), staff=None)
    if staff:
        whose |= Q(AmongGiven("staff_id", "staff"), contact=None)
    return rows.filter(whose, AmongGiven("school_id", "schools"))


@cache
def _details(staff: bool) -> Prepared[ContactDetail]:
    return Prepared(lambda: _whose(ContactDetail.objects.all(), staff))


@cache
def _open_changes(staff: bool) -> Prepared[DetailChange]:
    stands = (
        Q(status__in=(Status.PENDING, Status.WAITING), deadline__gt=Given("now"))
        | Q(status=Status.FROZEN, settled_at=None)
        | Q(status=Status.OFFER)
        | Q(status=Status.REJECTED, origin=Origin.IMPORT)
    )
    return Prepared(lambda: _whose(DetailChange.objects.filter(stands), staff))


_seen_links = Prepared(
    lambda: (
        PupilContact.objects.filter(
            people.with_sight(Given("on")), AmongGiven("school_id", "schools"), AmongGiven("contact_id", "contacts")
        )
        .select_related("pupil")
        .order_by("pupil__forename", "pupil__surname", "priority")
    )
)
