"""Bring everything that is encrypted under the newest key of SCHOOLGATE_KEYS."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from hub.core import rotating


class Command(BaseCommand):
    help = "Re-encrypt secrets and payloads under the newest key of SCHOOLGATE_KEYS. May be stopped and run again."

    def handle(self, *args: Any, **options: Any) -> None:
        unreadable = 0
        for column in rotating.rotate():
            unreadable += column.unreadable
            lost = f", {column.unreadable:,} that no key opens" if column.unreadable else ""
            self.stdout.write(f"{column.column}: {column.seen:,} looked at, {column.renewed:,} renewed{lost}")
        if unreadable:
            raise CommandError(
                f"{unreadable:,} rows can be opened with no key of SCHOOLGATE_KEYS and stay as they are. "
                "Was a key taken away too early? Put it back at the end, and run this again."
            )
        older = len(settings.KEY_RING) - 1
        said = "The older keys may be taken away now." if older else "There is one key only."
        self.stdout.write(self.style.SUCCESS(f"Everything is under the newest key. {said}"))
