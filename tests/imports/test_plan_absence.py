"""Planning absence: it ends and never deletes; keep everybody, hold, explained leavers, partial uploads."""

from __future__ import annotations

import datetime as dt

from imports.planning.plan import access_losses, build_plan
from imports.types import CONTACT, LINK, PUPIL, Action, Why
from tests.factories.planning import MONDAY, Hub, a_contact, a_link, a_member_of_staff, a_pupil, a_reading

TODAY = MONDAY.date()
SUMMER = dt.datetime(2027, 7, 28, 2, 4)  # noqa: DTZ001


def three() -> Hub:
    hub = Hub()
    hub.night(
        a_pupil("1"), a_pupil("2"), a_pupil("3"),
        a_contact("5", "Ngozi", "Okafor", "1", "2"), a_contact("6", "Ade", "Bello", "3"),
    )  # fmt: skip
    return hub


def test_an_absent_pupil_gets_a_leaving_date_and_is_not_deleted() -> None:
    hub = three()
    plan = hub.night(a_pupil("1"), a_pupil("2"), a_contact("5", "Ngozi", "Okafor", "1", "2"))
    assert [(change.model, change.action, change.why) for change in plan.changes] == [(PUPIL, Action.ENDED, Why.GONE)]
    assert len(hub.people[PUPIL]) == 3
    assert hub.pupil("3")["leaving_date"] == TODAY
    assert plan.stats[PUPIL].removed == 1


def test_the_parent_of_a_pupil_who_went_is_no_removal() -> None:
    hub = three()
    plan = hub.night(a_pupil("1"), a_pupil("2"), a_contact("5", "Ngozi", "Okafor", "1", "2"))
    assert plan.stats[CONTACT].removed == 0
    assert plan.stats[CONTACT].explained == 1
    assert len(hub.people[CONTACT]) == 2


def test_a_parent_of_a_leaver_with_a_sibling_stays() -> None:
    hub = three()
    plan = hub.night(
        a_pupil("1"), a_pupil("3"), a_contact("5", "Ngozi", "Okafor", "1"), a_contact("6", "Ade", "Bello", "3")
    )
    assert {change.person_id for change in plan.changes} == {hub.person(PUPIL, "2")}
    assert hub.link("1", "5")["ended_on"] is None


def test_a_contact_who_is_dropped_loses_the_links_and_nothing_else() -> None:
    hub = three()
    plan = hub.night(a_pupil("1"), a_pupil("2"), a_pupil("3"), a_contact("5", "Ngozi", "Okafor", "1", "2"))
    assert [(change.model, change.action) for change in plan.changes] == [(LINK, Action.ENDED)]
    assert hub.link("3", "6")["ended_on"] == TODAY
    assert plan.stats[CONTACT].removed == 1
    assert len(hub.people[CONTACT]) == 2


def test_a_second_night_of_absence_changes_nothing_more() -> None:
    hub = three()
    facts = [a_pupil("1"), a_pupil("2"), a_contact("5", "Ngozi", "Okafor", "1", "2")]
    hub.night(*facts)
    assert hub.night(*facts, now=MONDAY + dt.timedelta(days=1)).is_empty
    assert hub.pupil("3")["leaving_date"] == TODAY


def test_a_pupil_who_left_with_a_date_and_then_vanishes_is_explained() -> None:
    hub = three()
    rest = [
        a_pupil("1"),
        a_pupil("2"),
        a_contact("5", "Ngozi", "Okafor", "1", "2"),
        a_contact("6", "Ade", "Bello", "3"),
    ]
    hub.night(*rest, a_pupil("3", leaving_date=TODAY))
    plan = hub.night(*rest)
    assert plan.stats[PUPIL].removed == 0
    assert plan.stats[PUPIL].explained == 1
    assert hub.pupil("3")["leaving_date"] == TODAY


def test_the_top_year_in_summer_is_explained_and_ends() -> None:
    hub = Hub()
    hub.night(a_pupil("1", year_group="6"), a_pupil("2", year_group="5"))
    plan = hub.night(a_pupil("2", year_group="5"), now=SUMMER)
    assert plan.stats[PUPIL].removed == 0
    assert plan.stats[PUPIL].explained == 1
    assert hub.pupil("1")["leaving_date"] == SUMMER.date()


def test_another_year_in_summer_and_the_top_year_in_november_are_not_explained() -> None:
    for gone, now in (("2", SUMMER), ("1", MONDAY)):
        hub = Hub()
        facts = {"1": a_pupil("1", year_group="6"), "2": a_pupil("2", year_group="5")}
        hub.night(*facts.values())
        del facts[gone]
        assert hub.night(*facts.values(), now=now).stats[PUPIL].removed == 1


