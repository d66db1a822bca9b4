"""The database the tests run in: migrated once, kept as a template until the schema changes, copied by every worker."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import django
from django.conf import settings
from django.core.management import call_command
from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from bench.database import drop as drop_database

PROJECT = Path(__file__).resolve().parent.parent
_MAKES_THE_SCHEMA = ("*/migrations/*.py", "*/*/migrations/*.py", "hub/core/tenancy.py")
_ONE_AT_A_TIME = 7_203_114
"""The advisory lock of whoever looks for the template, or makes it."""
template = ""
"""What was copied last: others may copy it too."""
_EMPTY_ALL = """
DO $$
DECLARE name text;
BEGIN
  FOR name IN
    SELECT tablename FROM pg_tables WHERE schemaname = 'public'
    AND tablename NOT IN ('django_migrations', 'django_content_type', 'auth_permission')
  LOOP
    EXECUTE format('DELETE FROM %I', name);
  END LOOP;
END $$;
"""
"""All but the tables that the migrations fill and no test writes; keys are looked at when it is committed."""


def copy(name: str) -> None:
    """Make the database `name` as the migrations leave one, in place of any there is, and connect to it from now on."""
    global template
    digest, family = _digest(), f"template_{settings.DATABASES['default']['NAME']}"
    template = f"{family}_{digest}"
    connection.close()
    with _server() as cursor:
        if template not in _databases(cursor, family):
            for old in _databases(cursor, family):
                drop_database(cursor, old)
            _migrate(cursor, template)
        drop_database(cursor, name)
        cursor.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
    _connect_to(name)


def drop(name: str, back_to: str) -> None:
    """Remove the database `name`, and connect to `back_to` from now on."""
    connection.close()
    with _server() as cursor:
        drop_database(cursor, name)
    _connect_to(back_to)


def _migrate(cursor: CursorWrapper, template: str) -> None:
    """Make the template under another name first, so that half of one is never found."""
    half, before = f"half_{template}", connection.settings_dict["NAME"]
    drop_database(cursor, half)
    cursor.execute(f'CREATE DATABASE "{half}"')
    _connect_to(half)
    call_command("migrate", verbosity=0, interactive=False)
    connection.close()
    _connect_to(before)
    cursor.execute(f'ALTER DATABASE "{half}" RENAME TO "{template}"')


@contextmanager
def _server() -> Iterator[CursorWrapper]:
    """Speak to the server itself, while nobody else looks for the template."""
    with connection._nodb_cursor() as cursor:  # type: ignore[attr-defined]
        cursor.execute("SELECT pg_advisory_lock(%s)", [_ONE_AT_A_TIME])
        yield cursor


def _databases(cursor: CursorWrapper, family: str) -> list[str]:
    cursor.execute("SELECT datname FROM pg_database WHERE starts_with(datname, %s)", [f"{family}_"])
    return [name for (name,) in cursor.fetchall()]


def _connect_to(name: str) -> None:
    settings.DATABASES["default"]["NAME"] = connection.settings_dict["NAME"] = name


def _digest() -> str:
    digest = hashlib.sha256(django.__version__.encode())
    for path in sorted({path for pattern in _MAKES_THE_SCHEMA for path in PROJECT.glob(pattern)}):
        digest.update(path.relative_to(PROJECT).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]


def empty() -> None:
    """Delete what a test wrote. (TRUNCATE, Django's way, makes every file of every table anew.)"""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL ROLE schoolgate_system")  # the wall hides rows from the owner too
        cursor.execute(_EMPTY_ALL)
