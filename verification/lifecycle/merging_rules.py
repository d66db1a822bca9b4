"""What becomes of two records of one parent that are made one, and of their links. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from hub.people.unions import SAID, united

LINK = (*SAID, "access", "denied_at", "ended_on")
"""The columns of a link that a merge unites."""
Link = dict[str, Any]


def one_link(kept: Mapping[str, Any], gone: Mapping[str, Any], *, kept_is_older: bool) -> Link:
    """Return what holds of a pupil whom both records are linked to.

    A link that has ended says nothing beside one that stands. Of two that stand `people.unions` says
    what holds; of two that have ended the one that lasted longer. “Not my child” holds, whichever
    record it was said at.
    """
    older, newer = (kept, gone) if kept_is_older else (gone, kept)
    if (kept["ended_on"] is None) != (gone["ended_on"] is None):
        values = dict(kept if kept["ended_on"] is None else gone)
    elif kept["ended_on"] is None:
        values = united(older, newer)
    else:
        values = dict(max(kept, gone, key=lambda link: link["ended_on"]))
    denied = [link["denied_at"] for link in (kept, gone) if link["denied_at"] is not None]
    values["denied_at"] = min(denied, default=None)
    return {name: values[name] for name in LINK}


def parted(before: Mapping[str, Any], after: Mapping[str, Any], now: Mapping[str, Any], *, heard_since: bool) -> Link:
    """Return a link as it goes back when a merge is undone: `before` it, `after` it, and as it is `now`.

    What was lost since stays lost until the MIS says otherwise: access, and a child denied. Once an
    import has heard the two together (`heard_since`) nobody knows which of them lost it, so neither
    has access until the next import hears them apart.
    """
    values = {name: before[name] for name in LINK}
    if heard_since or now["access"] != after["access"]:
        values["access"] = before["access"] and now["access"]
    if now["court_order"] is True and after["court_order"] is not True:
        values["court_order"] = True
    if now["denied_at"] != after["denied_at"]:
        values["denied_at"] = now["denied_at"]
    return values


@dataclass(frozen=True, slots=True)
class Record:
    """A record that a login is connected to: at which school, and of whom."""

    id: int
    school_id: int
    by_hand: bool = False


def pairs(records: Iterable[Record], undone: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return which records to offer as one: (kept, gone) of one school; none an office has parted.

    The older is kept, but one of the MIS rather than one added by hand.
    """
    parted_before = {frozenset(pair) for pair in undone}
    ordered = sorted(records, key=lambda record: (record.school_id, record.by_hand, record.id))
    return [
        (one.id, other.id)
        for one, other in combinations(ordered, 2)
        if one.school_id == other.school_id and frozenset((one.id, other.id)) not in parted_before
    ]


def stored(link: Mapping[str, Any]) -> Link:
    """Return a link's columns fit for JSON."""
    return {name: value.isoformat() if isinstance(value := link[name], dt.date) else value for name in LINK}


def restored(link: Mapping[str, Any]) -> Link:
    """Return columns as `stored` wrote them."""
    denied, ended = link["denied_at"], link["ended_on"]
    return {
        **{name: link[name] for name in LINK},
        "denied_at": dt.datetime.fromisoformat(denied) if denied else None,
        "ended_on": dt.date.fromisoformat(ended) if ended else None,
    }
