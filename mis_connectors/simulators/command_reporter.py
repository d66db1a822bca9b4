"""A stand-in for SIMS's CommandReporter.exe: a program of its own that fails in every known way on demand.

    python command_reporter.py /TRUSTED /REPORT:"Schoolgate Pupils" /OUTPUT:pupils.xml /QUIET

`STANDIN_SIMS_STATE` names the JSON file that describes the school (see `school.of_state`; `users` in it
maps SIMS users to passwords). `STANDIN_SIMS_FAULT` names a fault of `FAULTS`, for all reports or, as
`truncated:Schoolgate Contacts`, for one. Like the real one it says with text, not with its exit status,
that it failed.
"""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

if __package__ in (None, ""):  # run as a script: the project is two folders up, unless PYTHONPATH says where
    sys.path[0] = str(Path(__file__).resolve().parents[2])

from mis_connectors.simulators import sims_xml
from mis_connectors.simulators.school import School, of_state

REPORTS: dict[str, Callable[..., None]] = {
    "schoolgate pupils": sims_xml.write_pupils,
    "schoolgate contacts": sims_xml.write_contacts,
    "schoolgate staff": sims_xml.write_staff,
}
FAULTS = {
    "error": "the error text on standard output, no file",
    "error_file": "the error text in the file",
    "empty": "a file of no bytes",
    "missing": "no file and no word",
    "truncated": "a file that ends in the middle",
    "slow": "a file that grows for STANDIN_SIMS_SECONDS (2) more after the program has ended",
    "stale": "the file of the last run left where it is",
    "no_identities": "no identity columns: the user is not in Third Party Reporter",
    "wrong_school": "another school's people",
    "half": "every other pupil is missing",
    "nobody": "a report without a single record",
    "login_refused": "the error text of a wrong password",
    "hang": "never ends (an hour)",
}
BANNER = "SIMS .net Command Reporter (stand-in)\r\n"


def main(arguments: list[str]) -> int:
    """Run one report as the arguments say."""
    given = _arguments(arguments)
    fault = _fault(given.get("REPORT", ""))
    state = json.loads(Path(os.environ["STANDIN_SIMS_STATE"]).read_text(encoding="utf-8"))
    if "QUIET" not in given:
        _say(BANNER)
    if fault == "hang":
        time.sleep(3600)
    if fault == "login_refused" or not _may_sign_in(given, state):
        return _error("Login failed. The user name or password is incorrect.")
    write = REPORTS.get(given.get("REPORT", "").lower())
    if write is None:
        return _error(f"Report not found: {given.get('REPORT', '')}")
    if fault == "error":
        return _error("A network-related error occurred while connecting to the database.")
    _deliver(given.get("OUTPUT"), lambda: _report(write, state, fault), fault)
    return 0


def _arguments(arguments: list[str]) -> dict[str, str]:
    given = {}
    for argument in arguments:
        name, _, value = argument.lstrip("/").partition(":")
        given[name.upper()] = value.strip('"')
    return given


def _fault(report: str) -> str:
    fault, _, only = os.environ.get("STANDIN_SIMS_FAULT", "").partition(":")
    if only and only.lower() != report.lower():
        return ""
    if fault and fault not in FAULTS:
        raise SystemExit(f"STANDIN_SIMS_FAULT is none of {', '.join(FAULTS)}.")
    return fault


def _may_sign_in(given: dict[str, str], state: dict[str, Any]) -> bool:
    if "TRUSTED" in given:
        return True
    users = state.get("users")
    name = given.get("USER", "")
    return bool(name) and (users is None or users.get(name) == given.get("PASSWORD"))


def _report(write: Callable[..., None], state: dict[str, Any], fault: str) -> bytes:
    if fault == "wrong_school":
        state = {**state, "dfe_number": "8889999", "seed": int(state.get("seed", 1)) + 1}
    school = of_state(state)
    if fault == "half":
        school.drop_half()
    if fault == "nobody":
        school = School(school.dfe_number, school.name, school.phase, school.seed, 0, school.today)
    out = io.BytesIO()
    write(school, out, hide=sims_xml.IDENTITIES if fault == "no_identities" else frozenset())
    return out.getvalue()


def _deliver(output: str | None, make: Callable[[], bytes], fault: str) -> None:
    """Write the report to its file, or to standard output where none is named, in the way of the fault."""
    if fault in ("missing", "stale"):
        return
    data = {"error_file": _error_text("Report could not be run.").encode(), "empty": b""}.get(fault)
    data = make() if data is None else data
    if fault == "truncated":
        data = data[: len(data) * 3 // 5]
    if output is None:
        sys.stdout.buffer.write(data)
    elif fault == "slow":
        _slowly(Path(output), data)
    else:
        Path(output).write_bytes(data)


def _slowly(path: Path, data: bytes) -> None:
    """Write a tenth now; a process of its own adds the rest bit by bit, after this one has ended."""
    tenth = max(1, len(data) // 10)
    path.write_bytes(data[:tenth])
    rest = path.with_name(path.name + ".rest")
    rest.write_bytes(data[tenth:])
    step = float(os.environ.get("STANDIN_SIMS_SECONDS", "2")) / 9
    script = (
        "import pathlib, sys, time\n"
        "path, rest, size, step = sys.argv[1], pathlib.Path(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])\n"
        "data = rest.read_bytes(); rest.unlink()\n"
        "for start in range(0, len(data), size):\n"
        "    time.sleep(step)\n"
        "    with open(path, 'ab') as file: file.write(data[start:start + size])\n"
    )
    command = [sys.executable, "-c", script, str(path), str(rest), str(tenth), str(step)]
    quiet = subprocess.DEVNULL
    subprocess.Popen(command, stdin=quiet, stdout=quiet, stderr=quiet, start_new_session=True)  # noqa: S603 - our own


def _error_text(said: str) -> str:
    return f"<CommandReporterError><Message>{said}</Message></CommandReporterError>\r\n"


def _error(said: str) -> int:
    _say(_error_text(said))
    return 0


def _say(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
