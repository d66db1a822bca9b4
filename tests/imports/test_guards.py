"""Holds: what an import asks a person first, and what a decision lets through."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from imports.planning.counting import counts_of
from imports.planning.guards import A_FILE, Came, assess, fetched
from imports.planning.plan import build_plan
from imports.types import (
    CONTACT,
    KINDS,
    PUPIL,
    STAFF,
    Assessment,
    Decision,
    History,
    KindStats,
    Limits,
    Plan,
    Reading,
    Verdict,
)
from tests.factories.planning import DFE, MONDAY, Hub, a_pupil, a_reading

SUMMER = dt.datetime(2026, 9, 2, 2, 4)  # noqa: DTZ001


def judge(
    history: History = History(),  # noqa: B008  (frozen)
    decision: Decision = Decision(),  # noqa: B008
    limits: Limits = Limits(),  # noqa: B008
    dfe_numbers: tuple[str, ...] = (DFE,),
    complete: tuple[str, ...] = KINDS,
    came: Came = A_FILE,
    **numbers: int,
) -> Assessment:
    """Assess a plan in which these are the numbers of the pupils."""
    known = numbers.get("known", 100)
    numbers = {"known": known, "present": known - numbers.get("removed", 0), "in_file": known} | numbers
    stats = {kind: KindStats() for kind in KINDS} | {PUPIL: KindStats(**numbers)}
    reading = Reading((), frozenset(), frozenset(complete), frozenset(dfe_numbers))
    return assess(
        Plan(stats=stats), reading, limits=limits, history=history, decision=decision, dfe_number=DFE, came=came
    )  # fmt: skip


def codes(found: Assessment) -> list[str]:
    return [reason.code for reason in found.reasons]


def test_a_quiet_night_proceeds() -> None:
    assert judge() == Assessment(Verdict.PROCEED)


@pytest.mark.parametrize(("removed", "verdict"), [(10, Verdict.PROCEED), (11, Verdict.WITHOUT_REMOVALS)])
def test_removals_over_ten_per_cent_are_held_and_the_rest_goes_in(removed: int, verdict: Verdict) -> None:
    assert judge(removed=removed).verdict is verdict


@pytest.mark.parametrize(("removed", "verdict"), [(5, Verdict.PROCEED), (6, Verdict.WITHOUT_REMOVALS)])
def test_a_small_school_may_lose_as_many_as_the_floor(removed: int, verdict: Verdict) -> None:
    assert judge(known=20, removed=removed).verdict is verdict


def test_a_school_sets_its_own_thresholds() -> None:
    limits = Limits(removal_percent=50, removal_floor=0, update_percent=10, present_percent=90)
    assert judge(removed=10, limits=limits).verdict is Verdict.PROCEED
    assert codes(judge(counted_updates=11, limits=limits)) == ["many_updates"]
    assert codes(judge(removed=11, limits=limits)) == ["few_present"]
    assert judge(known=1, removed=1, limits=Limits(removal_floor=0, present_percent=0)).held_kinds == {PUPIL}


def test_a_hold_says_who_is_missing_and_what_to_do() -> None:
    (reason,) = judge(removed=40).reasons
    assert reason.code == "removals"
    assert reason.sentence.startswith("40 of 100 pupils are missing from this file: more than the 10 % you allow")
    assert "keep everybody" in reason.advice
    (one,) = judge(removed=1, limits=Limits(removal_floor=0, removal_percent=0)).reasons
    assert one.sentence.startswith("1 of 100 pupils is missing")


@pytest.mark.parametrize(("updates", "verdict"), [(75, Verdict.PROCEED), (76, Verdict.HOLD)])
def test_updates_over_three_quarters_hold_all(updates: int, verdict: Verdict) -> None:
    assert judge(counted_updates=updates).verdict is verdict


@pytest.mark.parametrize(("rekeyed", "verdict"), [(10, Verdict.PROCEED), (11, Verdict.HOLD)])
def test_many_people_under_new_record_numbers_hold_all(rekeyed: int, verdict: Verdict) -> None:
    found = judge(rekeyed=rekeyed)
    assert found.verdict is verdict
    assert codes(found) == (["rekeyed"] if verdict is Verdict.HOLD else [])


@pytest.mark.parametrize(("present", "verdict"), [(20, Verdict.WITHOUT_REMOVALS), (19, Verdict.HOLD)])
def test_fewer_than_a_fifth_of_those_known_hold_all(present: int, verdict: Verdict) -> None:
    assert judge(present=present, removed=100 - present).verdict is verdict


def test_a_kind_that_is_empty_holds_all() -> None:
    assert codes(judge(present=0, in_file=0, removed=100)) == ["empty"]


def test_a_kind_of_which_the_file_is_not_everybody_may_be_empty() -> None:
    assert judge(present=0, in_file=0, complete=()).verdict is Verdict.PROCEED


def test_a_first_import_is_never_held() -> None:
    assert judge(known=0, in_file=500, added=500).verdict is Verdict.PROCEED


def test_another_schools_file_is_refused_whatever_was_decided() -> None:
    found = judge(dfe_numbers=("8234002",), decision=Decision("apply", {PUPIL: 100}))
    assert found.verdict is Verdict.REFUSE
    assert found.reasons[0].sentence == "This file is about school 823/4002, not about 823/3001. Nothing was imported."


@pytest.mark.parametrize(
    "numbers",
    [
        {"dfe_numbers": ("8234002",)},
        {"dfe_numbers": ("8234002", DFE)},
        {"present": 0, "in_file": 0},
        {"present": 19},
        {"removed": 40},
    ],
)
def test_what_was_fetched_is_no_file_and_comes_from_no_report(numbers: dict[str, Any]) -> None:
    (reason,) = judge(came=fetched("RM Integris"), **numbers).reasons
    words = f"{reason.sentence} {reason.advice}"
    assert "RM Integris" in reason.sentence
    assert "RM Integris" in reason.advice
    assert "file" not in words
    assert "report" not in words
    assert not reason.sentence[0].islower()
    assert words.endswith(".")


def test_a_file_that_does_not_say_its_school_is_taken() -> None:
    assert judge(dfe_numbers=()).verdict is Verdict.PROCEED


def test_nothing_leaks_away_nine_per_cent_a_night() -> None:
    held: list[bool] = []
    known, history = 100, History()
    for _night in range(7):
        found = judge(known=known, removed=9, history=history)
        held.append(found.verdict is Verdict.WITHOUT_REMOVALS)
        if not held[-1]:
            known -= 9
            history = History({PUPIL: 100}, {PUPIL: history.removed.get(PUPIL, 0) + 9})
    assert held == [False] + [True] * 6
    assert known == 91
    assert "after 9 in the last seven nights" in judge(known=91, removed=9, history=history).reasons[0].sentence


def test_the_baseline_is_the_largest_of_the_last_seven_nights() -> None:
    assert judge(known=60, removed=9, history=History({PUPIL: 100})).verdict is Verdict.PROCEED
    assert judge(known=60, removed=9).verdict is Verdict.WITHOUT_REMOVALS


def test_a_decision_lets_through_what_was_shown_and_no_more() -> None:
    shown = Decision("apply", {PUPIL: 40})
    assert judge(removed=40, decision=shown).verdict is Verdict.PROCEED
    assert judge(removed=39, decision=shown, history=History({}, {PUPIL: 30})).verdict is Verdict.PROCEED
    assert judge(removed=41, decision=shown).verdict is Verdict.WITHOUT_REMOVALS


def test_a_decision_is_asked_for_once() -> None:
    for numbers in ({"counted_updates": 90}, {"rekeyed": 90}, {"present": 5}):
        assert judge(**numbers).verdict is Verdict.HOLD  # type: ignore[arg-type]
        assert judge(decision=Decision("apply", {}), **numbers).verdict is Verdict.PROCEED  # type: ignore[arg-type]
        assert judge(decision=Decision("keep", {}), **numbers).verdict is Verdict.PROCEED  # type: ignore[arg-type]


def test_what_is_held_is_counted_and_what_was_approved_is_no_leak() -> None:
    stats = {kind: KindStats() for kind in KINDS} | {PUPIL: KindStats(known=100, present=10, in_file=10, removed=90)}
    plan, reading = Plan(stats=stats), Reading((), frozenset(), frozenset(KINDS), frozenset())
    held = counts_of(plan, reading, Assessment(Verdict.HOLD), rejected=0)
    assert (held["removals_held"], held["removed"]) == ({PUPIL: 90}, {})
    partly = counts_of(plan, reading, Assessment(Verdict.WITHOUT_REMOVALS, (), frozenset({PUPIL})), rejected=0)
    assert (partly["removals_held"], partly["removed"]) == ({PUPIL: 90}, {})
    approved = counts_of(plan, reading, Assessment(Verdict.PROCEED), rejected=0, approved={PUPIL: 90})
    assert (approved["removals_held"], approved["removed"]) == ({}, {})
    quiet = counts_of(plan, reading, Assessment(Verdict.PROCEED), rejected=0)
    assert quiet["removed"] == {PUPIL: 90}


def test_the_summer_roll_over_is_not_counted_and_the_same_in_november_is() -> None:
    hub = Hub()
    hub.night(*(a_pupil(str(n), year_group="4", registration_group="4A") for n in range(20)))
    after = [a_pupil(str(n), year_group="5", registration_group="5B", class_name="5B") for n in range(20)]
    for now, verdict in ((SUMMER, Verdict.PROCEED), (MONDAY, Verdict.HOLD)):
        reading = a_reading(*after)
        plan = build_plan(hub.state(), reading, now=now)
        found = assess(
            plan, reading, limits=Limits(), history=History(), decision=Decision(), dfe_number=DFE
        )  # fmt: skip
        assert plan.stats[PUPIL].updated == 20
        assert found.verdict is verdict


def test_leavers_with_a_date_and_the_top_year_in_summer_are_not_counted() -> None:
    hub = Hub()
    july = dt.datetime(2026, 7, 27, 2, 4)  # noqa: DTZ001
    stay = [a_pupil(str(n), year_group="3") for n in range(20)]
    top = [a_pupil(f"t{n}", year_group="6") for n in range(15)]
    left = [a_pupil(f"l{n}", year_group="3", leaving_date=july.date()) for n in range(15)]
    hub.night(*stay, *top, *left, now=july)
    reading = a_reading(*stay)
    plan = build_plan(hub.state(), reading, now=july)
    assert (plan.stats[PUPIL].removed, plan.stats[PUPIL].explained) == (0, 30)
    found = assess(plan, reading, limits=Limits(), history=History(), decision=Decision(), dfe_number=DFE)
    assert found.verdict is Verdict.PROCEED


def test_contacts_are_held_of_their_own_accord() -> None:
    stats = {kind: KindStats() for kind in KINDS} | {CONTACT: KindStats(known=100, present=60, in_file=60, removed=40)}
    found = assess(
        Plan(stats=stats), Reading((), frozenset(), frozenset({CONTACT}), frozenset()),
        limits=Limits(), history=History(), decision=Decision(), dfe_number=DFE,
    )  # fmt: skip
    assert found.held_kinds == {CONTACT}
    assert "no parent was removed" in found.reasons[0].sentence


def test_where_many_pupils_are_missing_the_few_staff_who_are_wait_too() -> None:
    few = KindStats(known=10, present=5, in_file=5, removed=5)
    half = KindStats(known=60, present=30, in_file=30, removed=30)

    def held_of(pupils: KindStats) -> frozenset[str]:
        return assess(
            Plan(stats={kind: KindStats() for kind in KINDS} | {PUPIL: pupils, STAFF: few}),
            Reading((), frozenset(), frozenset({PUPIL, STAFF}), frozenset()),
            limits=Limits(), history=History(), decision=Decision(), dfe_number=DFE,
        ).held_kinds  # fmt: skip

    assert held_of(half) == {PUPIL, STAFF}
    assert held_of(KindStats(known=60, present=60, in_file=60)) == frozenset()


def test_a_file_of_two_schools_is_refused_too() -> None:
    found = judge(dfe_numbers=(DFE, "8234002"))
    assert found.verdict is Verdict.REFUSE
    assert "and about another school, 823/4002" in found.reasons[0].sentence


def test_a_first_file_without_any_pupil_is_held_too() -> None:
    found = judge(known=0, present=0, in_file=0)
    assert codes(found) == ["empty"]
    assert found.reasons[0].sentence == "The file has no pupils at all."
