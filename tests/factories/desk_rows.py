"""The words of the oracle, and a row of its report."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass

from imports.types import Owner

WEEK = dt.timedelta(hours=168)
BEGAN = dt.datetime(2026, 11, 23, 2, 4, tzinfo=dt.UTC)
Record = tuple[int, Owner]
"""A person's record at one of the schools."""
Slot = tuple[int, Owner, str]

WAITING, PENDING, APPROVED, REJECTED = "waiting", "pending", "approved", "rejected"
EXPIRED, WITHDRAWN, FROZEN, KEPT, OFFER = "expired", "withdrawn", "frozen", "kept", "offer"
TO_UPDATE, UPDATED, DONE, DIFFERS, REPLACED = "to_update", "updated", "done", "differs", "replaced"
OPEN = (WAITING, PENDING)
STANDING = (APPROVED, KEPT, OFFER)
PERSON, OFFICE, IMPORT, MIS = "person", "organisation", "import", "mis"


@dataclass(frozen=True)
class Value:
    """What is in use, who said so, and whether its person has proved it."""

    value: str = ""
    source: str = MIS
    proved: bool = False


NONE = Value()


@dataclass
class Row:
    slot: Slot
    new: str
    origin: str
    status: str
    made_at: dt.datetime
    came_at: dt.datetime
    """When its value came into use, or it was made."""
    batch: uuid.UUID
    mis_state: str = ""
    previous: Value = NONE
    answered: bool = False
    lifted: bool = False
    done_at: dt.datetime | None = None
    as_asked_at: dt.datetime | None = None
    """When the question was asked that this answers at another record too: its deadline is this one's."""

    @property
    def deadline(self) -> dt.datetime:
        return (self.as_asked_at or self.made_at) + WEEK

    @property
    def stands(self) -> bool:
        return self.status in STANDING and self.mis_state != REPLACED

    @property
    def record(self) -> Record:
        return self.slot[:2]
