"""A night of the demo: the MIS changes, its server sends, the hub imports; and what must have come of it.

The second night is the hub's whole promise in small: the MIS has a new mobile for a parent who is
Connected (kept) and for one who is not (taken), has lost a pupil and gained one. At the first school it
also carries what a parent has changed, offers a mobile, and lets a Connected parent's only child leave.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Event
from typing import Any

from django.db import connection

from hub.core import scope
from hub.core.models import School
from hub.people.details import display_mobile
from hub.people.models import Contact, ContactDetail, DetailKind, MisIdentity, Pupil
from imports.demo import acts, cast
from imports.demo.server import NightFailed, Server
from imports.models import GOOD_STATES, OPEN_STATES, Import, ImportState
from mis_connectors.simulators import school as simulated

_PATIENCE = 120.0
_LOOK_EVERY = 0.1
KEPT_CHANGED = "a mobile that a parent had confirmed was changed"
KEPT_NOT_SHOWN = "what the MIS says beside a confirmed mobile is not shown"
NOT_TAKEN = "a new mobile of a parent who is not connected was not taken"
STILL_HERE = "a pupil who is no longer in the MIS is still at the school"
NOT_GAINED = "a new pupil in the MIS is not in the hub"
_UNDER_WAY = (*OPEN_STATES, ImportState.INTERRUPTED)


@dataclass(slots=True)
class Result:
    """What one night came to at one school."""

    outcome: str
    pupils: int
    contacts: int
    counts: dict[str, Any]
    seconds: float


@dataclass(frozen=True, slots=True)
class Changes:
    """What the MIS changes before the second night: ids in the hub, and values."""

    kept: int
    kept_value: str
    kept_mis: str
    taken: int
    taken_mis: str
    lost: int
    gained_external_ids: tuple[str, ...]


def last_import(school: School) -> int:
    """Return the id of the school's newest import, 0 before the first."""
    with scope.schools(school.pk):
        return Import.objects.filter(school=school).order_by("-pk").values_list("pk", flat=True).first() or 0


def wait_for_import(school: School, *, after: int, began: float, stopped: Event) -> Result:
    """Wait until an import newer than `after` has ended; raises `NightFailed` unless it went well."""
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline:
        with scope.schools(school.pk):
            run = Import.objects.filter(school=school, pk__gt=after).order_by("-pk").first()
        if run is not None and run.state not in _UNDER_WAY:
            break
        if stopped.wait(_LOOK_EVERY):
            raise NightFailed("The demo was stopped.")
    else:
        raise NightFailed(f"No import of {school} ended within {_PATIENCE:.0f} seconds.")
    if run.state not in GOOD_STATES:
        why = " ".join(str(reason.get("sentence", "")) for reason in run.reasons) or run.detail
        raise NightFailed(f"The import of {school} ended as “{run.get_state_display()}”: {why}".strip())
    with scope.schools(school.pk):
        pupils = Pupil.objects.filter(school=school, leaving_date=None).count()
        contacts = Contact.objects.filter(school=school, links__ended_on=None).distinct().count()
    return Result(str(run.state), pupils, contacts, run.counts, time.monotonic() - began)


def people_of(school: School, server: Server) -> dict[str, Contact]:
    """Return who in the hub plays what, by part; second records of one parent are there as `…_again`."""
    mis = server.school()
    names = {str(pk): part for part, pk in server.cast.records.items() if pk in mis.contacts}
    names |= {mis.contacts[pk].guid: part for part, pk in server.cast.records.items() if pk in mis.contacts}
    with scope.schools(school.pk):
        known = MisIdentity.objects.filter(school=school, kind="contact", external_id__in=list(names), part=0)
        found = {names[one.external_id]: one.contact for one in known.select_related("contact") if one.contact}
        for part in [part for part in found if part in cast.OF_TWO_RECORDS]:
            of_that_name = Contact.objects.filter(
                school=school, forename=found[part].forename, surname=found[part].surname
            ).exclude(pk=found[part].pk)
            if again := of_that_name.first():
                found[f"{part}_again"] = again
    return found


