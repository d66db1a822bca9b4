"""Nights of a ScholarPack school, from its simulator over HTTP into PostgreSQL: siblings, merges, consent."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from typing import Any

import pytest
from django.test import override_settings

from hub.accounts.models import Account, Role
from hub.core import scope
from hub.core.models import School
from hub.people import services as people
from hub.people.models import Connection, Contact, ContactDetail, MisIdentity, Pupil, PupilContact, Staff
from imports import collecting, services
from imports.link import links, secrets
from imports.models import Import, ImportState, LinkState, MisLink
from mis_connectors.simulators import model
from mis_connectors.simulators.faults import Fault
from mis_connectors.simulators.hosting import Hosted, Simulation
from mis_connectors.simulators.scholarpack_api import ScholarpackApi
from mis_connectors.simulators.server import SimulatorServer
from tests.conftest import join, make_school
from tests.factories.running import FIRST_NIGHT

OWN = "+447700900777"


class PackNights:
    """A school with ScholarPack, and one night after another."""

    def __init__(self, school: School, api: ScholarpackApi, by: Account) -> None:
        self.school, self.api, self.by = school, api, by
        self.now = FIRST_NIGHT
        self.link = links.create_link(school=school, connector="scholarpack", by=by, now=self.now)
        self.consent()

    @property
    def hosted(self) -> Hosted:
        return self.api.simulation.schools[self.school.dfe_number]

    def consent(self) -> None:
        kept = self.api.secrets(self.school.dfe_number)
        links.authorised(link=self.link, kept=kept, by=self.by, now=self.now)

    def night(self) -> Import:
        MisLink.objects.filter(pk=self.link.pk).update(wanted_at=self.now)
        run = collecting.begin(link_id=self.link.pk, now=self.now)
        assert run is not None
        collecting.collect(import_id=run.pk, now=self.now)
        services.run(import_id=run.pk, now=self.now)
        self.now += dt.timedelta(days=1)
        self.link.refresh_from_db()
        return Import.objects.get(pk=run.pk)

    def parent_of_several(self) -> tuple[model.Contact, list[int]]:
        """Return a reachable parent of more than one child, and their children."""
        mis = self.hosted.school
        for parent in mis.reachable_parents():
            children = [link.pupil_id for link in mis.all_links() if link.contact_id == parent.id]
            if len(children) > 1 and (parent.forename, parent.surname) != ("Wendy", "Bradshaw"):
                return parent, children
        raise AssertionError("nobody has brothers or sisters")

    def record(self, parent: model.Contact, child: int) -> MisIdentity:
        return MisIdentity.objects.get(school=self.school, kind="contact", external_id=str(parent.id * 10_000 + child))

    def pupils(self, children: list[int]) -> set[int | None]:
        known = MisIdentity.objects.filter(school=self.school, kind="pupil", external_id__in=map(str, children))
        return set(known.values_list("pupil_id", flat=True))


@contextmanager
def served(api: ScholarpackApi) -> Iterator[None]:
    with (
        SimulatorServer(api) as server,
        override_settings(MIS_LOOPBACK=True, MIS_PLATFORM={"scholarpack": api.platform(server.address)}),
    ):
        yield


@pytest.fixture(scope="module")
def first_night(written_once: Callable[[Callable[[], PackNights]], PackNights]) -> PackNights:
    def bring_in() -> PackNights:
        school = make_school("Larch Hill Primary", "8233001")
        api = ScholarpackApi(Simulation([{"dfe_number": school.dfe_number, "seed": 11, "size": 60}]))
        with scope.schools(school.pk), served(api):
            head = join(school, "head@example.org", "Helen Ward", Role.ADMINISTRATOR)
            begun = PackNights(school, api, head)
            first = begun.night()
        assert first.state == ImportState.APPLIED, (first.reasons, first.detail)
        return begun

    return written_once(bring_in)


@pytest.fixture
def school(db: None, first_night: PackNights) -> Iterator[School]:
    with scope.schools(first_night.school.pk):
        yield first_night.school


@pytest.fixture
def administrator(school: School, first_night: PackNights) -> Account:
    return first_night.by


@pytest.fixture
def nights(school: School, first_night: PackNights) -> Iterator[PackNights]:
    nights = deepcopy(first_night)
    with served(nights.api):
        yield nights


def open_links(contact: Contact) -> set[int]:
    return set(PupilContact.objects.filter(contact=contact, ended_on=None).values_list("pupil_id", flat=True))


def test_the_records_of_a_parent_for_each_child_are_one_person(nights: PackNights) -> None:
    parent, children = nights.parent_of_several()
    contacts = {nights.record(parent, child).contact for child in children}
    (contact,) = contacts
    assert contact is not None
    assert open_links(contact) == nights.pupils(children)


def test_two_parents_of_one_name_stay_two(nights: PackNights) -> None:
    everybody = nights.hosted.school.contacts.values()
    named = {one.id for one in everybody if (one.forename, one.surname) == ("Wendy", "Bradshaw")}
    assert len(named) == 2
    assert Contact.objects.filter(school=nights.school, forename="Wendy", surname="Bradshaw").count() >= 2
    found = {
        one.contact_id
        for one in MisIdentity.objects.filter(school=nights.school, kind="contact")
        if int(one.external_id) // 10_000 in named
    }
    assert len(found) >= 2


def test_a_connected_parent_survives_the_merge_of_their_records(nights: PackNights) -> None:
    """Manage Duplicate Contacts: every old id goes, a new one comes. Nobody loses a login, a detail or a child."""
    parent, children = nights.parent_of_several()
    contact = nights.record(parent, children[0]).contact
    assert contact is not None
    account = Account.objects.create_user("ngozi@example.org", name="Ngozi", password="x" * 12)
    people.connect(contact=contact, account=account, verified={"mobile": OWN}, by_name="Ngozi", now=nights.now)
    contacts_before = set(Contact.objects.filter(school=nights.school).values_list("pk", flat=True))
    links_before = set(
        PupilContact.objects.filter(school=nights.school, ended_on=None).values_list("pk", "pupil_id", "contact_id")
    )

    nights.hosted.set(Fault.MERGED)
    run = nights.night()

    assert run.state == ImportState.APPLIED, run.reasons
    merged = MisIdentity.objects.get(school=nights.school, kind="contact", external_id=str(90_000_000 + parent.id))
    assert merged.contact_id == contact.pk, "the new record is the same person"
    assert all(nights.record(parent, child).gone_on for child in children)
    assert Connection.objects.get(contact=contact).account == account
    mobile = ContactDetail.objects.get(contact=contact, kind="mobile")
    assert (mobile.value, mobile.source) == (OWN, "person")
    assert mobile.verified_at is not None
    assert open_links(contact) == nights.pupils(children)
    links_after = set(
        PupilContact.objects.filter(school=nights.school, ended_on=None).values_list("pk", "pupil_id", "contact_id")
    )
    contacts_after = set(Contact.objects.filter(school=nights.school).values_list("pk", flat=True))
    reached = set(ContactDetail.objects.filter(contact__isnull=False).values_list("contact_id", flat=True))
    assert not {one for one in contacts_after - contacts_before if one in reached}, "nobody reachable was made anew"
    assert not {one for one in links_before - links_after if one[2] in reached}, "no link of theirs was ended"

    again = nights.night()
    assert again.state == ImportState.UNCHANGED


def test_a_merge_that_brings_another_mobile_at_once_leaves_what_the_parent_confirmed(nights: PackNights) -> None:
    parent, children = nights.parent_of_several()
    contact = nights.record(parent, children[0]).contact
    assert contact is not None
    account = Account.objects.create_user("ngozi@example.org", name="Ngozi", password="x" * 12)
    people.connect(contact=contact, account=account, verified={"mobile": OWN}, by_name="Ngozi", now=nights.now)
    nights.hosted.school.change_mobile(parent.id, "07700 900998")
    nights.hosted.set(Fault.MERGED)
    nights.night()
    merged = MisIdentity.objects.get(school=nights.school, kind="contact", external_id=str(90_000_000 + parent.id))
    assert merged.contact_id == contact.pk, "the email still agrees"
    mobile = ContactDetail.objects.get(contact=contact, kind="mobile")
    assert (mobile.value, mobile.mis_value) == (OWN, "+447700900998")


def test_who_is_off_roll_or_not_active_has_left(nights: PackNights) -> None:
    mis = nights.hosted.school
    pupil, member = mis.on_roll()[0], next(iter(mis.staff))
    mis.leave(pupil.id)
    mis.staff_leave(member)
    run = nights.night()
    assert run.state == ImportState.APPLIED, run.reasons
    identity = MisIdentity.objects.get(school=nights.school, kind="pupil", external_id=str(pupil.id))
    assert Pupil.objects.get(pk=identity.pupil_id).leaving_date == mis.today
    left = MisIdentity.objects.get(school=nights.school, kind="staff", external_id=str(member))
    assert Staff.objects.get(pk=left.staff_id).leaving_date == mis.today


def test_staff_who_are_not_allowed_stay_and_nobody_else_is_touched(nights: PackNights) -> None:
    before = list(Staff.objects.filter(school=nights.school).order_by("pk").values())
    nights.hosted.set(Fault.UNTICKED)
    run = nights.night()
    assert run.state in (ImportState.APPLIED, ImportState.UNCHANGED), run.reasons
    assert list(Staff.objects.filter(school=nights.school).order_by("pk").values()) == before


def test_withdrawn_consent_asks_the_school_to_connect_again_and_loses_nobody(nights: PackNights) -> None:
    everybody = Contact.objects.filter(school=nights.school).count()
    nights.hosted.set(Fault.WITHDRAWN)
    run = nights.night()
    assert (run.state, nights.link.state) == (ImportState.FAILED, LinkState.RECONNECT)
    assert "permission was withdrawn" in run.reasons[0]["sentence"]
    nights.consent()
    run = nights.night()
    assert (run.state, nights.link.state) == (ImportState.UNCHANGED, LinkState.ENABLED), run.reasons
    assert Contact.objects.filter(school=nights.school).count() == everybody


def test_rotated_tokens_are_kept_though_the_run_comes_to_nothing(nights: PackNights) -> None:
    before = secrets.secrets_of(nights.link)
    nights.hosted.set(Fault.EXPIRED_TOKEN)
    real = nights.api.handle

    def no_staff_today(request: Any) -> Any:
        if request.path.endswith("/staff/"):
            raise RuntimeError("a mistake of the simulator: a 500")
        return real(request)

    nights.api.handle = no_staff_today  # type: ignore[method-assign]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("mis_connectors.http.time.sleep", lambda seconds: None)
        nights.night()
    kept = secrets.secrets_of(nights.link)
    assert kept["refresh_token"] != before["refresh_token"]
    nights.api.handle = real  # type: ignore[method-assign]
    nights.hosted.set(None)
    Import.objects.filter(link=nights.link, state=ImportState.QUEUED).delete()
    assert nights.night().state == ImportState.UNCHANGED


def test_another_schools_pupils_are_not_even_fetched(nights: PackNights) -> None:
    nights.hosted.set(Fault.WRONG_SCHOOL)
    run = nights.night()
    assert (run.state, nights.link.state) == (ImportState.FAILED, LinkState.RECONNECT)
    assert "Somewhere Else Primary (823/9999)" in run.reasons[0]["sentence"]
    assert run.payload is None


def test_half_a_school_is_held(nights: PackNights) -> None:
    nights.hosted.set(Fault.HALF)
    run = nights.night()
    assert run.state in (ImportState.HELD, ImportState.PARTLY_HELD), run.reasons
    assert not Pupil.objects.filter(school=nights.school, leaving_date=nights.now.date()).exists()
