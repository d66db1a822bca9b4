"""What the commands in bin/ say before anything is installed."""

from __future__ import annotations

import os
import runpy
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from hub.embedded.run import pytest_arguments
from hub.embedded.services import PROJECT


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of what a fresh clone needs to set itself up."""
    for name in ("bin", "requirements"):
        shutil.copytree(PROJECT / name, tmp_path / name)
    return tmp_path


@pytest.fixture
def set_up() -> dict[str, Any]:
    return runpy.run_path(str(PROJECT / "bin" / "_setup.py"))


def run(project: Path, *, path: str, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["/bin/sh", str(project / "bin" / "manage"), "check"],
        env={"PATH": path, **environ},
        capture_output=True,
        text=True,
        check=False,
    )


def python_that(folder: Path, name: str, script: str) -> None:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(f"#!/bin/sh\n{script}\n")
    (folder / name).chmod(0o755)


def test_a_wrong_python_is_one_sentence(project: Path, tmp_path: Path) -> None:
    script = (project / "bin" / "_python").read_text()
    (project / "bin" / "_python").write_text(script.replace("/usr/bin/python3 /usr/local/bin/python3", ""))
    tools = tmp_path / "tools"
    python_that(tools, "python3", 'case "$2" in *print*) echo "; python3 is 3.9";; *) exit 1;; esac')
    for tool in ("dirname",):
        (tools / tool).symlink_to(shutil.which(tool) or "")
    said = run(project, path=str(tools))
    assert said.returncode == 1
    assert said.stderr.startswith(
        "Schoolgate needs Python 3.11, 3.12 or 3.13, and none was found; python3 is 3.9: install"
    )
    assert len(said.stderr.splitlines()) == 1


def test_a_shim_that_does_not_work_is_passed_over(project: Path, tmp_path: Path) -> None:
    tools = tmp_path / "tools"
    python_that(tools, "python3", "echo 'command not found' >&2; exit 127")
    python_that(
        tools, "python3.12", f'case "$1" in */_setup.py) echo found; exit 3;; *) exec {sys.executable} "$@";; esac'
    )
    said = run(project, path=f"{tools}:/usr/bin:/bin")
    assert said.stdout == "found\n"
    assert said.returncode == 1


def test_a_python_without_venv_is_one_sentence(
    set_up: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(
        set_up["CannotSetUp"], match=r"lacks its venv module: install it \(on Debian and Ubuntu, as root: apt"
    ):
        set_up["make_venv"](tmp_path / ".venv")


def test_a_folder_that_cannot_be_written_is_one_sentence(set_up: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(set_up["CannotSetUp"], match="cannot be written"):
        set_up["make_venv"](tmp_path / "file" / ".venv")


def test_what_is_in_the_way_is_not_removed(set_up: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / ".venv").mkdir()
    (tmp_path / ".venv" / "precious").touch()
    with pytest.raises(set_up["CannotSetUp"], match="move it away"):
        set_up["make_venv"](tmp_path / ".venv")
    assert (tmp_path / ".venv" / "precious").exists()


def test_a_second_start_installs_nothing(
    set_up: dict[str, Any], project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    venv = project / ".venv"
    (venv / "bin").mkdir(parents=True)
    (venv / "bin" / f"python{sys.version_info[0]}.{sys.version_info[1]}").symlink_to(sys.executable)
    (venv / set_up["STAMP"]).write_text(f'{{"app": "{set_up["digest"](project, "app")}"}}')
    assert set_up["is_done"](project, venv, "app")
    assert not set_up["is_done"](project, venv, "dev")
    with (project / "requirements" / "app.txt").open("a") as lock:
        lock.write("# changed\n")
    assert not set_up["is_done"](project, venv, "app")


def test_an_environment_whose_python_is_gone_is_made_anew(set_up: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / f"python{sys.version_info[0]}.{sys.version_info[1]}").symlink_to(tmp_path / "gone")
    assert not set_up["runs"](tmp_path)


def test_uv_is_told_what_the_machine_told_pip(set_up: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith(("PIP_", "UV_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_INDEX_URL", "https://packages.example.org/simple")
    environ = set_up["uv_environment"](sys.executable)
    assert environ["UV_DEFAULT_INDEX"] == "https://packages.example.org/simple"


@pytest.mark.parametrize(
    ("given", "made"),
    [
        ([], ["-n", "2", "--dist", "worksteal", "-m", "not long"]),
        (["--long"], ["-n", "2", "--dist", "worksteal"]),
        (["-n0", "-k", "one"], ["-m", "not long", "-n0", "-k", "one"]),
        (["--pdb"], ["-m", "not long", "--pdb"]),
        (["-m", "browser"], ["-n", "2", "--dist", "worksteal", "-m", "(browser) and not long"]),
    ],
)
def test_arguments_go_on_to_pytest_and_long_tests_need_asking_for(given: list[str], made: list[str]) -> None:
    assert pytest_arguments(given) == made
