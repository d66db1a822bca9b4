"""One lock order: an import and a person who meet at the same rows wait for each other, and never in a ring."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import pytest
from django.db import transaction

from hub.accounts.models import Role
from hub.core import scope
from hub.core.models import School
from hub.people import services as people
from hub.people.locking import lock_school
from hub.people.models import Connection, Contact, ContactDetail, PupilContact
from tests.conftest import join, make_school
from tests.factories.meeting import Wait, meet
from tests.factories.parents import EMAIL, MOBILE, make_parent
from verification import children
from verification.changes.drafting import draft
from verification.models import DetailChange, MisState, Origin, Status
from verification.owners import lock
from verification.reporting.settling import settle

pytestmark = pytest.mark.django_db(transaction=True)
SAID = "+447700900801"


@pytest.fixture
def larch() -> Iterator[School]:
    made = make_school("Larch Hill Primary", "8233001")
    with scope.schools(made.pk):
        yield made


@pytest.fixture
def ngozi(larch: School) -> Connection:
    return make_parent(larch)


def contact_of(one: Connection) -> Contact:
    assert one.contact is not None
    return one.contact


def confirmed_email(ngozi: Connection, now: dt.datetime) -> DetailChange:
    """A row that the MIS has caught up with, and beside it a mobile that drifts."""
    row = draft(
        owner=contact_of(ngozi),
        field="email",
        new_value=EMAIL,
        origin=Origin.PERSON,
        made_by="Ngozi Okafor",
        status=Status.APPROVED,
        mis_state=MisState.TO_UPDATE,
        now=now,
    )
    row.save()
    ContactDetail.objects.filter(contact=ngozi.contact, kind="email").update(mis_value=EMAIL)
    ContactDetail.objects.filter(contact=ngozi.contact, kind="mobile").update(mis_value=SAID, mis_changed_at=now)
    return row


def test_settling_waits_for_a_person_before_it_writes_about_them(
    larch: School, ngozi: Connection, now: dt.datetime
) -> None:
    row = confirmed_email(ngozi, now)

    def change(until_the_import_waits: Wait) -> None:
        lock([contact_of(ngozi)])
        until_the_import_waits()
        DetailChange.objects.filter(pk=row.pk).update(reason="changed meanwhile")

    meet(larch, change, lambda: settle(school=larch, import_id=7, now=now))
    row.refresh_from_db()
    assert (row.mis_state, row.reason) == (MisState.UPDATED, "changed meanwhile")
    assert DetailChange.objects.filter(field="mobile", status=Status.KEPT, new_value=MOBILE).exists()


def test_a_person_of_two_records_waits_for_the_import_with_neither_in_hand(
    larch: School, ngozi: Connection, now: dt.datetime
) -> None:
    confirmed_email(ngozi, now)
    second = make_parent(larch, ngozi.account, surname="Okafor-Bell", email="", mobile="")
    both = [contact_of(ngozi), contact_of(second)]

    def night(until_the_person_waits: Wait) -> None:
        lock_school(larch.pk)
        Contact.objects.filter(pk=contact_of(second).pk).update(surname="Bell")
        until_the_person_waits()
        settle(school=larch, import_id=7, now=now)

    def change() -> None:
        with transaction.atomic():
            lock(both)

    meet(larch, night, change)
    assert DetailChange.objects.get(field="email").mis_state == MisState.UPDATED


def test_access_is_given_back_while_the_import_ends_the_link(
    larch: School, ngozi: Connection, now: dt.datetime
) -> None:
    assert ngozi.account is not None
    office = join(larch, "office@example.org", "Priya Shah", Role.OFFICE)
    link = PupilContact.objects.select_related("contact").get(contact=ngozi.contact)
    change = children.not_my_child(account=ngozi.account, link=link, by_name="Ngozi Okafor", now=now)

    def night(until_the_office_waits: Wait) -> None:
        lock_school(larch.pk)
        PupilContact.objects.filter(pk=link.pk).update(ended_on=now.date())
        until_the_office_waits()
        settle(school=larch, import_id=7, now=now)

    meet(larch, night, lambda: children.give_back(change=change, by=office, now=now))
    change.refresh_from_db()
    assert (change.status, change.mis_state) == (Status.REJECTED, MisState.NOTHING)


def test_what_a_provider_says_of_an_address_waits_for_whoever_changes_it(
    larch: School, ngozi: Connection, now: dt.datetime
) -> None:
    second = make_parent(larch, ngozi.account, surname="Okafor-Bell", email="")
    later, earlier = ContactDetail.objects.filter(kind="mobile").order_by("-pk")

    def change(until_the_provider_waits: Wait) -> None:
        lock([contact_of(ngozi), contact_of(second)])
        ContactDetail.objects.filter(pk=later.pk).update(changed_by="Ngozi")
        until_the_provider_waits()
        ContactDetail.objects.filter(pk=earlier.pk).update(changed_by="Ngozi")

    meet(larch, change, lambda: people.mark_undeliverable(kind="mobile", value=MOBILE, why="no", now=now))
    assert not ContactDetail.objects.filter(kind="mobile", deliverable=True).exists()
