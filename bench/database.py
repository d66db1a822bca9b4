"""A database for one run beside the one given: made, migrated as its owner, used as the app role, dropped.

Where a template is named, a copy of it stands for the migrations.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql

PROJECT = Path(__file__).resolve().parent.parent


@contextmanager
def of_this_run(template: str = "") -> Iterator[str]:
    """Give the run a database of its own, with Django set up for it; yields its address.

    `template` names a database that the migrations have just made, and nobody is connected to.
    """
    given = urlsplit(os.environ["DATABASE_URL"])
    name = f"bench_{os.getpid()}"
    address = urlunsplit(given._replace(path=f"/{name}"))
    with psycopg.connect(urlunsplit(given), autocommit=True) as server:
        made = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
        server.execute(made.format(sql.Identifier(name), sql.Identifier(template or "template1")))
        try:
            os.environ["DATABASE_URL"] = address
            if not template:
                _migrate()
            _set_up()
            yield address
        finally:
            _close()
            drop(server, name)
            os.environ["DATABASE_URL"] = urlunsplit(given)


class _Asks(Protocol):
    def execute(self, query: Any, params: Any = None, /) -> object: ...


def drop(server: _Asks, name: str) -> None:
    """Remove the database `name`, if there is one, whoever is connected to it.

    Not by FORCE: that is refused where an autovacuum is at work there, which a plain DROP ends by itself.
    """
    clients = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s AND usename = current_user"
    server.execute(clients, [name])
    server.execute(sql.SQL("DROP DATABASE IF EXISTS {}").format(sql.Identifier(name)))


def _migrate() -> None:
    command = [sys.executable, str(PROJECT / "manage.py"), "migrate", "--no-input", "-v", "0"]
    subprocess.run(command, env=dict(os.environ), check=True)


def _set_up() -> None:
    import django
    from django.conf import settings

    settings.INSTALLED_APPS.append("bench")  # import-export asks for the app of the models it loads
    django.setup()


def _close() -> None:
    from django.db import connections

    connections.close_all()


@contextmanager
def as_owner() -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    """Yield a second connection that owns the tables: to vacuum, and for the rivals' own tables."""
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as owner:
        yield owner


def settle() -> None:
    """Do at once what autovacuum does in the hours between two nights."""
    with as_owner() as owner:
        found = owner.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        names = [sql.Identifier(str(name)) for (name,) in found.fetchall()]
        owner.execute(sql.SQL("VACUUM (ANALYZE) {}").format(sql.SQL(", ").join(names)))
