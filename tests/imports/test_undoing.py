"""Undoing an import: everything goes back, but what has moved on; and the link waits."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import replace

import pytest
from django.db import connection

from hub.accounts.models import Account
from hub.core import scope
from hub.core.models import School
from hub.people import services as people
from hub.people.models import Contact, ContactDetail, Pupil, Staff
from imports import decisions
from imports.link import links
from imports.models import ImportState
from tests.factories.running import Nights, fingerprint
from verification import children
from verification.changes import proposing
from verification.invitations import letter_making
from verification.models import DetailChange

OWN = "+447700900777"


@pytest.fixture
def school(db: None, first_night: Nights) -> Iterator[School]:
    with scope.schools(first_night.school.pk):
        yield first_night.school


def a_busy_night(nights: Nights) -> list[int]:
    """Everything that can happen in one night; returns two contacts whose mobile changed."""
    mis = nights.mis
    one, two, three = nights.usual_parents(3)
    mis.change_mobile(one, "07700 900801")
    mis.change_mobile(two, "07700 900802")
    mis.change_email(three, "three@example.org")
    mis.add_pupil()
    links_of = {link.contact_id for link in mis.all_links()}
    gone = next(pupil for pupil in mis.on_roll() if not {x.contact_id for x in mis.links[pupil.id]} & {one, two, three})
    mis.drop_pupil(gone.id)
    mis.leave(mis.on_roll()[4].id)
    mis.change_group(mis.on_roll()[5].id, "3Z")
    pupil, contact = next((x.pupil_id, x.contact_id) for x in mis.all_links() if x.contact_id in links_of - {one, two})
    mis.set_court_order(pupil, contact)
    return [one, two]


def test_an_undo_puts_everything_back_and_the_next_import_says_the_same_again(
    nights: Nights, administrator: Account
) -> None:
    before = fingerprint(nights.school)
    a_busy_night(nights)
    tonight = nights.now
    run = nights.night()
    after = fingerprint(nights.school)
    assert after != before
    undone = decisions.undo(run=run, by=administrator, now=nights.now)
    assert fingerprint(nights.school) == before
    assert (undone.state, undone.left_by_undo, undone.undone_by) == (ImportState.UNDONE, [], str(administrator))
    nights.link.refresh_from_db()
    assert nights.link.paused_at == nights.now
    assert nights.send(run_id="paused").run is None
    links.resume(link=nights.link, by=administrator, now=nights.now)
    nights.now = tonight  # whoever is missing left on the same day
    again = nights.night()
    assert fingerprint(nights.school) == after
    for name in ("added", "updated", "ended", "kept"):
        assert again.counts[name] == run.counts[name], name


def test_an_undo_of_the_first_import_leaves_nobody(nights: Nights, administrator: Account) -> None:
    decisions.undo(run=nights.passed[0], by=administrator, now=nights.now)
    assert Pupil.objects.count() == Contact.objects.count() == ContactDetail.objects.count() == 0


def test_who_has_connected_since_is_left_and_named(nights: Nights, administrator: Account) -> None:
    one, two = a_busy_night(nights)
    old = nights.value(two)
    run = nights.night()
    person = nights.connect(one, mobile=OWN)
    undone = decisions.undo(run=run, by=administrator, now=nights.now)
    assert nights.value(one) == OWN
    assert nights.value(two) == old
    left = [row for row in undone.left_by_undo if row["person_id"] == person.pk]
    assert [(row["kind"], row["model"]) for row in left] == [("contact", "detail")]
    assert "connected since" in left[0]["why"]


def test_a_person_added_and_connected_since_stays_with_child_and_links(nights: Nights, administrator: Account) -> None:
    pupil = nights.mis.add_pupil()
    run = nights.night()
    record = next(
        link.contact_id for link in nights.mis.links[pupil.id] if nights.contact_or_none(link.contact_id) is not None
    )
    person = nights.connect(record, email="mine@example.org")
    undone = decisions.undo(run=run, by=administrator, now=nights.now)
    assert Contact.objects.filter(pk=person.pk).exists()
    assert nights.link_between(pupil.id, record).access
    assert nights.value(record, "email") == "mine@example.org"
    assert {row["kind"] for row in undone.left_by_undo} == {"contact", "pupil"}


def test_a_person_added_and_invited_since_stays_for_the_link_that_was_sent(
    nights: Nights, administrator: Account
) -> None:
    pupil = nights.mis.add_pupil()
    run = nights.night()
    found = (nights.contact_or_none(link.contact_id) for link in nights.mis.links[pupil.id])
    person = next(one for one in found if one is not None)
    letter_making.print_letter(owner=person, by=administrator, now=nights.now)
    undone = decisions.undo(run=run, by=administrator, now=nights.now)
    assert Contact.objects.filter(pk=person.pk).exists()
    assert "contact" in {row["kind"] for row in undone.left_by_undo}


def test_a_member_of_staff_added_and_edited_since_stays_for_the_row_of_the_report(
    nights: Nights, administrator: Account
) -> None:
    run = nights.passed[0]
    edited = Staff.objects.order_by("pk")[0]
    proposing.edit_or_propose(owner=edited, kind="mobile", value=OWN, by=administrator, now=nights.now)
    undone = decisions.undo(run=run, by=administrator, now=nights.now)
    _judge_references()
    assert [(one.staff_id, one.new_value) for one in DetailChange.objects.all()] == [(edited.pk, OWN)]
    assert list(Staff.objects.all()) == [edited]
    assert {row["kind"] for row in undone.left_by_undo} == {"staff"}


def test_a_pupil_added_and_denied_and_given_back_since_stays_for_the_row_of_the_report(
    nights: Nights, administrator: Account
) -> None:
    (record,) = nights.usual_parents(1)
    pupil = a_new_child_of(nights, record)
    run = nights.night()
    parent, link = nights.connect(record), nights.link_between(pupil, record)
    login = parent.connections.get().account
    assert login
    row = children.not_my_child(account=login, link=link, by_name=str(parent), now=nights.now)
    children.give_back(change=row, by=administrator, now=nights.now)
    decisions.undo(run=run, by=administrator, now=nights.now)
    _judge_references()
    assert Pupil.objects.filter(pk=link.pupil_id).exists()


def test_a_pupil_whom_a_later_import_gave_a_parent_stays_and_so_does_the_link(
    nights: Nights, administrator: Account
) -> None:
    """The next night would not bring it back: of the parent's record nothing is new."""
    (record,) = nights.usual_parents(1)
    pupil = nights.mis.add_pupil()
    run = nights.night()
    a_new_child_of(nights, record, pupil.id)
    nights.night()
    undone = decisions.undo(run=run, by=administrator, now=nights.now)
    assert nights.link_between(pupil.id, record).access
    assert "pupil" in {row["kind"] for row in undone.left_by_undo}