def change_the_mis(school: School, server: Server) -> Changes:
    """Let the MIS change what the second night is about, and return what that was."""
    mis, cast_in_mis, people = server.school(), server.cast.records, people_of(school, server)
    kept, taken = people["kept"], people["taken"]
    with scope.schools(school.pk):
        lost, lost_id = _lost_pupil(school, mis, set(cast_in_mis.values()))
        for_kept, for_taken, for_offered = new_mobiles(school, kept, taken, count=3)
        was = ContactDetail.objects.get(contact=kept, kind=DetailKind.MOBILE)
    edits: list[list[Any]] = [
        ["change_mobile", cast_in_mis["kept"], display_mobile(for_kept)],
        ["change_mobile", cast_in_mis["taken"], display_mobile(for_taken)],
        ["drop_pupil", lost_id],
        ["add_pupil"],
    ]
    if server.has_it_all:
        edits.append(["change_mobile", cast_in_mis["offered"], display_mobile(for_offered)])
        edits.append(["change_email", cast_in_mis["updated"], acts.UPDATED_EMAIL])
        edits += [["drop_pupil", pupil] for pupil in _children_in(mis, cast_in_mis["leaver"])]
    server.edit(*edits)
    gained = server.school().pupils.keys() - mis.pupils.keys()
    ids = tuple(str(value) for one in gained for value in (one, server.school().pupils[one].guid))
    return Changes(kept.pk, was.value, for_kept, taken.pk, for_taken, lost.pk, ids)


def _children_in(mis: simulated.School, record: int) -> list[int]:
    return [pupil for pupil, links in mis.links.items() if any(link.contact_id == record for link in links)]


def _lost_pupil(school: School, mis: simulated.School, cast_in_mis: set[int]) -> tuple[Pupil, int]:
    """Return the first pupil on roll whose family plays no part."""
    of_cast = {link.pupil_id for link in mis.all_links() if link.contact_id in cast_in_mis}
    others = {str(value): one.id for one in mis.on_roll() if one.id not in of_cast for value in (one.id, one.guid)}
    here = Pupil.objects.filter(school=school, leaving_date=None, pre_admission=False)
    for pupil in here.order_by("pk"):
        known = list(pupil.identities.filter(gone_on=None).values_list("external_id", flat=True))
        if len(known) == 1 and known[0] in others:
            return pupil, others[known[0]]
    raise NightFailed("The simulated MIS has nobody left to lose: start over with bin/demo --fresh.")


def check(school: School, changes: Changes) -> None:
    """Raise `NightFailed` unless the second night did to the hub exactly what it should."""
    with scope.schools(school.pk):
        kept = ContactDetail.objects.get(contact=changes.kept, kind=DetailKind.MOBILE)
        taken = ContactDetail.objects.get(contact=changes.taken, kind=DetailKind.MOBILE)
        lost = Pupil.objects.get(pk=changes.lost)
        gained = MisIdentity.objects.filter(school=school, kind="pupil", external_id__in=changes.gained_external_ids)
        found = {
            KEPT_CHANGED: kept.value != changes.kept_value,
            KEPT_NOT_SHOWN: kept.mis_value != changes.kept_mis,
            NOT_TAKEN: taken.value != changes.taken_mis,
            STILL_HERE: lost.leaving_date is None,
            NOT_GAINED: not gained.exists(),
        }
    tell_what_went_wrong(school, found)


def tell_what_went_wrong(school: School, found: dict[str, bool]) -> None:
    """Raise `NightFailed` with whatever is so."""
    wrong = [what for what, is_so in found.items() if is_so]
    if wrong:
        raise NightFailed(f"The second night of {school} went wrong: {'; '.join(wrong)}.")


@contextmanager
def own_connection() -> Iterator[None]:
    """Close this thread's database connection afterwards."""
    try:
        yield
    finally:
        connection.close()


def new_mobiles(school: School, *persons: Contact, count: int) -> list[str]:
    """Return so many mobiles that are not these people's own; ones that nobody has while there are such."""
    details = ContactDetail.objects.filter(school=school, kind=DetailKind.MOBILE)
    known = {value for pair in details.values_list("value", "mis_value") for value in pair}
    own = set(details.filter(contact__in=persons).values_list("value", flat=True))
    drama = [f"+447700900{tail:03d}" for tail in range(999, -1, -1)]
    return [
        *(number for number in drama if number not in known),
        *(number for number in drama if number in known - own),
    ][:count]
