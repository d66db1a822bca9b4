"""Writing a plan: one transaction, a fixed number of statements, and a row of audit for every change."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator, Mapping, Set
from typing import Any

from django.db import connection

from hub.people.models import MisSource
from imports import bulk
from imports.models import Import
from imports.types import (
    CONTACT,
    CONTACT_FIELDS,
    DETAIL,
    DIGEST_BYTES,
    IDENTITY,
    LINK,
    LINK_FIELDS,
    PUPIL,
    PUPIL_FIELDS,
    STAFF,
    STAFF_FIELDS,
    Plan,
    Values,
)

TABLES = {PUPIL: "people_pupil", CONTACT: "people_contact", STAFF: "people_staff", LINK: "people_pupilcontact"}
COLUMNS: dict[str, tuple[str, ...]] = {
    PUPIL: PUPIL_FIELDS,
    CONTACT: CONTACT_FIELDS,
    STAFF: STAFF_FIELDS,
    LINK: ("pupil_id", "contact_id", *LINK_FIELDS),
}
_TYPES = {
    "date_of_birth": "date", "admission_date": "date", "leaving_date": "date", "ended_on": "date",
    "pre_admission": "boolean", "parental_responsibility": "boolean", "court_order": "boolean",
    "lives_with": "boolean", "correspondence": "boolean", "access": "boolean",
    "priority": "smallint", "pupil_id": "bigint", "contact_id": "bigint",
}  # fmt: skip
_HAND_MADE = {CONTACT: "made_by_hand", STAFF: "made_by_hand"}


class StateMoved(Exception):
    """Somebody changed a detail, or connected, since the plan was made: plan again."""


class PeopleMoved(StateMoved):
    """Records were merged, or a merge undone, since the snapshot was read: read it again."""


def apply(plan: Plan, *, run: Import, source: MisSource, now: dt.datetime, today: dt.date) -> frozenset[int]:
    """Write everything in `plan` and return the ids of the pupils written.

    Raises `StateMoved` where a detail is no longer as planned.

    Call it inside a transaction: half of an import is never visible.
    """
    writer = _Writer(plan, run, source, now, today)
    writer.people()
    writer.details()
    writer.identities()
    writer.audit()
    return writer.pupil_ids()


class _Writer:
    def __init__(self, plan: Plan, run: Import, source: MisSource, now: dt.datetime, today: dt.date) -> None:
        self.plan, self.run, self.source, self.now, self.today = plan, run, source, now, today
        self.school_id = run.school_id
        self.real: dict[int, int] = {}
        """Provisional id to the id taken from the table's sequence."""
        self.identity_ids: dict[tuple[str, str], int] = {}
        self.detail_ids: dict[int, int] = {}
        """Index of a change to the id of the detail it made."""

    def id_of(self, provisional: int) -> int:
        return self.real[provisional] if provisional < 0 else provisional

    def pupil_ids(self) -> frozenset[int]:
        written = (*self.plan.inserts[PUPIL], *self.plan.updates[PUPIL])
        return frozenset(self.id_of(pupil_id) for pupil_id, _values in written)

    def people(self) -> None:
        for kind, inserts in self.plan.inserts.items():
            ids = bulk.new_ids(TABLES[kind], len(inserts))
            self.real.update((provisional, real) for (provisional, _), real in zip(inserts, ids, strict=True))
        for kind, inserts in self.plan.inserts.items():
            if inserts:
                self._insert(kind, inserts)
        for kind, updates in self.plan.updates.items():
            if updates:
                self._update(kind, updates)

    def _rows(self, kind: str, rows: list[tuple[int, Values]]) -> Iterator[tuple[Any, ...]]:
        columns = COLUMNS[kind]
        for provisional, values in rows:
            row = [values.get(name, _blank(name)) for name in columns]
            if kind == LINK:
                row[0], row[1] = self.id_of(row[0]), self.id_of(row[1])
            yield (self.id_of(provisional), *row)

    def _load(self, kind: str, rows: list[tuple[int, Values]], *, joined: bool = False) -> str:
        columns = ", ".join(["id bigint", *(f"{name} {_TYPES.get(name, 'text')}" for name in COLUMNS[kind])])
        return bulk.load(kind, columns, self._rows(kind, rows), joined=joined)

    def _insert(self, kind: str, rows: list[tuple[int, Values]]) -> None:
        loaded = self._load(kind, rows)
        names = ", ".join(COLUMNS[kind])
        extra, value = (f", {_HAND_MADE[kind]}", ", false") if kind in _HAND_MADE else ("", "")
        bulk.statement(
            f"INSERT INTO {TABLES[kind]} (id, school_id, {names}{extra}) SELECT id, %s, {names}{value} FROM {loaded}",
            [self.school_id],
        )

    def _update(self, kind: str, rows: list[tuple[int, Values]]) -> None:
        loaded = self._load(kind, rows, joined=True)
        sets = ", ".join(f"{name} = l.{name}" for name in COLUMNS[kind])
        bulk.statement(
            f"UPDATE {TABLES[kind]} t SET {sets} FROM {loaded} l WHERE t.id = l.id AND t.school_id = %s",
            [self.school_id],
        )

    def details(self) -> None:
        writes = self.plan.details
        if not writes:
            return
        self._lock_owners()
        fresh = iter(bulk.new_ids("people_contactdetail", sum(1 for write in writes if not write.id)))
        rows = []
        for write in writes:
            detail_id = write.id or next(fresh)
            self.detail_ids[write.change] = detail_id
            owner = self.id_of(write.owner[1])
            contact, staff = (owner, None) if write.owner[0] == CONTACT else (None, owner)
            rows.append(
                (detail_id, not write.id, contact, staff, write.kind, write.value, write.mis_value, write.source,
                 write.before_value, write.takes_value)
            )  # fmt: skip
        loaded = bulk.load(
            "detail",
            "id bigint, is_new boolean, contact_id bigint, staff_id bigint, kind text, value text, mis_value text,"
            " source text, before_value text, takes_value boolean",
            rows,
            joined=True,
        )
        written = self._insert_details(loaded) + self._update_details(loaded)
        if written != len(rows):
            raise StateMoved

    def _lock_owners(self) -> None:
        """Wait for whoever is connecting, changing or being edited just now, so that the next statements see it.

        Without this, a statement that waits for a detail would judge by what it saw before it waited; and
        whoever changes a detail locks its person first, so an import that did not would wait in a ring with them.
        """
        for kind in (CONTACT, STAFF):
            owners = [w.owner[1] for w in self.plan.details if w.owner[0] == kind and w.owner[1] > 0]
            if owners:
                bulk.statement(
                    f"SELECT FROM {TABLES[kind]} WHERE school_id = %s AND id = ANY(%s) ORDER BY id FOR NO KEY UPDATE",
                    [self.school_id, owners],
                )

    _NOT_CONNECTED = """NOT EXISTS (
        SELECT FROM people_connection c WHERE c.school_id = %s AND c.connected_at IS NOT NULL AND c.ended_at IS NULL
        AND (c.contact_id = l.contact_id OR c.staff_id = l.staff_id))"""

    def _insert_details(self, loaded: str) -> int:
        return bulk.statement(
            f"""
            INSERT INTO people_contactdetail (id, school_id, contact_id, staff_id, kind, value, mis_value, source,
                changed_at, changed_by, changed_import, mis_changed_at, verified_at, deliverable)
            SELECT l.id, %s, l.contact_id, l.staff_id, l.kind, l.value, l.mis_value, l.source,
                %s, '', %s, %s, NULL, true
            FROM {loaded} l WHERE l.is_new AND (NOT l.takes_value OR {self._NOT_CONNECTED})
            ON CONFLICT DO NOTHING
            """,
            [self.school_id, self.now, self.run.pk, self.now, self.school_id],
        )

    def _update_details(self, loaded: str) -> int:
        """Write what the MIS says; the value itself only where its owner is not Connected at this instant."""
        return bulk.statement(
            f"""
            UPDATE people_contactdetail d SET
                mis_value = l.mis_value, mis_changed_at = %s,
                value = CASE WHEN l.takes_value THEN l.value ELSE d.value END,
                source = CASE WHEN l.takes_value THEN l.source ELSE d.source END,
                changed_at = CASE WHEN l.value <> d.value THEN %s ELSE d.changed_at END,
                changed_by = CASE WHEN l.value <> d.value THEN '' ELSE d.changed_by END,
                changed_import = CASE WHEN l.value <> d.value THEN %s ELSE d.changed_import END,
                verified_at = CASE WHEN l.value <> d.value THEN NULL ELSE d.verified_at END,
                deliverable = d.deliverable OR l.value <> d.value
            FROM {loaded} l
            WHERE NOT l.is_new AND d.id = l.id AND d.school_id = %s AND d.value = l.before_value
                AND (NOT l.takes_value OR {self._NOT_CONNECTED})
            """,
            [self.now, self.now, self.run.pk, self.school_id, self.school_id],
        )

    def identities(self) -> None:
        plan = self.plan
        if plan.new_identities:
            self._new_identities()
        if plan.moved_identities:
            self._move_identities()
        if plan.seen_identities:
            loaded = bulk.load(
                "seen",
                "id bigint, digest bytea, emails text[], mobiles text[]",
                ((pk, digest, list(emails), list(mobiles)) for pk, digest, emails, mobiles in plan.seen_identities),
                joined=True,
            )
            bulk.statement(
                f"""
                UPDATE people_misidentity i
                SET digest = l.digest, emails = l.emails, mobiles = l.mobiles, gone_on = NULL
                FROM {loaded} l WHERE i.id = l.id AND i.school_id = %s
                """,
                [self.school_id],
            )
        if gone := [pk for ids in plan.gone_identities.values() for pk in ids]:
            bulk.statement(
                "UPDATE people_misidentity SET gone_on = %s WHERE school_id = %s AND id = ANY(%s)",
                [self.today, self.school_id, gone],
            )

    def _move_identities(self) -> None:
        loaded = bulk.load("moved", "id bigint, contact_id bigint", self.plan.moved_identities)
        bulk.statement(
            f"UPDATE people_misidentity i SET contact_id = l.contact_id, digest = '' FROM {loaded} l"
            " WHERE i.id = l.id AND i.school_id = %s",
            [self.school_id],
        )

    def _new_identities(self) -> None:
        fresh = self.plan.new_identities
        rows = []
        for pk, new in zip(bulk.new_ids("people_misidentity", len(fresh)), fresh, strict=True):
            kind, external_id, part = new.key
            person = self.id_of(new.person_id)
            self.identity_ids.setdefault((kind, external_id), pk)
            owner = [person if kind == column else None for column in (PUPIL, CONTACT, STAFF)]
            rows.append((pk, kind, external_id, part, *owner, new.digest, list(new.emails), list(new.mobiles)))
        loaded = bulk.load(
            "identity",
            "id bigint, kind text, external_id text, part smallint, pupil_id bigint, contact_id bigint,"
            " staff_id bigint, digest bytea, emails text[], mobiles text[]",
            rows,
        )
        bulk.statement(
            f"""
            INSERT INTO people_misidentity (id, school_id, source_id, kind, external_id, part, pupil_id, contact_id,
                staff_id, digest, emails, mobiles, gone_on)
            SELECT id, %s, %s, kind, external_id, part, pupil_id, contact_id, staff_id, digest, emails, mobiles, NULL
            FROM {loaded}
            """,
            [self.school_id, self.source.pk],
        )

    def audit(self) -> None:
        changes = self.plan.changes
        if not changes:
            return
        loaded = bulk.load(
            "change",
            "id bigint, action text, model text, row_id bigint, person_kind text, person_id bigint, before jsonb,"
            " after jsonb, why text",
            self._audit_rows(bulk.new_ids("imports_importchange", len(changes))),
        )
        bulk.statement(
            f"""
            INSERT INTO imports_importchange (id, school_id, run_id, action, model, row_id, person_kind, person_id,
                before, after, why)
            SELECT id, %s, %s, action, model, row_id, person_kind, person_id, before, after, why FROM {loaded}
            """,
            [self.school_id, self.run.pk],
        )

    def _audit_rows(self, ids: list[int]) -> Iterator[tuple[Any, ...]]:
        for index, (pk, change) in enumerate(zip(ids, self.plan.changes, strict=True)):
            row_id = self.id_of(change.row_id)
            if change.model == DETAIL:
                row_id = self.detail_ids[index]
            elif change.model == IDENTITY and not change.row_id:
                row_id = self.identity_ids[(change.person_kind, change.after["record"])]
            after = change.after
            if "pupil_id" in after:
                after = {**after, "pupil_id": self.id_of(after["pupil_id"])}
            yield (
                pk, change.action.value, change.model, row_id, change.person_kind, self.id_of(change.person_id),
                _json(change.before), _json(after), change.why.value,
            )  # fmt: skip


