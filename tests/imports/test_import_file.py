"""`import_file`: the outcomes and exit statuses of the command line."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from hub.core import scope
from hub.core.models import School
from hub.people.models import Pupil
from imports.link import links
from imports.models import Import
from mis_connectors.simulators import school as simulated
from mis_connectors.simulators import sims_xml
from tests.factories.running import FIRST_NIGHT


@pytest.fixture
def mis(school: School) -> simulated.School:
    return simulated.generate(seed=1, size=20, dfe_number=school.dfe_number)


def written(mis: simulated.School, folder: Path) -> Path:
    path = folder / "schoolgate.zip"
    path.write_bytes(sims_xml.bundle(mis, "run", FIRST_NIGHT))
    return path


def import_file(number: str, path: Path, *options: str) -> tuple[int, str]:
    """Return the exit status and what was printed."""
    out = io.StringIO()
    try:
        call_command("import_file", number, path, "--connector", "sims", *options, stdout=out)
    except SystemExit as ended:
        return int(ended.code or 0), out.getvalue()
    return 0, out.getvalue()


def as_json(number: str, path: Path, *options: str) -> tuple[int, dict[str, Any]]:
    status, printed = import_file(number, path, "--json", *options)
    (line,) = printed.splitlines()
    return status, json.loads(line)


def test_applied_and_unchanged_exit_with_0(mis: simulated.School, tmp_path: Path) -> None:
    path = written(mis, tmp_path)
    status, first = as_json("823/3001", path)
    assert (status, first["outcome"], first["plan"]) == (0, "applied", False)
    assert first["added"] == Import.objects.get().counts["added"] > 20
    assert {"added", "updated", "ended", "kept", "rejected", "reasons"} <= first.keys()
    status, again = as_json("8233001", path)
    assert (status, again["outcome"], again["added"]) == (0, "unchanged", 0)


def test_a_plan_changes_nothing_and_says_what_would(mis: simulated.School, tmp_path: Path) -> None:
    status, found = as_json("8233001", written(mis, tmp_path), "--plan")
    assert (status, found["plan"]) == (0, True)
    assert found["added"] > 20
    assert not Pupil.objects.exists()


def test_removals_held_and_all_held_exit_with_3(mis: simulated.School, tmp_path: Path) -> None:
    import_file("8233001", written(mis, tmp_path))
    mis.drop_half()
    status, found = as_json("8233001", written(mis, tmp_path))
    assert (status, found["outcome"]) == (3, "partly_held")
    assert {reason["code"] for reason in found["reasons"]} == {"removals"}
    mis.dfe_number = "8234002"
    status, found = as_json("8233001", written(mis, tmp_path))
    assert (status, found["outcome"]) == (3, "held")


def test_some_people_remove_nobody(mis: simulated.School, tmp_path: Path) -> None:
    import_file("8233001", written(mis, tmp_path))
    mis.drop_half()
    assert as_json("8233001", written(mis, tmp_path), "--some")[0] == 0


def test_a_single_report_is_read_and_a_broken_one_exits_with_1(mis: simulated.School, tmp_path: Path) -> None:
    report = sims_xml.reports(mis)["pupils.xml"]
    path = tmp_path / "pupils.xml"
    path.write_bytes(report)
    assert as_json("8233001", path)[1]["added"] > 19
    path.write_bytes(report[: len(report) // 2])
    status, printed = import_file("8233001", path)
    assert status == 1
    assert printed.startswith("Failed: ")
    assert "Everything is as it was before" in printed


def test_plain_words_name_the_outcome_and_the_counts(mis: simulated.School, tmp_path: Path) -> None:
    _status, printed = import_file("8233001", written(mis, tmp_path))
    assert printed.startswith("Complete: ")
    assert " added, 0 updated, 0 ended, 0 kept, " in printed


@pytest.mark.parametrize(
    ("number", "name", "says"),
    [
        ("12", "schoolgate.zip", "DfE"),
        ("8239999", "schoolgate.zip", "create_school"),
        ("8233001", "nowhere.zip", "cannot be read"),
    ],
)
def test_what_cannot_be_begun_is_refused_with_a_sentence(
    mis: simulated.School, tmp_path: Path, number: str, name: str, says: str
) -> None:
    written(mis, tmp_path)
    with pytest.raises(CommandError, match=says):
        import_file(number, tmp_path / name)


def test_another_mis_than_the_schools_is_refused(school: School, mis: simulated.School, tmp_path: Path) -> None:
    link = links.create_link(school=school, connector="sims", by=None, now=FIRST_NIGHT)
    link.source.connector = "integris"
    link.source.save()
    with pytest.raises(CommandError, match="MIS is integris, not sims"):
        import_file("8233001", written(mis, tmp_path))


def test_an_unknown_connector_is_refused_with_a_sentence(mis: simulated.School, tmp_path: Path) -> None:
    path = written(mis, tmp_path)
    with pytest.raises(CommandError, match="not installed"):
        call_command("import_file", "8233001", path, "--connector", "nosuch")
    with scope.every_school():
        assert not Import.objects.exists()
