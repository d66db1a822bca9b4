"""Records that come, go and change their ids in the MIS while the person stays the same: from raw snapshots."""

from __future__ import annotations

from typing import Any

import pytest

from hub.core.models import School
from hub.people import services as people
from hub.people.models import Connection, Contact, ContactDetail, MisIdentity, Pupil, PupilContact
from imports.models import ImportChange, ImportState
from mis_connectors import registry
from tests.factories.parents import make_login
from tests.factories.people import give, make_contact, tie
from tests.factories.raw import RawMis, RawNights, a_parent, a_pupil

EMAIL, MOBILE, OTHER = "ada@example.org", "07700 900101", "07700 900199"
HOME: dict[str, Any] = {"postcode": "AB1 2CD"}


@pytest.fixture
def nights(school: School, monkeypatch: pytest.MonkeyPatch) -> RawNights:
    mis, real = RawMis(), registry.connectors
    monkeypatch.setattr(registry, "connectors", lambda: {**real(), "raw": mis})
    nights = RawNights(school, mis)
    nights.mis.records = {"p1": a_pupil("Millie"), "p2": a_pupil("Sam"), "p3": a_pupil("Zoe", "Brown")}
    nights.mis.records |= {f"b{number}": a_parent(f"Kin{number}", "p3", surname="Brown") for number in range(20)}
    return nights


def adas() -> list[Contact]:
    """Whoever is called Ada, those known longest first."""
    return list(Contact.objects.filter(forename="Ada").order_by("pk"))


def ada() -> Contact:
    (one,) = adas()
    return one


def each_sibling_has_a_record(nights: RawNights, **second: Any) -> None:
    nights.mis.records |= {
        "c1": a_parent("Ada", "p1", email=EMAIL, mobile=MOBILE, **HOME),
        "c2": a_parent("Ada", "p2", **{"email": EMAIL, "mobile": MOBILE, **HOME, **second}),
    }
    assert nights.night().state == ImportState.APPLIED


def children_of(contact: Contact) -> set[str]:
    open_links = PupilContact.objects.filter(contact=contact, ended_on=None, access=True)
    return set(open_links.values_list("pupil__forename", flat=True))


def test_one_record_per_sibling_is_one_parent(nights: RawNights) -> None:
    each_sibling_has_a_record(nights)
    ada_ = ada()
    assert children_of(ada_) == {"Millie", "Sam"}
    assert MisIdentity.objects.filter(contact=ada_).count() == 2


def test_so_it_is_where_only_the_email_or_only_the_mobile_agrees(nights: RawNights) -> None:
    each_sibling_has_a_record(nights, email="ada.work@example.org")
    ada_ = ada()
    assert ContactDetail.objects.get(contact=ada_, kind="email").value == EMAIL


@pytest.mark.parametrize(
    "second",
    [
        {"email": "", "mobile": ""},
        {"email": "other@example.org", "mobile": "07700 900199"},
        {"postcode": "ZZ9 9ZZ"},
        {"surname": "Brown"},
    ],
    ids=["name alone", "other email and mobile", "another family", "another name"],
)
def test_less_than_two_signals_in_one_family_are_two_people(nights: RawNights, second: dict[str, Any]) -> None:
    each_sibling_has_a_record(nights, **second)
    assert len(adas()) == 2


def test_a_sibling_who_comes_later_brings_the_same_parent(nights: RawNights) -> None:
    nights.mis.records["c1"] = a_parent("Ada", "p1", email=EMAIL, mobile=MOBILE, **HOME)
    nights.night()
    each_sibling_has_a_record(nights)
    assert children_of(ada()) == {"Millie", "Sam"}


def test_a_merge_that_keeps_one_of_the_two_ids_ends_nobody(nights: RawNights) -> None:
    each_sibling_has_a_record(nights)
    before = ada().pk
    del nights.mis.records["c1"]
    nights.mis.records["c2"] = a_parent("Ada", "p1", "p2", email=EMAIL, mobile=MOBILE, **HOME)
    run = nights.night()
    assert ada().pk == before
    assert children_of(ada()) == {"Millie", "Sam"}
    assert not ImportChange.objects.filter(run=run, action="ended").exists()


