"""`import_file DFE_NUMBER PATH`: what the upload page does, from the command line."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from hub.core import scope
from hub.core.errors import HubError
from hub.core.models import School
from hub.people import identifiers
from imports import services
from imports.link import links
from imports.models import Import, ImportKind, ImportState, MisLink

EXIT_STATUS = {
    ImportState.APPLIED: 0,
    ImportState.UNCHANGED: 0,
    ImportState.PARTLY_HELD: 3,
    ImportState.HELD: 3,
}
"""Every other outcome exits with 1."""
COUNTS = ("added", "updated", "ended", "kept", "rejected")


class Command(BaseCommand):
    help = "Import a file of a school's MIS: a zip or a single XML. Exit status: 0 in, 3 held for a person, 1 failed."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("dfe_number")
        parser.add_argument("path", type=Path)
        parser.add_argument("--connector", required=True, help="The MIS the file is from: sims.")
        parser.add_argument("--plan", action="store_true", help="Only say what would change.")
        parser.add_argument("--some", action="store_true", help="The file is not everybody: remove nobody.")
        parser.add_argument("--json", action="store_true", help="Print one JSON object.")

    def handle(self, *args: Any, **options: Any) -> None:
        school = self._school(options["dfe_number"])
        with scope.schools(school.pk):
            run = self._import(school, **options)
            self._print(run, as_json=options["json"])
        status = EXIT_STATUS.get(ImportState(run.state), 1)
        if status:
            sys.exit(status)

    def _school(self, raw: str) -> School:
        try:
            number = identifiers.dfe_number(raw)
        except ValueError as error:
            raise CommandError(str(error)) from error
        with scope.every_school():
            school = School.objects.filter(dfe_number=number, shadow_of=None).first()
        if school is None:
            raise CommandError(f"There is no school {number}. Create it first: bin/manage create_school.")
        return school

    def _import(self, school: School, *, path: Path, connector: str, plan: bool, some: bool, **_: Any) -> Import:
        now = timezone.now()
        try:
            with path.open("rb") as stream:
                link = self._link(school, connector)
                received = services.receive(
                    link=link, stream=stream, filename=path.name, run_id=f"file-{now.timestamp():.6f}",
                    kind=ImportKind.UPLOAD, requested_by="The command line", everybody=not some, preview=plan,
                    start=False, now=now,
                )  # fmt: skip
        except OSError as error:
            raise CommandError(f"{path} cannot be read: {error.strerror}.") from error
        except HubError as error:
            raise CommandError(str(error)) from error
        assert received.run is not None, "an upload by hand always makes a run"
        run = services.run(import_id=received.run.pk, now=now)
        if run is None:
            raise CommandError("Another import of this school is under way. Try again when it has finished.")
        return run

    def _link(self, school: School, connector: str) -> MisLink:
        link = links.current_link(school)
        if link is None:
            return links.create_link(school=school, connector=connector, by=None, now=timezone.now())
        if link.source.connector != connector:
            raise CommandError(f"This school's MIS is {link.source.connector}, not {connector}.")
        return link

    def _print(self, run: Import, *, as_json: bool) -> None:
        counts = {name: run.counts.get(name, 0) for name in COUNTS}
        if as_json:
            outcome = {"import": run.pk, "outcome": run.state, "plan": run.preview, **counts, "reasons": run.reasons}
            self.stdout.write(json.dumps(outcome))
            return
        self.stdout.write(f"{run.get_state_display()}: " + ", ".join(f"{n} {name}" for name, n in counts.items()))
        for reason in run.reasons:
            self.stdout.write(f"{reason['sentence']} {reason['advice']}")
        for note in run.notes:
            self.stdout.write(f"Note: {note}")
