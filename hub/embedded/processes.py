"""Starting and ending processes so that none outlives the one that started it."""

from __future__ import annotations

import contextlib
import ctypes
import os
import pwd
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


def die_with_parent(number: signal.Signals = signal.SIGTERM) -> Callable[[], None]:
    """Return a `preexec_fn` that has the kernel send `number` to the child when this process ends, however it ends.

    Elsewhere than on Linux it does nothing.
    """
    parent = os.getpid()

    def ask_the_kernel() -> None:
        if _libc is not None:
            _libc.prctl(_PR_SET_PDEATHSIG, int(number), 0, 0, 0)
            if os.getppid() != parent:  # it ended between the fork and the call above
                os._exit(1)

    return ask_the_kernel


def as_user(user: pwd.struct_passwd | None) -> dict[str, Any]:
    """Return what makes `subprocess` run a child as `user`; nothing for None."""
    return {} if user is None else {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


def free_port(wanted: int | None = None) -> int:
    """Return `wanted` if nobody listens there on the loopback address, else a port that is free now."""
    for port in (wanted, 0):
        if port is not None:
            with socket.socket() as probe, contextlib.suppress(OSError):
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind(("127.0.0.1", port))
                return int(probe.getsockname()[1])
    raise OSError("There is no free port on the loopback address.")


def alive(pid: int) -> bool:
    """Return whether a process with this id runs (one that ended and was not waited for does not)."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def end(process: subprocess.Popen[bytes], *, first: signal.Signals = signal.SIGTERM, patience: float = 15) -> None:
    """Ask `process` to stop, and kill its whole group if it has not after `patience` seconds."""
    if process.poll() is None:
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(first)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(patience)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if os.getpgrp() != process.pid:
            os.killpg(process.pid, signal.SIGKILL)
    process.wait()


@dataclass
class Supervisor:
    """Runs commands side by side, each with its own log, and ends them in reverse order. It restarts none."""

    logs: Path
    environ: Mapping[str, str]
    folder: Path
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def start(self, name: str, command: Sequence[str], environ: Mapping[str, str] | None = None) -> None:
        """Start `command` in a process group of its own; it writes to `<logs>/<name>.log`."""
        self.logs.mkdir(parents=True, exist_ok=True)
        with (self.logs / f"{name}.log").open("ab") as log:
            self.running[name] = subprocess.Popen(
                list(command),
                cwd=self.folder,
                env={**self.environ, **(environ or {})},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=die_with_parent(),
            )

    def ended(self) -> list[str]:
        """Return the names of those that have ended by themselves."""
        return [name for name, process in self.running.items() if process.poll() is not None]

    def log_of(self, name: str) -> Path:
        return self.logs / f"{name}.log"

    def stop(self, patience: float = 12) -> None:
        """End all: ask them all, the last started first, then wait for each."""
        for process in reversed(self.running.values()):
            if process.poll() is None:
                process.terminate()
        deadline = time.monotonic() + patience
        for process in reversed(self.running.values()):
            end(process, patience=max(0.1, deadline - time.monotonic()))
        self.running.clear()


class Asked(BaseException):
    """Somebody asked this process to stop (SIGINT, SIGTERM or SIGHUP)."""


@contextlib.contextmanager
def stop_when_asked() -> Iterator[None]:
    """Turn the first SIGINT, SIGTERM or SIGHUP into `Asked`, and ignore more of them while things are being ended."""

    def ask(number: int, frame: object) -> None:
        for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(name, signal.SIG_IGN)
        raise Asked(signal.Signals(number).name)

    asking = [signal.SIGINT, signal.SIGTERM]
    if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:  # not under nohup
        asking.append(signal.SIGHUP)
    before = {name: signal.signal(name, ask) for name in asking}
    try:
        yield
    finally:
        for name, handler in before.items():
            signal.signal(name, handler)


def run_in_front(command: Sequence[str], environ: Mapping[str, str]) -> int:
    """Run `command` in this terminal and return its exit status; signals reach it, and it ends with us."""
    process = subprocess.Popen(list(command), env=dict(environ), preexec_fn=die_with_parent())

    def pass_on(number: int, frame: object) -> None:
        process.send_signal(number)

    signal.signal(signal.SIGINT, signal.SIG_IGN if _in_front_of_terminal() else pass_on)
    for name in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(name, pass_on)
    status = process.wait()
    return 128 - status if status < 0 else status


def _in_front_of_terminal() -> bool:
    """Say whether Ctrl-C reaches our children without us."""
    try:
        return os.tcgetpgrp(sys.stdin.fileno()) == os.getpgrp()
    except (OSError, ValueError):
        return False
