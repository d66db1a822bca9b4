"""Rows of a table of imports: each import, and between them the nights on which none came."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from imports import moments, selectors
from imports.link.nights import Night
from imports.models import Import, ImportKind, ImportState, MisLink
from imports.pages import presenting
from imports.pages.presenting import Chip

COUNTS = ("added", "updated", "ended", "kept", "rejected")


@dataclass(frozen=True, slots=True)
class Entry:
    """A row of the list: an import, or a night on which none came."""

    when: str
    kind: str
    chip: Chip
    at: dt.datetime
    run: Import | None = None
    counts: dict[str, int] | None = None
    by: str = ""


def entries(
    runs: Sequence[Import], nights: Iterable[Night], link: MisLink | None, *, now: dt.datetime, last: bool = True
) -> list[Entry]:
    """Return imports and the missed ones of `nights` between them, the latest first.

    `last` says that nothing older follows these imports, so that older nights belong here too.
    """
    found = [of_run(run, now=now) for run in runs]
    oldest = None if last or not found else found[-1].at
    if link is not None:
        missed = (of_night(night, link, now=now) for night in nights if night.state == "missed")
        found += [entry for entry in missed if oldest is None or entry.at > oldest]
    return sorted(found, key=lambda entry: entry.at, reverse=True)


def kind_words(kind: str, mis_name: str, *, preview: bool = False) -> str:
    """Return `Autolink · SIMS`, `Upload · preview`."""
    label = ImportKind(kind).label
    return f"{label} · preview" if preview else f"{label} · {mis_name}"


def of_run(run: Import, *, now: dt.datetime) -> Entry:
    """Return the row of an import."""
    mis = selectors.mis_of(run.link)
    words = selectors.words(run, mis=mis)
    shows = run.state in presenting.IN or run.state == ImportState.UNDONE or words.preview
    return Entry(
        when=moments.stamp(words.when, now=now),
        kind=kind_words(run.kind, mis.name, preview=run.preview),
        chip=presenting.outcome(run.state, preview=run.preview, delivery=mis.delivery, again_at=words.again_at),
        at=run.created_at,
        run=run,
        counts={name: words.count(name) for name in COUNTS} if shows else None,
        by=run.requested_by,
    )


def of_night(night: Night, link: MisLink, *, now: dt.datetime) -> Entry:
    """Return the row of a night on which nothing came."""
    mis = selectors.mis_of(link)
    kind = ImportKind.AUTOLINK if mis.is_push else ImportKind.CLOUDLINK
    at = night.due_at or dt.datetime.combine(night.date, link.run_at, tzinfo=moments.LONDON)
    chip = presenting.outcome("missed", delivery=mis.delivery)
    return Entry(when=moments.day(night.date, now=now), kind=kind_words(kind, mis.name), chip=chip, at=at)
