"""The demo's own manners; that it works is what `.ci/run` and `--long` try for real."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
from pathlib import Path

import pytest

from hub.embedded import demo, places
from hub.embedded.errors import EmbeddedError
from hub.embedded.processes import free_port
from hub.embedded.services import PROJECT


@pytest.fixture(autouse=True)
def _var(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo, "VAR", tmp_path)


def test_a_taken_port_is_passed_over_and_said(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as squatter:
        squatter.bind(("127.0.0.1", 0))
        squatter.listen()
        taken = squatter.getsockname()[1]
        port = demo._port(taken, demo.Progress())
    assert port > taken
    assert f"Port {taken} is taken by something else: using {port}." in capsys.readouterr().out


def test_a_second_demo_says_where_the_first_one_is() -> None:
    with demo._only_demo():
        port = demo._port(None, demo.Progress())
        with (
            pytest.raises(EmbeddedError, match=rf"runs already, at port {port}: stop that one first"),
            demo._only_demo(),
        ):
            pass


def test_services_that_end_by_themselves_are_told_of_but_not_those_of_somebody_else() -> None:
    demo._services_run(False)
    with pytest.raises(EmbeddedError, match="What was saved is kept: start bin/demo again"):
        demo._services_run(True)


def test_a_table_stands_in_columns() -> None:
    class Row:
        def cells(self) -> tuple[str, ...]:
            return ("Larch Hill Primary", "SIMS", "applied", "210", "267", "1", "12", "4.2")

    lines = demo._table([Row()]).splitlines()  # type: ignore[list-item]
    assert lines[1].index("Pupils") == lines[3].index("210")


def test_each_simulated_mis_has_a_port_of_its_own_and_is_told_of() -> None:
    clouds = demo._clouds(free_port())
    assert len({one.port for one in clouds}) == len(clouds) == 3
    said = demo._told_of(clouds)
    assert all(f"{one.address}  {one.demo.name}" in said for one in clouds)
    assert "/simulator/fault" in said


@pytest.mark.long
def test_both_nights_work_from_nothing(tmp_path: Path) -> None:
    copy = tmp_path / "project"
    kept = subprocess.run(["git", "ls-files"], cwd=PROJECT, capture_output=True, text=True, check=True).stdout.split(
        "\n"
    )
    for name in filter(None, kept):
        if (PROJECT / name).is_file():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(PROJECT / name, copy / name)
    given = {name: value for name, value in os.environ.items() if not name.startswith(("SCHOOLGATE_", "DJANGO_"))}
    for name in ("DATABASE_URL", "REDIS_URL", "PYTHONPATH", "VIRTUAL_ENV"):
        given.pop(name, None)
    done = subprocess.run(
        [copy / "bin" / "demo", "--once", "--json"], cwd=copy, env=given, capture_output=True, text=True, check=False
    )
    places.forget(copy / "var")
    assert done.returncode == 0, done.stdout + done.stderr
    said = json.loads(done.stdout.splitlines()[-1])
    assert said["ok"]
    assert [school["outcome"] for school in said["schools"]] == ["applied"] * 5
    assert all(school["kept"] >= 1 for school in said["schools"])
