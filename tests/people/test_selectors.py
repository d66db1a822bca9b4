"""Whom a member may see, how people are found, and the lists."""

from __future__ import annotations

import datetime as dt

import pytest

from hub.accounts.models import Account, Membership
from hub.core.models import School
from hub.people import searching, selectors, services
from hub.people.models import DetailSource, PupilContact
from tests.factories.people import (
    give,
    link,
    make_contact,
    make_group,
    make_identity,
    make_pupil,
    make_staff,
    tie,
)


def member(account: Account) -> Membership:
    return Membership.objects.get(account=account)


def names(found: object) -> list[str]:
    return [str(one) for one in found]  # type: ignore[attr-defined]


@pytest.fixture
def family(school: School, teacher: Account, administrator: Account, now: dt.datetime) -> dict[str, object]:
    """Millie in the teacher's group, her brother Sam in another; a mother of both, a father without access."""
    millie = make_pupil(school, "Millie", registration_group="6HB")
    sam = make_pupil(school, "Sam", registration_group="4RJ")
    mother = make_contact(school, "Ngozi", "Okafor", millie, sam)
    father = make_contact(school, "Emeka", "Okafor")
    link(millie, father, court_order=True, access=False)
    uncle = make_contact(school, "Ike", "Obi", sam)
    group = make_group(school, "6HB", millie)
    services.set_group_access(membership=member(teacher), groups=[group], by=administrator, now=now)
    return {"millie": millie, "sam": sam, "mother": mother, "father": father, "uncle": uncle}


def test_the_office_sees_everybody_of_the_school(
    family: dict[str, object], office: Account, other_school: School
) -> None:
    assert names(selectors.pupils(member(office))) == ["Millie Okafor", "Sam Okafor"]
    assert names(selectors.contacts(member(office))) == ["Ike Obi", "Emeka Okafor", "Ngozi Okafor"]


def test_a_teacher_sees_the_own_groups_and_their_parents_with_access(
    school: School, family: dict[str, object], teacher: Account
) -> None:
    make_staff(school)
    me = member(teacher)
    assert names(selectors.pupils(me)) == ["Millie Okafor"]
    assert names(selectors.contacts(me)) == ["Ngozi Okafor"]
    assert [each.pupil for each in selectors.links_of_contact(me, family["mother"])] == [family["millie"]]  # type: ignore[arg-type]
    assert not selectors.staff(me).exists()


def test_a_contact_is_current_while_any_link_stands(school: School, office: Account, now: dt.datetime) -> None:
    pupil = make_pupil(school)
    make_contact(school, "Still", "Here", pupil)
    gone = make_contact(school, "No", "More")
    link(pupil, gone, ended_on=now.date())
    make_contact(school, "Dr", "Governor", made_by_hand=True)
    assert names(selectors.current_contacts(member(office))) == ["Dr Governor", "Still Here"]


def test_the_lists_name_whom_nobody_can_reach_and_who_is_not_connected(
    school: School, office: Account, administrator: Account
) -> None:
    me, pupil = member(office), make_pupil(school)
    nothing = make_contact(school, "Nothing", "A", pupil)
    bounced = make_contact(school, "Bounced", "B", pupil)
    give(bounced, "email", "b@example.org", deliverable=False)
    give(bounced, "mobile", "", "")
    mailed = make_contact(school, "Mailed", "C", pupil)
    give(mailed, "email", "c@example.org")
    tie(mailed, administrator)
    no_access = make_contact(school, "Without", "Access")
    link(pupil, no_access, access=False)
    assert list(selectors.without_details(me, "email", "mobile")) == [nothing, bounced]
    assert list(selectors.without_details(me, "mobile")) == [nothing, bounced, mailed]
    assert list(selectors.not_connected(me)) == [nothing, bounced]


def test_court_orders_are_those_of_pupils_at_the_school(school: School, office: Account, now: dt.datetime) -> None:
    here = make_pupil(school, "Here")
    left = make_pupil(school, "Left", leaving_date=now.date())
    contact = make_contact(school, "Em", "Oka")
    link(here, contact, court_order=True)
    link(left, contact, court_order=True)
    assert [one.pupil for one in selectors.court_orders(member(office), now.date())] == [here]


def test_records_of_the_mis_say_whether_they_are_imported(school: School, office: Account, now: dt.datetime) -> None:
    contact = make_contact(school)
    first, second = make_identity(contact, "1"), make_identity(contact, "2")
    exclusion = services.exclude_from_imports(identity=second, by=office, now=now)
    assert selectors.identities(contact) == [(first, None), (second, exclusion)]


# search