def _json(values: Values) -> str:
    return json.dumps(values, default=str) if values else "{}"


def _blank(name: str) -> Any:
    return None if name in _TYPES else ""


def remember_passed(
    passed: Mapping[tuple[str, str], bytes], opened: Set[tuple[str, str]], *, source: MisSource
) -> None:
    """Remember the digests of records that made nobody a person, and forget those that do now."""
    if not opened:
        return
    loaded = bulk.load(
        "passed",
        "kind text, external_id text, digest bytea",
        ((kind, external_id, passed.get((kind, external_id))) for kind, external_id in opened),
        joined=True,
    )
    bulk.statement(
        f"""
        DELETE FROM imports_passedrecord p USING {loaded} l
        WHERE p.school_id = %s AND p.source_id = %s AND p.kind = l.kind AND p.external_id = l.external_id
        """,
        [source.school_id, source.pk],
    )
    bulk.statement(
        f"""
        INSERT INTO imports_passedrecord (school_id, source_id, kind, external_id, digest)
        SELECT %s, %s, kind, external_id, digest FROM {loaded} WHERE digest IS NOT NULL
        """,
        [source.school_id, source.pk],
    )


def forget_waiting(source: MisSource) -> None:
    """Have every record read again that waits for a pupil: one came in a file that does not have all contacts."""
    marked = "school_id = %s AND source_id = %s AND kind = 'contact' AND octet_length(digest) > %s"
    params = [source.school_id, source.pk, DIGEST_BYTES]
    bulk.statement(f"UPDATE people_misidentity SET digest = '' WHERE {marked}", params)
    bulk.statement(f"DELETE FROM imports_passedrecord WHERE {marked}", params)


def try_lock(import_id: int) -> bool:
    """Hold a run for this process until `unlock`; False where another process holds it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", [0x5348, import_id % 2**31])
        return bool(cursor.fetchone()[0])


def unlock(import_id: int) -> None:
    bulk.statement("SELECT pg_advisory_unlock(%s, %s)", [0x5348, import_id % 2**31])
