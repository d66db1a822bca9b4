"""Nights after two records were made one: by their person here, or by the office in the MIS. In PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from hub.accounts.models import Account
from hub.core import scope
from hub.core.models import School
from hub.people import services as people
from hub.people.models import Contact, ContactDetail, MisIdentity, PupilContact
from imports import decisions, reading
from imports.models import ImportChange, ImportState
from tests.factories.running import Nights, fingerprint
from verification.lifecycle import merging
from verification.models import DetailChange, Field, MisState

OWN = "+447700900777"


@pytest.fixture
def school(db: None, first_night: Nights) -> Iterator[School]:
    with scope.schools(first_night.school.pk):
        yield first_night.school


def two_records(nights: Nights) -> tuple[int, int, Account]:
    """Two records, of one login: the older one's mobile is confirmed."""
    one, two = nights.usual_parents(2)
    older, newer = sorted((one, two), key=lambda record: nights.contact(record).identities.get().pk)
    account = nights.connect(older, mobile=OWN).connections.get().account
    assert account is not None
    people.connect(contact=nights.contact(newer), account=account, verified={}, by_name="Ngozi", now=nights.now)
    return older, newer, account


def merged(nights: Nights, kept: int, gone: int, account: Account) -> tuple[Contact, Contact, Any]:
    to, away = nights.contact(kept), nights.contact(gone)
    return to, away, merging.merge(account=account, kept=to, gone=away, by_name="Ngozi", now=nights.now)


def pupils(contact: Contact) -> set[int]:
    return set(PupilContact.objects.filter(contact=contact, ended_on=None).values_list("pupil_id", flat=True))


@pytest.mark.parametrize("keep_older", [True, False])
def test_the_next_night_hears_them_together_though_the_file_is_the_same(nights: Nights, keep_older: bool) -> None:
    older, newer, account = two_records(nights)
    nights.night()
    data = nights.zip()
    nights.night(data)
    older_mobile = MisIdentity.objects.get(contact=nights.contact(older)).mobiles[0]
    before = pupils(nights.contact(older)) | pupils(nights.contact(newer))
    kept, gone, _ = merged(nights, *((older, newer) if keep_older else (newer, older)), account)
    run = nights.night(data)
    assert run.state in (ImportState.APPLIED, ImportState.UNCHANGED)
    assert pupils(kept) == before
    assert not pupils(gone)
    held = ContactDetail.objects.get(contact=kept, kind="mobile")
    assert held.mis_value == older_mobile, "the oldest record speaks first"
    if keep_older:
        assert held.value == OWN, "no import writes what a Connected person confirmed"
    assert {one.contact_id for one in MisIdentity.objects.filter(contact__in=[kept, gone])} == {kept.pk}
    assert all(bytes(one.digest) for one in MisIdentity.objects.filter(contact=kept))
    again = nights.night(data)
    assert again.state == ImportState.UNCHANGED
    assert not ImportChange.objects.filter(run=again).exists()


def test_no_night_revives_who_was_merged_away_nor_finds_them_again(nights: Nights) -> None:
    older, newer, account = two_records(nights)
    _kept, gone, _ = merged(nights, older, newer, account)
    name = (gone.forename, gone.surname)
    guid = nights.mis.contacts[newer].guid
    MisIdentity.objects.filter(external_id__in=[str(newer), guid]).delete()  # it comes as a new record tonight
    nights.night()
    gone.refresh_from_db()
    assert (gone.forename, gone.surname, gone.merged_into_id) == (*name, older and nights.contact(older).pk)
    assert not gone.identities.exists()
    assert not gone.links.exists()


def test_the_row_closes_when_the_mis_has_merged_them_too(nights: Nights) -> None:
    older, newer, account = two_records(nights)
    kept, _gone, _ = merged(nights, older, newer, account)
    nights.night()
    row = DetailChange.objects.get(field=Field.RECORD)
    assert row.mis_state == MisState.TO_UPDATE
    before = pupils(kept)
    nights.mis.merge_contacts(newer, older)
    nights.night()
    row.refresh_from_db()
    assert row.mis_state == MisState.UPDATED
    assert pupils(kept) == before, "all children came along in the MIS"


def test_an_undone_merge_and_one_more_night_are_as_if_nothing_had_been(nights: Nights, administrator: Account) -> None:
    older, newer, account = two_records(nights)
    nights.night()
    before = fingerprint(nights.school)
    _kept, _gone, done = merged(nights, older, newer, account)
    nights.night()
    merging.undo_merge(merge=done, by=administrator, now=nights.now)
    nights.night()
    assert fingerprint(nights.school) == before


