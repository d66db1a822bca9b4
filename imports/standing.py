"""Which alerts stand at a school, from what is true now. Pure: the page derives them when read, the mail when sent."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from imports import moments
from imports.pages import presenting
from imports.pages.presenting import Run, many

AGENT_SILENT_AFTER = dt.timedelta(hours=26)
"""A heartbeat comes every ten minutes; a computer that is off overnight and a bank holiday morning is forgiven."""

FAILED, HELD, MISSED, SILENT = "import-failed", "import-held", "import-missed", "agent-silent"
REJECTED, PAUSED, RECONNECT, TO_COPY = "records-rejected", "link-paused", "link-reconnect", "to-copy"
NOT_LET_IN, WITHHELD, AWAITED = "link-not-let-in", "fields-withheld", "credentials-awaited"
MAILED = (FAILED, HELD, MISSED, SILENT, REJECTED, PAUSED, RECONNECT, NOT_LET_IN, AWAITED)
"""Kept as stored alerts too, so that each is mailed once. What is to be copied is the report's matter, not an alarm."""


@dataclass(frozen=True, slots=True)
class Alert:
    """Something that needs a person. `path` leads below the school's address."""

    key: str
    severity: str
    title: str
    body: str = ""
    button: str = ""
    path: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Missed:
    """A night on which an import was due and none came."""

    night: dt.date
    due_at: dt.datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What is known of one school's imports. `runs` are finished, no previews, the latest first, as (id, run)."""

    mis_name: str = "the MIS"
    push: bool = True
    link_state: str = ""
    """Empty before a link was made."""
    state_since: dt.datetime | None = None
    paused_at: dt.datetime | None = None
    paused_why: str = ""
    how_to_reconnect: str = ""
    """What to do where the MIS no longer lets us in."""
    kept_waiting: bool = False
    """The MIS has not let us in, though the time it takes for that, and a night, are over."""
    said: str = ""
    """What came of the last try, where the MIS does not let us in."""
    withheld: str = ""
    """Fields that the MIS can give and does not, in words."""
    agent_seen: dt.datetime | None = None
    runs: Sequence[tuple[int, Run]] = ()
    missed: Sequence[Missed] = ()
    """Nights missed since the last import that came, the oldest first."""
    rejected_rows: int = 0
    rejected_parts: int = 0
    first_rejected: str = ""
    to_copy: int = 0
    """Changes that are in use here and not in the MIS yet."""
    oldest_to_copy: dt.datetime | None = None


def alerts(facts: Facts, *, now: dt.datetime) -> list[Alert]:
    """Return what needs a person, the gravest first."""
    found = [alert for source in _SOURCES for alert in source(facts, now)]
    return sorted(found, key=lambda alert: ("bad", "warn", "quiet").index(alert.severity))


def _failed(facts: Facts, now: dt.datetime) -> Iterator[Alert]:
    if not facts.runs or facts.runs[0][1].state not in presenting.BROKEN:
        return
    import_id, run = facts.runs[0]
    if facts.link_state == "reconnect" and _was_refused(run):
        return  # the other alert says what to do
    word = "failed" if run.state == "failed" else "was interrupted"
    title = f"{presenting.said_by_night(run, now=now)} {word}"
    if presenting.is_because(run, "platform"):
        title = f"{facts.mis_name} refuses this hub: whoever runs it has to act"
    body = " ".join(part for part in (presenting.reason(run), presenting.advice(run)) if part)
    yield Alert(
        FAILED,
        "bad",
        title,
        body,
        "See what to do",
        f"imports/{import_id}/",
    )


def _held(facts: Facts, now: dt.datetime) -> Iterator[Alert]:
    found = next(((key, run) for key, run in facts.runs if run.waits), None)
    if found is None:
        return
    import_id, run = found
    partly = run.state == "partly_held"
    title = "Removals wait for you" if partly else f"{presenting.said_by_night(run, now=now)} waits for you"
    body = " ".join(part for part in (presenting.reason(run), presenting.advice(run)) if part)
    yield Alert(HELD, "warn", title, body, "Review", f"imports/{import_id}/")


def _missed(facts: Facts, now: dt.datetime) -> Iterator[Alert]:
    if not facts.missed:
        return
    count, last = len(facts.missed), facts.missed[-1]
    verb = "arrive" if facts.push else "run"
    if count > 1:
        title = f"The last {count} nights did not {verb}"
    elif last.night == moments.local(now).date():
        title = f"Last night's import did not {verb}"
    else:
        title = f"The import of {moments.day(last.night, now=now)} did not {verb}"
    came = next((run for _, run in facts.runs if run.state in presenting.IN), None)
    until = f"What you see is as of {moments.stamp(came.when, now=now)}." if came else "Nothing has come in yet."
    where = f"Test the link: it says which part between {facts.mis_name} and here does not answer."
    yield Alert(MISSED, "bad", title, f"{until} {where}", "Test the link", "settings/mis-link/")


