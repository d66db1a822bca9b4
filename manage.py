#!/usr/bin/env python
"""Run a management command. `bin/manage` does the same and starts what it needs."""

import os
import sys

OWNER_COMMANDS = {"migrate", "showmigrations", "sqlmigrate", "makemigrations", "flush", "dbshell"}
"""Commands that change the schema; every other command runs as the app role that owns nothing."""


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "hub.settings")
    if OWNER_COMMANDS.intersection(sys.argv[1:2]):
        os.environ["SCHOOLGATE_AS_OWNER"] = "1"
    from django.core.management import execute_from_command_line

    import hub.celery  # noqa: F401  (tasks sent from a command need the broker's address)

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
