"""A night of the demo: the MIS changes, its server sends, the hub imports; and what must have come of it.

The second night is the hub's whole promise in small: the MIS has a new mobile for a parent who is
Connected (kept) and for one who is not (taken), has lost a pupil and gained one.
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Event
from typing import Any, TypeVar

from django.db import connection
from django.db.models import Q, QuerySet

from hub.accounts.models import Account
from hub.core import scope
from hub.core.models import School
from hub.people import services as people
from hub.people.details import display_mobile
from hub.people.models import Contact, ContactDetail, DetailKind, DetailSource, MisIdentity, Pupil
from imports.demo.server import NightFailed, Server
from imports.models import GOOD_STATES, OPEN_STATES, Import, ImportState

_PATIENCE = 120.0
_LOOK_EVERY = 0.1
Person = TypeVar("Person", Contact, Pupil)
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
    edits: tuple[list[Any], ...] = field(default=())


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


def connect_parents(school: School, *, now: dt.datetime) -> None:
    """Make two parents Connected: one who has proved email and mobile, one who has proved the email only."""
    with scope.schools(school.pk):
        wanted = 2 - _connected(school).count()
        both = _parents(school).filter(details__kind=DetailKind.EMAIL, details__source=DetailSource.MIS)
        for number, parent in enumerate(both.order_by("pk")[: max(0, wanted)]):
            values = dict(parent.details.exclude(value="").values_list("kind", "value"))
            verified = values if number == 0 else {"email": values["email"]}
            account = Account.objects.filter(email=values["email"]).first() or Account.objects.create_user(
                values["email"], name=f"{parent.forename} {parent.surname}"
            )
            people.connect(contact=parent, account=account, verified=verified, by_name=str(parent), now=now)


def change_the_mis(school: School, server: Server) -> Changes:
    """Let the MIS change what the second night is about, and return what that was."""
    simulated = server.school()
    with scope.schools(school.pk):
        contacts = {**{str(one.id): one.id for one in simulated.contacts.values()}}
        contacts |= {one.guid: one.id for one in simulated.contacts.values()}
        pupils = {**{str(one.id): one.id for one in simulated.pupils.values()}}
        pupils |= {one.guid: one.id for one in simulated.pupils.values()}
        kept, kept_id = _first_in_mis(_connected(school).filter(details__in=_proved(school)), contacts)
        not_connected = _parents(school).exclude(pk__in=_connected(school))
        taken, taken_id = _first_in_mis(not_connected, contacts)
        family = Q(links__contact__in=[kept, taken]) | Q(links__contact__in=_connected(school))
        others = Pupil.objects.filter(school=school, leaving_date=None, pre_admission=False).exclude(family)
        lost, lost_id = _first_in_mis(others, pupils)
        for_kept, for_taken = _new_mobiles(school, kept, taken)
        was = ContactDetail.objects.get(contact=kept, kind=DetailKind.MOBILE)
    edits = (
        ["change_mobile", kept_id, display_mobile(for_kept)],
        ["change_mobile", taken_id, display_mobile(for_taken)],
        ["drop_pupil", lost_id],
        ["add_pupil"],
    )
    server.edit(*edits)
    gained = server.school().pupils.keys() - simulated.pupils.keys()
    ids = tuple(str(value) for one in gained for value in (one, server.school().pupils[one].guid))
    return Changes(kept.pk, was.value, for_kept, taken.pk, for_taken, lost.pk, ids, edits)


def check(school: School, changes: Changes) -> None:
    """Raise `NightFailed` unless the second night did to the hub exactly what it should."""
    with scope.schools(school.pk):
        kept = ContactDetail.objects.get(contact=changes.kept, kind=DetailKind.MOBILE)
        taken = ContactDetail.objects.get(contact=changes.taken, kind=DetailKind.MOBILE)
        lost = Pupil.objects.get(pk=changes.lost)
        gained = MisIdentity.objects.filter(school=school, kind="pupil", external_id__in=changes.gained_external_ids)
        found = {
            "a mobile that a parent had confirmed was changed": kept.value != changes.kept_value,
            "what the MIS says beside a confirmed mobile is not shown": kept.mis_value != changes.kept_mis,
            "a new mobile of a parent who is not connected was not taken": taken.value != changes.taken_mis,
            "a pupil who is no longer in the MIS is still at the school": lost.leaving_date is None,
            "a new pupil in the MIS is not in the hub": not gained.exists(),
        }
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


def _parents(school: School) -> QuerySet[Contact]:
    """Contacts of today's pupils with a mobile that the MIS gave."""
    return Contact.objects.filter(
        Q(pk__in=_with_mobile(school)),
        school=school,
        links__access=True,
        links__ended_on=None,
        links__pupil__leaving_date=None,
    ).distinct()


def _with_mobile(school: School) -> QuerySet[ContactDetail, int | None]:
    details = ContactDetail.objects.filter(
        school=school, kind=DetailKind.MOBILE, source=DetailSource.MIS, contact__isnull=False
    )
    return details.exclude(value="").values_list("contact", flat=True)


def _proved(school: School) -> QuerySet[ContactDetail]:
    return ContactDetail.objects.filter(school=school, kind=DetailKind.MOBILE, verified_at__isnull=False)


def _connected(school: School) -> QuerySet[Contact]:
    return Contact.objects.filter(
        school=school, connections__connected_at__isnull=False, connections__ended_at=None
    ).distinct()


def _first_in_mis(found: QuerySet[Person], ids: dict[str, int]) -> tuple[Person, int]:
    """Return the first of these people who is one record of the simulated MIS, and its id there."""
    for person in found.order_by("pk"):
        known = list(person.identities.filter(gone_on=None, part=0).values_list("external_id", flat=True))
        if len(known) == 1 and known[0] in ids:
            return person, ids[known[0]]
    raise NightFailed("The simulated MIS has nobody left to change: start over with bin/demo --fresh.")


def _new_mobiles(school: School, *persons: Contact) -> list[str]:
    """Return a mobile for each that is not the person's own; one that nobody has while there is such a one."""
    details = ContactDetail.objects.filter(school=school, kind=DetailKind.MOBILE)
    known = {value for pair in details.values_list("value", "mis_value") for value in pair}
    own = set(details.filter(contact__in=persons).values_list("value", flat=True))
    drama = [f"+447700900{tail:03d}" for tail in range(999, -1, -1)]
    return [
        *(number for number in drama if number not in known),
        *(number for number in drama if number in known - own),
    ][: len(persons)]
