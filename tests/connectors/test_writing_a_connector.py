"""docs/writing-a-connector.md: its own files, as a package of their own, keep to the contract and import a school."""

from __future__ import annotations

import datetime as dt
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hub.accounts.models import Account
from hub.core.models import School
from hub.people.models import Contact, Pupil, PupilContact, Staff
from imports import collecting, services
from imports.link import links
from imports.models import Import, ImportState, LinkState
from mis_connectors.base import SetUp
from mis_connectors.simulators.server import Simulation, SimulatorServer
from mis_connectors.testing.schools import CANONICAL

PROJECT = Path(__file__).resolve().parents[2]
PAGE = PROJECT / "docs" / "writing-a-connector.md"
_FILE = re.compile(r"^\*\*`([\w./]+)`\*\*.*?^```\w+\n(.*?)^```$", re.MULTILINE | re.DOTALL)
NOW = dt.datetime(2026, 11, 23, 2, 0, tzinfo=dt.UTC)


def files() -> dict[str, str]:
    return dict(_FILE.findall(PAGE.read_text(encoding="utf-8")))


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A folder with the files of the page in it, and nothing else."""
    for name, text in files().items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return tmp_path


@pytest.fixture
def installed(package: Path, monkeypatch: pytest.MonkeyPatch, settings: Any) -> Iterator[None]:
    monkeypatch.syspath_prepend(str(package))
    settings.INSTALLED_APPS = [*settings.INSTALLED_APPS, "schoolgate_hilltop"]
    yield
    for name in [one for one in sys.modules if one.partition(".")[0] == "schoolgate_hilltop"]:
        del sys.modules[name]


def test_the_page_has_every_file_it_speaks_of() -> None:
    assert set(files()) == {
        "pyproject.toml",
        "settings_with_hilltop.py",
        "schoolgate_hilltop/__init__.py",
        "schoolgate_hilltop/apps.py",
        "schoolgate_hilltop/connector.py",
        "schoolgate_hilltop/parse.py",
        "schoolgate_hilltop/hilltop_api.py",
        "schoolgate_hilltop/templates/mis_hilltop/setup.html",
        "test_hilltop.py",
    }


def test_the_page_names_every_field_and_every_way_in() -> None:
    text = PAGE.read_text(encoding="utf-8")
    table = text[text.index("## The fields") :]
    named = {
        f"{kind}.{name}"
        for kind, names in re.findall(r"^\| `(\w+)\.` \| `([\w ]+)` \|$", table, re.MULTILINE)
        for name in names.split()
    }
    assert named == CANONICAL
    assert all(f"`{way.name}`" in text for way in SetUp)


def test_its_files_are_a_package_that_keeps_to_the_contract(package: Path) -> None:
    """By the very commands of the page, with nothing else in the environment."""
    text = PAGE.read_text(encoding="utf-8")
    commands = re.findall(r"^```sh\n(.*?)^```$", text[text.index("## Try it") :], re.MULTILINE | re.DOTALL)[0]
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    compiled = {name: said for name, said in os.environ.items() if name == "PYTHONPYCACHEPREFIX"}
    environment = {"PATH": path, "SCHOOLGATE": str(PROJECT), **(compiled or {"PYTHONDONTWRITEBYTECODE": "1"})}
    done = subprocess.run(
        ["sh", "-ec", commands], cwd=package, env=environment, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    assert int(re.search(r"(\d+) passed", done.stdout)[1]) > 50  # type: ignore[index]


def test_installed_it_brings_its_steps_along(package: Path) -> None:
    """A template that is not named as data stays behind when the package is installed."""
    told = tomllib.loads((package / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]
    globs = told["package-data"]["schoolgate_hilltop"]
    data = {path for glob in globs for path in (package / "schoolgate_hilltop").glob(glob)}
    assert told["packages"] == ["schoolgate_hilltop"]
    assert data == set(package.rglob("*.html")) != set()


def test_a_school_is_imported_through_it(
    installed: None, school: School, administrator: Account, settings: Any
) -> None:
    from schoolgate_hilltop.hilltop_api import HilltopApi  # type: ignore[import-not-found]

    state = {"seed": 11, "size": 60, "dfe_number": school.dfe_number}
    with SimulatorServer(HilltopApi(Simulation([state]))) as server:
        settings.MIS_LOOPBACK = True
        settings.MIS_PLATFORM = {"hilltop": server.api.platform(server.address)}
        link = links.create_link(school=school, connector="hilltop", by=administrator, now=NOW)
        typed = server.api.settings(school.dfe_number)
        links.give_settings(link=link, values=typed, by=administrator, now=NOW)
        run = collecting.begin(link_id=link.pk, now=NOW)
        assert run is not None
        collecting.collect(import_id=run.pk, now=NOW)
        services.run(import_id=run.pk, now=NOW)
        simulated = server.simulation.schools[school.dfe_number].school
    run = Import.objects.get(pk=run.pk)
    assert run.state == ImportState.APPLIED, run.reasons
    link.refresh_from_db()
    assert link.state == LinkState.ENABLED
    assert Pupil.objects.filter(school=school).count() >= len(simulated.on_roll())
    assert Contact.objects.filter(school=school).count() > 60
    assert Staff.objects.filter(school=school).count() == len(simulated.staff)
    assert PupilContact.objects.filter(school=school, parental_responsibility=True).exists()
