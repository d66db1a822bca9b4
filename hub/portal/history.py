"""The history of a person's details: what changed or did not, with every state in words. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from hub.people.models import DetailKind
from hub.portal import words
from hub.portal.presenting import places
from hub.portal.selectors import THIS_WAS_NOT_ME, Record
from hub.portal.words import State
from verification.models import DetailChange, MisState, Status


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One line of the history: what happened in one batch, at which places."""

    change: DetailChange
    title: str
    places: str
    old: str
    new: str
    effect: str
    """`made`, `open` or `not made`."""
    state: State
    mis_side: str
    may_deny: bool
    """Whether its person can still say that it was not them."""


def history_of(records: Sequence[Record], rows: Iterable[DetailChange], now: dt.datetime) -> list[Entry]:
    """The changes, the newest first; the same change at several schools is one line."""
    lines: dict[tuple[object, ...], list[DetailChange]] = {}
    for row in rows:
        key = (row.batch, row.field, row.new_value, row.old_value, row.status, row.mis_state)
        lines.setdefault(key, []).append(row)
    return [_entry(records, same, now) for same in lines.values()]


def _entry(records: Sequence[Record], same: Sequence[DetailChange], now: dt.datetime) -> Entry:
    first = same[0]
    valued = first.field in DetailKind.values
    return Entry(
        change=first,
        title=words.change_title(first),
        places=places(records, same) if len(records) > 1 else "",
        old=words.shown(first.field, first.old_value) if valued and first.status != Status.KEPT else "",
        new=words.shown(first.field, first.new_value) if valued else "",
        effect=words.effect_of(first),
        state=words.change_state(first),
        mis_side=words.mis_side(first),
        may_deny=any(_may_deny(row, now) for row in same),
    )


def _may_deny(row: DetailChange, now: dt.datetime) -> bool:
    if row.field not in DetailKind.values or row.mis_state in (MisState.REPLACED,):
        return False
    came = row.effective_at
    return row.status == Status.APPROVED and came is not None and now - came < THIS_WAS_NOT_ME
