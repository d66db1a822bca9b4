"""How much a process grows that carries out one waiting import.

It is forked, as a worker's processes are, from one that has loaded what a worker has before its first import, and
nothing else. What counts is the resident memory at its highest less that just before, connected and ready; pages of
programs, which a fork finds again only as it comes by them, are no growth.
"""

from __future__ import annotations

import multiprocessing
from pathlib import Path

_forking = multiprocessing.get_context("forkserver")
_forking.set_forkserver_preload(["bench.ready"])


def growth_of(school_id: int, import_id: int, night: int) -> float:
    """Return the growth in MiB of a process that carries out this run; 0 where the system does not tell."""
    with _forking.Pool(1) as pool:
        return pool.apply(_carry_out, (school_id, import_id, night))


def _carry_out(school_id: int, import_id: int, night: int) -> float:
    from django.db import connection

    from bench import hub_nights
    from hub.core import scope
    from imports.models import Import, ImportState

    with scope.schools(school_id):
        connection.ensure_connection()
        run = Import.objects.select_related("link__source").get(pk=import_id)
        before, programs = status("VmRSS"), status("RssFile")
        hub_nights.carry_out(run, night=night, ends=ImportState.APPLIED)
        return round(status("VmHWM") - before - (status("RssFile") - programs), 1)


def status(name: str) -> float:
    """Return a figure of `/proc/self/status` in MiB."""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith(f"{name}:")), 0.0)
