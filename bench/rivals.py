"""Other ways to load the same people with Django. All are given ready rows: parsing is not part of their time.

Each loads into tables without walls, audit or history, in one transaction, with ids of links looked up for it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tablib
from django.db import transaction
from import_export.instance_loaders import CachedInstanceLoader
from import_export.resources import ModelResource, modelresource_factory

from bench.people import COLUMNS, People
from bench.tables import MODELS

BATCH = 1_000
Load = Callable[[str, list[dict[str, Any]]], None]


def row_by_row(kind: str, rows: list[dict[str, Any]]) -> None:
    """`update_or_create` for every row."""
    objects = MODELS[kind].objects
    for row in rows:
        objects.update_or_create(key=row["key"], defaults={name: value for name, value in row.items() if name != "key"})


def in_bulk(kind: str, rows: list[dict[str, Any]]) -> None:
    """`bulk_create(update_conflicts=True)`."""
    model = MODELS[kind]
    model.objects.bulk_create(
        [model(**row) for row in rows],
        batch_size=BATCH,
        update_conflicts=True,
        unique_fields=["key"],
        update_fields=["school_id", *COLUMNS[kind]],
    )


def _resources(**options: Any) -> dict[str, ModelResource]:
    made = {}
    for kind, model in MODELS.items():
        names = ["key", "school_id", *(name.removesuffix("_id") for name in COLUMNS[kind])]
        meta = {"fields": names, "import_id_fields": ["key"], **options}
        made[kind] = modelresource_factory(model, meta_options=meta)()
    return made


def _import_export(**options: Any) -> Load:
    resources = _resources(**options)

    def load(kind: str, rows: list[dict[str, Any]]) -> None:
        names = [name.removesuffix("_id") if name != "school_id" else name for name in rows[0]]
        data = tablib.Dataset(*(tuple(row.values()) for row in rows), headers=names)
        resources[kind].import_data(data, raise_errors=True, use_transactions=False)

    return load


import_export = _import_export()
"""As its documentation begins: only `import_id_fields` is set."""
import_export_tuned = _import_export(
    use_bulk=True, batch_size=BATCH, skip_unchanged=True, skip_diff=True, skip_html_diff=True,
    instance_loader_class=CachedInstanceLoader,
)  # fmt: skip
"""With what its documentation names for speed."""

RIVALS: dict[str, Load] = {
    "update_or_create by row": row_by_row,
    "bulk_create(update_conflicts)": in_bulk,
    "django-import-export": import_export,
    "django-import-export, tuned": import_export_tuned,
}
SLOW = frozenset({"update_or_create by row", "django-import-export", "django-import-export, tuned"})


def load(rows: People, way: Load) -> None:
    """Load everybody in one transaction."""
    with transaction.atomic():
        for kind in ("pupil", "contact", "staff"):
            way(kind, getattr(rows, kind))
        pupils = dict(MODELS["pupil"].objects.values_list("key", "id"))
        contacts = dict(MODELS["contact"].objects.values_list("key", "id"))
        links = [
            {**row, "pupil_id": pupils[str(row["pupil_id"])], "contact_id": contacts[str(row["contact_id"])]}
            for row in rows.link
        ]
        way("link", links)
