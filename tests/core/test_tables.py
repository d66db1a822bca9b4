"""A downloaded table is text to a spreadsheet, and never a formula."""

from __future__ import annotations

import pytest

from hub.core import tables


@pytest.mark.parametrize("cell", ["=1+1", "+44", "-1", "@SUM", "\tx", "\rx"])
def test_what_a_spreadsheet_would_run_is_marked_as_text(cell: str) -> None:
    assert tables.safe(cell) == f"'{cell}"


@pytest.mark.parametrize(("cell", "text"), [(None, ""), (12, "12"), ("O'Brien", "O'Brien"), ("a=b", "a=b")])
def test_everything_else_is_as_it_is(cell: object, text: str) -> None:
    assert tables.safe(cell) == text


def test_a_download_is_read_as_it_is_made() -> None:
    asked: list[int] = []

    def rows() -> object:
        for number in range(3):
            asked.append(number)
            yield (number, "é")

    answer = tables.csv_response("a.csv", ("n", "word"), rows())  # type: ignore[arg-type]
    assert asked == []
    assert b"".join(answer.streaming_content).decode() == "\ufeffn,word\r\n0,é\r\n1,é\r\n2,é\r\n"
    assert answer["Content-Disposition"] == 'attachment; filename="a.csv"'
