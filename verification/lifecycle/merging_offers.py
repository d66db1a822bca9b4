"""Which records a person may make one, and what would become of them; for the page that asks. No writes."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from django.utils import timezone

from hub.people import selectors as people
from hub.people.judging import display
from hub.people.models import Connection, Contact, DetailKind, PupilContact
from verification.changes import effects
from verification.lifecycle import merging_rules as rules
from verification.models import Merge


@dataclass(frozen=True, slots=True)
class Pair:
    """Two records of one school that the same login is connected to."""

    kept: Contact
    gone: Contact


@dataclass(frozen=True, slots=True)
class Choice:
    """An email or mobile that the two records have differently. `kept` stands unless the person takes the other's."""

    kind: str
    label: str
    kept: str
    gone: str
    may_take: bool
    """The other's is proven too, so that it can be used without a code."""


@dataclass(frozen=True, slots=True)
class Preview:
    """What making two records one comes to."""

    kept: Contact
    gone: Contact
    kept_children: tuple[str, ...]
    gone_children: tuple[str, ...]
    choices: tuple[Choice, ...]

    @property
    def children(self) -> tuple[str, ...]:
        """Return everybody whom the one record is linked to, each once."""
        return tuple(dict.fromkeys((*self.kept_children, *self.gone_children)))


def suggestions(connections: Iterable[Connection]) -> list[Pair]:
    """Return the pairs of records to offer as one: each school's, the older kept, none an office has parted before.

    Call it in the scope of these schools.
    """
    contacts = {one.contact.pk: one.contact for one in connections if one.contact and not one.contact.merged_into_id}
    if len(contacts) < 2:
        return []
    undone = Merge.objects.filter(kept__in=contacts, gone__in=contacts, undone_at__isnull=False)
    records = [rules.Record(one.pk, one.school_id, by_hand=one.made_by_hand) for one in contacts.values()]
    pairs = rules.pairs(records, undone.values_list("kept_id", "gone_id"))
    return [Pair(contacts[kept], contacts[gone]) for kept, gone in pairs]


def preview(kept: Contact, gone: Contact, *, on: dt.date | None = None) -> Preview:
    """Return what becomes of two records, for the person to confirm."""
    today = on or timezone.localdate()
    own = {one.kind: one for one in effects.all_held(kept)}
    theirs = {one.kind: one for one in effects.all_held(gone)}
    choices = tuple(
        Choice(kind, str(kind.label), display(kind, mine.value), display(kind, other.value), other.proven)
        for kind in DetailKind
        if (other := theirs.get(kind)) and other.value and (mine := own.get(kind)) and mine.value
        if mine.value != other.value
    )
    return Preview(kept, gone, _children(kept, today), _children(gone, today), choices)


def _children(contact: Contact, on: dt.date) -> tuple[str, ...]:
    seen = PupilContact.objects.filter(people.with_sight(on), school_id=contact.school_id, contact=contact)
    ordered = seen.select_related("pupil").order_by("pupil__date_of_birth", "pupil__forename", "pk")
    return tuple(str(link.pupil) for link in ordered)
