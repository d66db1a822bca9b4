"""`bin/manage mis_simulator integris --port 9101 --school 8233001 …`: a stand-in of a cloud MIS on this machine."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from mis_connectors.simulators import running


class Command(BaseCommand):
    help = "Run a simulated MIS with generated people on 127.0.0.1 until it is stopped."

    def add_arguments(self, parser: CommandParser) -> None:
        running.add_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            running.run(say=self._say, **options)
        except running.CannotRun as error:
            raise CommandError(str(error)) from error

    def _say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()
