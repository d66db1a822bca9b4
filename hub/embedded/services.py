"""Using the embedded services: attach to those that run, start those that do not, let go when done.

`DATABASE_URL` and `REDIS_URL` win: what is given there is used, and nothing is started in its place.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hub.embedded import places, secrets
from hub.embedded.errors import EmbeddedError
from hub.embedded.keeper import ALONE, IN_USE, STATE, lock_file
from hub.embedded.processes import alive

PROJECT = Path(__file__).resolve().parent.parent.parent
_GIVEN = {"DATABASE_URL": "postgres", "REDIS_URL": "valkey"}
_PATIENCE = 60.0


@dataclass(frozen=True)
class Services:
    """Where the services are: `environ` is what the product needs to reach them."""

    environ: Mapping[str, str]
    embedded: bool
    """Whether any of them is ours."""
    attached: bool
    """Whether ours ran already when we came."""


@contextlib.contextmanager
def use(var: Path, *, quick: bool = False, given: Mapping[str, str] | None = None) -> Iterator[Services]:
    """Have PostgreSQL and Valkey at hand for the length of the block.

    `var` is where ours live; `quick` trades durability for speed (tests); `given` is the environment,
    whose addresses win. Raises `EmbeddedError`.
    """
    given = os.environ if given is None else given
    found = given_addresses(given)
    wanted = [service for name, service in _GIVEN.items() if name not in found]
    if not wanted:
        yield Services(found, embedded=False, attached=False)
        return
    make_folder(var)
    in_use = lock_file(var / IN_USE)
    try:
        state, attached = _attach_or_start(var, in_use, [*wanted, *(["quick"] if quick else [])])
        ours = {name: state[name] for name, service in _GIVEN.items() if service in wanted}
        yield Services({**found, **ours}, embedded=True, attached=attached)
    finally:
        fcntl.flock(in_use, fcntl.LOCK_UN)
        _see_off(var, in_use)
        os.close(in_use)


def are_running(var: Path) -> bool:
    """Whether what was started in `var` runs still: of a service that ends, the keeper ends the others too."""
    return _running(var) is not None


def given_addresses(given: Mapping[str, str]) -> dict[str, str]:
    """Return the addresses in `given`, also those given as files."""
    names = [name + suffix for name in _GIVEN for suffix in ("", "_FILE")]
    return {name.removesuffix("_FILE"): given[name] for name in names if given.get(name)}


def make_folder(var: Path) -> None:
    """Make `var`; raises `EmbeddedError` where it cannot be written."""
    try:
        var.mkdir(mode=0o711, parents=True, exist_ok=True)
        (var / ".written").touch()
        (var / ".written").unlink()
    except OSError as error:
        raise EmbeddedError(
            f"{var} cannot be written ({error.strerror}): make the folder yours, or copy the project to one that is."
        ) from error


def environment(var: Path, services: Services, given: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the whole environment for the product's own processes.

    Secrets that are not given are made once and kept in `var`; mail stays in the hub unless a mail
    server is given.
    """
    given = dict(os.environ if given is None else given)
    make_folder(var)
    kept = secrets.load(var)
    defaults = {
        name: kept[name] for name in ("SCHOOLGATE_SECRET_KEY", "SCHOOLGATE_KEYS") if f"{name}_FILE" not in given
    }
    if not given.get("SCHOOLGATE_SMTP_URL") and not given.get("SCHOOLGATE_SMTP_URL_FILE"):
        defaults["SCHOOLGATE_LOCAL_INBOX"] = "1"
    path = os.pathsep.join(part for part in (str(PROJECT), given.get("PYTHONPATH")) if part)
    fixed = {"DJANGO_SETTINGS_MODULE": "hub.settings", "PYTHONPATH": path, "PYTHONUNBUFFERED": "1"}
    addresses = {name: value for name, value in services.environ.items() if not given.get(f"{name}_FILE")}
    return {**defaults, **{name: value for name, value in given.items() if value}, **fixed, **addresses}


