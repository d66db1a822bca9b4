"""Files to try the upload page with: what each school's MIS says today, and what can be wrong with it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from pathlib import Path

from imports.demo.server import Server
from mis_connectors.simulators import sims_xml

_STARTED = dt.datetime(2026, 11, 23, 2, 0, tzinfo=dt.UTC)


def write(folder: Path, servers: Mapping[str, Server]) -> None:
    """Write for each school a good zip and several bad ones, named for what they are."""
    for server in servers.values():
        place = folder / server.demo.name.lower().replace(" ", "-")
        place.mkdir(parents=True, exist_ok=True)
        school = server.school()
        reports = sims_xml.reports(school)
        contacts = reports["contacts.xml"]
        half = server.school()
        half.drop_half()
        made = {
            "today": reports,
            "truncated": {**reports, "contacts.xml": contacts[: len(contacts) * 3 // 5]},
            "empty-report": {**reports, "contacts.xml": b""},
            "half-the-school": sims_xml.reports(half),
        }
        for name, contents in made.items():
            zipped = sims_xml.zipped(contents, run_id=f"demo-file-{name}", started_at=_STARTED)
            (place / f"{name}.zip").write_bytes(zipped)
        (place / "empty-file.zip").write_bytes(b"")
        (place / "pupils-only.xml").write_bytes(reports["pupils.xml"])
