"""What an operator sets of each MIS: found by its name's beginning, given as a value or as a file."""

from __future__ import annotations

from pathlib import Path

import pytest

from hub.settings.environment import SettingError, platforms


def test_what_belongs_to_an_mis_is_found_by_slug_and_name() -> None:
    given = {
        "SCHOOLGATE_MIS_EXAMPLE_ADDRESS": "https://mis.example.org",
        "SCHOOLGATE_MIS_EXAMPLE_PARTNER_KEY": "key",
        "SCHOOLGATE_MIS_OTHER_PREFIX": "SG",
        "SCHOOLGATE_MIS_LOOPBACK": "1",
        "SCHOOLGATE_MIS_EXAMPLE_EMPTY": "",
        "PATH": "/bin",
    }
    assert platforms(given) == {
        "example": {"address": "https://mis.example.org", "partner_key": "key"},
        "other": {"prefix": "SG"},
    }


def test_a_value_may_be_kept_in_a_file(tmp_path: Path) -> None:
    kept = tmp_path / "key"
    kept.write_text("from a file\n", encoding="utf-8")
    assert platforms({"SCHOOLGATE_MIS_EXAMPLE_PARTNER_KEY_FILE": str(kept)}) == {
        "example": {"partner_key": "from a file"}
    }


def test_a_file_that_is_not_there_is_named() -> None:
    with pytest.raises(SettingError, match="SCHOOLGATE_MIS_EXAMPLE_KEY_FILE"):
        platforms({"SCHOOLGATE_MIS_EXAMPLE_KEY_FILE": "/nowhere/key"})
