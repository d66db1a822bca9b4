"""An import in words: outcome, title, the sentence below it. Pure: facts in, text out."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from imports import moments


@dataclass(frozen=True, slots=True)
class Chip:
    """An outcome as shown: a word, and the tone that goes with it."""

    tone: str
    text: str


_OUTCOMES: Mapping[str, Chip] = {
    "queued": Chip("live", "Waiting to start"),
    "collecting": Chip("live", "Collecting"),
    "reading": Chip("live", "Reading"),
    "planning": Chip("live", "Working out what changed"),
    "applying": Chip("live", "Saving"),
    "applied": Chip("good", "Complete"),
    "unchanged": Chip("good", "Nothing changed"),
    "partly_held": Chip("warn", "Removals held"),
    "held": Chip("warn", "Held for you"),
    "failed": Chip("bad", "Failed"),
    "interrupted": Chip("bad", "Interrupted, runs again by itself"),
    "discarded": Chip("quiet", "Discarded"),
    "undone": Chip("quiet", "Undone"),
}
RUNNING = ("queued", "collecting", "reading", "planning", "applying")
HELD = ("partly_held", "held")
BROKEN = ("failed", "interrupted")
IN = ("applied", "unchanged", "partly_held")
"""States after which what the MIS said is what the hub shows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What is said about one import; `night` is the local night it was for."""

    state: str
    kind: str = "autolink"
    mis_name: str = "the MIS"
    preview: bool = False
    created_at: dt.datetime
    started_at: dt.datetime | None = None
    finished_at: dt.datetime | None = None
    night: dt.date | None = None
    again_at: dt.datetime | None = None
    """The MIS did not answer; it is asked again then."""
    counts: Mapping[str, Any] = field(default_factory=dict)
    reasons: Sequence[Mapping[str, str]] = ()
    decided_by: str = ""
    decided: bool = False
    """Somebody answered the hold, or a newer import took its place."""

    @property
    def waits(self) -> bool:
        return self.state in HELD and not self.preview and not self.decided

    @property
    def when(self) -> dt.datetime:
        return self.finished_at or self.started_at or self.created_at

    def count(self, name: str) -> int:
        value = self.counts.get(name, 0)
        return value if isinstance(value, int) else 0

    @property
    def changes(self) -> int:
        return self.count("added") + self.count("updated") + self.count("ended")

    @property
    def present(self) -> int:
        return self.count("pupils") + self.count("contacts") + self.count("staff")


def outcome(state: str, *, preview: bool = False, delivery: str = "push", again_at: dt.datetime | None = None) -> Chip:
    """Return the word and the tone of an import's state, or of a night without one (`missed`)."""
    if again_at is not None:
        return Chip("warn", f"Asked again at {moments.clock(moments.local(again_at))}")
    if state == "missed":
        return Chip("bad", "Did not run" if delivery == "pull" else "Did not arrive")
    if preview and state not in (*RUNNING, *BROKEN, "discarded"):
        return Chip("quiet", "Preview only")
    return _OUTCOMES.get(state, Chip("quiet", state.replace("_", " ").capitalize()))


def many(count: int, one: str, more: str = "") -> str:
    """Return `1 change`, `1,184 people`."""
    return f"{count:,} {one if count == 1 else more or one + 's'}"


def listed(parts: Sequence[str]) -> str:
    """Return `a`, `a and b`, `a, b and c`."""
    return " and ".join([", ".join(parts[:-1]), parts[-1]]) if len(parts) > 1 else "".join(parts)


def title(run: Run) -> str:
    """Return the heading of an import's page: the answer to "what happened?"."""
    if run.preview and run.state not in (*RUNNING, *BROKEN):
        if run.reasons:
            return "Tonight this would wait for you"
        if run.changes == 0:
            return "Tonight would change nothing"
        return f"Tonight would change {many(run.changes, 'thing')}"
    if run.again_at is not None:
        return f"{run.mis_name} is asked again at {moments.clock(moments.local(run.again_at))}"
    titles = {
        "queued": "This import waits for its turn",
        "collecting": f"Fetching from {run.mis_name}",
        "unchanged": f"Nothing changed in {run.mis_name}",
        "held": "This import waits for you",
        "failed": "This import failed",
        "interrupted": "This import was interrupted",
        "discarded": "This import was discarded",
        "undone": "This import was undone",
    }
    if run.state in titles:
        return titles[run.state]
    if run.state in RUNNING:
        return "Reading the file" if run.kind == "upload" else f"Reading what {run.mis_name} sent"
    if run.state == "partly_held" and not run.changes:
        return "The removals wait for you" if run.waits else "Nobody was removed"
    if not run.changes:
        kept = run.count("kept")
        return f"Nothing changed, {many(kept, 'value')} kept" if kept else f"Nothing changed in {run.mis_name}"
    return f"{many(run.changes, 'change')} from {run.mis_name}"


