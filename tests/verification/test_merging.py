"""Two records of one parent made one by them, undone by the office, and what an import makes of it."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from hub.accounts.models import Account
from hub.core import scope
from hub.core.models import AuditEntry, School
from hub.people.models import Connection, Contact, ContactDetail, DetailSource, MisIdentity, Pupil, PupilContact
from tests.factories.people import give, make_contact, make_identity, make_pupil, tie
from verification.changes.drafting import draft
from verification.children import give_back, not_my_child
from verification.errors import ChangeRefused
from verification.lifecycle import merging, merging_rules
from verification.models import DetailChange, Field, Merge, MisState, Origin, Status

ME = "Ngozi Okafor"
OWN, OTHER = "+447700900777", "+447700900778"


@pytest.fixture
def account(school: School) -> Account:
    return Account.objects.create_user("ngozi@example.org", name=ME, password="x" * 12)


@pytest.fixture
def millie(school: School) -> Pupil:
    return make_pupil(school, "Millie")


@pytest.fixture
def sam(school: School) -> Pupil:
    return make_pupil(school, "Sam")


def proven(contact: Contact, kind: str, value: str, mis_value: str | None = None) -> ContactDetail:
    at = dt.datetime(2026, 10, 1, tzinfo=dt.UTC)
    return give(contact, kind, value, mis_value, source=DetailSource.PERSON, verified_at=at)


@pytest.fixture
def kept(school: School, account: Account, millie: Pupil) -> Contact:
    contact = make_contact(school, "Ngozi", "Okafor", millie)
    make_identity(contact, "5")
    proven(contact, "mobile", OWN, "+447700900001")
    tie(contact, account)
    return contact


@pytest.fixture
def gone(school: School, account: Account, kept: Contact, millie: Pupil, sam: Pupil) -> Contact:
    contact = make_contact(school, "N", "Okafor", millie, sam)
    make_identity(contact, "6")
    proven(contact, "mobile", OTHER, "+447700900002")
    proven(contact, "email", "ngozi@example.org", "")
    tie(contact, account)
    return contact


def merge(account: Account, kept: Contact, gone: Contact, now: dt.datetime, **more: Any) -> Merge:
    return merging.merge(account=account, kept=kept, gone=gone, by_name=ME, now=now, **more)


def value(contact: Contact, kind: str) -> str:
    found = ContactDetail.objects.filter(contact=contact, kind=kind).first()
    return found.value if found else ""


def test_the_kept_record_takes_over_records_pupils_and_the_login(
    account: Account, kept: Contact, gone: Contact, millie: Pupil, sam: Pupil, now: dt.datetime
) -> None:
    done = merge(account, kept, gone, now)
    gone.refresh_from_db()
    assert gone.merged_into == kept
    assert {one.contact_id for one in MisIdentity.objects.filter(kind="contact")} == {kept.pk}
    assert all(bytes(one.digest) == b"" for one in MisIdentity.objects.filter(kind="contact"))
    assert {each.pupil for each in kept.links.all()} == {millie, sam}
    assert not gone.links.exists()
    assert (gone.connections.get().ended_why, kept.connections.get().ended_at) == (merging.MERGED, None)
    assert value(kept, "mobile") == OWN, "the kept record's own stands"
    assert value(kept, "email") == "ngozi@example.org", "it had none, and this one is proven"
    row = DetailChange.objects.get(field=Field.RECORD)
    assert (row.contact, row.status, row.mis_state, row.origin) == (
        kept, Status.APPROVED, MisState.TO_UPDATE, Origin.PERSON,
    )  # fmt: skip
    assert ("record 6" in row.old_value, "record 5" in row.new_value) == (True, True)
    assert AuditEntry.objects.filter(action="person.merged", actor_id=account.pk).exists()
    assert done.by_name == ME


def test_the_person_may_choose_the_other_records_detail(
    account: Account, kept: Contact, gone: Contact, now: dt.datetime
) -> None:
    merge(account, kept, gone, now, take=["mobile"])
    assert value(kept, "mobile") == OTHER
    row = DetailChange.objects.get(contact=kept, field=Field.MOBILE, status=Status.APPROVED)
    assert (row.old_value, row.new_value, row.mis_state) == (OWN, OTHER, MisState.TO_UPDATE)


def test_what_is_not_proven_is_not_taken(account: Account, kept: Contact, gone: Contact, now: dt.datetime) -> None:
    ContactDetail.objects.filter(contact=gone).update(verified_at=None, source=DetailSource.MIS)
    assert [choice.may_take for choice in merging.preview(kept, gone, on=now.date()).choices] == [False]
    merge(account, kept, gone, now, take=["mobile", "email"])
    assert value(kept, "mobile") == OWN
    assert value(kept, "email") == ""


def test_the_page_that_asks_says_what_comes_of_it(
    account: Account, kept: Contact, gone: Contact, now: dt.datetime
) -> None:
    pairs = merging.suggestions(Connection.objects.filter(account=account).select_related("contact"))
    assert [(pair.kept, pair.gone) for pair in pairs] == [(kept, gone)]
    seen = merging.preview(kept, gone, on=now.date())
    assert seen.children == ("Millie Okafor", "Sam Okafor")
    assert [(one.kind, one.kept, one.gone, one.may_take) for one in seen.choices] == [
        ("mobile", "07700 900777", "07700 900778", True)
    ]


def test_only_two_records_of_ones_own_at_one_school_can_be_merged(
    account: Account, kept: Contact, gone: Contact, other_school: School, school: School, now: dt.datetime
) -> None:
    with scope.schools(other_school.pk):
        elsewhere = make_contact(other_school)
        tie(elsewhere, account)
    strangers = make_contact(school, "Emeka", "Okafor")
    tie(strangers, Account.objects.create_user("emeka@example.org", password="x" * 12))
    for other in (kept, elsewhere, strangers, make_contact(school, "Not", "Connected")):
        with pytest.raises(ChangeRefused):
            merge(account, kept, other, now)
    merge(account, kept, gone, now)
    for pair in ((kept, gone), (gone, kept)):
        with pytest.raises(ChangeRefused):
            merge(account, *pair, now)


def test_a_frozen_login_merges_nothing(account: Account, kept: Contact, gone: Contact, now: dt.datetime) -> None:
    row = draft(owner=kept, field="email", origin=Origin.PERSON, made_by=ME, status=Status.FROZEN, now=now)
    row.save()
    with pytest.raises(ChangeRefused):
        merge(account, kept, gone, now)


def test_what_was_open_about_the_other_record_is_closed_and_what_stood_is_replaced(
    account: Account, kept: Contact, gone: Contact, administrator: Account, now: dt.datetime
) -> None:
    common: dict[str, Any] = {"owner": gone, "origin": Origin.ORGANISATION, "made_by": "Priya", "now": now}
    asked = draft(field="email", new_value="a@example.org", status=Status.PENDING, **common)
    stood = draft(
        field="mobile", new_value=OTHER, status=Status.APPROVED, mis_state=MisState.TO_UPDATE, **common
    )  # fmt: skip
    for row in (asked, stood):
        row.save()
    done = merge(account, kept, gone, now)
    asked.refresh_from_db()
    stood.refresh_from_db()
    assert asked.status == Status.WITHDRAWN
    assert stood.mis_state == MisState.REPLACED
    merging.undo_merge(merge=done, by=administrator, now=now)
    stood.refresh_from_db()
    assert stood.mis_state == MisState.TO_UPDATE


# Undone


def everything(*contacts: Contact) -> Any:
    """Return what hangs on these contacts, as an undo has to leave it."""
    columns = ("pupil_id", "contact_id", *merging_rules.LINK)
    return (
        sorted(PupilContact.objects.filter(contact__in=contacts).values_list(*columns), key=repr),
        sorted(MisIdentity.objects.filter(contact__in=contacts).values_list("pk", "contact_id")),
        sorted(
            Connection.objects.filter(contact__in=contacts).values_list("pk", "contact_id", "ended_at", "ended_why")
        ),
        sorted(Contact.objects.filter(pk__in=[one.pk for one in contacts]).values_list("pk", "merged_into")),
    )


@pytest.mark.parametrize("swap", [False, True])
def test_an_undo_gives_each_record_its_own_again(
    account: Account, kept: Contact, gone: Contact, administrator: Account, now: dt.datetime, swap: bool
) -> None:
    one, other = (gone, kept) if swap else (kept, gone)
    PupilContact.objects.filter(contact=gone).update(court_order=True, access=False, lives_with=None, priority=3)
    before = everything(kept, gone)
    done = merge(account, one, other, now)
    assert everything(kept, gone) != before
    undone = merging.undo_merge(merge=done, by=administrator, now=now)
    assert everything(kept, gone) == before
    assert undone.left == ()
    assert (undone.merge.undone_by, undone.merge.undone_at) == (str(administrator), now)
    row = DetailChange.objects.get(field=Field.RECORD)
    assert (row.status, row.mis_state) == (Status.WITHDRAWN, MisState.NOTHING)
    assert all(bytes(digest) == b"" for digest in MisIdentity.objects.values_list("digest", flat=True))
    with pytest.raises(ChangeRefused):
        merging.undo_merge(merge=done, by=administrator, now=now)
    ties = Connection.objects.filter(account=account).select_related("contact")
    assert merging.suggestions(ties) == [], "an office that parted two records is not asked to be overruled"


def test_once_an_import_has_heard_them_together_access_waits_for_the_next(
    account: Account, kept: Contact, gone: Contact, millie: Pupil, administrator: Account, now: dt.datetime
) -> None:
    PupilContact.objects.filter(contact=gone).update(access=False)
    done = merge(account, kept, gone, now)
    MisIdentity.objects.update(digest=b"x" * 16)
    merging.undo_merge(merge=done, by=administrator, now=now)
    assert PupilContact.objects.get(contact=kept, pupil=millie).access is False


def test_access_lost_since_stays_lost(
    account: Account, kept: Contact, gone: Contact, millie: Pupil, administrator: Account, now: dt.datetime
) -> None:
    done = merge(account, kept, gone, now)
    PupilContact.objects.filter(contact=kept, pupil=millie).update(access=False, court_order=True)
    merging.undo_merge(merge=done, by=administrator, now=now)
    for contact in (kept, gone):
        held = PupilContact.objects.get(contact=contact, pupil=millie)
        assert (held.access, held.court_order) == (False, True)


def test_what_has_moved_on_since_is_left_and_named(
    account: Account, kept: Contact, gone: Contact, sam: Pupil, administrator: Account, now: dt.datetime
) -> None:
    done = merge(account, kept, gone, now)
    MisIdentity.objects.filter(external_id="6").delete()
    PupilContact.objects.filter(contact=kept, pupil=sam).delete()
    Connection.objects.filter(contact=kept).update(ended_at=now)
    left = merging.undo_merge(merge=done, by=administrator, now=now).left
    assert len(left) == 3
    assert not Connection.objects.filter(contact=gone, ended_at=None).exists()


def test_the_last_of_two_merges_is_undone_first(
    account: Account, kept: Contact, gone: Contact, school: School, sam: Pupil, administrator: Account, now: dt.datetime
) -> None:
    third = make_contact(school, "Ngozi", "Okafor", sam)
    make_identity(third, "7")
    tie(third, account)
    before = everything(kept, gone, third)
    first = merge(account, kept, gone, now)
    second = merge(account, third, kept, now + dt.timedelta(hours=1))
    assert {one.contact_id for one in MisIdentity.objects.filter(kind="contact")} == {third.pk}
    with pytest.raises(ChangeRefused, match="Undo that merge first"):
        merging.undo_merge(merge=first, by=administrator, now=now)
    merging.undo_merge(merge=second, by=administrator, now=now)
    merging.undo_merge(merge=first, by=administrator, now=now)
    assert everything(kept, gone, third) == before


# Not my child


@pytest.mark.parametrize("at_kept", [True, False])
def test_not_my_child_holds_at_whichever_record_it_was_said(
    account: Account,
    kept: Contact,
    gone: Contact,
    millie: Pupil,
    administrator: Account,
    now: dt.datetime,
    at_kept: bool,
) -> None:
    said_at = kept if at_kept else gone
    denied = PupilContact.objects.get(contact=said_at, pupil=millie)
    row = not_my_child(account=account, link=denied, by_name=ME, now=now)
    done = merge(account, kept, gone, now)
    held = PupilContact.objects.get(contact=kept, pupil=millie)
    assert (held.denied_at, held.pk) == (now, denied.pk)
    row.refresh_from_db()
    assert (row.contact, row.status) == (kept, Status.APPROVED)
    merging.undo_merge(merge=done, by=administrator, now=now)
    row.refresh_from_db()
    assert row.contact == said_at
    assert set(PupilContact.objects.exclude(denied_at=None).values_list("contact", flat=True)) == {said_at.pk}


def test_not_my_child_said_of_a_pupil_who_came_along_goes_back_with_them(
    account: Account, kept: Contact, gone: Contact, sam: Pupil, administrator: Account, now: dt.datetime
) -> None:
    done = merge(account, kept, gone, now)
    row = not_my_child(account=account, link=PupilContact.objects.get(contact=kept, pupil=sam), by_name=ME, now=now)
    merging.undo_merge(merge=done, by=administrator, now=now)
    row.refresh_from_db()
    assert row.contact == gone
    give_back(change=row, by=administrator, now=now)
    assert PupilContact.objects.get(contact=gone, pupil=sam).denied_at is None


# The rules


def a_link(**said: Any) -> dict[str, Any]:
    plain = dict.fromkeys(merging_rules.LINK) | {"relationship": "Mother", "priority": 1, "access": True}
    return plain | said


def test_a_link_that_ended_says_nothing_beside_one_that_stands() -> None:
    ended = a_link(ended_on=dt.date(2026, 9, 1), parental_responsibility=True)
    stands = a_link(access=False, court_order=True)
    for pair in ((ended, stands), (stands, ended)):
        found = merging_rules.one_link(*pair, kept_is_older=True)
        assert (found["ended_on"], found["access"], found["parental_responsibility"]) == (None, False, None)
    later = a_link(ended_on=dt.date(2026, 10, 1))
    assert merging_rules.one_link(ended, later, kept_is_older=True)["ended_on"] == dt.date(2026, 10, 1)


def test_the_rule_is_the_imports_own() -> None:
    first, second = a_link(priority=None, lives_with=False), a_link(priority=2, lives_with=True, court_order=False)
    found = merging_rules.one_link(second, first, kept_is_older=False)
    assert (found["priority"], found["lives_with"], found["court_order"]) == (2, False, False)
    denied = merging_rules.one_link(a_link(), a_link(access=False), kept_is_older=True)
    assert denied["access"] is False


def test_columns_survive_being_stored() -> None:
    held = a_link(ended_on=dt.date(2026, 9, 1), denied_at=dt.datetime(2026, 9, 1, 8, tzinfo=dt.UTC))
    assert merging_rules.restored(merging_rules.stored(held)) == held
