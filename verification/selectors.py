"""The rows of the Verified User Changes Report, counted and read. No writes; every query is of one school."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from django.db.models import Count, Exists, Min, OuterRef, Q, QuerySet
from django.db.models.functions import Coalesce

from hub.core.models import School
from hub.core.prepared import AmongGiven, Given, Prepared
from hub.people.models import ContactDetail, Group, GroupKind, MisIdentity, MisSource, Pupil, PupilContact
from verification.models import OPEN_STATUSES, TO_COPY, Choices, DetailChange, Field, MisState, Status
from verification.reporting.filters import SHOWS, Wanted

Owner = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Mis:
    """What the school's MIS is called, and what its screens call our fields."""

    name: str = "the MIS"
    field_names: Mapping[str, str] = field(default_factory=dict)

    def field(self, name: str) -> str:
        """Return the name of a field as whoever corrects it there reads it."""
        return self.field_names.get(name) or str(Field(name).label)


_mis = Prepared(lambda: MisSource.objects.filter(school=Given("school"), ended_at=None).order_by("-generation")[:1])


def mis(school: School) -> Mis:
    """Return the MIS that the school uses now; plain words before one was chosen."""
    source = next(iter(_mis(school=school.pk)), None)
    return Mis() if source is None else Mis(source.mis_name or "the MIS", source.field_names)


def choices(school: School) -> Choices:
    """Return what the school has chosen; the defaults, unsaved, where it has not."""
    return Choices.objects.filter(school=school).first() or Choices(school=school)


def letter_life(school: School) -> dt.timedelta:
    """Return how long a letter that this school prints is good."""
    return dt.timedelta(days=choices(school).letter_days)


@dataclass(frozen=True, slots=True)
class ToCopy:
    """How many changes wait to be copied into the MIS, and since when the one that has waited longest."""

    count: int
    since: dt.datetime | None


def to_copy(school: School) -> ToCopy:
    """Return the number to copy and the longest wait, in one query. What differs again has not waited all the while."""
    found = DetailChange.objects.filter(school=school, mis_state__in=TO_COPY)
    never = Q(mis_state=MisState.TO_UPDATE)
    said = found.aggregate(count=Count("pk"), since=Min(Coalesce("effective_at", "made_at"), filter=never))
    return ToCopy(said["count"], said["since"])


def count_to_copy(school: School) -> int:
    """Return how many changes the office still has to type into the MIS."""
    return DetailChange.objects.filter(school=school, mis_state__in=TO_COPY).count()


COUNTED = ("copy", "open", "kept")
"""Views whose number says what is left to do; how much is over and done with, nobody waits for."""


def counts(school: School) -> dict[str, int]:
    """Return how many rows each of the `COUNTED` views has, by two looks at an index: history is not read."""
    few = [*OPEN_STATUSES, Status.KEPT, Status.OFFER]
    found = DetailChange.objects.filter(school=school, status__in=few)
    rows = list(found.values_list("status", "mis_state").annotate(n=Count("pk")).order_by())
    said = {name: sum(n for status, state, n in rows if SHOWS[name].holds(status, state)) for name in COUNTED}
    return said | {"copy": count_to_copy(school)}


def changes(school: School, wanted: Wanted) -> QuerySet[DetailChange]:
    """Return the rows wanted: by the first pupil of each family, staff after them, then who has no pupil here."""
    found = DetailChange.objects.filter(wanted.condition(), school=school)
    return found.order_by("sort_key", "person_name", "field", "-id")


def year_groups(school: School) -> list[str]:
    """Return the names of the school's year groups."""
    found = Group.objects.filter(school=school, kind=GroupKind.YEAR)
    return list(found.order_by("name").values_list("name", flat=True))


@dataclass(frozen=True, slots=True)
class Beside:
    """What stands beside some rows: the details and links they are about, and the pupils that head them."""

    details: Mapping[tuple[Owner, str], ContactDetail]
    links: Mapping[tuple[int, int], PupilContact]
    pupils: Mapping[int, Pupil]
    dropped: frozenset[Owner]
    """Of whom the MIS has no record any more."""


def _details(of: str, other: str) -> QuerySet[ContactDetail]:
    known = MisIdentity.objects.filter(school_id=OuterRef("school_id"), **{of: OuterRef(of)})
    found = ContactDetail.objects.filter(AmongGiven(of, "ids"), school=Given("school"), **{other: None})
    return found.annotate(dropped=Exists(known) & ~Exists(known.filter(gone_on=None)))


_details_of_contacts = Prepared(lambda: _details("contact_id", "staff"))
_details_of_staff = Prepared(lambda: _details("staff_id", "contact"))
_pupils_named = Prepared(lambda: Pupil.objects.filter(AmongGiven("id", "ids"), school=Given("school")))


def beside(school: School, rows: Sequence[DetailChange]) -> Beside:
    """Read what stands beside these rows in four queries at most, however many they are."""
    contacts = {row.contact_id for row in rows if row.contact_id}
    staff = {row.staff_id for row in rows if row.staff_id}
    children = [row for row in rows if row.field == Field.CHILD and row.pupil_id]
    details: dict[tuple[Owner, str], ContactDetail] = {}
    if contacts:
        for one in _details_of_contacts(school=school.pk, ids=sorted(contacts)):
            details[("contact", one.contact_id or 0), one.kind] = one
    if staff:
        for one in _details_of_staff(school=school.pk, ids=sorted(staff)):
            details[("staff", one.staff_id or 0), one.kind] = one
    dropped = frozenset(owner for (owner, _kind), one in details.items() if getattr(one, "dropped"))  # noqa: B009
    return Beside(details, _links(school, children), _pupils(school, rows), dropped)


def first_pupil_id(row: DetailChange) -> int | None:
    """Return the pupil a row stands under, which its place in the report names."""
    tail = row.sort_key.rpartition(" ")[2]
    return int(tail) if row.sort_key.startswith("0") and tail.isdigit() else None


def _pupils(school: School, rows: Iterable[DetailChange]) -> dict[int, Pupil]:
    ids = {pk for row in rows if (pk := first_pupil_id(row))}
    return {pupil.pk: pupil for pupil in _pupils_named(school=school.pk, ids=sorted(ids))} if ids else {}


def _links(school: School, rows: Sequence[DetailChange]) -> dict[tuple[int, int], PupilContact]:
    if not rows:
        return {}
    wanted = Q(contact_id__in=[row.contact_id for row in rows], pupil_id__in=[row.pupil_id for row in rows])
    found = PupilContact.objects.filter(wanted, school=school)
    return {(link.contact_id, link.pupil_id): link for link in found}