def a_new_child_of(nights: Nights, record: int, pupil: int | None = None) -> int:
    """Link a new pupil to one more parent in the MIS; returns the pupil's record."""
    pupil = nights.mis.add_pupil().id if pupil is None else pupil
    link = next(one for one in nights.mis.all_links() if one.contact_id == record)
    nights.mis.links[pupil].append(replace(link, pupil_id=pupil))
    return pupil


def _judge_references() -> None:
    """As the end of the transaction does."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")


def test_what_the_office_edited_since_is_left_and_named(nights: Nights, administrator: Account) -> None:
    one, _two = a_busy_night(nights)
    run = nights.night()
    people.edit_detail(owner=nights.contact(one), kind="mobile", value=OWN, by=administrator, now=nights.now)
    undone = decisions.undo(run=run, by=administrator, now=nights.now)
    assert nights.value(one) == OWN
    assert [row["model"] for row in undone.left_by_undo] == ["detail"]


def test_a_detail_that_was_new_and_edited_since_is_not_deleted(nights: Nights, administrator: Account) -> None:
    (record,) = nights.usual_parents(1)
    nights.mis.contacts[record].emails = []
    nights.night()
    ContactDetail.objects.filter(contact=nights.contact(record), kind="email").delete()
    nights.mis.change_email(record, "new@example.org")
    run = nights.night()
    owner = nights.contact(record)
    people.edit_detail(owner=owner, kind="email", value="office@example.org", by=administrator, now=nights.now)
    decisions.undo(run=run, by=administrator, now=nights.now)
    assert nights.value(record, "email") == "office@example.org"


def test_what_a_later_import_changed_is_left_and_named(nights: Nights, administrator: Account) -> None:
    one, two = a_busy_night(nights)
    run = nights.night()
    nights.mis.change_mobile(one, "07700 900901")
    nights.night()
    undone = decisions.undo(run=run, by=administrator, now=nights.now)
    assert nights.value(one) == "+447700900901"
    assert nights.value(two) != "+447700900802"
    assert any(row["person_id"] == nights.contact(one).pk for row in undone.left_by_undo)


def test_an_undo_and_an_unchanged_night_before_it_do_not_hide_what_was_undone(
    nights: Nights, administrator: Account
) -> None:
    a_busy_night(nights)
    data = nights.zip()
    run = nights.night(data)
    after = fingerprint(nights.school)
    assert nights.night(data).state == ImportState.UNCHANGED
    decisions.undo(run=run, by=administrator, now=nights.now)
    nights.link.refresh_from_db()
    links.resume(link=nights.link, by=administrator, now=nights.now)
    assert nights.night(data).state == ImportState.APPLIED
    assert fingerprint(nights.school)["people_contactdetail"] == after["people_contactdetail"]


def test_only_an_applied_import_of_the_last_fortnight_can_be_undone(nights: Nights, administrator: Account) -> None:
    first, unchanged = nights.passed[0], nights.night()
    with pytest.raises(decisions.NotYours, match="has been applied"):
        decisions.undo(run=unchanged, by=administrator, now=nights.now)
    with pytest.raises(decisions.NotYours, match="older"):
        decisions.undo(run=first, by=administrator, now=nights.now + dt.timedelta(days=14))
    decisions.undo(run=first, by=administrator, now=nights.now)
    with pytest.raises(decisions.NotYours):
        decisions.undo(run=first, by=administrator, now=nights.now)


def test_who_connected_since_with_the_very_value_that_the_import_brought_keeps_it(
    nights: Nights, administrator: Account
) -> None:
    one, _two = a_busy_night(nights)
    run = nights.night()
    nights.connect(one)
    decisions.undo(run=run, by=administrator, now=nights.now)
    assert nights.value(one) == "+447700900801"
