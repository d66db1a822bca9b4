"""The one way to make a row of the report: with the names and pupils as lists show and sort them."""

from __future__ import annotations

import datetime as dt
import uuid

from hub.accounts.models import Account
from hub.people.models import Pupil
from verification.changes.rules import deadline_of
from verification.models import OPEN_STATUSES, DetailChange, Field, MisState, Origin, Status
from verification.owners import Owner, owned
from verification.reporting.listing import Listed, listed


def draft(
    *,
    owner: Owner,
    field: str,
    old_value: str = "",
    new_value: str = "",
    origin: str,
    made_by: str,
    account: Account | None = None,
    by_import: int | None = None,
    pupil: Pupil | None = None,
    batch: uuid.UUID | None = None,
    status: str,
    mis_state: str = MisState.NOTHING,
    shown: Listed | None = None,
    now: dt.datetime,
) -> DetailChange:
    """Return a new row, unsaved. `account` is whose hand made it; `shown` spares a query where many are made."""
    said = shown or listed(owner, pupil=pupil)
    return DetailChange(
        **owned(owner),
        field=Field(field),
        old_value=old_value,
        new_value=new_value,
        origin=Origin(origin),
        made_by=made_by[:200],
        made_by_account=account,
        by_import=by_import,
        pupil=pupil,
        batch=batch or uuid.uuid4(),
        status=Status(status),
        mis_state=MisState(mis_state),
        made_at=now,
        deadline=deadline_of(now) if status in OPEN_STATUSES else None,
        person_name=said.person_name,
        pupil_names=said.pupil_names,
        year_groups=list(said.year_groups),
        sort_key=said.sort_key,
    )
