"""Setting the email or mobile of a person to what was proved to be theirs, and putting back what was before.

The caller owns the transaction, holds the lock on the owner's row and writes the audit.
Never touches what the MIS says beside it: an import may be writing that at this moment.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from django.utils.dateparse import parse_datetime

from hub.people.details import Reason
from hub.people.errors import DetailRefusedError
from hub.people.judging import judge
from hub.people.models import Contact, ContactDetail, DetailSource, Staff
from hub.people.selectors import details_of

Previous = dict[str, Any]
"""A detail as it was, fit for JSON; empty where there was none."""

_EFFECTIVE = ("value", "changed_at", "changed_import", "deliverable", "source", "changed_by", "verified_at")
_TIMES = ("changed_at", "verified_at")


def confirm_detail(*, owner: Contact | Staff, kind: str, value: str, by_name: str, now: dt.datetime) -> Previous:
    """Make `value` the person's own, verified; blank says that they have none. Returns what was before.

    Raises DetailRefusedError for what is no email or mobile.
    """
    new = judged(kind, value)
    detail = _detail(owner, kind, now)
    before = as_it_is(detail) if detail.pk else {}
    if detail.value != new:
        detail.value, detail.changed_at, detail.changed_import = new, now, None
    detail.deliverable = True  # what was sent there to prove it has arrived
    detail.source, detail.changed_by = DetailSource.PERSON, by_name[:200]
    detail.verified_at = now if new else None
    detail.save(update_fields=_EFFECTIVE if detail.pk else None)
    return before


def restore_detail(*, owner: Contact | Staff, kind: str, previous: Mapping[str, Any], now: dt.datetime) -> None:
    """Put back what `confirm_detail` or `as_it_is` returned; where there was nothing, the value is blank again."""
    detail = _detail(owner, kind, now)
    nothing: Previous = {
        "value": "",
        "changed_at": now,
        "changed_import": None,
        "deliverable": True,
        "source": DetailSource.MIS,
        "changed_by": "",
        "verified_at": None,
    }
    for name, before in nothing.items():
        put = previous.get(name, before)
        setattr(detail, name, parse_datetime(put) if name in _TIMES and isinstance(put, str) else put)
    detail.save(update_fields=_EFFECTIVE if detail.pk else None)


def as_it_is(detail: ContactDetail) -> Previous:
    """Return what `restore_detail` needs to put this back."""
    held = {name: getattr(detail, name) for name in _EFFECTIVE}
    return held | {name: held[name].isoformat() for name in _TIMES if held[name]}


def judged(kind: str, raw: str) -> str:
    """Return the one form of an email or mobile; blank for none. Raises DetailRefusedError with the reason."""
    found = judge(kind, raw)
    if found.value is None and found.reason != Reason.NOT_GIVEN:
        assert found.reason
        raise DetailRefusedError(found.reason)
    return found.value or ""


def _detail(owner: Contact | Staff, kind: str, now: dt.datetime) -> ContactDetail:
    field = "contact" if isinstance(owner, Contact) else "staff"
    found = details_of(owner).filter(kind=kind).first()
    return found or ContactDetail(**{field: owner}, school_id=owner.school_id, kind=kind, changed_at=now)
