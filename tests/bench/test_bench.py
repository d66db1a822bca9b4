"""The benchmarks run, at a size that measures nothing, and say everything they are to say."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

from hub.embedded.services import PROJECT
from tests import database

pytestmark = pytest.mark.usefixtures("django_db_setup")


def bench(*arguments: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "bench", *arguments, "--template", database.template, "--json"]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


def test_an_import_is_measured_against_parsing_the_floor_and_the_rivals() -> None:
    result = bench("import", "--pupils", "4", "--repeats", "1")
    assert set(result["ratios of the least"]) == {
        "byte-identical file / parse",
        "new file, nobody changed / parse",
        "1 % changed / parse",
        "nobody changed, everything read / parse",
        "first import / (parse + floor)",
        "update_or_create by row / first import",
        "update_or_create by row / nobody changed",
        "bulk_create(update_conflicts) / first import",
        "bulk_create(update_conflicts) / nobody changed",
        "django-import-export / first import",
        "django-import-export / nobody changed",
        "django-import-export, tuned / first import",
        "django-import-export, tuned / nobody changed",
        "first import: time per pupil, ten times as large",
        "new file, nobody changed: time per pupil, ten times as large",
        "memory growth, MiB",
    }
    assert len(result["targets"]) == 9
    assert all({"name", "figure", "met"} <= set(target) for target in result["targets"])
    assert result["statements"]["byte-identical file"] < result["statements"]["1 % changed"]
    assert set(result["memory growth, MiB"]) == {"the school", "ten times as large"}


def test_the_overview_takes_as_many_queries_whatever_the_size_of_the_hub() -> None:
    small = bench("overview", "--schools", "2", "--people", "20", "--requests", "2")
    assert small["queries"]["Overview"]
    assert len(small["queries"]["Overview"]) == 1
    assert set(small["seconds"]) == {"Overview", "All my schools"}
    assert [target["met"] for target in small["targets"]][1:] == [True]


@pytest.mark.long  # workers, simulators and schools that hang: a load run of its own
def test_fetching_is_measured_for_each_mis_and_beside_schools_that_hang() -> None:
    sizes = ("--pupils", "12", "--repeats", "1", "--schools", "3", "--hang", "1", "--small", "8")
    result = bench("collecting", *sizes)
    assert set(result["fetched"]) >= {"integris", "progresso", "scholarpack"}
    for fetched in result["fetched"].values():
        seconds = {"collect", "collect, cpu", "read", "read, cpu"}
        assert set(fetched) == seconds | {"memory", "records", "megabytes", "kept"}
        assert fetched["records"] > 12
    assert set(result["seconds"]["integris: first import"]) >= {"median", "min", "max"}
    assert [target["name"] for target in result["targets"]] == ["2 schools while 1 hang / alone"]