def test_a_snapshot_that_is_not_everybody_ends_nobody() -> None:
    hub = three()
    plan = hub.night(a_pupil("1", house="Oak"), complete=())
    assert [change.action for change in plan.changes] == [Action.UPDATED]
    assert hub.pupil("3")["leaving_date"] is None


def test_only_a_complete_kind_loses_people() -> None:
    hub = three()
    hub.night(a_pupil("1"), complete={PUPIL})
    assert hub.pupil("2")["leaving_date"] == TODAY
    assert not hub.identities[(CONTACT, "6", 0)].gone


def test_a_kind_that_is_held_loses_nobody_and_asks_again() -> None:
    hub = three()
    facts = [
        a_pupil("1", house="Oak"),
        a_contact("5", "Ngozi", "Okafor", "1", "2"),
        a_contact("6", "Ade", "Bello", "3"),
    ]
    for _night in range(2):
        plan = hub.night(*facts, hold={PUPIL})
        assert hub.pupil("2")["leaving_date"] is None
        assert plan.stats[PUPIL].removed == 2
    assert hub.pupil("1")["house"] == "Oak", "the rest goes in"


def test_keep_everybody_is_remembered_until_they_reappear() -> None:
    hub = three()
    some = [a_pupil("1"), a_contact("5", "Ngozi", "Okafor", "1", "2"), a_contact("6", "Ade", "Bello", "3")]
    hub.night(*some, keep={PUPIL, CONTACT})
    assert hub.pupil("2")["leaving_date"] is None
    again = hub.night(*some)
    assert again.is_empty
    assert again.stats[PUPIL].removed == 0, "they are not asked about again"
    back = hub.night(a_pupil("1"), a_pupil("2"), a_pupil("3"), *some[1:])
    assert back.changes == [], "they never went"
    gone = hub.night(*some)
    assert gone.stats[PUPIL].removed == 2, "having reappeared, they are asked about anew"


def test_an_excluded_record_ends_as_if_the_mis_no_longer_had_it_and_counts_for_no_hold() -> None:
    hub = three()
    facts = [
        a_pupil("1"), a_pupil("2"), a_contact("5", "Ngozi", "Okafor", "1", "2"), a_contact("6", "Ade", "Bello", "3")
    ]  # fmt: skip
    reading = a_reading(*facts, excluded=frozenset({(PUPIL, "3"), (CONTACT, "6")}))
    plan = build_plan(hub.state(), reading, now=MONDAY)
    hub.apply(plan, today=TODAY)
    assert hub.pupil("3")["leaving_date"] == TODAY
    assert plan.stats[PUPIL].removed == plan.stats[CONTACT].removed == 0


def test_staff_who_vanish_leave() -> None:
    hub = Hub()
    hub.night(a_member_of_staff("8"), a_member_of_staff("9", "Ann"))
    plan = hub.night(a_member_of_staff("8"))
    assert [(change.model, change.action) for change in plan.changes] == [("staff", Action.ENDED)]


def test_losses_of_access_are_taken_from_a_held_plan_and_nothing_else_is() -> None:
    hub = three()
    reading = a_reading(
        a_pupil("1", house="Oak"),
        a_contact(
            "5", "Ngozi", "Renamed", a_link("1", court_order=True, relationship="Carer"), a_link("2"), mobile="+44"
        ),
    )
    plan = build_plan(hub.state(), reading, now=MONDAY)
    lost = access_losses(plan)
    assert [(change.model, change.why) for change in lost.changes] == [(LINK, Why.ACCESS_LOST)]
    hub.apply(lost, today=TODAY)
    link = hub.link("1", "5")
    assert (link["access"], link["court_order"]) == (False, True)
    assert link["relationship"] == "Mother", "only the loss"
    assert hub.people[CONTACT][hub.contact("5")]["surname"] == "Okafor"
    assert hub.pupil("3")["leaving_date"] is None


def test_responsibility_withdrawn_is_a_loss_and_responsibility_given_is_not() -> None:
    hub = Hub()
    hub.night(a_pupil("1"), a_contact("5", "Ngozi", "Okafor", "1"))
    withdrawn = a_contact("5", "Ngozi", "Okafor", a_link("1", parental_responsibility=False))
    plan = build_plan(hub.state(), a_reading(a_pupil("1"), withdrawn), now=MONDAY)
    assert len(access_losses(plan).changes) == 1
    hub.apply(plan, today=TODAY)
    back = build_plan(hub.state(), a_reading(a_pupil("1"), a_contact("5", "Ngozi", "Okafor", "1")), now=MONDAY)
    assert back.changes
    assert access_losses(back).changes == []
