"""A PostgreSQL of our own: made once, started on a loopback port with passwords, stopped at once when asked."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path
from urllib.parse import quote

from hub.embedded import places
from hub.embedded.errors import EmbeddedError
from hub.embedded.places import Place
from hub.embedded.processes import alive, as_user, die_with_parent, end, free_port

OWNER = "schoolgate"
"""The role that owns the database; it may make roles (the two walls) and databases (the tests)."""
_ENVIRON = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}
_PATIENCE = 30.0
_QUICK = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "checkpoint_timeout=1h", "max_wal_size=4GB")
"""For tests: what a crash loses can be made again."""


class Postgres:
    """One cluster below `var`, run as a child of this process."""

    def __init__(self, var: Path, *, superuser_password: str, owner_password: str, quick: bool = False) -> None:
        self.place: Place = places.choose(var)
        self.data = self.place.folder / "postgres"
        self.log = var / "log" / "postgres.log"
        self.quick = quick
        self.port = 0
        self._passwords = (superuser_password, owner_password)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"postgresql://{OWNER}:{quote(self._passwords[1], safe='')}@127.0.0.1:{self.port}/{OWNER}"

    @property
    def pid(self) -> int:
        return self._process.pid if self._process else 0

    def start(self, wanted_port: int | None = None) -> None:
        """Make the cluster if need be, and start it on `wanted_port` if that is free.

        Raises `EmbeddedError` with PostgreSQL's own last words when it does not come up.
        """
        self.log.parent.mkdir(parents=True, exist_ok=True)
        if not self.data.exists():
            self._make()
        self._same_version()
        self._end_orphan()
        deadline = time.monotonic() + _PATIENCE
        self.port = free_port(wanted_port)
        while not self._try(self.port, deadline):
            said = self._last_words()
            if "could not bind" in said or "Address already in use" in said:
                self.port = free_port()
            elif not ("postmaster.pid" in said or "shared memory block" in said) or time.monotonic() > deadline:
                raise EmbeddedError(f"PostgreSQL did not start: {said} (more in {self.log}).")
            time.sleep(0.3)

    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def stop(self) -> None:
        """End it in PostgreSQL's fast way: connections are closed, nothing committed is lost."""
        if self._process is not None:
            end(self._process, first=signal.SIGINT, patience=20)

    def _make(self) -> None:
        """Make the cluster beside its place and move it there whole, so that half of one is never found."""
        half = self.data.with_name("postgres.half")
        shutil.rmtree(half, ignore_errors=True)
        half.mkdir(mode=0o700)
        self.place.own(half)
        password_file = self.data.with_name("postgres.password")
        password_file.unlink(missing_ok=True)
        with os.fdopen(os.open(password_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(self._passwords[0] + "\n")
        self.place.own(password_file)
        try:
            options = [
                "-U",
                "postgres",
                "-E",
                "UTF8",
                "--locale=C",
                "--auth=scram-sha-256",
                f"--pwfile={password_file}",
            ]
            self._run(["initdb", "-D", half, *options, *(["--no-sync"] if self.quick else [])])
        finally:
            password_file.unlink(missing_ok=True)
        (half / "pg_hba.conf").write_text("host all all 127.0.0.1/32 scram-sha-256\n", encoding="ascii")
        role = f"CREATE ROLE {OWNER} LOGIN CREATEROLE CREATEDB PASSWORD '{self._passwords[1]}';\n"
        database = f"CREATE DATABASE {OWNER} OWNER {OWNER};\n"
        self._run(["postgres", "--single", "-D", half, "template1"], role + database)
        half.rename(self.data)

    def _run(self, command: list[str | Path], text: str = "") -> None:
        program, *arguments = command
        done = subprocess.run(
            [str(self.place.programs / program), *map(str, arguments)],
            input=text,
            cwd=self.place.folder,
            env=_ENVIRON,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
            **as_user(self.place.user),
        )
        if done.returncode or "ERROR:" in done.stdout:
            words = done.stdout.strip().splitlines()
            raise EmbeddedError(f"PostgreSQL could not be set up in {self.data}: {words[-1] if words else program}")

    def _try(self, port: int, deadline: float) -> bool:
        """Start the server on `port` and wait until it takes connections; False when it ended instead."""
        options = [f"port={port}", "listen_addresses=127.0.0.1", "unix_socket_directories=", "max_connections=150"]
        options += ["log_error_verbosity=terse", "log_min_error_statement=panic"]  # values of people are in the others
        options += ["jit=off", "timezone=UTC", *(_QUICK if self.quick else ())]
        with self.log.open("ab") as log:
            self._log_begins = log.tell()
            self._process = subprocess.Popen(
                [self.place.programs / "postgres", "-D", self.data, *(part for one in options for part in ("-c", one))],
                cwd=self.place.folder,
                env=_ENVIRON,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=die_with_parent(signal.SIGINT),
                **as_user(self.place.user),
            )
        while self._process.poll() is None:
            if self._ready():
                return True
            if time.monotonic() > deadline + _PATIENCE:
                self.stop()
                return False
            time.sleep(0.02)
        return False

    def _ready(self) -> bool:
        """Read the server's own note, whose eighth line says whether it takes connections."""
        try:
            note = (self.data / "postmaster.pid").read_text(encoding="utf-8").split("\n")
        except OSError:
            return False
        return len(note) > 7 and note[0] == str(self.pid) and note[7].strip() == "ready"

    def _same_version(self) -> None:
        made_by = (self.data / "PG_VERSION").read_text(encoding="ascii").strip()
        if made_by != str(places.version(self.place.programs)):
            raise EmbeddedError(
                f"The data in {self.data} was made by PostgreSQL {made_by}, another version than the one installed: "
                "start over with bin/demo --fresh."
            )

    def _end_orphan(self) -> None:
        """End a server that still runs on our data although its keeper is gone."""
        with contextlib.suppress(OSError, ValueError):
            pid = int((self.data / "postmaster.pid").read_text(encoding="utf-8").split("\n")[0])
            if not alive(pid) or os.fsencode(self.data) not in Path(f"/proc/{pid}/cmdline").read_bytes():
                return
            os.kill(pid, signal.SIGINT)
            deadline = time.monotonic() + 10
            while alive(pid) and time.monotonic() < deadline:
                time.sleep(0.05)

    def _last_words(self) -> str:
        with self.log.open("rb") as log:
            log.seek(self._log_begins)
            lines = log.read().decode("utf-8", "replace").strip().splitlines()
        fatal = [line for line in lines if "FATAL" in line or "could not" in line]
        return " / ".join((fatal or lines)[-3:]) or "it said nothing"