def start_over(var: Path) -> None:
    """Remove all that is kept in `var`; raises `EmbeddedError` while something uses it."""
    if not var.exists():
        return
    make_folder(var)
    in_use = lock_file(var / IN_USE)
    try:
        _see_off(var, in_use)
        fcntl.flock(in_use, fcntl.LOCK_EX | fcntl.LOCK_NB)
        places.forget(var)
        for path in var.iterdir():
            if path.name not in _OTHERS:
                shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
    except BlockingIOError:
        raise EmbeddedError(
            "Something still uses what is kept here (another bin/demo or bin/manage?): stop it first."
        ) from None
    finally:
        os.close(in_use)


_OTHERS = {"test", "bench", "pycache", "demo.lock", IN_USE, ALONE, "starting"}
"""Folders in `var` that have services of their own, or nothing of the demo's; and the locks."""


def _attach_or_start(var: Path, in_use: int, wanted: list[str]) -> tuple[dict[str, Any], bool]:
    """Return where the services are, and whether they ran already; from here on they stay for us."""
    one_at_a_time = lock_file(var / "starting")
    try:
        fcntl.flock(one_at_a_time, fcntl.LOCK_EX)
        fcntl.flock(in_use, fcntl.LOCK_SH)  # waits for a keeper that is stopping what it started
        state = _running(var)
        if state is None:
            return _start(var, wanted), False
        if not all(name in state for name in wanted if name != "quick"):
            raise EmbeddedError("Another command has started only a part of what this one needs: stop that one first.")
        return state, True
    finally:
        os.close(one_at_a_time)


def _start(var: Path, wanted: list[str]) -> dict[str, Any]:
    """Start a keeper and wait for its answer."""
    (var / "log").mkdir(exist_ok=True)
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("SCHOOLGATE_", "DJANGO_"))}
    with (var / "log" / "keeper.log").open("ab") as log:
        keeper = subprocess.Popen(
            [sys.executable, "-m", "hub.embedded.keeper", str(var), *wanted],
            cwd=PROJECT,
            env={**environ, "PYTHONPATH": str(PROJECT)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            start_new_session=True,
        )
    with keeper.stdout as pipe:  # type: ignore[union-attr]
        answer = json.loads(pipe.readline() or "{}")
    if "keeper" not in answer:
        keeper.wait()
        raise EmbeddedError(answer.get("error") or f"The services did not start; see {var / 'log' / 'keeper.log'}.")
    _children[answer["keeper"]] = keeper
    found: dict[str, Any] = answer
    return found


_children: dict[int, subprocess.Popen[bytes]] = {}
"""Keepers that are our own children: they must be waited for."""


def _running(var: Path) -> dict[str, Any] | None:
    """Return the state a living keeper has left."""
    try:
        state: dict[str, Any] = json.loads((var / STATE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return state if _locked(var / ALONE, fcntl.LOCK_SH) and alive(state["keeper"]) else None


def _locked(path: Path, kind: int) -> bool:
    """Try whether somebody else holds a lock on `path` that keeps us from one of this kind."""
    file = lock_file(path)
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(file)
    return False


def _see_off(var: Path, in_use: int) -> None:
    """Wait until the keeper has ended, unless others still use what it keeps."""
    deadline = time.monotonic() + _PATIENCE
    while _locked(var / ALONE, fcntl.LOCK_SH) and time.monotonic() < deadline:
        if _used_by_others(var):
            return
        time.sleep(0.03)
    for keeper in _children.values():
        if keeper.poll() is None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                keeper.wait(5)


def _used_by_others(var: Path) -> bool:
    """Say whether a shared lock stands: not the keeper's own, under which it stops."""
    return _locked(var / IN_USE, fcntl.LOCK_EX) and not _locked(var / IN_USE, fcntl.LOCK_SH)
