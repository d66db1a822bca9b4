"""Test MIS Autolink: every part from the agent to the last import, each with a sentence and what to do.

Facts are gathered in a few queries; what they mean is decided below without any.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from hub.core import health
from imports import moments, selectors
from imports.link import links, nights, waiting
from imports.models import OPEN_STATES, AgentToken, LinkState, MisLink
from imports.pages.presenting import Run, outcome
from imports.pages.presenting import reason as reason_of

HEARD_WITHIN = dt.timedelta(minutes=30)
"""The agent speaks every ten minutes: after three times of silence something is wrong."""
_MACHINES = (
    ("broker", "The queue", "The hub's queue", "Ask who runs the hub to start Valkey and the workers."),
    ("beat", "The clock", "The hub's clock", "Ask who runs the hub to start the beat and the workers."),
)


@dataclass(frozen=True, slots=True)
class Part:
    """One part of the way from the MIS to the hub. `tone`: good, warn, bad or quiet (nothing to judge yet)."""

    name: str
    tone: str
    sentence: str
    advice: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What is known about a link at one moment."""

    mis_name: str
    push: bool = True
    upload: bool = False
    waiting: str = ""
    state: str = LinkState.ENABLED
    state_since: dt.datetime | None = None
    pause: str = ""
    copies: int = 0
    agent_name: str = ""
    agent_host: str = ""
    agent_seen: dt.datetime | None = None
    checks: Sequence[dict[str, Any]] = ()
    checked_at: dt.datetime | None = None
    agent_run: dict[str, Any] = field(default_factory=dict)
    overdue: dt.date | None = None
    last: Run | None = None
    machines: dict[str, bool] = field(default_factory=dict)


def parts_of(link: MisLink, *, now: dt.datetime) -> list[Part]:
    """Test one link: return its parts in the order in which data passes them."""
    return list(parts(gather(link, now=now), now=now))


def gather(link: MisLink, *, now: dt.datetime) -> Facts:
    """Return what is known about the link, in a constant number of queries."""
    mis = selectors.mis_of(link)
    tokens = list(AgentToken.objects.filter(school_id=link.school_id, link=link, revoked_at=None).defer("log_tail"))
    heard = max((token for token in tokens if token.last_seen_at), key=_seen_at, default=None)
    about = heard.last_check if heard else {}
    late = nights.overdue(link, now=now)
    last = selectors.runs(link.school).filter(link=link, preview=False).exclude(state__in=OPEN_STATES).first()
    return Facts(
        mis_name=mis.name,
        push=mis.is_push,
        upload=mis.is_upload,
        waiting=waiting.words(link, mis_name=mis.name, now=now),
        state=link.state,
        state_since=link.state_since,
        pause=links.pause_words(link, now=now),
        copies=len(tokens),
        agent_name=heard.name if heard else "",
        agent_host=heard.host_name if heard else "",
        agent_seen=heard.last_seen_at if heard else None,
        checks=about.get("checks", ()),
        checked_at=_moment(about.get("checked_at")),
        agent_run=about.get("run", {}),
        overdue=late.date if late else None,
        last=selectors.words(last, mis=mis) if last else None,
        machines={name: _answers(name, now) for name, *_ in _MACHINES},
    )


def parts(facts: Facts, *, now: dt.datetime) -> Iterator[Part]:
    """Yield what each part says, the agent's first and the import's last."""
    if facts.push:
        yield from _agent(facts, now)
    yield _link(facts, now)
    if facts.pause:
        yield Part("The timetable", "warn", facts.pause, "Resume the link when imports may come in again.")
    for key, name, what, advice in _MACHINES:
        if key in facts.machines:
            ok = facts.machines[key]
            yield Part(
                name, "good" if ok else "bad", f"{what} {'runs' if ok else 'does not answer'}.", "" if ok else advice
            )
    if not facts.upload:
        yield _night(facts, now)
    yield _import(facts, now)


def verdict(found: Sequence[Part], *, mis_name: str) -> Part:
    """Return the whole in one sentence: the first part that fails, else the first that waits, else that all works."""
    for tone in ("bad", "warn"):
        if part := next((one for one in found if one.tone == tone), None):
            return Part(part.name, tone, part.sentence, part.advice)
    if any(part.tone == "quiet" for part in found):
        return Part("", "quiet", "Nothing is wrong so far. The parts in grey have not happened yet.")
    return Part("", "good", f"Everything works, from {mis_name} to the last import.")


def _agent(facts: Facts, now: dt.datetime) -> Iterator[Part]:
    if not facts.copies:
        yield Part(
            "The agent",
            "bad",
            "No copy of the agent may sign in: none was downloaded, or all were ended.",
            "Download the agent, ready configured, on the set-up page.",
        )
        return
    yield _heard(facts, now)
    if facts.agent_seen is not None:
        yield _checked(facts, now)
        if facts.agent_run.get("ok") is False:
            yield Part(
                "Its last run",
                "bad",
                facts.agent_run.get("sentence", "") or "The agent's last run failed.",
                f"Run “check” on the agent's computer: it says what to do. Then import now. ({_at(facts, now)})",
            )


