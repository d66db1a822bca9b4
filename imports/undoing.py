"""Putting back what an import changed, from its own audit, in a fixed number of statements.

A row still as the import left it goes back; one that has moved on since, or whose person has
Connected, is left and named. The digests of everybody concerned are reset, so that the next
import reads them again.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Callable
from typing import Any

from django.db.models import Field, Model, QuerySet

from hub.people import services as people
from hub.people.locking import lock_school
from hub.people.models import Connection, Contact, ContactDetail, MisIdentity, Pupil, PupilContact, Staff
from imports import bulk
from imports.models import Import, ImportChange
from imports.types import CONTACT, DETAIL, IDENTITY, LINK, PUPIL, STAFF
from verification.models import DetailChange, Invitation

POSSIBLE_FOR = dt.timedelta(days=14)
_MODELS: dict[str, type[Model]] = {
    PUPIL: Pupil,
    CONTACT: Contact,
    STAFF: Staff,
    LINK: PupilContact,
    DETAIL: ContactDetail,
}
_DETAIL_COLUMNS = ("value", "mis_value", "source")
_MOVED_ON = "has changed again since, so it was left as it is"
_CONNECTED = "has connected since, so what they confirmed was left as it is"
_IN_USE = "is in use since, so the record was kept"

Row = dict[str, Any]


def undo(run: Import, *, now: dt.datetime) -> list[Row]:
    """Put back the changes of `run`, newest first, and return what was left, as rows to show."""
    lock_school(run.school_id)
    worker = _Undo(run, now)
    worker.put_back()
    worker.take_away()
    worker.reset_identities()
    people.refresh_groups(school_id=run.school_id)
    return worker.left


class _Undo:
    def __init__(self, run: Import, now: dt.datetime) -> None:
        self.run, self.now = run, now
        self.school_id = run.school_id
        self.left: list[Row] = []
        self._left_rows: set[tuple[str, int]] = set()
        self.changes = list(ImportChange.objects.filter(school_id=run.school_id, run=run).order_by("-pk"))
        self.connected = self._connected()
        later = ImportChange.objects.filter(school_id=self.school_id, run_id__gt=run.pk).exclude(action="kept")
        self.moved_on = set(later.values_list("person_kind", "person_id").distinct())

    def _connected(self) -> set[tuple[str, int]]:
        rows = Connection.objects.filter(school_id=self.school_id, ended_at=None, connected_at__isnull=False)
        return {
            (CONTACT, contact) if contact else (STAFF, staff)
            for contact, staff in rows.values_list("contact_id", "staff_id")
        }

    def _leave(self, change: ImportChange, why: str) -> None:
        self._left_rows.add((change.model, change.row_id))
        row = {"kind": change.person_kind, "person_id": change.person_id, "model": change.model, "why": why}
        self.left.append(row | ({"field": change.after["kind"]} if change.model == DETAIL else {}))

    def put_back(self) -> None:
        """Return changed columns to what they were, table by table."""
        changed: dict[str, list[ImportChange]] = defaultdict(list)
        for change in self.changes:
            if change.before and change.model in _MODELS:
                changed[change.model].append(change)
        for model, changes in changed.items():
            self._put_back(model, changes)

    def _put_back(self, model: str, changes: list[ImportChange]) -> None:
        table = _MODELS[model]
        rows = table._default_manager.filter(school_id=self.school_id).in_bulk([change.row_id for change in changes])
        columns: set[str] = set()
        touched = []
        for change in changes:
            row = rows.get(change.row_id)
            if row is None:
                self._leave(change, _MOVED_ON)
                continue
            put = self._detail_columns(change, row) if model == DETAIL else self._columns(change, row)
            for name, value in put.items():
                setattr(row, name, value)
            if put:
                columns.update(put)
                touched.append(row)
        if touched:
            table._default_manager.bulk_update(touched, sorted(columns), batch_size=1000)

    def _columns(self, change: ImportChange, row: Model) -> Row:
        put: Row = {}
        for name, before in change.before.items():
            if name == "pupil_id":
                continue
            if _as_stored(getattr(row, name)) == change.after[name]:
                put[name] = _from_stored(row, name, before)
            else:
                self._leave(change, _MOVED_ON)
        return put

    def _detail_columns(self, change: ImportChange, row: Any) -> Row:
        before, after = change.before, change.after
        put: Row = {"mis_value": before["mis_value"]} if row.mis_value == after["mis_value"] else {}
        if before["value"] == after["value"] and before["source"] in ("", after["source"]):
            if row.value != after["value"] and not before["source"]:
                self._leave(change, _MOVED_ON)  # an offer that the person has taken up
            return put
        owner = (change.person_kind, change.person_id)
        if owner in self.connected:
            self._leave(change, _CONNECTED)
        elif row.value != after["value"] or row.source != after["source"]:
            self._leave(change, _MOVED_ON)
        else:
            put |= {"value": before["value"], "source": before["source"] or "mis", "changed_at": self.now}
            put |= {"changed_by": f"Undo of import {self.run.pk}", "changed_import": None}
        return put

    def take_away(self) -> None:
        """Remove the people, links and details that the import added, unless something holds on to them."""
        added: dict[str, list[ImportChange]] = defaultdict(list)
        for change in self.changes:
            if change.action == "added":
                added[change.model].append(change)
        denied = set(self._denied().values_list("pk", flat=True))
        self._take(LINK, added[LINK], lambda change: change.row_id in denied)
        new_details = [change for change in self.changes if change.model == DETAIL and not change.before.get("source")]
        self._take(DETAIL, [c for c in new_details if (DETAIL, c.row_id) not in self._left_rows], lambda change: False)
        self._take(CONTACT, added[CONTACT], self._holds_on_to_contact())
        members = self._invited("staff_id") | self._told_of("staff_id")
        self._take(STAFF, added[STAFF], lambda c: (STAFF, c.person_id) in self.connected or c.row_id in members)
        pupils = self._told_of("pupil_id") | self._still_linked([change.row_id for change in added[PUPIL]])
        self._take(PUPIL, added[PUPIL], lambda change: change.row_id in pupils)

    def _denied(self) -> QuerySet[PupilContact]:
        """Return the links that a parent has denied: “not my child” outlives the import that brought them."""
        return PupilContact.objects.filter(school_id=self.school_id, denied_at__isnull=False)

    def _invited(self, owner: str) -> set[int]:
        """Return who holds an invitation, or held one: its link leads to their record."""
        sent = Invitation.objects.filter(school_id=self.school_id, **{f"{owner}__isnull": False})
        return set(sent.values_list(owner, flat=True))

    def _told_of(self, person: str) -> set[int]:
        """Return of whom a row of the report tells: what was changed or said of them is not forgotten."""
        rows = DetailChange.objects.filter(school_id=self.school_id, **{f"{person}__isnull": False})
        return set(rows.values_list(person, flat=True))

    def _still_linked(self, pupils: list[int]) -> set[int]:
        """Return which of these somebody is linked to even so: by a link that stays, or that a later import brought."""
        links = PupilContact.objects.filter(school_id=self.school_id, pupil_id__in=pupils)
        return set(links.values_list("pupil_id", flat=True))

    def _holds_on_to_contact(self) -> Callable[[ImportChange], bool]:
        ids = [change.row_id for change in self.changes if change.action == "added" and change.model == CONTACT]
        contacts = Contact.objects.filter(school_id=self.school_id)
        merged = contacts.filter(pk__in=ids).exclude(merged_into=None).values_list("pk", "merged_into")
        kept = contacts.filter(merged_into__in=ids).values_list("merged_into", "pk")
        held = {pk for pair in (*merged, *kept) for pk in pair}
        held |= set(self._denied().values_list("contact_id", flat=True))
        held |= self._invited("contact_id") | self._told_of("contact_id")
        details = ContactDetail.objects.filter(school_id=self.school_id, contact_id__in=ids).exclude(source="mis")
        held |= set(details.values_list("contact_id", flat=True))
        return lambda change: (CONTACT, change.row_id) in self.connected or change.row_id in held

    def _take(self, model: str, changes: list[ImportChange], is_held: Callable[[ImportChange], bool]) -> None:
        """Delete rows with what hangs on them, but those that something holds on to."""
        gone: list[int] = []
        for change in changes:
            person = (change.person_kind, change.person_id)
            if is_held(change) or person in self.moved_on:
                self._leave(change, _CONNECTED if person in self.connected else _IN_USE)
            else:
                gone.append(change.row_id)
        if gone:
            for table, column in _HANGING[model]:
                bulk.statement(
                    f"DELETE FROM {table} WHERE school_id = %s AND {column} = ANY(%s)", [self.school_id, gone]
                )

    def reset_identities(self) -> None:
        """Give moved identities back and forget the digests, so that the next import reads these records again."""
        moved = {c.row_id: c.before.get("contact_id") for c in self.changes if c.model == IDENTITY}
        MisIdentity.objects.filter(school_id=self.school_id, pk__in=[pk for pk in moved if not moved[pk]]).delete()
        for was in {contact_id for contact_id in moved.values() if contact_id}:
            back = [pk for pk, contact_id in moved.items() if contact_id == was]
            MisIdentity.objects.filter(school_id=self.school_id, pk__in=back).update(contact_id=was, digest=b"")
        people_of: dict[str, set[int]] = defaultdict(set)
        for change in self.changes:
            people_of[change.person_kind].add(change.person_id)
        merged = Contact.objects.filter(school_id=self.school_id, pk__in=people_of[CONTACT], merged_into__isnull=False)
        people_of[CONTACT] |= {one for one in merged.values_list("merged_into", flat=True) if one}
        for kind, ids in people_of.items():
            identities = MisIdentity.objects.filter(school_id=self.school_id, **{f"{kind}_id__in": ids})
            identities.update(digest=b"", gone_on=None)


_HANGING: dict[str, tuple[tuple[str, str], ...]] = {
    LINK: (("people_pupilcontact", "id"),),
    DETAIL: (("people_contactdetail", "id"),),
    CONTACT: (
        ("people_misidentity", "contact_id"), ("people_contactdetail", "contact_id"),
        ("people_pupilcontact", "contact_id"), ("people_connection", "contact_id"), ("people_contact", "id"),
    ),
    STAFF: (
        ("people_misidentity", "staff_id"), ("people_contactdetail", "staff_id"),
        ("people_connection", "staff_id"), ("people_staff", "id"),
    ),
    PUPIL: (
        ("people_misidentity", "pupil_id"), ("people_groupmember", "pupil_id"),
        ("people_pupilcontact", "pupil_id"), ("people_pupil", "id"),
    ),
}  # fmt: skip
"""What is deleted with a row, in order: table and the column that names it."""


def _as_stored(value: Any) -> Any:
    """Return a column's value as the audit's JSON has it."""
    return str(value) if isinstance(value, dt.date) else value


def _from_stored(row: Model, name: str, value: Any) -> Any:
    field = row._meta.get_field(name)
    assert isinstance(field, Field)
    return field.to_python(value) if value is not None else None
