"""Keeps PostgreSQL and Valkey running for as long as anybody uses them: `python -m hub.embedded.keeper VAR WANTED`.

Every command that uses them holds a shared lock on `VAR/in-use`, which the kernel lets go when that
command ends, however it ends. When the last one is gone the keeper gets the lock for itself, stops
what it started and ends. Should the keeper itself be killed, the kernel ends what it started.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

from hub.embedded import secrets
from hub.embedded.errors import EmbeddedError
from hub.embedded.postgres import Postgres
from hub.embedded.valkey import Valkey

STATE = "services.json"
IN_USE = "in-use"
ALONE = "keeper"
_TURN = 0.1


def main(var: Path, wanted: list[str]) -> int:
    """Start what is wanted, say so in one line of JSON, and stay until nobody uses it any more."""
    alone = lock_file(var / ALONE)
    fcntl.flock(alone, fcntl.LOCK_EX)  # an earlier keeper may still be ending its own
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, _leave)
    services: list[Postgres | Valkey] = []
    try:
        _say(_start(var, wanted, services))
        _stay(var, services)
    except EmbeddedError as error:
        _say({"error": str(error)})
        return 1
    finally:
        (var / STATE).unlink(missing_ok=True)
        for service in reversed(services):
            service.stop()
    return 0


def lock_file(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


def _start(var: Path, wanted: list[str], services: list[Postgres | Valkey]) -> dict[str, Any]:
    """Start the services and write where they are to `var`, for whoever comes next."""
    kept, ports = secrets.load(var), _ports(var)
    state: dict[str, Any] = {"keeper": os.getpid()}
    if "postgres" in wanted:
        postgres = Postgres(
            var,
            superuser_password=kept["superuser"],
            owner_password=kept["owner"],
            quick="quick" in wanted,
        )
        services.append(postgres)
        postgres.start(ports.get("postgres"))
        state |= {"DATABASE_URL": postgres.url, "postgres": postgres.pid}
        ports["postgres"] = postgres.port
    if "valkey" in wanted:
        valkey = Valkey(var, password=kept["broker"])
        services.append(valkey)
        valkey.start(ports.get("valkey"))
        state |= {"REDIS_URL": valkey.url, "valkey": valkey.pid}
        ports["valkey"] = valkey.port
    secrets.write_private(var / "ports.json", json.dumps(ports))
    secrets.write_private(var / STATE, json.dumps(state))
    return state


def _stay(var: Path, services: list[Postgres | Valkey]) -> None:
    in_use = lock_file(var / IN_USE)
    while all(service.running() for service in services):
        with contextlib.suppress(BlockingIOError):
            fcntl.flock(in_use, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        time.sleep(_TURN)


def _ports(var: Path) -> dict[str, int]:
    try:
        ports: dict[str, int] = json.loads((var / "ports.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return ports


def _say(what: dict[str, Any]) -> None:
    """Answer whoever started us, who may have gone already."""
    with contextlib.suppress(BrokenPipeError):
        print(json.dumps(what), flush=True)
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _leave(number: int, frame: object) -> None:
    signal.signal(number, signal.SIG_IGN)
    sys.exit(0)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2:]))
