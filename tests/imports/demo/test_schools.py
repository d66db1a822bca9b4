"""The demo's schools and files; whole nights with the real agent are tried by `.ci/run` and `--long`."""

from __future__ import annotations

import datetime as dt
import zipfile
from pathlib import Path

import pytest
from django.contrib.auth import authenticate

from hub.accounts.models import Account, Membership
from hub.core import scope
from hub.core.models import School
from imports.demo import files, schools
from imports.demo.schools import EVERYWHERE, PASSWORD, SCHOOLS
from imports.demo.server import Server
from imports.demo.story import Row
from imports.models import MisLink


def test_making_the_schools_twice_makes_them_once(db: None, now: dt.datetime) -> None:
    for _ in range(2):
        for demo in SCHOOLS:
            schools.make(demo, now=now)
    with scope.every_school():
        assert School.objects.count() == MisLink.objects.count() == 2
        assert Membership.objects.filter(accepted_at__isnull=False).count() == 6


def test_the_printed_logins_sign_in(db: None, now: dt.datetime) -> None:
    schools.make(SCHOOLS[0], now=now)
    for email in (EVERYWHERE, SCHOOLS[0].administrator_email, SCHOOLS[0].office_email):
        assert authenticate(username=email, password=PASSWORD) == Account.objects.get(email=email)


def test_the_agent_of_a_server_is_the_downloaded_one_and_for_its_owner_only(
    db: None, tmp_path: Path, now: dt.datetime
) -> None:
    school = schools.make(SCHOOLS[0], now=now)
    server = Server(SCHOOLS[0], tmp_path / "server", "http://127.0.0.1:1", {})
    with scope.schools(school.pk):
        server.set_up(link=schools.link_of(school), by=schools.administrator(school, SCHOOLS[0]), now=now)
    (agent,) = (tmp_path / "server").glob("*.py")
    assert agent.stat().st_mode & 0o777 == 0o600
    assert "sg_" in agent.read_text(encoding="utf-8")
    assert server.is_set_up()


def test_edits_of_the_simulated_mis_are_remembered(tmp_path: Path) -> None:
    server = Server(SCHOOLS[0], tmp_path, "", {})
    before = server.school()
    server.edit(["drop_pupil", next(iter(before.pupils))], ["add_pupil"])
    assert len(server.school().pupils) == len(before.pupils)
    assert server.school().pupils.keys() != before.pupils.keys()


def test_files_to_upload_are_named_for_what_they_are(tmp_path: Path) -> None:
    files.write(tmp_path, {"8233001": Server(SCHOOLS[0], tmp_path / "server", "", {})})
    made = {path.name for path in (tmp_path / "larch-hill-primary").iterdir()}
    assert made == {
        "today.zip", "truncated.zip", "empty-report.zip", "half-the-school.zip", "empty-file.zip", "pupils-only.xml"
    }  # fmt: skip
    assert zipfile.ZipFile(tmp_path / "larch-hill-primary" / "today.zip").testzip() is None


@pytest.mark.parametrize("trouble", ["", "The agent failed."])
def test_a_school_whose_nights_did_not_both_end_well_did_not_work(trouble: str) -> None:
    row = Row(SCHOOLS[0], "SIMS", trouble=trouble)
    assert not row.worked
    assert set(row.as_json()) >= {"mis", "outcome", "pupils", "contacts", "kept", "rejected", "seconds"}
