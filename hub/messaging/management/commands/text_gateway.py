"""`text_gateway --port N`: the stand-in for a provider of text messages, until it is stopped."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from hub.messaging.text_gateway import FAULTS, Gateway


class Command(BaseCommand):
    requires_system_checks = []
    help = "Stand in for a provider of text messages: take texts over HTTP and keep them in the local inbox."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--port", type=int, required=True, help="On the loopback address; 0: any free one.")
        parser.add_argument("--fault", choices=FAULTS, default="", help="Fail as providers do.")

    def handle(self, *args: Any, port: int, fault: str, **options: Any) -> None:
        if not settings.LOCAL_INBOX:
            raise CommandError("Texts land in the local inbox here: set SCHOOLGATE_LOCAL_INBOX=1, never in production.")
        if not settings.TEXT_KEY:
            raise CommandError("Set SCHOOLGATE_TEXT_KEY: the key that the hub has to show here.")
        with Gateway(port, key=settings.TEXT_KEY, fault=fault) as gateway:
            self.stdout.write(f"Texts are taken at {gateway.url}")
            self.stdout.flush()
            gateway.serve_forever()
