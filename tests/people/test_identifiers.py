"""UPNs and DfE numbers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.people.identifiers import dfe_number, upn, upn_check_letter
from tests.factories.letters import LETTERS


def test_a_published_upn_is_right() -> None:
    judged = upn(" r674123101121 ")
    assert (judged.value, judged.temporary, judged.problem) == ("R674123101121", False, None)


def test_a_letter_at_the_end_makes_it_temporary() -> None:
    body = "12345678901A"
    judged = upn(upn_check_letter(body) + body)
    assert judged.value == "X12345678901A"
    assert judged.temporary


def test_a_blank_upn_is_no_problem() -> None:
    assert upn("  ") == upn("")
    assert upn("").problem is None


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        ("R67412310112", "13 characters; this has 12"),
        ("I674123101121", "never I, O or S"),
        ("R67412310112S", "never I, O or S"),
        ("R674123101122", "should be F"),
        ("A674123101121", "should be R"),
    ],
)
def test_a_mistyped_upn_is_refused_with_a_sentence(raw: str, says: str) -> None:
    judged = upn(raw)
    assert judged.value is None
    assert judged.problem is not None
    assert says in judged.problem


def test_the_check_letter_wants_twelve_characters() -> None:
    with pytest.raises(ValueError, match="11 digits"):
        upn_check_letter("12")


@given(st.from_regex(r"[0-9]{12}", fullmatch=True, alphabet=LETTERS), st.integers(0, 11))
def test_one_wrong_digit_never_passes(body: str, place: int) -> None:
    right = upn_check_letter(body) + body
    assert upn(right).value == right
    wrong = body[:place] + str((int(body[place]) + 1) % 10) + body[place + 1 :]
    assert upn(right[0] + wrong).value is None


@given(st.text(LETTERS, max_size=20))
def test_judging_a_upn_never_raises(raw: str) -> None:
    judged = upn(raw)
    assert judged.value is None or judged.problem is None


@pytest.mark.parametrize("raw", ["8233001", "823/3001", "823-3001", " 823 3001 ", "823 / 3001"])
def test_a_dfe_number_is_read_however_it_is_written(raw: str) -> None:
    assert dfe_number(raw) == "8233001"


@pytest.mark.parametrize("raw", ["", "823300", "82330011", "823/300A", "８２３３００１"])
def test_another_number_is_refused_with_a_sentence(raw: str) -> None:
    with pytest.raises(ValueError, match="seven digits"):
        dfe_number(raw)
