"""`bin/manage demo_code [email …]`: the time codes of the demo's staff, or of these logins, as they are now."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from hub.accounts.second_factor import STEP
from imports.demo import schools


class Command(BaseCommand):
    help = "Print the time codes that the demo's logins are asked for now."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email", nargs="*")

    def handle(self, *args: Any, **options: Any) -> None:
        now, known = timezone.now(), schools.staff_logins()
        names = options["email"] or known
        if strangers := [name for name in names if name not in known]:
            raise CommandError(f"No login of the demo’s staff: {', '.join(strangers)}.")
        codes = {name: schools.code_of(name, now=now) for name in names}
        for name, code in codes.items():
            self.stdout.write(f"{code or 'no code'}  {name}")
        self.stdout.write(f"Good for {STEP - int(now.timestamp()) % STEP} seconds more.")
