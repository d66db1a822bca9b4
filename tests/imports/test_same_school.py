"""The same generated school, imported from each MIS: the same people, less what that MIS is declared not to give.

A new connector adds itself by a line in `EACH`.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any
from unittest.mock import patch

import pytest
from django.db import transaction

from hub.accounts.models import Account
from hub.core.models import School
from hub.people.models import Contact, Pupil, Staff
from imports import collecting, services
from imports.link import links
from imports.models import Import, ImportKind, ImportState, LinkState, MisLink
from mis_connectors import registry
from mis_connectors.base import SetUp
from mis_connectors.integris.connector import IntegrisConnector
from mis_connectors.progresso.connector import ProgressoConnector
from mis_connectors.scholarpack.connector import ScholarpackConnector
from mis_connectors.sims.connector import SimsConnector
from mis_connectors.simulators import school as simulated
from mis_connectors.simulators import sims_xml
from mis_connectors.simulators.integris_api import IntegrisApi
from mis_connectors.simulators.progresso_api import ProgressoApi
from mis_connectors.simulators.scholarpack_api import ScholarpackApi
from mis_connectors.simulators.server import Api, Simulation, SimulatorServer
from tests.factories.running import FIRST_NIGHT, Nights

STATE: dict[str, Any] = {"seed": 11, "size": 90, "phase": "primary"}
OF_LINKS = {
    "link.priority": "priority",
    "link.parental_responsibility": "responsibility",
    "link.court_order": "court_order",
    "link.lives_with": "lives_with",
    "link.correspondence": "correspondence",
}
"""Canonical field of a link → what the simulated school calls it."""


@dataclass(frozen=True)
class FromTheCloud:
    """One MIS to be compared with SIMS."""

    connector: Any
    api: Callable[[Simulation], Api]
    is_one_per_sibling: bool = False
    """Whether it has a contact's record for each child: who has no email, mobile or forename then stays several."""

    @property
    def supplies(self) -> frozenset[str]:
        supplied: frozenset[str] = self.connector.info.supplies
        return supplied


EACH = {
    "RM Integris": FromTheCloud(IntegrisConnector, IntegrisApi),
    "ScholarPack": FromTheCloud(ScholarpackConnector, ScholarpackApi, is_one_per_sibling=True),
    "Progresso": FromTheCloud(ProgressoConnector, ProgressoApi),
}

People = dict[str, Counter[Any]]


@pytest.mark.parametrize("mis", EACH)
def test_the_same_school_is_the_same_people_from_each_mis(
    mis: str, school: School, administrator: Account, settings: Any
) -> None:
    one = EACH[mis]
    with SimulatorServer(one.api(Simulation([{**STATE, "dfe_number": school.dfe_number}]))) as server:
        generated = server.simulation.schools[school.dfe_number].school
        settings.MIS_LOOPBACK = True
        settings.MIS_PLATFORM = {one.connector.info.slug: server.api.platform(server.address)}
        with only(SimsConnector, one.supplies):
            from_sims = taken_back(lambda: by_sims(school, generated, one.supplies))
        with only(one.connector, SimsConnector.info.supplies):
            from_cloud = taken_back(lambda: by_cloud(school, one, server, administrator))
    if one.is_one_per_sibling:
        from_sims["contacts"] = apart(from_sims["contacts"])
    assert sum(from_sims["pupils"].values()) >= STATE["size"]
    assert len(from_sims["contacts"]) > STATE["size"]
    for kind, people in from_sims.items():
        assert from_cloud[kind] - people == Counter(), f"{kind} that only {mis} has"
        assert people - from_cloud[kind] == Counter(), f"{kind} that only SIMS has"


@contextmanager
def only(connector: Any, supplies: frozenset[str]) -> Iterator[None]:
    """Let a connector supply nothing but what the other supplies too."""
    info = connector.info
    with patch.object(connector, "info", replace(info, supplies=info.supplies & supplies)):
        yield


def taken_back(work: Callable[[], People]) -> People:
    """Return what some work leaves in the database, and take it out again."""
    with transaction.atomic():
        found = work()
        transaction.set_rollback(True)
    return found


