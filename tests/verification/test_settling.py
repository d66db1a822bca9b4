"""Rows of the report close, open again and are replaced as the MIS says things; drift gets its rows."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.accounts.models import Account
from hub.core import scope
from hub.core.models import School
from hub.people.models import Contact, ContactDetail, DetailSource, MisIdentity, Pupil, PupilContact
from tests.factories.changes import make_change
from tests.factories.people import give, link, make_contact, make_identity, make_pupil, make_staff, tie
from verification.models import Choices, DetailChange, MisState, Status
from verification.reporting.settling import TWO_NIGHTS, Settled, settle, settle_owner

OLD, NEW, THIRD = "+447700900123", "+447700900456", "+447700900789"
HOUR = dt.timedelta(hours=1)


@pytest.fixture
def account(db: None) -> Account:
    return Account.objects.create_user("ngozi@example.org", name="Ngozi Okafor", password="x" * 12)


@pytest.fixture
def millie(school: School) -> Pupil:
    return make_pupil(school, "Millie", year_group="Year 6", registration_group="6HB")


@pytest.fixture
def ngozi(school: School, millie: Pupil, account: Account) -> Contact:
    """Connected, with a mobile that she changed: the MIS still has the old one."""
    ngozi = make_contact(school, "Ngozi", "Okafor", millie)
    tie(ngozi, account)
    give(ngozi, "mobile", NEW, OLD, source=DetailSource.PERSON)
    return ngozi


def row(owner: Any, now: dt.datetime, **fields: Any) -> DetailChange:
    fields = {
        "field": "mobile",
        "old_value": OLD,
        "new_value": NEW,
        "origin": "person",
        "made_by": str(owner),
        "status": Status.APPROVED,
        "mis_state": MisState.TO_UPDATE,
        "made_at": now,
        "effective_at": now,
        "person_name": str(owner),
    } | fields
    key = "staff" if owner._meta.model_name == "staff" else "contact"
    return DetailChange.objects.create(school=owner.school, **{key: owner}, **fields)


def says(owner: Any, mis_value: str, now: dt.datetime, kind: str = "mobile", **fields: Any) -> None:
    """Let the MIS say something else from `now` on."""
    key = "staff" if owner._meta.model_name == "staff" else "contact"
    ContactDetail.objects.filter(kind=kind, **{key: owner}).update(mis_value=mis_value, mis_changed_at=now, **fields)


def night(school: School, now: dt.datetime, number: int = 12, **fields: Any) -> Settled:
    return settle(school=school, import_id=number, now=now, **fields)


def rows(school: School) -> list[tuple[str, str, str, str]]:
    found = DetailChange.objects.filter(school=school).order_by("id")
    return list(found.values_list("status", "mis_state", "old_value", "new_value"))


def test_a_row_closes_by_itself_when_an_import_carries_the_value(
    school: School, ngozi: Contact, now: dt.datetime
) -> None:
    change = row(ngozi, now)
    assert night(school, now) == Settled(), "the MIS has not caught up"
    says(ngozi, NEW, now + HOUR)
    assert night(school, now + HOUR, 13).updated == 1
    change.refresh_from_db()
    assert (change.mis_state, change.settled_import, change.settled_at, change.settled_by) == (
        MisState.UPDATED,
        13,
        now + HOUR,
        "",
    )


def test_it_opens_again_when_the_mis_says_something_else_again(
    school: School, ngozi: Contact, now: dt.datetime
) -> None:
    change = row(ngozi, now)
    says(ngozi, NEW, now)
    night(school, now)
    for value in (OLD, THIRD, ""):
        says(ngozi, value, now + HOUR)
        assert night(school, now + HOUR, 13).differs == 1, value
        change.refresh_from_db()
        assert (change.mis_state, change.settled_at, change.settled_import) == (MisState.DIFFERS, None, None)
        says(ngozi, NEW, now + 2 * HOUR)
        assert night(school, now + 2 * HOUR, 14).updated == 1, value
    assert DetailChange.objects.count() == 1, "what is listed already needs no second row"


def test_a_change_that_takes_a_detail_out_closes_when_the_mis_has_none(
    school: School, ngozi: Contact, now: dt.datetime
) -> None:
    ContactDetail.objects.update(value="")
    row(ngozi, now, old_value=NEW, new_value="")
    assert night(school, now) == Settled(), "no offer of what was just taken out"
    says(ngozi, "", now)
    assert night(school, now).updated == 1


def test_what_is_marked_done_opens_again_if_two_nights_do_not_show_it(
    school: School, ngozi: Contact, now: dt.datetime
) -> None:
    change = row(ngozi, now, mis_state=MisState.DONE, settled_at=now, settled_by="Priya Shah")
    just_before = now + TWO_NIGHTS - dt.timedelta(microseconds=1)
    assert night(school, just_before) == Settled()
    assert settle_owner(owner=ngozi, now=now + 2 * TWO_NIGHTS) == Settled(), "no import has come meanwhile"
    assert night(school, now + TWO_NIGHTS).differs == 1
    change.refresh_from_db()
    assert (change.mis_state, change.settled_at, change.settled_by) == (MisState.DIFFERS, None, "")


def test_what_is_marked_done_stays_done_while_the_mis_has_no_record_of_the_person(
    school: School, ngozi: Contact, now: dt.datetime
) -> None:
    """Nothing there could show it; when the record comes back as it was, it differs again."""
    record = make_identity(ngozi, gone_on=now.date())
    change = row(ngozi, now, mis_state=MisState.DONE, settled_at=now, settled_by="Priya Shah")
    assert night(school, now + 9 * TWO_NIGHTS) == Settled()
    MisIdentity.objects.filter(pk=record.pk).update(gone_on=None)
    assert night(school, now + 10 * TWO_NIGHTS).differs == 1
    change.refresh_from_db()
    assert change.mis_state == MisState.DIFFERS


def test_what_is_marked_done_is_updated_when_the_mis_shows_it(school: School, ngozi: Contact, now: dt.datetime) -> None:
    row(ngozi, now, mis_state=MisState.DONE, settled_at=now, settled_by="Priya Shah")
    says(ngozi, NEW, now)
    assert night(school, now + HOUR).updated == 1


@pytest.mark.parametrize("state", [MisState.TO_UPDATE, MisState.UPDATED, MisState.DONE, MisState.DIFFERS])
def test_a_row_whose_value_is_used_no_more_is_replaced(
    school: School, ngozi: Contact, now: dt.datetime, state: str
) -> None:
    change = row(ngozi, now, mis_state=state, settled_at=now)
    ContactDetail.objects.update(value=THIRD)
    assert night(school, now + HOUR).replaced == 1
    change.refresh_from_db()
    assert change.mis_state == MisState.REPLACED
    assert change.settled_at == now, "when it was settled stays to be read"
    assert rows(school)[1:] == [("kept", "to_update", OLD, THIRD)], "and the drift that stands has a row"


def test_of_two_rows_for_one_value_the_later_stands(school: School, ngozi: Contact, now: dt.datetime) -> None:
    row(ngozi, now, mis_state=MisState.UPDATED, status=Status.KEPT)
    row(ngozi, now, status=Status.KEPT)
    night(school, now)
    assert [state for _, state, _, _ in rows(school)] == ["replaced", "to_update"]


def test_an_edit_of_somebody_not_connected_is_replaced_when_the_mis_overrules_it(
    school: School, millie: Pupil, now: dt.datetime
) -> None:
    daniel = make_contact(school, "Daniel", "Reid", millie)
    give(daniel, "mobile", NEW, OLD, source=DetailSource.ORGANISATION)
    row(daniel, now, origin="organisation")
    says(daniel, THIRD, now, value=THIRD, source=DetailSource.MIS)
    assert night(school, now).replaced == 1


# Drift


def test_drift_of_the_connected_is_listed_once(school: School, ngozi: Contact, now: dt.datetime) -> None:
    assert len(night(school, now).listed) == 1
    change = DetailChange.objects.get()
    assert (change.status, change.mis_state, change.origin) == (Status.KEPT, MisState.TO_UPDATE, "import")
    assert (change.old_value, change.new_value, change.made_by, change.by_import) == (OLD, NEW, "Import 12", 12)
    assert (change.person_name, change.pupil_names, change.year_groups) == (
        "Ngozi Okafor",
        "Millie Okafor (6HB)",
        ["Year 6"],
    )
    assert change.sort_key.startswith("0okafor millie ")
    assert change.deadline is None
    assert night(school, now + HOUR) == Settled(), "not twice"


def test_a_value_that_the_mis_does_not_have_is_drift_too(school: School, ngozi: Contact, now: dt.datetime) -> None:
    says(ngozi, "", now)
    night(school, now)
    assert rows(school) == [("kept", "to_update", "", NEW)]
    says(ngozi, NEW, now)
    assert night(school, now).updated == 1


def test_an_offer_is_listed_while_it_stands(school: School, ngozi: Contact, now: dt.datetime) -> None:
    ContactDetail.objects.update(value="")
    night(school, now)
    assert rows(school) == [("offer", "", "", OLD)]
    assert night(school, now) == Settled()
    says(ngozi, THIRD, now)
    assert night(school, now).replaced == 1
    assert rows(school) == [("offer", "replaced", "", OLD), ("offer", "", "", THIRD)]
    ContactDetail.objects.update(value=NEW)
    assert night(school, now).replaced == 1
    assert rows(school)[2:] == [("kept", "to_update", THIRD, NEW)]


def test_what_was_turned_down_is_not_offered_again_but_to_be_taken_out(
    school: School, ngozi: Contact, now: dt.datetime
) -> None:
    ContactDetail.objects.update(value="", mis_changed_at=now)
    night(school, now)
    DetailChange.objects.update(status=Status.REJECTED)
    night(school, now)
    assert rows(school) == [("rejected", "", "", OLD), ("kept", "to_update", OLD, "")]
    says(ngozi, THIRD, now + HOUR)
    night(school, now + HOUR)
    assert len(rows(school)) == 2, "the row says already that there is to be none"
    says(ngozi, "", now + HOUR)
    assert night(school, now + HOUR).updated == 1


def test_a_no_to_the_question_ends_the_offer_of_the_same(school: School, ngozi: Contact, now: dt.datetime) -> None:
    ContactDetail.objects.update(value="", mis_changed_at=now)
    night(school, now)
    make_change(
        ngozi, status=Status.REJECTED, origin="import", mis_state="", new_value=OLD, made_at=now + HOUR,
        effective_at=None,
    )  # fmt: skip
    night(school, now + HOUR)
    assert rows(school) == [("offer", "replaced", "", OLD), ("rejected", "", "+447700900123", OLD),
                            ("kept", "to_update", OLD, "")]  # fmt: skip


def test_an_office_edit_from_before_is_listed_and_an_unconnected_gap_is_not(
    school: School, millie: Pupil, now: dt.datetime
) -> None:
    edited = make_contact(school, "Daniel", "Reid", millie)
    give(edited, "email", "d.reid@example.org", "dan@example.org", source=DetailSource.ORGANISATION)
    taken_out = make_contact(school, "Lena", "Reid", millie)
    give(taken_out, "email", "", "lena@example.org", source=DetailSource.ORGANISATION)
    quiet = make_contact(school, "Sam", "Reid", millie)
    give(quiet, "email", "sam@example.org", "", source=DetailSource.ORGANISATION)
    night(school, now)
    assert rows(school) == [
        ("kept", "to_update", "dan@example.org", "d.reid@example.org"),
        ("kept", "to_update", "lena@example.org", ""),
    ]


def test_nobody_added_by_hand_or_merged_away_is_drift(
    school: School, ngozi: Contact, account: Account, now: dt.datetime
) -> None:
    governor = make_contact(school, "Gwen", "Marsh", made_by_hand=True)
    tie(governor, account)
    give(governor, "email", "gwen@example.org", "", source=DetailSource.PERSON)
    merged = make_contact(school, "Ngozi", "Okafor", merged_into=ngozi)
    tie(merged, account)
    give(merged, "email", "n@example.org", "o@example.org", source=DetailSource.PERSON)
    row(merged, now, field="email", new_value="o@example.org", mis_state=MisState.TO_UPDATE)
    ContactDetail.objects.filter(contact=ngozi).delete()
    assert night(school, now) == Settled()


def test_staff_are_settled_too(school: School, account: Account, now: dt.datetime) -> None:
    tom = make_staff(school)
    tie(tom, account)
    give(tom, "email", "tom@example.org", "t.marsh@example.org", source=DetailSource.PERSON)
    night(school, now)
    change = DetailChange.objects.get()
    assert (change.person_name, change.pupil_names, change.sort_key[:10]) == ("Tom Marsh", "", "1marsh tom")
    says(tom, "tom@example.org", now, kind="email")
    assert night(school, now).updated == 1


def test_a_question_that_asks_for_what_the_mis_says_stands_for_the_drift(
    school: School, ngozi: Contact, now: dt.datetime
) -> None:
    asked = row(ngozi, now, origin="organisation", status=Status.PENDING, mis_state="", new_value=OLD, old_value=NEW)
    assert night(school, now) == Settled()
    asked.status = Status.REJECTED
    asked.save()
    settle_owner(owner=ngozi, now=now)
    assert rows(school)[1:] == [("kept", "to_update", OLD, NEW)]


# Where the school asks


@pytest.fixture
def asks(school: School) -> Choices:
    return Choices.objects.create(school=school, propose_drift=True)


def test_a_school_that_asks_gets_a_proposal_instead(
    school: School, ngozi: Contact, asks: Choices, now: dt.datetime
) -> None:
    settled = night(school, now)
    change = DetailChange.objects.get()
    assert settled == Settled(proposed=[change.pk])
    assert (change.status, change.mis_state, change.old_value, change.new_value) == (Status.PENDING, "", NEW, OLD)
    assert change.deadline == now + dt.timedelta(hours=168)
    assert change.person_name == "Ngozi Okafor"
    assert night(school, now) == Settled()


def test_it_asks_once_about_what_the_mis_began_to_say(
    school: School, ngozi: Contact, asks: Choices, now: dt.datetime
) -> None:
    night(school, now)
    DetailChange.objects.update(status=Status.REJECTED)
    assert len(settle_owner(owner=ngozi, now=now).listed) == 1
    assert night(school, now + HOUR) == Settled()
    says(ngozi, THIRD, now + 2 * HOUR)
    assert len(night(school, now + 2 * HOUR).proposed) == 1, "something new is asked about, the kept row stands on"
    assert rows(school) == [
        ("rejected", "", NEW, OLD),
        ("kept", "to_update", OLD, NEW),
        ("pending", "", NEW, THIRD),
    ]


def test_a_question_is_taken_back_when_the_mis_says_something_else(
    school: School, ngozi: Contact, asks: Choices, now: dt.datetime
) -> None:
    night(school, now)
    says(ngozi, THIRD, now + HOUR)
    assert len(night(school, now + HOUR).proposed) == 1
    says(ngozi, NEW, now + 2 * HOUR)
    night(school, now + 2 * HOUR)
    assert [status for status, _, _, _ in rows(school)] == ["withdrawn", "withdrawn"]
    assert DetailChange.objects.first().reason == "The MIS no longer says this."  # type: ignore[union-attr]


def test_a_question_is_taken_back_where_an_undo_took_the_very_row_that_said_it(
    school: School, ngozi: Contact, asks: Choices, now: dt.datetime
) -> None:
    """The MIS had begun to have one where she has none; it never had, once that import is undone."""
    offered = give(ngozi, "email", "", "ngozi@example.org")
    ngozi.details.filter(kind="mobile").update(mis_value=NEW)
    night(school, now)
    assert rows(school) == [("pending", "", "", "ngozi@example.org")]
    offered.delete()
    settle(school=school, import_id=None, now=now + HOUR)
    assert rows(school) == [("withdrawn", "", "", "ngozi@example.org")]


def test_a_change_that_the_mis_merely_has_not_yet_is_no_question(
    school: School, ngozi: Contact, asks: Choices, now: dt.datetime
) -> None:
    row(ngozi, now)
    assert night(school, now) == Settled()


def test_another_question_of_the_office_goes_first(
    school: School, ngozi: Contact, asks: Choices, now: dt.datetime
) -> None:
    row(ngozi, now, origin="organisation", status=Status.PENDING, mis_state="", new_value=THIRD)
    assert len(night(school, now).listed) == 1


def test_nothing_is_asked_of_a_frozen_login(school: School, ngozi: Contact, asks: Choices, now: dt.datetime) -> None:
    row(ngozi, now, status=Status.FROZEN, mis_state="", new_value=THIRD)
    assert len(night(school, now).listed) == 1


# A child, and the lists


def test_not_my_child_closes_when_the_link_ends_or_loses_access(
    school: School, ngozi: Contact, millie: Pupil, now: dt.datetime
) -> None:
    ContactDetail.objects.all().delete()
    tie_ = PupilContact.objects.get(contact=ngozi)
    row(ngozi, now, field="child", pupil=millie, old_value="", new_value="")
    assert night(school, now) == Settled()
    for closing, opening in (({"ended_on": now.date()}, {"ended_on": None}), ({"access": False}, {"access": True})):
        PupilContact.objects.filter(pk=tie_.pk).update(**closing)
        assert night(school, now).updated == 1
        PupilContact.objects.filter(pk=tie_.pk).update(**opening)
        assert night(school, now).differs == 1


def test_two_records_of_one_person_close_when_the_mis_has_one_left(
    school: School, ngozi: Contact, now: dt.datetime
) -> None:
    ContactDetail.objects.all().delete()
    kept, gone = make_identity(ngozi, "2001"), make_identity(ngozi, "2002")
    previous = {"merge": 1, "of_gone": [gone.pk], "of_kept": [kept.pk]}
    row(ngozi, now, field="record", old_value="Ngozi Okafor (2002)", new_value="Ngozi Okafor", previous=previous)
    assert night(school, now) == Settled()
    for identity in (gone, kept):
        MisIdentity.objects.filter(pk=identity.pk).update(gone_on=now.date())
        assert night(school, now).updated == 1
        MisIdentity.objects.filter(pk=identity.pk).update(gone_on=None)
        assert night(school, now).differs == 1


def test_lists_follow_names_and_pupils_while_a_row_is_open(
    school: School, ngozi: Contact, millie: Pupil, now: dt.datetime
) -> None:
    change = row(ngozi, now)
    closed = row(ngozi, now, mis_state=MisState.REPLACED, person_name="As it was")
    sam = make_pupil(school, "Sam", "Adeyemi", year_group="Year 2")
    link(sam, ngozi)
    Contact.objects.filter(pk=ngozi.pk).update(surname="Adeyemi")
    night(school, now, relist=False)
    change.refresh_from_db()
    assert change.pupil_names == ""
    night(school, now)
    change.refresh_from_db()
    closed.refresh_from_db()
    assert change.person_name == "Ngozi Adeyemi"
    assert change.pupil_names == "Sam Adeyemi (Year 2), Millie Okafor (6HB)"
    assert change.year_groups == ["Year 2", "Year 6"]
    assert closed.person_name == "As it was"


def test_only_the_owners_asked_for_are_settled(school: School, ngozi: Contact, millie: Pupil, now: dt.datetime) -> None:
    daniel = make_contact(school, "Daniel", "Reid", millie)
    give(daniel, "mobile", THIRD, OLD, source=DetailSource.ORGANISATION)
    settle_owner(owner=ngozi, now=now)
    assert rows(school) == [("kept", "to_update", OLD, NEW)]
    assert settle(school=school, import_id=None, now=now, owners=[]) == Settled()


def test_one_school_never_settles_anothers_rows(
    school: School, other_school: School, ngozi: Contact, now: dt.datetime
) -> None:
    with scope.schools(other_school.pk):
        assert night(other_school, now) == Settled()
        assert night(school, now) == Settled(), "the wall hides them even where they are asked for"
    with scope.schools(school.pk, other_school.pk):
        assert night(other_school, now) == Settled()
        assert not DetailChange.objects.exists()


def test_it_takes_as_many_statements_for_many_as_for_one(
    school: School, ngozi: Contact, millie: Pupil, account: Account, now: dt.datetime
) -> None:
    def come(*numbers: int) -> int:
        for number in numbers:
            parent = make_contact(school, f"Parent{number}", "Zed", millie)
            tie(parent, account)
            give(parent, "email", f"a{number}@example.org", f"b{number}@example.org", source=DetailSource.PERSON)
        with CaptureQueriesContext(connection) as asked:
            assert len(night(school, now).listed) == len(numbers)
        return len(asked)

    night(school, now)  # from now on there are rows to be judged
    one = come(0)
    assert come(*range(1, 31)) == one
    with CaptureQueriesContext(connection) as quiet:
        assert night(school, now) == Settled()
    assert len(quiet) < one


# Whatever happens in whatever order


VALUES = ("", OLD, NEW, THIRD)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("mis"), st.sampled_from(VALUES)),
        st.tuples(st.just("person"), st.sampled_from(VALUES)),
        st.tuples(st.just("done"), st.just("")),
        st.tuples(st.just("wait"), st.just("")),
    ),
    max_size=8,
)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS, asks=st.booleans())
def test_a_settled_row_agrees_with_the_mis_and_every_drift_is_listed(
    school: School, ngozi: Contact, steps: list[tuple[str, str]], asks: bool, now: dt.datetime
) -> None:
    with transaction.atomic():
        Choices.objects.create(school=school, propose_drift=asks)
        for step, value in steps:
            now += HOUR
            if step == "mis":
                says(ngozi, value, now)
            elif step == "person":
                change_to(ngozi, value, now)
            elif step == "done":
                waits = DetailChange.objects.filter(mis_state__in=["to_update", "differs"])
                waits.update(mis_state=MisState.DONE, settled_at=now)
            else:
                now += TWO_NIGHTS
            night(school, now)
            assert night(school, now) == Settled(), "a second time nothing is left to do"
            agrees()
        transaction.set_rollback(True)


def change_to(owner: Contact, value: str, now: dt.datetime) -> None:
    """What the verbs of `verification.changes.changing` do to the rows when a person's change takes effect."""
    detail = ContactDetail.objects.get(contact=owner)
    if detail.value == value:
        return
    ContactDetail.objects.filter(pk=detail.pk).update(value=value)
    DetailChange.objects.filter(status=Status.PENDING).update(status=Status.WITHDRAWN)
    DetailChange.objects.filter(status__in=["approved", "kept", "offer"]).update(mis_state=MisState.REPLACED)
    row(owner, now, old_value=detail.value, new_value=value)


def agrees() -> None:
    detail = ContactDetail.objects.get()
    standing = DetailChange.objects.filter(status__in=["approved", "kept"]).exclude(mis_state=MisState.REPLACED)
    offers = DetailChange.objects.filter(status="offer", mis_state="")
    asked = DetailChange.objects.filter(status="pending")
    assert standing.count() <= 1
    assert offers.count() <= 1
    assert asked.count() <= 1
    for one in standing:
        assert one.new_value == detail.value
        if one.mis_state == MisState.UPDATED:
            assert detail.mis_value == detail.value
        else:
            assert detail.mis_value != detail.value, "what agrees is closed"
    for one in (*offers, *asked):
        assert one.new_value == detail.mis_value
    if detail.mis_value != detail.value:
        assert standing or offers or asked, "every drift is listed"
