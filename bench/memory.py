"""`python -m bench.memory SCHOOL RUN NIGHT`: carry out one waiting import in a fresh process; print how it grew.

What counts is the resident memory at its highest less that of the same process just before, connected and ready.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from bench.database import PROJECT


def growth_of(school_id: int, import_id: int, night: int) -> float:
    """Return the growth in MiB of a process that carries out this run; 0 where the system does not tell."""
    command = [sys.executable, "-m", "bench.memory", str(school_id), str(import_id), str(night)]
    done = subprocess.run(command, cwd=PROJECT, env=dict(os.environ), check=True, capture_output=True, text=True)
    return float(done.stdout.split()[-1])


def status(name: str) -> float:
    """Return a figure of `/proc/self/status` in MiB."""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith(f"{name}:")), 0.0)


def main() -> None:
    import django

    django.setup()
    from django.db import connection

    from bench import hub_nights
    from hub.core import scope
    from imports import tasks  # noqa: F401  (what a worker has loaded before its first import)
    from imports.models import Import, ImportState
    from mis_connectors import registry

    school_id, import_id, night = (int(argument) for argument in sys.argv[1:4])
    with scope.schools(school_id):
        connection.ensure_connection()
        run = Import.objects.select_related("link__source").get(pk=import_id)
        registry.connector(run.link.source.connector)
        before = status("VmRSS")
        hub_nights.carry_out(run, night=night, ends=ImportState.APPLIED)
        print(round(status("VmHWM") - before, 1))


if __name__ == "__main__":
    main()
