"""Make a school and invite its first administrator."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.core.validators import validate_email
from django.db import transaction
from django.utils import timezone

from hub.accounts.models import Role
from hub.core import scope, services
from hub.core.errors import HubError
from hub.messaging.mail import MailNotSent
from hub.overview import staffing
from hub.people.identifiers import dfe_number


class Command(BaseCommand):
    help = "Make a school and invite its first administrator. Prints the invitation's link, once."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("dfe_number", metavar="DFE_NUMBER", help="Seven digits: 823/3001 or 8233001.")
        parser.add_argument("name", metavar="NAME", help="The school's name.")
        parser.add_argument("--admin", metavar="EMAIL", required=True, help="Who is invited as administrator.")
        parser.add_argument(
            "--office", metavar="EMAIL", default="", help="Where alerts go; the administrator's unless told."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        now = timezone.now()
        try:
            number = dfe_number(options["dfe_number"])
            validate_email(options["admin"])
            validate_email(options["office"] or options["admin"])
        except ValidationError as error:
            raise CommandError("--admin and --office need an email address, such as head@example.org.") from error
        except ValueError as error:
            raise CommandError(str(error)) from error
        try:
            with transaction.atomic():
                school = services.create_school(
                    dfe_number=number, name=options["name"], office_email=options["office"] or options["admin"], now=now
                )
                with scope.schools(school.pk):
                    invited = staffing.invite(
                        school=school, email=options["admin"], role=Role.ADMINISTRATOR, by=None, now=now
                    )
        except HubError as refusal:
            raise CommandError(refusal.message) from refusal
        self.stdout.write(f"{school.name} ({school.dfe_display}) is there.")
        try:
            staffing.mail_link(invited, by="Schoolgate", now=now)
            self.stdout.write(f"The invitation went to {invited.membership.account.email}.")
        except MailNotSent as refusal:
            self.stderr.write(f"{refusal.message} Pass the link on yourself.")
        self.stdout.write(f"Its link, good for 10 days and one use:\n\n  {staffing.link(invited)}\n")
