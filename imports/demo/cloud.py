"""The nights of a demo school whose MIS is in the cloud: set up as its page does it, and fetched by the real worker.

In small what every MIS must show: between the nights a parent connects; then the MIS has new mobiles for that parent
(kept) and for another (taken), has lost a pupil and gained one.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from hub.accounts.models import Account
from hub.core import scope
from hub.core.models import School
from hub.people.details import display_mobile
from hub.people.models import Contact, ContactDetail, DetailKind, Pupil
from imports.demo import acts, cast, night, schools
from imports.demo.server import NightFailed
from imports.demo.simulator import Simulator
from imports.link import links
from imports.models import LinkState
from mis_connectors.base import SetUp
from mis_connectors.registry import connector
from mis_connectors.simulators.model import Pupil as SimulatedPupil

PARTS = ("kept", "taken")


@dataclass(frozen=True, slots=True)
class Changes:
    """What the MIS changes before the second night."""

    kept: int
    kept_value: str
    kept_mis: str
    taken: int
    taken_mis: str
    lost: int
    gained: SimulatedPupil


def ask(school: School, simulator: Simulator, *, now: dt.datetime) -> None:
    """Have the hub fetch: by setting the link up, and later as *Import now* does. Raises `LinkRefused`."""
    with scope.schools(school.pk):
        link, by = schools.link_of(school), schools.administrator(school, simulator.demo)
        if link.state == LinkState.ENABLED:
            links.want_run(link=link, by=by, now=now)
            return
        match connector(link.source.connector).info.set_up:
            case SetUp.GRANT:
                links.begin_waiting(link=link, by=by, now=now)
            case SetUp.CONSENT:
                links.authorised(link=link, kept=simulator.given(), by=by, now=now)
            case SetUp.CREDENTIALS:
                links.await_credentials(link=link, by=by, now=now)
                links.give_settings(link=link, values=simulator.given(), by=by, now=now)


def meanwhile(school: School, simulator: Simulator, *, by: Account, now: dt.datetime) -> None:
    """One parent registers, and proves email and mobile. Done once."""
    people = _people(school, simulator)
    with scope.schools(school.pk):
        acts.Stage({"kept": people["kept"][0]}, by, now).join("kept")


def change_the_mis(school: School, simulator: Simulator) -> Changes:
    """Let the MIS change what the second night is about, and return what that was."""
    people = _people(school, simulator)
    (kept, kept_record), (taken, taken_record) = people["kept"], people["taken"]
    before = simulator.school()
    with scope.schools(school.pk):
        lost, lost_record = _lost(school, simulator, {kept_record, taken_record})
        for_kept, for_taken = night.new_mobiles(school, kept, taken, count=2)
        was = ContactDetail.objects.get(contact=kept, kind=DetailKind.MOBILE)
    simulator.edit(
        ["change_mobile", kept_record, display_mobile(for_kept)],
        ["change_mobile", taken_record, display_mobile(for_taken)],
        ["drop_pupil", lost_record],
        ["add_pupil"],
    )
    after = simulator.school().pupils
    (gained,) = after.keys() - before.pupils.keys()
    return Changes(kept.pk, was.value, for_kept, taken.pk, for_taken, lost.pk, after[gained])


def check(school: School, changes: Changes) -> None:
    """Raise `NightFailed` unless the second night did to the hub exactly what it should."""
    with scope.schools(school.pk):
        kept = ContactDetail.objects.get(contact=changes.kept, kind=DetailKind.MOBILE)
        taken = ContactDetail.objects.get(contact=changes.taken, kind=DetailKind.MOBILE)
        lost = Pupil.objects.get(pk=changes.lost)
        gained = _pupils(school, changes.gained)
        night.tell_what_went_wrong(
            school,
            {
                night.KEPT_CHANGED: kept.value != changes.kept_value,
                night.KEPT_NOT_SHOWN: kept.mis_value != changes.kept_mis,
                night.NOT_TAKEN: taken.value != changes.taken_mis,
                night.STILL_HERE: lost.leaving_date is None,
                night.NOT_GAINED: not gained.exists(),
            },
        )


def _people(school: School, simulator: Simulator) -> dict[str, tuple[Contact, int]]:
    """Return who plays a part, as contact of the hub and as record of the MIS; raises `NightFailed`."""
    found: dict[str, tuple[Contact, int]] = {}
    with scope.schools(school.pk):
        for one in cast.of_other_names(cast.alone(simulator.first())):
            here = list(Contact.objects.filter(school=school, forename=one.forename or "", surname=one.surname)[:2])
            if len(here) == 1 and here[0].details.filter(kind=DetailKind.MOBILE).exists():
                found[PARTS[len(found)]] = here[0], one.id
            if len(found) == len(PARTS):
                return found
    raise NightFailed(f"{school} has no two parents for the demo: start over with bin/demo --fresh.")


def _lost(school: School, simulator: Simulator, staying: set[int]) -> tuple[Pupil, int]:
    """Return the first pupil on roll whose family plays no part."""
    mis = simulator.school()
    for one in mis.on_roll():
        here = list(_pupils(school, one)[:2])
        if len(here) == 1 and not staying & {link.contact_id for link in mis.links[one.id]}:
            return here[0], one.id
    raise NightFailed("The simulated MIS has nobody left to lose: start over with bin/demo --fresh.")


def _pupils(school: School, one: SimulatedPupil) -> Any:
    return Pupil.objects.filter(school=school, surname=one.surname, date_of_birth=one.dob, leaving_date=None)
