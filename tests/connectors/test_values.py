"""What JSON said, as the records want it."""

from __future__ import annotations

import datetime as dt
import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mis_connectors.values import date_of, digest_of, text, whole, yes_no
from tests.factories.letters import LETTERS

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()) | st.binary().map(repr),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(LETTERS, max_size=3), inner, max_size=3),
    max_leaves=4,
)


def test_text_is_stripped_and_nothing_is_none() -> None:
    assert [text(value) for value in (" Ann ", "", "  ", None, 12, 12.0, 1.5, 0)] == [
        "Ann", None, None, None, "12", "12", "1.5", "0",
    ]  # fmt: skip


def test_letters_that_nothing_can_store_are_left_out() -> None:
    assert text(json.loads('"a\\u0000b\\ud800c"')) == "abc"
    assert text(json.loads('"\\ud83d\\ude00"')) == "😀"


@pytest.mark.parametrize("value", [True, [], {}, ["x"], float("nan"), float("inf")])
def test_what_is_no_text_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match="is not text"):
        text(value)


@pytest.mark.parametrize(
    "value", ["2015-03-09", "2015-03-09T00:00:00", "2015-03-09T00:00:00.000Z", "2015-03-09T00:00:00+0100", "09/03/2015"]
)
def test_a_day_is_read_as_it_is_written(value: str) -> None:
    assert date_of(value) == dt.date(2015, 3, 9)


@pytest.mark.parametrize("value", ["2015-02-30", "9 March", "2015-3-9", 20150309, "٢٠١٥-٠٣-٠٩", True])
def test_what_is_no_day_is_refused_without_repeating_it(value: object) -> None:
    with pytest.raises(ValueError, match=r"^is not (a date|text)$"):
        date_of(value)


def test_whole_numbers_from_nought_on() -> None:
    assert [whole(value) for value in (0, "3", 3.0, " 12 ", None, "")] == [0, 3, 3, 12, None, None]
    for value in (-1, 1.5, "1.5", 32_768, "9" * 5000, True, "²"):
        with pytest.raises(ValueError, match="is not"):
            whole(value)


def test_nothing_said_is_never_no() -> None:
    assert [yes_no(value) for value in (None, "", True, False, "Yes", "f", 1, 0, "N")] == [
        None, None, True, False, True, False, True, False, False,
    ]  # fmt: skip
    with pytest.raises(ValueError, match="neither yes nor no"):
        yes_no("perhaps")


@given(ANYTHING)
def test_whatever_json_holds_is_read_or_refused_by_value_error_alone(value: object) -> None:
    for read in (text, date_of, whole, yes_no):
        with suppress(ValueError):
            read(value)
    with suppress(ValueError):
        assert (text(value) or "").encode() or text(value) is None


def test_a_digest_is_of_what_was_said_and_of_the_salt_not_of_the_order_of_keys() -> None:
    digest = digest_of(b"salt", {"a": 1, "b": [None, "é"]}, 7)
    assert len(digest) == 16
    assert digest == digest_of(b"salt", {"b": [None, "é"], "a": 1}, 7)
    others = (
        digest_of(b"other", {"a": 1, "b": [None, "é"]}, 7),
        digest_of(b"s" * 100, {"a": 1, "b": [None, "é"]}, 7),
        digest_of(b"salt", {"a": "1", "b": [None, "é"]}, 7),
        digest_of(b"salt", {"a": 1, "b": [None, "é"]}, "7"),
        digest_of(b"salt", {"a": 1, "b": ["é", None]}, 7),
        digest_of(b"salt", [{"a": 1, "b": [None, "é"]}, 7]),
    )
    assert digest not in others
    assert len(set(others)) == len(others)
