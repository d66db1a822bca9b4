"""Set-based writing: COPY to a temporary table, then one statement. The walls refuse COPY to the table itself."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django.db import connection


def new_ids(table: str, count: int) -> list[int]:
    """Take `count` ids from a table's sequence at once."""
    if not count:
        return []
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval(pg_get_serial_sequence(%s, 'id')) FROM generate_series(1, %s)", [table, count])
        return [row[0] for row in cursor.fetchall()]


def load(table: str, columns: str, rows: Iterable[Sequence[Any]]) -> str:
    """Fill a temporary table that lasts until the transaction ends, and return its name.

    `columns` is SQL such as `id bigint, value text`; every row gives them in this order.
    """
    name = f"load_{table}"
    names = ", ".join(column.split()[0] for column in columns.split(","))
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE IF EXISTS pg_temp.{name}")
        cursor.execute(f"CREATE TEMPORARY TABLE {name} ({columns}) ON COMMIT DROP")
        with cursor.cursor.copy(f"COPY {name} ({names}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)
        cursor.execute(f"ANALYZE {name}")
    return name


def statement(sql: str, params: Sequence[Any] = ()) -> int:
    """Run one statement and return how many rows it wrote."""
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return int(cursor.rowcount)
