"""`python -m bench.fetching SLUG SCHOOL LINK`: fetch and read a school in a fresh process; print what it took as JSON.

Fetched is as the hub fetches, into a payload; read is with every record opened. What counts as memory is the resident
memory at its highest less that of the same process just before.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from typing import Any, BinaryIO, cast

from bench.database import PROJECT
from bench.memory import status

DEADLINE_SECONDS = 900.0


def of(slug: str, school_id: int, link_id: int, environment: dict[str, str]) -> dict[str, Any]:
    """Return seconds of collecting and reading (the processor: of this side), memory in MiB, bytes and records."""
    command = [sys.executable, "-m", "bench.fetching", slug, str(school_id), str(link_id)]
    done = subprocess.run(
        command, cwd=PROJECT, env={**os.environ, **environment}, check=True, capture_output=True, text=True
    )
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def main() -> None:
    import django

    django.setup()
    from django.conf import settings
    from django.db import connection

    from hub.core import scope
    from imports import payloads, tasks  # noqa: F401  (what a worker has loaded before it fetches)
    from imports.link.access import access_of
    from imports.models import MisLink
    from mis_connectors import registry
    from mis_connectors.archive import ArchiveSink
    from mis_connectors.base import PullConnector
    from mis_connectors.records import IncomingPayload

    slug, school_id, link_id = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    made = cast(PullConnector, registry.connector(slug))
    with scope.schools(school_id):
        link = MisLink.objects.select_related("source", "school").get(pk=link_id)
        access = access_of(link, deadline_seconds=DEADLINE_SECONDS)
    connection.close()
    before, began, own = status("VmRSS"), time.perf_counter(), time.process_time()
    with cast(BinaryIO, tempfile.SpooledTemporaryFile(max_size=payloads.IN_MEMORY)) as file:
        with ArchiveSink(file, limit=settings.UNPACKED_LIMIT) as sink:
            made.collect(access, sink)
            unpacked = sink.written
        collected, own_collected = time.perf_counter(), time.process_time()
        incoming = IncomingPayload(
            filename="fetched", open=lambda: payloads.reopened(file), unpacked_limit=settings.UNPACKED_LIMIT
        )
        records = made.read(incoming).records
        opened = sum(1 for record in records if record.open().record is not None)
        ended, own_ended = time.perf_counter(), time.process_time()
        size = file.seek(0, 2)
    said = {
        "collect": round(collected - began, 3), "collect, cpu": round(own_collected - own, 3),
        "read": round(ended - collected, 3), "read, cpu": round(own_ended - own_collected, 3),
        "memory": round(status("VmHWM") - before, 1), "records": opened,
        "megabytes": round(unpacked / 1e6, 1), "kept": round(size / 1e6, 1),
    }  # fmt: skip
    print(json.dumps(said))


if __name__ == "__main__":
    main()
