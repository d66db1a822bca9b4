"""Which schools the code now running may see: the second wall, kept by PostgreSQL itself.

Every connection acts under the role `schoolgate_app`, which owns nothing and sees the rows of
the schools in its scope only (forced row-level security, see `hub.core.tenancy`). A request or a
task opens a scope; outside one, no school's row is visible. `every_school` changes to the role
`schoolgate_system` for the few questions that span schools: what is due, who signs in, health.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper

SYSTEM_ROLE = "schoolgate_system"
EVERY = "*"
_scope: ContextVar[str] = ContextVar("scope", default="")


@contextmanager
def schools(*school_ids: int) -> Iterator[None]:
    """See the rows of these schools, and no others, until the block ends."""
    with _scoped(",".join(str(int(school_id)) for school_id in school_ids)):
        yield


@contextmanager
def every_school() -> Iterator[None]:
    """See every school's rows until the block ends; a test lists who may ask for this."""
    with _scoped(EVERY):
        yield


def current_schools() -> tuple[int, ...]:
    """Return the ids of the schools in scope; empty outside a scope and under `every_school`."""
    scope = _scope.get()
    return () if scope in ("", EVERY) else tuple(int(part) for part in scope.split(","))


@contextmanager
def _scoped(scope: str) -> Iterator[None]:
    if scope == _scope.get():
        yield
        return
    token = _scope.set(scope)
    try:
        _assume_if_open(scope)
        yield
    finally:
        _scope.reset(token)
        _assume_if_open(_scope.get())


def _assume_if_open(scope: str) -> None:
    """Change an open connection; a rollback that is under way restores the setting by itself."""
    raw = connection.connection
    if raw is not None and not raw.closed and not connection.needs_rollback:
        assume(connection, scope)


def assume(wrapper: BaseDatabaseWrapper, scope: str) -> None:
    """Give an open connection the role and the school list of `scope`."""
    role = settings.DATABASE_APP_ROLE
    if not role:
        return
    with wrapper.cursor() as cursor:
        cursor.execute(
            "SELECT set_config('role', %s, false), set_config('hub.schools', %s, false)",
            [SYSTEM_ROLE if scope == EVERY else role, "" if scope == EVERY else scope],
        )


def on_connection_created(*, connection: BaseDatabaseWrapper, **kwargs: Any) -> None:
    """Give a new connection the scope of the code that opened it."""
    assume(connection, _scope.get())