def _heard(facts: Facts, now: dt.datetime) -> Part:
    if facts.agent_seen is None:
        return Part(
            "The agent",
            "bad",
            "The agent was downloaded and has never been heard.",
            "On the agent's computer run “py schoolgate_agent.py check”, then install its two tasks.",
        )
    ago = moments.ago(facts.agent_seen, now=now)
    where = f"The agent on {facts.agent_host or facts.agent_name}"
    if now - facts.agent_seen <= HEARD_WITHIN:
        return Part("The agent", "good", f"{where} was heard {ago}.")
    return Part(
        "The agent",
        "bad",
        f"{where} was last heard {ago}, {moments.stamp(facts.agent_seen, now=now)}. It should speak every 10 minutes.",
        "Is that computer on and in the network? In its Task Scheduler, does “Schoolgate heartbeat” run? "
        "Else run “py schoolgate_agent.py check” there.",
    )


def _checked(facts: Facts, now: dt.datetime) -> Part:
    name = f"{facts.mis_name} on its computer"
    if facts.checked_at is None:
        return Part(name, "quiet", "The agent's own check has not been run yet.", "Run “py schoolgate_agent.py check”.")
    when = moments.stamp(facts.checked_at, now=now)
    failed = next((check for check in facts.checks if not check.get("ok")), None)
    if failed is not None:
        return Part(name, "bad", f"{failed['name']}: {failed['sentence']} (Checked {when}.)", failed.get("advice", ""))
    return Part(name, "good", f"The agent's check of {when} found nothing wrong.")


def _link(facts: Facts, now: dt.datetime) -> Part:
    since = f" since {moments.stamp(facts.state_since, now=now)}" if facts.state_since else ""
    name = "MIS Link" if facts.upload else "MIS Autolink" if facts.push else "MIS Cloudlink"
    if facts.state == LinkState.ENABLED:
        return Part(name, "good", f"Enabled{since}.")
    if facts.state == LinkState.DISABLED:
        what = "what arrives is kept and not imported" if facts.push else "nothing is fetched"
        return Part(name, "bad", f"Disabled{since}: {what}.", f"Enable {name} when imports may come in again.")
    if facts.state == LinkState.WAITING:
        said = facts.waiting or f"Waiting for {facts.mis_name}: the first arrival switches it on by itself."
        return Part(name, "quiet", said)
    if facts.state == LinkState.AWAITING_CREDENTIALS:
        return Part(name, "quiet", f"Awaiting credentials{since}.", "Type them in when the email has come.")
    return Part(name, "bad", f"{LinkState(facts.state).label}{since}.", "Finish the set-up of the link.")


def _night(facts: Facts, now: dt.datetime) -> Part:
    if facts.overdue is not None:
        verb = "arrive" if facts.push else "run"
        return Part(
            "Last night",
            "bad",
            f"The import of {moments.day(facts.overdue, now=now)} did not {verb}.",
            "Mend what fails above; the agent then sends it by itself. Or import now."
            if facts.push
            else "Mend what fails above; the next night then runs by itself. Or import now.",
        )
    if facts.last is None:
        return Part("Last night", "quiet", "No night has been due yet.")
    return Part("Last night", "good", "Every night that was due has come, or something has come since.")


def _import(facts: Facts, now: dt.datetime) -> Part:
    if facts.last is None:
        return Part("The last import", "quiet", "Nothing has been imported yet.", "Import now, or wait for tonight.")
    chip, when = outcome(facts.last.state), moments.stamp(facts.last.created_at, now=now)
    if chip.tone == "good":
        return Part("The last import", "good", f"{when}: {chip.text}.")
    said = reason_of(facts.last) or f"{chip.text}."
    tone = chip.tone if chip.tone in ("warn", "bad") else "quiet"
    return Part("The last import", tone, f"{when}: {said}", "Open it under Imports: it says what to do.")


def _answers(name: str, now: dt.datetime) -> bool:
    check = {"broker": health.broker, "beat": health.beat}[name]
    try:
        return check(now).ok
    except Exception:  # noqa: BLE001  (that it does not answer is the answer)
        return False


def _seen_at(token: AgentToken) -> dt.datetime:
    assert token.last_seen_at is not None
    return token.last_seen_at


def _moment(text: object) -> dt.datetime | None:
    return dt.datetime.fromisoformat(text) if isinstance(text, str) and text else None


def _at(facts: Facts, now: dt.datetime) -> str:
    try:
        return moments.stamp(dt.datetime.fromisoformat(str(facts.agent_run.get("at"))), now=now)
    except ValueError:
        return "at an unknown time"