def test_the_connected_keep_sight_when_the_mis_drops_their_record_and_the_other_is_as_it_was(nights: RawNights) -> None:
    """Nobody would look at a record that has not changed, were it not of the family of one who is Connected."""
    nights.mis.records |= {
        "c1": a_parent("Ada", "p1", email=EMAIL, mobile=MOBILE),
        "c2": a_parent("Ada", "p1", "p2", mobile=OTHER),
    }
    nights.night()
    mine, other = adas()
    people.connect(contact=mine, account=make_login(), verified={"mobile": OTHER}, by_name="Ada", now=nights.now)
    del nights.mis.records["c1"]
    nights.night()
    assert MisIdentity.objects.get(external_id="c2").contact_id == mine.pk != other.pk
    assert children_of(mine) == {"Millie", "Sam"}


def test_a_merge_into_a_new_id_is_the_same_parent(nights: RawNights) -> None:
    each_sibling_has_a_record(nights)
    ada_ = ada()
    tie(ada_, make_login())
    nights.mis.records["c9"] = a_parent("Ada", "p1", "p2", email=EMAIL, mobile=MOBILE, **HOME)
    del nights.mis.records["c1"], nights.mis.records["c2"]
    run = nights.night()
    assert ada().pk == ada_.pk
    assert children_of(ada_) == {"Millie", "Sam"}
    assert Connection.objects.filter(contact=ada_, ended_at=None).exists()
    assert not ImportChange.objects.filter(run=run, action__in=("ended", "added")).exists()
    assert ImportChange.objects.get(run=run, action="relinked").after == {"record": "c9"}
    assert nights.night().state == ImportState.UNCHANGED


def test_two_parents_of_the_hub_that_the_mis_makes_one_become_the_older_and_nobody_is_made_anew(
    nights: RawNights,
) -> None:
    each_sibling_has_a_record(nights, email="ada2@example.org", mobile="07700 900102")
    first, second = adas()
    nights.mis.records["c9"] = a_parent(
        "Ada", "p1", "p2", email=EMAIL, mobile="07700 900102", **HOME
    )  # the merge took a value of each
    del nights.mis.records["c1"], nights.mis.records["c2"]
    run = nights.night()
    assert len(adas()) == 2
    assert children_of(first) == {"Millie", "Sam"}
    assert children_of(second) == set()
    assert not ImportChange.objects.filter(run=run, model="contact", action="added").exists()


def test_of_two_that_become_one_the_connected_stays(nights: RawNights) -> None:
    each_sibling_has_a_record(nights, email="ada2@example.org", mobile="07700 900102")
    first, second = adas()
    tie(second, make_login())
    nights.mis.records["c9"] = a_parent("Ada", "p1", "p2", email=EMAIL, mobile="07700 900102", **HOME)
    del nights.mis.records["c1"], nights.mis.records["c2"]
    nights.night()
    assert children_of(second) == {"Millie", "Sam"}
    assert children_of(first) == set()


def test_one_who_leaves_with_their_record_takes_no_sibling_with_them(nights: RawNights) -> None:
    each_sibling_has_a_record(nights)
    del nights.mis.records["c1"], nights.mis.records["p1"]
    nights.night()
    assert "Sam" in children_of(ada())


@pytest.mark.parametrize(("by_hand", "people"), [(True, 2), (False, 1)])
def test_whom_the_office_made_by_hand_no_record_is_taken_for(nights: RawNights, by_hand: bool, people: int) -> None:
    assert nights.night().state == ImportState.APPLIED
    millie = Pupil.objects.get(forename="Millie")
    known = make_contact(nights.school, "Ada", "Okafor", millie, made_by_hand=by_hand)
    give(known, "email", EMAIL)
    nights.mis.records |= {"c1": a_parent("Ada", "p1", email=EMAIL)}
    assert nights.night().state == ImportState.APPLIED
    assert len(adas()) == people
    assert MisIdentity.objects.filter(contact=known).exists() is not by_hand