def _silent(facts: Facts, now: dt.datetime) -> Iterator[Alert]:
    seen = facts.agent_seen
    if not facts.push or facts.link_state != "enabled" or seen is None or now - seen < AGENT_SILENT_AFTER:
        return
    yield Alert(
        SILENT,
        "warn",
        f"The agent has been silent since {moments.stamp(seen, now=now)}",
        f"It sends what {facts.mis_name} says. Is the computer it runs on switched on and on the network?",
        "What to check",
        "settings/mis-link/",
    )


def _rejected(facts: Facts, now: dt.datetime) -> Iterator[Alert]:
    """A person who is missing waits for somebody; a mobile that is none is for information."""
    whole, parts = facts.rejected_rows, facts.rejected_parts
    if not whole + parts:
        return
    title = f"{many(whole + parts, 'record')} {'was' if whole + parts == 1 else 'were'} rejected"
    if not whole:
        title += " in part"
    mixed = f"{whole:,} whole, {parts:,} in part. " if whole and parts else ""
    body = f"{mixed}{facts.first_rejected}"
    button = "See what to do"
    yield Alert(REJECTED, "warn" if whole else "quiet", title, body.strip(), button, "imports/rejected/")


def _paused(facts: Facts, now: dt.datetime) -> Iterator[Alert]:
    if facts.paused_at is None or facts.link_state != "enabled":
        return
    since = moments.stamp(facts.paused_at, now=now)
    why = f"{facts.paused_why.rstrip('.')}. " if facts.paused_why else ""
    body = f"{why}No import changes anything until somebody resumes the link: mend {facts.mis_name} first."
    yield Alert(PAUSED, "warn", f"Imports are paused since {since}", body, "Resume", "settings/mis-link/")


def _reconnect(facts: Facts, now: dt.datetime) -> Iterator[Alert]:
    if facts.link_state != "reconnect":
        return
    title = f"{facts.mis_name} no longer lets us in"
    if facts.runs and presenting.is_because(facts.runs[0][1], "another_school"):
        title = f"{facts.mis_name} lets us in at another school"
    body = "Access was withdrawn there. Nothing comes in before it is connected again."
    parts = [facts.said, facts.how_to_reconnect or body]
    yield Alert(RECONNECT, "bad", title, " ".join(filter(None, parts)), "Reconnect", "settings/mis-link/")


def _not_let_in(facts: Facts, now: dt.datetime) -> Iterator[Alert]:
    if not facts.kept_waiting or facts.state_since is None:
        return
    said = f"{facts.said} " if facts.said else ""
    body = (
        f"Asked since {moments.stamp(facts.state_since, now=now)}. {said}"
        f"Look at the set-up steps again: was access granted in {facts.mis_name} for this school? "
        "It is tried again every night."
    )
    title = f"{facts.mis_name} has still not let us in"
    yield Alert(NOT_LET_IN, "warn", title, body, "See the steps", "settings/mis-link/")


def _awaited(facts: Facts, now: dt.datetime) -> Iterator[Alert]:
    if facts.link_state != "awaiting_credentials" or facts.state_since is None:
        return
    title = f"{facts.mis_name}'s credentials are awaited"
    body = (
        f"{facts.mis_name} sends a username and a password by email; awaited since "
        f"{moments.stamp(facts.state_since, now=now)}. Whoever has it types them in: the first import begins at once."
    )
    yield Alert(AWAITED, "warn", title, body, "Type them in", "settings/mis-link/")


def _withheld(facts: Facts, now: dt.datetime) -> Iterator[Alert]:
    if not facts.withheld:
        return
    title = f"{facts.mis_name} does not give us {facts.withheld}"
    body = f"What is known of it stays as it was. Allow it in {facts.mis_name} if it should be brought up to date."
    yield Alert(WITHHELD, "quiet", title, body, "See what comes", "settings/mis-link/")


def _to_copy(facts: Facts, now: dt.datetime) -> Iterator[Alert]:
    if not facts.to_copy:
        return
    title = f"{many(facts.to_copy, 'change')} to copy into {facts.mis_name}"
    days = (now - facts.oldest_to_copy).days if facts.oldest_to_copy else 0
    waited = f"The oldest has waited {many(days, 'day')}. " if days else ""
    body = f"{waited}Each drops off the list by itself once an import brings it."
    yield Alert(TO_COPY, "warn", title, body, "Open report", "reports/verified-user-changes/")


def _was_refused(run: Run) -> bool:
    return presenting.is_because(run, "refused", "another_school")


_SOURCES = (
    _reconnect, _not_let_in, _awaited, _failed, _missed, _held, _paused, _silent, _rejected, _withheld, _to_copy,
)  # fmt: skip
