"""Starts the agent in a process of its own, forked from one that has loaded what it imports.

The program and its world are those of a start by hand: arguments, environment, outputs, exit status. Only what takes
longest of one, loading the same modules of the standard library each time, is done once.
"""

from __future__ import annotations

import multiprocessing
import os
import runpy
import subprocess
import sys
import types
from pathlib import Path
from unittest import mock

_IMPORTED = ("configparser", "http.client", "logging", "platform", "shutil", "tempfile", "urllib.request", "zipfile")
_forking = multiprocessing.get_context("forkserver")
_forking.set_forkserver_preload([*_IMPORTED, "subprocess", "uuid", __name__])


class Started:
    """A run of a program that was begun."""

    def __init__(self, program: Path, arguments: tuple[str, ...], environment: dict[str, str]) -> None:
        number = len(list(program.parent.glob("*.out")))
        self._arguments, self._said = arguments, [program.parent / f"{number}.{name}" for name in ("out", "err")]
        for path in self._said:
            path.touch()
        given = (str(program), arguments, environment, *map(str, self._said))
        self._process = _forking.Process(target=_be, args=given)
        with mock.patch.dict(sys.modules, __main__=types.ModuleType("__main__")):  # or the fork would load ours
            self._process.start()

    def ended(self) -> subprocess.CompletedProcess[str]:
        """Wait for its end, and return how it ended and what it said."""
        self._process.join(60)
        assert self._process.exitcode is not None, "it does not end"
        out, err = (path.read_text(encoding="utf-8") for path in self._said)
        return subprocess.CompletedProcess(self._arguments, self._process.exitcode, out, err)


def _be(program: str, arguments: tuple[str, ...], environment: dict[str, str], out: str, err: str) -> None:
    for descriptor, path in ((1, out), (2, err)):
        os.dup2(os.open(path, os.O_WRONLY), descriptor)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = [program, *arguments]
    runpy.run_path(program, run_name="__main__")
