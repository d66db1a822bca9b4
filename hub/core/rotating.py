"""A new key for what is stored: everything encrypted is brought under the newest key, so that an old one can go.

Every model says in `sealed_columns` which of its columns `hub.core.keyring` wrote. Each batch is a transaction of its
own, and what is under the newest key already is left: stopped at any moment, it goes on where it was.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from django.apps import apps
from django.db import models, transaction

from hub.core import keyring, scope

BATCH = 16
"""Rows in one transaction: a row may hold a mebibyte."""


@dataclass(frozen=True, slots=True)
class Rotated:
    """What became of one column: `unreadable` rows can be opened with no key of the ring, and stay as they are."""

    column: str
    seen: int
    renewed: int
    unreadable: int


def sealed_columns() -> list[tuple[type[models.Model], str]]:
    """Return every encrypted column of every installed app."""
    declared = [(model, getattr(model, "sealed_columns", ())) for model in apps.get_models()]
    return [(model, column) for model, columns in declared for column in columns]


def rotate() -> Iterator[Rotated]:
    """Bring every encrypted column under the newest key; yields each column as it is done."""
    for model, column in sealed_columns():
        with scope.every_school():
            yield _column(model, column)


def _column(model: type[models.Model], column: str) -> Rotated:
    seen = renewed = unreadable = 0
    last = 0
    while batch := _batch(model, column, after=last):
        last = batch[-1][0]
        old = [(pk, sealed) for pk, sealed in batch if not keyring.is_newest(sealed)]
        done, lost = _renew(model, column, [pk for pk, _ in old]) if old else (0, 0)
        seen, renewed, unreadable = seen + len(batch), renewed + done, unreadable + lost
    return Rotated(f"{model._meta.db_table}.{column}", seen, renewed, unreadable)


def _batch(model: type[models.Model], column: str, *, after: int) -> list[tuple[int, bytes]]:
    rows = model._base_manager.filter(pk__gt=after).exclude(**{column: None}).exclude(**{column: b""})
    found = rows.order_by("pk").values_list("pk", column)[:BATCH]
    return [(pk, bytes(sealed)) for pk, sealed in found]


@transaction.atomic
def _renew(model: type[models.Model], column: str, ids: list[int]) -> tuple[int, int]:
    """Renew these rows as they are now, whoever has written them meanwhile; return how many were, and could not be."""
    done = lost = 0
    rows = model._base_manager.select_for_update().filter(pk__in=ids).order_by("pk")
    for pk, sealed in rows.values_list("pk", column):
        if not sealed:
            continue
        try:
            renewed = keyring.renew(bytes(sealed))
        except keyring.KeyringError:
            lost += 1
            continue
        done += model._base_manager.filter(pk=pk).update(**{column: renewed})
    return done, lost
