"""What follows from a change, an answer, a deadline, a freeze: decided without a clock or a database."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from verification.changes import rules
from verification.changes.rules import Effective, Held, Mis, Next
from verification.models import MisState

MADE = dt.datetime(2026, 11, 23, 8, 0, tzinfo=dt.UTC)
SECOND = dt.timedelta(seconds=1)
VALUES = st.sampled_from(["", "a@example.org", "b@example.org", "c@example.org"])


# Deadlines


def test_a_change_is_open_for_168_hours_to_the_second() -> None:
    deadline = rules.deadline_of(MADE)
    assert deadline - MADE == dt.timedelta(hours=168)
    assert rules.is_open(deadline, deadline - SECOND)
    assert not rules.is_open(deadline, deadline)
    assert not rules.is_open(deadline, deadline + SECOND)


def test_what_has_no_deadline_is_open() -> None:
    assert rules.is_open(None, MADE)


def test_the_hours_count_across_the_change_of_clocks() -> None:
    before_clocks_go_back = dt.datetime(2026, 10, 24, 12, 0, tzinfo=dt.UTC)
    assert rules.deadline_of(before_clocks_go_back) == dt.datetime(2026, 10, 31, 12, 0, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("hours", "sent", "due"),
    [
        (0, 0, 0),
        (71.99, 0, 0),
        (72, 0, 1),
        (100, 1, 1),
        (143.99, 1, 1),
        (144, 1, 2),
        (144, 0, 2),
        (167.99, 2, 2),
        (168, 0, 0),
        (168, 1, 1),
        (500, 0, 0),
    ],
)
def test_reminders_are_due_on_day_three_and_six_and_never_after_the_deadline(hours: float, sent: int, due: int) -> None:
    assert rules.reminders_due(MADE, sent, MADE + dt.timedelta(hours=hours)) == due


@given(st.lists(st.integers(0, 200), max_size=30))
def test_however_often_one_looks_there_are_two_reminders_at_most(hours: list[int]) -> None:
    sent = told = 0
    for hour in sorted(hours):
        due = rules.reminders_due(MADE, sent, MADE + dt.timedelta(hours=hour))
        told += due > sent
        sent = due
    assert told <= 2
    assert sent <= 2


# The MIS


@given(VALUES, VALUES, VALUES, st.booleans())
def test_the_state_in_the_mis_says_what_is_true(new: str, effective: str, mis: str, in_mis: bool) -> None:
    state = rules.mis_state_of(new, effective, mis, in_mis=in_mis)
    assert (state == Mis.REPLACED) == (new != effective)
    if state == Mis.UPDATED:
        assert new == effective == mis
    if state == Mis.TO_UPDATE:
        assert new == effective != mis
    assert state.value in MisState.values


def test_taking_something_out_closes_when_the_mis_has_none() -> None:
    assert rules.mis_state_of("", "", "a@example.org") == Mis.TO_UPDATE
    assert rules.mis_state_of("", "", "") == Mis.UPDATED


def test_of_somebody_added_by_hand_there_is_nothing_to_update() -> None:
    assert rules.mis_state_of("a@example.org", "a@example.org", "", in_mis=False) == Mis.NOTHING


# Changes and answers


@given(VALUES.filter(bool), VALUES, st.booleans(), st.sets(VALUES))
def test_a_new_value_is_proved_once_by_its_person(value: str, used: str, proven: bool, known: set[str]) -> None:
    follows = rules.own_change(value, Held("email", used, proven and bool(used)), known)
    if follows == Next.NOTHING:
        assert value == used
        assert proven
    elif follows == Next.AT_ONCE:
        assert value in known
    else:
        assert follows == Next.PROVE
        assert value not in known


def test_what_came_from_the_mis_can_be_confirmed_as_it_is() -> None:
    assert rules.own_change("a@example.org", Held("email", "a@example.org"), ()) == Next.PROVE


@given(VALUES, VALUES, st.booleans())
def test_the_office_changes_only_who_is_not_connected(value: str, used: str, connected: bool) -> None:
    follows = rules.office_edit(value, Held("email", used), connected=connected)
    assert (follows == Next.NOTHING) == (value == used)
    assert follows != Next.AT_ONCE or not connected
    assert follows != Next.ASK or connected


def test_a_yes_needs_proof_only_of_what_is_not_proved() -> None:
    assert rules.approval("a@example.org", ["a@example.org"]) == Next.AT_ONCE
    assert rules.approval("a@example.org", ["b@example.org"]) == Next.PROVE
    assert rules.approval("", []) == Next.AT_ONCE


def test_the_last_proven_detail_stays() -> None:
    email, mobile = Held("email", "a@example.org", True), Held("mobile", "+447700900123", True)
    assert not rules.leaves_nothing_proven("email", [email, mobile])
    assert rules.leaves_nothing_proven("email", [email])
    assert rules.leaves_nothing_proven("email", [email, Held("mobile", "+447700900123", False)])
    assert rules.leaves_nothing_proven("email", [email, Held("mobile", "", True)])
    assert not rules.leaves_nothing_proven("mobile", [email])


# Who hears of it


@given(st.lists(VALUES), st.lists(VALUES), VALUES)
def test_the_old_addresses_hear_of_a_change_and_one_other_and_never_the_new(
    old: list[str], proven: list[str], new: str
) -> None:
    told = rules.addresses_to_tell(old, proven, new)
    assert new not in told
    assert "" not in told
    assert len(told) == len(set(told))
    assert {value for value in old if value and value != new} <= set(told)
    others = {value for value in proven if value and value != new} - set(old)
    assert len(set(told) - set(old)) == min(1, len(others))


@pytest.mark.parametrize(
    ("kind", "value", "shown"),
    [
        ("email", "ngozi@example.org", "n•••@example.org"),
        ("mobile", "+447700900123", "the number ending 123"),
        ("email", "", ""),
    ],
)
def test_an_address_is_masked_so_that_only_its_owner_knows_it(kind: str, value: str, shown: str) -> None:
    assert rules.masked(kind, value) == shown


# This was not me

NGOZI, CHIDI = ("contact", 1), ("contact", 2)


def at(hour: int) -> dt.datetime:
    return MADE + dt.timedelta(hours=hour)


def test_two_changes_in_a_row_are_taken_back_together_to_what_was_before_the_first() -> None:
    changes = [Effective(8, NGOZI, "c@example.org", at(2)), Effective(7, NGOZI, "b@example.org", at(1))]
    (step,) = rules.undoing(changes, {NGOZI: "c@example.org"})
    assert (step.owner, step.back_to, step.frozen, step.restores) == (NGOZI, 7, (7, 8), True)


def test_what_is_somebody_elses_by_now_is_left() -> None:
    (step,) = rules.undoing([Effective(7, NGOZI, "b@example.org", at(1))], {NGOZI: "x@example.org"})
    assert not step.restores


def test_each_record_goes_back_by_itself() -> None:
    changes = [Effective(7, NGOZI, "b@example.org", at(1)), Effective(8, CHIDI, "b@example.org", at(1))]
    steps = rules.undoing(changes, {NGOZI: "b@example.org", CHIDI: "z@example.org"})
    assert [(one.owner, one.restores) for one in steps] == [(NGOZI, True), (CHIDI, False)]


@given(st.lists(st.tuples(st.sampled_from([NGOZI, CHIDI]), VALUES, st.integers(0, 50)), max_size=8))
def test_a_freeze_takes_every_change_exactly_once(found: list[tuple[tuple[str, int], str, int]]) -> None:
    changes = [Effective(number, owner, value, at(hour)) for number, (owner, value, hour) in enumerate(found)]
    steps = rules.undoing(changes, {})
    assert sorted(pk for step in steps for pk in step.frozen) == [one.id for one in changes]
    for step in steps:
        times = {one.id: one.at for one in changes}
        assert step.back_to == step.frozen[0]
        assert times[step.back_to] == min(times[pk] for pk in step.frozen)
