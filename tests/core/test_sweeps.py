"""What is done for many schools is done for each of them, whatever fails at another."""

from __future__ import annotations

import pytest

from hub.core import scope, sweeps
from hub.core.models import School


def test_one_that_fails_keeps_none_of_the_others_from_being_done() -> None:
    done = []

    def deed(number: int) -> int:
        if number % 2:
            raise ValueError(f"number {number}")
        done.append(number)
        return number

    with pytest.raises(ExceptionGroup) as raised:
        sweeps.each(range(5), deed)
    assert done == [0, 2, 4]
    assert [str(one) for one in raised.value.exceptions] == ["number 1", "number 3"]


def test_what_was_done_is_summed() -> None:
    assert sweeps.each([3, 4], lambda number: number) == 7
    assert sweeps.each([3, 4], lambda number: None) == 0


def test_each_school_has_its_own_scope_and_a_failure_leaves_none_behind(school: School, other_school: School) -> None:
    seen = []

    def deed(one: School) -> None:
        seen.append((one.pk, scope.current_schools()))
        raise ValueError

    with scope.schools(), pytest.raises(ExceptionGroup):
        sweeps.each_school([school, other_school], deed)
    assert seen == [(school.pk, (school.pk,)), (other_school.pk, (other_school.pk,))]


def test_what_failed_is_named_by_its_number_and_never_by_its_name(school: School) -> None:
    def fails(one: object) -> None:
        raise ValueError

    with pytest.raises(ExceptionGroup) as raised:
        sweeps.each([school, 12, (5, 12), lambda: None, (["Ngozi"], 5), "Ngozi"], fails)
    said = [getattr(one, "__notes__", []) for one in raised.value.exceptions]
    assert said == [[f"This was school {school.pk}."], ["This was 12."], ["This was (5, 12)."], [], [], []]
