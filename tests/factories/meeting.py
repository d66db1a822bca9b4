"""Two transactions that meet: the second is started in the middle of the first, and stands in a queue behind it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

from django.db import connection, transaction

from hub.core import scope
from hub.core.errors import HubError
from hub.core.models import School

Wait = Callable[[], None]
_QUEUES = "SELECT FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY (pg_blocking_pids(pid))"
"""Whether somebody waits for this session. (A transaction keeps what pg_stat_activity told it at first.)"""


def meet(school: School, first: Callable[[Wait], Any], second: Callable[[], Any]) -> Any:
    """Run `first` in a transaction; where it calls its argument, start `second` and go on when that has to wait.

    Returns what `second` returned, or its refusal. Nobody may be thrown out of either by PostgreSQL.
    """
    results: list[Any] = []

    def other() -> None:
        try:
            with scope.schools(school.pk):
                results.append(second())
        except Exception as trouble:
            results.append(trouble)
        finally:
            connection.close()

    thread = threading.Thread(target=other)

    def until_it_waits() -> None:
        thread.start()
        for _ in range(200):
            with connection.cursor() as cursor:
                cursor.execute(_QUEUES)
                if cursor.fetchone() is not None:
                    return
            time.sleep(0.02)
        raise AssertionError("they never met")

    try:
        with transaction.atomic():
            first(until_it_waits)
    finally:
        thread.join(30)
    (result,) = results
    assert not isinstance(result, Exception) or isinstance(result, HubError), repr(result)
    return result
