"""Nothing that was started outlives the one who started it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from hub.embedded.processes import Supervisor, alive, free_port
from hub.embedded.services import PROJECT

SLEEP = [sys.executable, "-c", "import time; time.sleep(60)"]
STUBBORN = [
    sys.executable,
    "-c",
    "import signal, time; signal.signal(15, signal.SIG_IGN); print('on', flush=True); time.sleep(60)",
]
PARENT = """
import pathlib, sys, time
from hub.embedded.processes import Supervisor
supervisor = Supervisor(pathlib.Path(sys.argv[1]), {}, pathlib.Path("/"))
supervisor.start("child", [sys.executable, "-c", "import time; time.sleep(60)"])
print(supervisor.running["child"].pid, flush=True)
time.sleep(60)
"""


def wait_until(what: object) -> None:
    deadline = time.monotonic() + 10
    while not what() and time.monotonic() < deadline:  # type: ignore[operator]
        time.sleep(0.02)


def test_all_are_ended_also_one_that_will_not_listen(tmp_path: Path) -> None:
    supervisor = Supervisor(tmp_path / "log", dict(os.environ), tmp_path)
    supervisor.start("sleeps", SLEEP)
    supervisor.start("stubborn", STUBBORN)
    wait_until(lambda: "on" in supervisor.log_of("stubborn").read_text())
    pids = [process.pid for process in supervisor.running.values()]
    assert supervisor.ended() == []
    supervisor.stop(patience=0.3)
    assert not [pid for pid in pids if alive(pid)]


def test_one_that_ends_by_itself_is_named_and_its_words_are_kept(tmp_path: Path) -> None:
    supervisor = Supervisor(tmp_path / "log", dict(os.environ), tmp_path)
    supervisor.start("short", [sys.executable, "-c", "print('last words')"])
    wait_until(supervisor.ended)
    assert supervisor.ended() == ["short"]
    assert supervisor.log_of("short").read_text() == "last words\n"
    supervisor.stop()


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's parent-death signal is Linux's")
def test_a_child_ends_when_its_parent_is_killed(tmp_path: Path) -> None:
    parent = subprocess.Popen([sys.executable, "-c", PARENT, str(tmp_path)], cwd=PROJECT, stdout=subprocess.PIPE)
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    assert alive(child)
    os.kill(parent.pid, signal.SIGKILL)
    parent.wait()
    parent.stdout.close()
    wait_until(lambda: not alive(child))
    assert not alive(child)


def test_a_free_port_is_the_wanted_one_unless_it_is_taken() -> None:
    with socket.socket() as squatter:
        squatter.bind(("127.0.0.1", 0))
        squatter.listen()
        taken = squatter.getsockname()[1]
        assert free_port(taken) != taken
    assert free_port(taken) == taken
