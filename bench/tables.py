"""Plain Django models beside the hub's own, with the same columns: no walls, no audit, no history. Not migrated.

A record is found again by `key`, unique; a link refers to its pupil and contact by ordinary foreign keys.
"""

from __future__ import annotations

from typing import Any

from django.db import connection, models

from bench.people import COLUMNS
from hub.people import models as hub


def _copied(kind: str, model: Any) -> dict[str, Any]:
    """Return clones of the hub's fields of these columns: the same types, lengths and defaults."""
    own = [name for name in COLUMNS[kind] if not name.endswith("_id")]
    return {
        name: models.CharField(max_length=320, blank=True)
        if name in ("email", "mobile")
        else model._meta.get_field(name).clone()
        for name in own
    }


def _model(name: str, fields: dict[str, Any]) -> Any:
    meta = type("Meta", (), {"app_label": "bench", "managed": False, "db_table": f"rival_{name.lower()}"})
    base = {
        "__module__": __name__,
        "Meta": meta,
        "id": models.BigAutoField(primary_key=True),
        "key": models.CharField(max_length=60, unique=True),
        "school_id": models.BigIntegerField(db_index=True),
    }
    return type(name, (models.Model,), {**base, **fields})


Pupil = _model("Pupil", _copied("pupil", hub.Pupil))
Contact = _model("Contact", _copied("contact", hub.Contact))
Staff = _model("Staff", _copied("staff", hub.Staff))
_ENDS = {
    "pupil": models.ForeignKey(Pupil, on_delete=models.CASCADE),
    "contact": models.ForeignKey(Contact, on_delete=models.CASCADE),
}
Link = _model("Link", _ENDS | _copied("link", hub.PupilContact))
MODELS = {"pupil": Pupil, "contact": Contact, "staff": Staff, "link": Link}


def create() -> None:
    """Make the tables as their owner, and a second set of the same for the floor."""
    from django.conf import settings

    role, settings.DATABASE_APP_ROLE = settings.DATABASE_APP_ROLE, ""
    connection.close()
    try:
        with connection.schema_editor() as editor:
            for model in MODELS.values():
                editor.create_model(model)
        with connection.cursor() as cursor:
            for kind in MODELS:
                cursor.execute(f"CREATE TABLE floor_{kind} (LIKE rival_{kind} INCLUDING ALL)")
                cursor.execute(f"GRANT UPDATE ON SEQUENCE rival_{kind}_id_seq TO {role}")  # import-export sets it
            for column, target in (("pupil_id", "floor_pupil"), ("contact_id", "floor_contact")):
                cursor.execute(f"ALTER TABLE floor_link ADD FOREIGN KEY ({column}) REFERENCES {target}")
    finally:
        settings.DATABASE_APP_ROLE = role
        connection.close()


def empty() -> None:
    """Forget everybody the last rival loaded."""
    with connection.cursor() as cursor:
        for kind in ("link", "staff", "contact", "pupil"):
            cursor.execute(f"DELETE FROM rival_{kind}")
