"""Set-based writing: COPY to a temporary table, then one statement. The walls refuse COPY to the table itself."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django.db import connection

SMALL = 200
"""Up to so many rows the planner's guess about a new table serves."""


def new_ids(table: str, count: int) -> list[int]:
    """Take `count` ids from a table's sequence at once."""
    if not count:
        return []
    with connection.cursor() as cursor:
        # The inner SELECT looks the sequence up once, and not again for every id.
        cursor.execute(
            "SELECT nextval((SELECT pg_get_serial_sequence(%s, 'id')::regclass)) FROM generate_series(1, %s)",
            [table, count],
        )
        return [row[0] for row in cursor.fetchall()]


def load(table: str, columns: str, rows: Iterable[Sequence[Any]], *, joined: bool = False) -> str:
    """Fill a temporary table that lasts until the transaction ends, and return its name.

    `columns` is SQL such as `id bigint, value text`; every row gives them in this order. Say `joined`
    where it will be joined: the planner then learns how large it is, if it is not small.
    """
    name = f"load_{table}"
    names = ", ".join(column.split()[0] for column in columns.split(","))
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE IF EXISTS pg_temp.{name}; CREATE TEMPORARY TABLE {name} ({columns}) ON COMMIT DROP")
        count = 0
        with cursor.cursor.copy(f"COPY {name} ({names}) FROM STDIN") as copy:
            for count, row in enumerate(rows, 1):  # noqa: B007
                copy.write_row(row)
        if joined and count > SMALL:
            cursor.execute(f"ANALYZE {name}")
    return name


def statement(sql: str, params: Sequence[Any] = ()) -> int:
    """Run one statement and return how many rows it wrote."""
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return int(cursor.rowcount)
