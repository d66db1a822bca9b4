"""The overview in words: its heading, the sentence below, the tiles, the nights. Pure: facts in, text out."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from imports import moments
from imports.pages import presenting
from imports.pages.presenting import Run, listed, many

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


@dataclass(frozen=True, slots=True, kw_only=True)
class Stand:
    """What the heading is made of. `link_state` is empty before a link was made."""

    mis_name: str
    push: bool = True
    upload: bool = False
    waiting: str = ""
    """What a link that is not let in yet waits for: a sentence or two."""
    kept_waiting: bool = False
    link_state: str = ""
    state_since: dt.datetime | None = None
    state_by: str = ""
    paused_at: dt.datetime | None = None
    latest: Run | None = None
    """The last import that finished, no preview."""
    last_in: Run | None = None
    """The last one whose word the hub shows."""
    running: Run | None = None
    missed: Sequence[dt.date] = ()
    next_due: dt.datetime | None = None
    to_mend: int = 0


@dataclass(frozen=True, slots=True)
class Heading:
    title: str
    sentence: str


def heading(stand: Stand, *, now: dt.datetime) -> Heading:
    """Return what the page says first: the gravest thing that is true."""
    for said in (_beginning, _under_way, _stopped, _broken, _waiting, _in):
        if (found := said(stand, now)) is not None:
            return found
    raise AssertionError("the last of these always answers")


def _beginning(stand: Stand, now: dt.datetime) -> Heading | None:
    if stand.link_state in ("", "not_set_up") and stand.latest is None:
        return Heading("Let us link your MIS.", "Then pupils, parents and staff come in by themselves, every night.")
    if stand.latest is not None or stand.running is not None or stand.link_state == "disabled":
        return None
    if stand.link_state == "awaiting_credentials":
        return Heading(
            f"{stand.mis_name} needs its credentials.",
            "They come by email. Once they are typed in, the first import begins at once.",
        )
    if stand.link_state == "waiting" and stand.waiting:
        title = "has still not let us in." if stand.kept_waiting else ""
        return Heading(f"{stand.mis_name} {title}" if title else f"Waiting for {stand.mis_name}.", stand.waiting)
    if stand.upload:
        return Heading(
            "Upload your first file.", "Pupils, parents and staff come in from it; you see first what it does."
        )
    if stand.missed:
        return None
    due = f" The next is due {moments.coming(stand.next_due, now=now)}." if stand.next_due else ""
    sentence = f"The link is set up. As soon as {stand.mis_name} sends something, it shows here.{due}"
    return Heading("Waiting for the first file.", sentence)


def _under_way(stand: Stand, now: dt.datetime) -> Heading | None:
    if stand.running is None:
        return None
    if stand.running.again_at is not None:
        return Heading(
            f"{presenting.title(stand.running)}.", f"{presenting.reason(stand.running)} {_as_of(stand, now)}"
        )
    word = presenting.outcome(stand.running.state).text
    return Heading("An import is running.", f"{word}. Nothing of it shows before all of it is in.")


def _stopped(stand: Stand, now: dt.datetime) -> Heading | None:
    if stand.link_state == "disabled":
        since = f"Since {moments.stamp(stand.state_since, now=now)}" if stand.state_since else "It is switched off"
        by = f", by {stand.state_by}" if stand.state_by else ""
        name = "MIS Autolink" if stand.push else "The MIS Link"
        return Heading(f"{name} is off.", f"{since}{by}. {_as_of(stand, now)}")
    if stand.link_state == "reconnect":
        todo = "What to do is under Your Alerts."
        other = stand.latest is not None and presenting.is_because(stand.latest, "another_school")
        does = "lets us in at another school" if other else "no longer lets us in"
        return Heading(f"{stand.mis_name} {does}.", f"{todo} {_as_of(stand, now)}")
    if stand.paused_at is not None:
        since = f"Since {moments.stamp(stand.paused_at, now=now)}, when an import was undone."
        return Heading("Imports are paused.", f"{since} Mend {stand.mis_name}, then resume the link.")
    return None


def _broken(stand: Stand, now: dt.datetime) -> Heading | None:
    if stand.missed:
        verb = "arrive" if stand.push else "run"
        count = len(stand.missed)
        if count == 1:
            last_night = stand.missed[-1] == moments.local(now).date()
            which = "Last night's import" if last_night else f"The import of {moments.day(stand.missed[-1], now=now)}"
            return Heading(f"{which} did not {verb}.", _as_of(stand, now))
        return Heading(f"The last {count} nights did not {verb}.", _as_of(stand, now))
    run = stand.latest
    if run is None or run.state not in presenting.BROKEN:
        return None
    word = "failed" if run.state == "failed" else "was interrupted and runs again by itself"
    why = presenting.reason(run)
    return Heading(
        f"{presenting.said_by_night(run, now=now)} {word}.",
        " ".join(part for part in (why, _as_of(stand, now)) if part),
    )


def _waiting(stand: Stand, now: dt.datetime) -> Heading | None:
    run = stand.latest
    if run is None or not run.waits:
        return None
    name = presenting.said_by_night(run, now=now)
    title = f"{name} is in, but for the removals." if run.state == "partly_held" else f"{name} waits for you."
    return Heading(title, " ".join(reason.get("sentence", "") for reason in run.reasons))


def _in(stand: Stand, now: dt.datetime) -> Heading:
    run = stand.last_in
    if run is None:
        return Heading("Nothing has come in yet.", "The last import was put aside, so the hub is as it was before.")
    name = presenting.said_by_night(run, now=now)
    title = f"{name} is in." if not name.startswith("The import of") else f"The last import came on {name[14:]}."
    return Heading(title, _counted(run, stand))


def _counted(run: Run, stand: Stand) -> str:
    at = moments.clock(moments.local(run.when))
    people = f"{many(run.present, 'person', 'people')} came from {stand.mis_name} at {at}"
    if run.state == "unchanged" or not (run.changes or run.count("kept")):
        mend = f" {_to_mend(stand.to_mend).capitalize()}." if stand.to_mend else ""
        return f"{people}, and all of them are as they were.{mend}"
    parts = [_changed(run)] if run.changes else []
    if kept := run.count("kept"):
        they = "it" if kept == 1 else "them"
        parts.append(f"{kept:,} {'was' if kept == 1 else 'were'} kept because people have verified {they}")
    if stand.to_mend:
        parts.append(_to_mend(stand.to_mend))
    return f"{people}. {listed(parts)}."


def _changed(run: Run) -> str:
    if run.changes == run.count("added"):
        return f"{many(run.changes, 'person was', 'people were')} added"
    return f"{many(run.changes, 'thing')} changed"


def _to_mend(count: int) -> str:
    return f"{many(count, 'record')} {'has' if count == 1 else 'have'} something to mend"


def _as_of(stand: Stand, now: dt.datetime) -> str:
    run = stand.last_in
    return f"What you see is as of {moments.stamp(run.when, now=now)}." if run else "Nothing has come in yet."


def schedule_words(weekdays: Sequence[int], run_at: dt.time) -> str:
    """Return `every night at 02:00`, `Mon to Fri at 02:00`, `Mon, Wed at 02:00`."""
    days = sorted(set(weekdays))
    if not days:
        return "no nights chosen"
    if len(days) == 7:
        name = "every night"
    elif len(days) > 2 and days == list(range(days[0], days[-1] + 1)):
        name = f"{_DAYS[days[0] - 1]} to {_DAYS[days[-1] - 1]}"
    else:
        name = ", ".join(_DAYS[day - 1] for day in days)
    return f"{name} at {moments.clock(run_at)}"


NIGHTS = {
    "good": ("", "complete"),
    "warn": ("warn", "held"),
    "bad": ("bad", "failed"),
    "missed": ("bad", "did not arrive"),
    "expected": ("live", "expected"),
    "paused": ("none", "paused"),
    "none": ("none", "none was due"),
}
"""A night's state to the class of its bar and the words for it."""


def nights_summary(words: Sequence[str]) -> str:
    """Return `14 nights: 12 complete, 1 held, 1 did not arrive`."""
    parts = [f"{words.count(word)} {word}" for word in dict.fromkeys(words)]
    return f"{len(words)} nights: {', '.join(parts)}"