def by_sims(school: School, generated: simulated.School, supplies: frozenset[str]) -> People:
    mis = simulated.of_state({**STATE, "dfe_number": school.dfe_number})
    assert generated.contacts == mis.contacts
    forget(mis, supplies)
    nights = Nights(school, mis, links.create_link(school=school, connector="sims", by=None, now=FIRST_NIGHT))
    run = nights.night(sims_xml.bundle(mis, "one", FIRST_NIGHT), kind=ImportKind.AUTOLINK)
    assert run.state == ImportState.APPLIED, run.reasons
    return people_of(school)


def forget(mis: simulated.School, supplies: frozenset[str]) -> None:
    """Have SIMS not say what the other cannot: of links, staff's telephones, and those who have left."""
    for field, attribute in OF_LINKS.items():
        if field not in supplies:
            for link in mis.all_links():
                setattr(link, attribute, None)
    if "staff.telephones" not in supplies:
        for member in mis.staff.values():
            member.telephone = None
    if "pupil.leaving_date" not in supplies:
        for pupil in [one for one in mis.pupils.values() if one.leaving_date]:
            mis.drop_pupil(pupil.id)


def by_cloud(school: School, one: FromTheCloud, server: SimulatorServer, by: Account) -> People:
    link = links.create_link(school=school, connector=one.connector.info.slug, by=by, now=FIRST_NIGHT)
    let_in(link, server, by=by)
    now = FIRST_NIGHT + dt.timedelta(minutes=1)
    run = collecting.begin(link_id=link.pk, now=now)
    assert run is not None
    collecting.collect(import_id=run.pk, now=now)
    done = services.run(import_id=run.pk, now=now)
    run = Import.objects.get(pk=run.pk)
    assert done is not None, run.reasons
    assert run.state == ImportState.APPLIED, run.reasons
    return people_of(school)


def let_in(link: MisLink, server: SimulatorServer, *, by: Account) -> None:
    """Set a link up as its page does."""
    number = link.school.dfe_number
    match registry.connector(link.source.connector).info.set_up:
        case SetUp.GRANT:
            links.begin_waiting(link=link, by=by, now=FIRST_NIGHT)
        case SetUp.CONSENT:
            links.authorised(link=link, kept=server.api.secrets(number), by=by, now=FIRST_NIGHT)
        case SetUp.CREDENTIALS:
            links.await_credentials(link=link, by=by, now=FIRST_NIGHT)
            links.give_settings(link=link, values=server.api.settings(number), by=by, now=FIRST_NIGHT)
    assert link.state == LinkState.WAITING


# What the database holds, as values


def people_of(school: School) -> People:
    pupils = {pupil.pk: values(pupil) for pupil in Pupil.objects.filter(school=school)}
    contacts = Contact.objects.filter(school=school).prefetch_related("links", "details")
    return {
        "pupils": Counter(pupils.values()),
        "contacts": Counter((values(one), details(one), links_of(one, pupils)) for one in contacts),
        "staff": Counter(
            (values(one), details(one)) for one in Staff.objects.filter(school=school).prefetch_related("details")
        ),
    }


def apart(contacts: Counter[Any]) -> Counter[Any]:
    """Return the contacts with those as one for each child whom no second signal makes the same person."""
    found: Counter[Any] = Counter()
    for (said, reached_by, linked), count in contacts.items():
        is_known = bool(reached_by and dict(said)["forename"])
        found.update({(said, reached_by, some): count for some in ([linked] if is_known else map(only_one, linked))})
    return found


def only_one(linked: Any) -> frozenset[Any]:
    return frozenset({linked})


def values(row: Any) -> tuple[Any, ...]:
    skipped = {"id", "school", "merged_into", "pupil", "contact"}
    return tuple((field.name, getattr(row, field.name)) for field in row._meta.fields if field.name not in skipped)


def details(owner: Contact | Staff) -> frozenset[tuple[str, str, str, str]]:
    return frozenset((one.kind, one.value, one.mis_value, one.source) for one in owner.details.all())


def links_of(contact: Contact, pupils: dict[int, Any]) -> frozenset[Any]:
    return frozenset((pupils[link.pupil_id], values(link)) for link in contact.links.all())