@pytest.mark.parametrize("keep_older", [True, False])
def test_an_undo_leaves_no_link_open_whose_record_went_meanwhile(
    nights: Nights, administrator: Account, keep_older: bool
) -> None:
    older, newer, account = two_records(nights)
    stays, goes = nights.contact(older), nights.contact(newer)
    _kept, _gone, done = merged(nights, *((older, newer) if keep_older else (newer, older)), account)
    nights.mis.merge_contacts(newer, older)
    nights.night()
    merging.undo_merge(merge=done, by=administrator, now=nights.now)
    nights.night()
    assert pupils(stays)
    assert not pupils(goes), "the MIS has no record that tells of them"


def test_a_merge_while_a_night_is_planned_has_it_read_again(nights: Nights, monkeypatch: Any) -> None:
    older, newer, account = two_records(nights)
    nights.mis.change_mobile(newer, "07700 900801")
    nights.mis.change_mobile(older, "07700 900802")
    plan_run, done = reading.plan_run, []

    def meanwhile(*args: Any, **kwargs: Any) -> Any:
        planned = plan_run(*args, **kwargs)
        if not done:
            done.append(merged(nights, older, newer, account))
        return planned

    monkeypatch.setattr(reading, "plan_run", meanwhile)
    run = nights.night()
    kept, gone, _ = done[0]
    assert run.state == ImportState.APPLIED
    assert ContactDetail.objects.get(contact=kept, kind="mobile").mis_value == "+447700900802"
    assert not ContactDetail.objects.filter(contact=gone).exclude(mis_value="").exists()
    assert not ImportChange.objects.filter(run=run, person_kind="contact", person_id=gone.pk).exists()


def test_an_undo_of_the_import_that_brought_them_leaves_both_and_what_was_denied(
    nights: Nights, administrator: Account
) -> None:
    pupil = nights.mis.add_pupil()
    run = nights.night()
    record = next(
        link.contact_id for link in nights.mis.links[pupil.id] if nights.contact_or_none(link.contact_id) is not None
    )
    link = nights.link_between(pupil.id, record)
    PupilContact.objects.filter(pk=link.pk).update(denied_at=nights.now)
    decisions.undo(run=run, by=administrator, now=nights.now)
    held = PupilContact.objects.get(pk=link.pk)
    assert held.denied_at is not None, "a later import would bring the pupil back into sight"
    assert held.contact is not None


def test_access_regained_in_the_mis_does_not_overrule_not_my_child(nights: Nights) -> None:
    (record,) = nights.usual_parents(1)
    contact = nights.connect(record, mobile=OWN)
    PupilContact.objects.filter(contact=contact).update(denied_at=nights.now)
    pupil = next(pupil for pupil, links in nights.mis.links.items() if any(x.contact_id == record for x in links))
    nights.mis.set_court_order(pupil, record)
    nights.night()
    assert not nights.link_between(pupil, record).access
    nights.mis.link_between(pupil, record).court_order = False
    nights.night()
    link = nights.link_between(pupil, record)
    assert (link.access, link.denied_at is not None) == (True, True)


def test_the_connected_keep_sight_when_the_mis_drops_their_double(nights: Nights, administrator: Account) -> None:
    record, pupil = next(
        (record, children[0])
        for record in nights.usual_parents(8)
        if len(children := [p for p, links in nights.mis.links.items() if record in {x.contact_id for x in links}]) > 1
    )
    me = nights.connect(record, mobile=OWN)
    children = pupils(me)
    double = nights.mis.record_again(record, pupil, "07700 900815", OWN_EMAIL)
    nights.night()
    twin = nights.contact(double.id)
    assert twin != me, "with another mobile and email they are two"
    ContactDetail.objects.update_or_create(
        contact=me, kind="email", defaults={"school": nights.school, "value": OWN_EMAIL, "source": "person",
                                            "changed_at": nights.now},
    )  # fmt: skip
    nights.mis.merge_contacts(record, double.id)
    run = nights.night()
    assert nights.contact(double.id) == me
    assert pupils(me) == children
    assert not pupils(twin)
    decisions.undo(run=run, by=administrator, now=nights.now)
    assert nights.contact(double.id) == twin
    assert pupils(twin)


OWN_EMAIL = "me@example.org"
