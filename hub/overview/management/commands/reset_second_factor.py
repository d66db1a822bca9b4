"""Let somebody whose login opens several schools, and who lost phone and codes, set up a new second factor."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from hub.accounts import devices, second_factor, signing_in


class Command(BaseCommand):
    help = "Take a login's second factor away and end its sessions. Its owner is told, and still needs the password."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", metavar="EMAIL", help="What the login signs in by: its email or its mobile.")

    def handle(self, *args: Any, **options: Any) -> None:
        account = signing_in.by_name(options["name"])
        if account is None:
            raise CommandError(f"No login signs in by {options['name']}.")
        with transaction.atomic():
            second_factor.reset(account=account)
            devices.end_all(account=account)
        self.stdout.write(f"{account} sets up a new second factor when they sign in next.")