def tally(run: Run) -> str:
    """Return `10 changed · 2 added · 3 kept · 1 rejected`, leaving out what is nought."""
    names = (("updated", "changed"), ("added", "added"), ("ended", "ended"), ("kept", "kept"), ("rejected", "rejected"))
    return " · ".join(f"{run.count(name):,} {word}" for name, word in names if run.count(name))


def in_file(run: Run) -> str:
    """Return `420 pupils, 764 parents and 61 staff`."""
    names = (("pupils", "pupil", "pupils"), ("contacts", "parent", "parents"), ("staff", "member of staff", "staff"))
    return listed([many(run.count(name), one, more) for name, one, more in names if run.count(name)])


def reason(run: Run) -> str:
    """Return the first reason an import was held or failed for, as a sentence; empty where there is none."""
    return str(run.reasons[0].get("sentence", "")) if run.reasons else ""


def is_because(run: Run, *codes: str) -> bool:
    """Say whether one of the reasons an import was held or failed for is one of these."""
    return any(reason.get("code") in codes for reason in run.reasons)


def advice(run: Run) -> str:
    """Return what to do about the first reason."""
    return str(run.reasons[0].get("advice", "")) if run.reasons else ""


def advices(run: Run) -> list[str]:
    """Return what to do about it all, each thing once."""
    return list(dict.fromkeys(text for item in run.reasons if (text := str(item.get("advice", "")))))


def lead(run: Run) -> str:
    """Return the sentence below an import's title."""
    if run.again_at is not None:
        return f"{reason(run)} Nothing needs doing: everybody is as before until it answers.".strip()
    if run.state in RUNNING:
        return "You may leave this page: it goes on by itself, and nothing shows in the hub before all of it is ready."
    if run.preview and run.state not in BROKEN:
        # A hold's sentence ends in what was done about it, and a preview does nothing.
        causes = [str(item.get("sentence", "")).split(", so no ")[0].rstrip(".") + "." for item in run.reasons]
        return " ".join(["Nothing was changed: this is what the file would do if it came tonight.", *causes])
    sentences = {
        "unchanged": f"{many(run.present, 'person', 'people')} came, and all of them are as they were.",
        "held": "Nothing of it is in yet.",
        "partly_held": "" if run.reasons else "Everything but the removals is in.",
        "failed": "" if run.reasons else "Nothing of it is in: everybody is as before.",
        "interrupted": "Nothing of it is in: the work stopped half way, and starts again by itself.",
        "discarded": _decided("Nothing of it is in", run.decided_by),
        "undone": "What it changed was put back. Imports pause until somebody resumes the link.",
    }
    if run.state in sentences:
        return " ".join(part for part in (sentences[run.state], *(_reasons(run))) if part)
    where = f"from {run.mis_name}" if run.kind == "cloudlink" else "in the file"
    return f"{many(run.present, 'person', 'people')} came {where}. {kept_and_rejected(run)}".strip()


def kept_and_rejected(run: Run) -> str:
    """Return `3 values were kept because parents have verified them, and 1 record has something to mend.`"""
    parts = []
    if kept := run.count("kept"):
        verb, they = ("was", "it") if kept == 1 else ("were", "them")
        parts.append(f"{many(kept, 'value')} {verb} kept because people have verified {they}")
    if rejected := run.count("rejected"):
        parts.append(f"{many(rejected, 'record')} {'has' if rejected == 1 else 'have'} something to mend")
    return f"{listed(parts)}." if parts else ""


def said_by_night(run: Run, *, now: dt.datetime) -> str:
    """Return `Last night's import`, `Today's import`, `The import of Fri 20 Nov`."""
    here, today = moments.local(run.when), moments.local(now).date()
    if run.night == today or (run.night is None and here.date() == today and here.hour < 6):
        return "Last night's import"
    if here.date() == today:
        return "Today's import"
    if here.date() == today - dt.timedelta(days=1):
        return "Yesterday's import"
    return f"The import of {moments.day(here.date(), now=now)}"


def _decided(sentence: str, by: str) -> str:
    return f"{sentence}: {by} discarded it." if by else f"{sentence}."


def _reasons(run: Run) -> list[str]:
    if run.state not in (*HELD, *BROKEN):
        return []
    return [str(item.get("sentence", "")) for item in run.reasons]