@pytest.fixture
def crowd(school: School) -> None:
    pupil = make_pupil(
        school, "Zoë", "Lloyd-Smith", admission_number="004711", upn="R674123101121", legal_forename="Zoey"
    )
    parent = make_contact(school, "Siân", "O'Brien", pupil)
    give(parent, "mobile", "+447700900123", "+447700900777")
    give(parent, "email", "sian@example.org", source=DetailSource.PERSON)
    make_contact(school, "Ann", "Smithson", pupil)
    make_staff(school, "Tom", "Marsh", code="TMA")


@pytest.mark.parametrize(
    ("query", "pupils", "parents", "staff"),
    [
        ("smith", ["Zoë Lloyd-Smith"], ["Ann Smithson"], []),
        ("zoë lloyd", ["Zoë Lloyd-Smith"], [], []),
        ("zoey", ["Zoë Lloyd-Smith"], [], []),
        ("ith", [], [], []),
        ("O’Bri", [], ["Siân O'Brien"], []),
        ("brien siân", [], ["Siân O'Brien"], []),
        ("4711", ["Zoë Lloyd-Smith"], [], []),
        ("004711", ["Zoë Lloyd-Smith"], [], []),
        ("r674 1231", ["Zoë Lloyd-Smith"], [], []),
        ("SIAN@example", [], ["Siân O'Brien"], []),
        ("07700 900123", [], ["Siân O'Brien"], []),
        ("07700 9001", [], ["Siân O'Brien"], []),
        ("+44 7700 900777", [], ["Siân O'Brien"], []),
        ("0770", [], ["Siân O'Brien"], []),
        ("tma", [], [], ["Tom Marsh"]),
        ("mar", [], [], ["Tom Marsh"]),
        ("a.*b(", [], [], []),
        ("%", [], [], []),
        ("\x00", ["Zoë Lloyd-Smith"], ["Siân O'Brien", "Ann Smithson"], ["Tom Marsh"]),
    ],
)
def test_people_are_found_by_what_one_types(
    crowd: None, office: Account, query: str, pupils: list[str], parents: list[str], staff: list[str]
) -> None:
    me = member(office)
    assert names(searching.search_pupils(selectors.pupils(me), query)) == pupils
    assert names(searching.search_contacts(selectors.contacts(me), query)) == parents
    assert names(searching.search_staff(selectors.staff(me), query)) == staff


def test_sight_needs_access_an_open_link_no_denial_and_a_pupil_at_school(school: School, now: dt.datetime) -> None:
    today = now.date()
    mother = make_contact(school)
    seen = link(make_pupil(school, "Seen"), mother)
    link(make_pupil(school, "No access"), mother, access=False)
    link(make_pupil(school, "Ended"), mother, ended_on=today)
    link(make_pupil(school, "Denied"), mother, denied_at=now)
    link(make_pupil(school, "Left", leaving_date=today), mother)
    leaves = link(make_pupil(school, "Leaves tomorrow", leaving_date=today + dt.timedelta(days=1)), mother)
    found = PupilContact.objects.filter(selectors.with_sight(today), contact=mother)
    assert set(found) == {seen, leaves}


def test_nobody_is_written_to_about_a_pupil_who_they_say_is_not_theirs(
    school: School, office: Account, now: dt.datetime
) -> None:
    me, pupil = member(office), make_pupil(school)
    link(pupil, make_contact(school, "Not", "Mine"), denied_at=now)
    make_contact(school, "Ngozi", "Okafor", pupil)
    assert names(selectors.recipients(me)) == ["Ngozi Okafor"]
    assert names(selectors.not_connected(me)) == ["Ngozi Okafor"]
    assert names(selectors.current_contacts(me)) == ["Not Mine", "Ngozi Okafor"]


def test_a_teacher_does_not_see_who_says_that_a_pupil_is_not_theirs(
    school: School, family: dict[str, object], teacher: Account, now: dt.datetime
) -> None:
    PupilContact.objects.filter(contact=family["mother"]).update(denied_at=now)
    assert names(selectors.contacts(member(teacher))) == []


def test_a_merged_record_is_in_no_list_and_in_no_search(school: School, office: Account) -> None:
    me, pupil = member(office), make_pupil(school)
    kept = make_contact(school, "Ngozi", "Okafor", pupil)
    gone = make_contact(school, "N", "Okafor", merged_into=kept)
    assert list(selectors.contacts(me)) == [kept]
    assert list(searching.search_contacts(selectors.contacts(me), "N Okafor")) == [kept]
    assert selectors.kept_of(me, gone.pk) == kept
    assert selectors.kept_of(me, kept.pk) is None
