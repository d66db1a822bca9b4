"""Rules about the tree as a whole: who imports whom, who may see every school, what is locked."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.management import call_command

from hub.core import scope
from hub.embedded.services import PROJECT

MAY_SEE_EVERY_SCHOOL = {
    "hub/core/scope.py",  # defines it
    "hub/core/rotating.py",  # what is encrypted comes under a new key
    "hub/core/selectors.py",  # is there a school at all?
    "hub/core/services.py",  # makes a school, which no scope can hold yet
    "hub/accounts/selectors.py",  # the schools of the one who signs in
    "hub/accounts/services.py",  # an invitation's link is looked up by its hash
    "hub/people/delivering.py",  # an address that takes no mail takes none at any school
    "hub/people/selectors.py",  # the records a login is connected to
    "verification/invitations/inviting.py",  # an invitation's link is looked up by its hash
    "verification/invitations/letter_making.py",  # a letter's number is looked up, and is nobody else's
    "imports/agent/sign_in.py",  # an agent's token is looked up by its hash
    "imports/alerts.py",  # which alerts are to be mailed
    "imports/demo/schools.py",  # the demo's schools by their address
    "imports/link/health.py",  # links at which a night stays away, for health
    "imports/management/commands/import_file.py",  # the school by its DfE number
    "imports/link/nights.py",  # overdue links, for health
    "verification/changes/freezing.py",  # a link's change may span schools
    "verification/lifecycle/leavers.py",  # which schools there are
    "verification/registration/elsewhere.py",  # a mailbox may be shared across schools
    "verification/recovery/reach.py",  # a mailbox may be shared across schools, and a login opens several
    "verification/sweeping.py",  # which schools have something due
    "verification/reporting/weekly.py",  # which schools have something to copy on a Monday
    "imports/sweeping.py",  # the tick: what is due, what was lost
}

LONG_FOR_A_REASON = {
    "mis_connectors/sims/agent/schoolgate_agent.py",  # one file is what a school downloads
}


def python_files(*places: str) -> list[Path]:
    return sorted(path for place in places for path in (PROJECT / place).rglob("*.py"))


def test_the_import_contracts_hold() -> None:
    program = Path(sys.executable).with_name("lint-imports")
    checked = subprocess.run([program, "--no-cache"], cwd=PROJECT, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout


def test_no_migration_is_missing(db: None) -> None:
    with scope.every_school():
        call_command("makemigrations", check=True, dry_run=True, verbosity=0)


def test_only_named_modules_see_every_school() -> None:
    users = {
        str(path.relative_to(PROJECT))
        for path in python_files("hub", "imports", "verification")
        if re.search(r"\bevery_school\(", path.read_text(encoding="utf-8"))
    }
    assert users - MAY_SEE_EVERY_SCHOOL == set()


def test_every_task_names_a_queue_that_is_consumed() -> None:
    import hub.celery as hub_celery

    hub_celery.app.loader.import_default_modules()
    for name, entry in hub_celery.app.conf.beat_schedule.items():
        assert entry["options"]["queue"] in hub_celery.QUEUES, name
        assert entry["task"] in hub_celery.app.tasks, name
    for name, task in hub_celery.app.tasks.items():
        if not name.startswith("celery."):
            assert (getattr(task, "queue", None) or hub_celery.IMPORTS) in hub_celery.QUEUES, name


@pytest.mark.parametrize("name", ["app", "dev", "bootstrap"])
def test_what_is_installed_is_locked_by_hash_and_names_no_index(name: str) -> None:
    text = (PROJECT / "requirements" / f"{name}.txt").read_text(encoding="utf-8")
    assert "http" not in text
    assert "index-url" not in text
    assert "find-links" not in text
    pinned = re.split(r"\n(?=\S)", re.sub(r"^#.*\n", "", text, flags=re.MULTILINE).strip())
    assert all(re.match(r"[\w.\[\]-]+==\S+", block) and "--hash=sha256:" in block for block in pinned)


def test_dev_installs_what_app_does() -> None:
    def pins(name: str) -> set[str]:
        return set(
            re.findall(r"^[\w.\[\]-]+==\S+", (PROJECT / "requirements" / f"{name}.txt").read_text(), re.MULTILINE)
        )

    assert pins("app") <= pins("dev")


def test_no_other_lock_and_nothing_generated_is_kept() -> None:
    ignored = (PROJECT / ".gitignore").read_text(encoding="utf-8").split()
    assert {"uv.lock", "var/", ".venv/", "/secrets/"} <= set(ignored)
    kept = subprocess.run(["git", "ls-files"], cwd=PROJECT, capture_output=True, text=True, check=False).stdout.split()
    assert not [path for path in kept if path == "uv.lock" or path.startswith(("var/", ".venv/", "secrets/"))]


def test_modules_say_what_they_are_for_and_stay_short() -> None:
    long, silent = [], []
    for path in python_files("hub", "imports", "verification", "mis_connectors", "bench"):
        name, text = str(path.relative_to(PROJECT)), path.read_text(encoding="utf-8")
        if "migrations" not in path.parts and len(text.splitlines()) >= 400 and name not in LONG_FOR_A_REASON:
            long.append(name)
        plain = path.parent.name != "migrations" and path.name not in {"__init__.py", "apps.py"}
        if plain and text.strip() and not ast.get_docstring(ast.parse(text)):
            silent.append(name)
    assert (long, silent) == ([], [])


def test_nothing_of_a_developers_machine_is_in_the_tree() -> None:
    pages = "|".join(re.findall(r'"home/(\w+)/', (PROJECT / "hub" / "portal" / "urls.py").read_text(encoding="utf-8")))
    kept = subprocess.run(["git", "ls-files"], cwd=PROJECT, capture_output=True, text=True, check=False).stdout.split()
    for name in kept:
        path = PROJECT / name
        if path.suffix in {".py", ".md", ".txt", ".toml", ".yml", ".html", ".css", ".js", ".sh", ""} and path.is_file():
            text = path.read_text(encoding="utf-8", errors="replace")
            assert not re.search(rf"/(root|home/(?!(?:{pages})/)\w+|work/main)/", text), name
