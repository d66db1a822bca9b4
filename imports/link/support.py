"""*Send details to support*: what a link and its last imports look like, as a text without personal data."""

from __future__ import annotations

import datetime as dt
import platform
import re
import tomllib
from collections.abc import Callable, Iterator
from typing import Any

import django
from django.conf import settings
from django.db.models import Count

from hub.accounts.models import Account
from hub.core import audit, health, scope
from hub.core.keyring import KeyringError
from hub.core.models import School
from hub.messaging import mail
from hub.people.models import Contact, Pupil, Staff
from imports.link import links, nights, scrubbing, vocabulary
from imports.link.access import platform_of
from imports.link.changing import LinkRefused
from imports.link.secrets import secrets_of
from imports.models import AgentToken, Import, MisLink, RejectedRecord
from mis_connectors import registry
from mis_connectors.base import ConnectorInfo
from mis_connectors.errors import ConnectorConfigError

RUNS = 10
LOG_LINES = 120
_COUNTS = ("added", "updated", "ended", "kept", "rejected", "pupils", "contacts", "staff", "opened")
Scrub = Callable[[str], str]


def bundle(link: MisLink, *, now: dt.datetime) -> str:
    """Return the details as lines of text, in a constant number of queries."""
    names = scrubbing.words_of(_names(link.school))
    ours = " ".join(_addresses(link.source.connector))

    def scrub(text: str) -> str:
        return scrubbing.scrubbed(text, names)

    def quote(text: str) -> str:
        return vocabulary.quoted(scrub(text), ours)

    made = registry.connectors().get(link.source.connector)
    sections = (
        ("Schoolgate", _hub(now)),
        ("The link", _link(link, made.info if made else None, scrub, quote, now=now)),
        ("The last nights", _nights(link, now=now)),
        (f"The last {RUNS} imports", _runs(link, quote)),
        ("Records that could not be taken", _rejected(link)),
        ("The agent", _agents(link, scrub, quote)),
    )
    blocks = [
        "\n".join([title, "=" * len(title), *lines]) for title, lines in ((t, list(s)) for t, s in sections) if lines
    ]
    return "\n\n".join(blocks) + "\n"


def filename(link: MisLink, *, now: dt.datetime) -> str:
    """Return what the details are called as a file."""
    return f"schoolgate-{link.school.dfe_number}-{link.source.connector}-{now:%Y-%m-%d}.txt"


def can_be_mailed() -> bool:
    """Whether the operator said where to."""
    return bool(settings.SUPPORT_EMAIL)


def send(*, link: MisLink, by: Account, now: dt.datetime) -> None:
    """Mail the details to the address the operator set. Raises `LinkRefused` without one, and `MailNotSent`."""
    if not can_be_mailed():
        raise LinkRefused("Whoever runs this hub has set no address for support. Download the details instead.")
    text = bundle(link, now=now)
    context = {"school": link.school, "mis_name": link.source.mis_name, "details": text}
    mail.send(to=settings.SUPPORT_EMAIL, template="support", context=context)
    audit.record(
        school=link.school, by=by, action="link.support_sent", object_kind="link", object_id=link.pk, data={}, now=now
    )


def _names(school: School) -> Iterator[str]:
    for model, fields in (
        (Pupil, ("forename", "surname", "legal_forename", "legal_surname", "middle_names")),
        (Contact, ("forename", "surname")),
        (Staff, ("forename", "surname")),
    ):
        for row in model._default_manager.filter(school=school).values_list(*fields):
            yield from row
    yield from Account.objects.filter(memberships__school=school).values_list("name", flat=True)


def _hub(now: dt.datetime) -> Iterator[str]:
    yield f"made {_at(now)}"
    yield f"version {_version()}, Python {platform.python_version()}, Django {django.get_version()}"
    for name in ("broker", "beat"):
        yield f"{name} {'answers' if _answers(name, now) else 'does not answer'}"


def _link(link: MisLink, info: ConnectorInfo | None, scrub: Scrub, quote: Scrub, *, now: dt.datetime) -> Iterator[str]:
    yield f"school {link.school.dfe_number}"
    if info is None:
        yield f"connector {link.source.connector}, not installed"
    else:
        yield f"connector {info.slug} {info.version}, {info.delivery}, set up by {info.set_up}"
    yield f"state {link.state} since {_at(link.state_since)}, generation {link.source.generation}"
    days = ",".join(map(str, link.weekdays)) or "none"
    yield f"timetable {days} at {link.run_at:%H:%M}, since {_at(link.scheduled_since)}"
    yield f"paused {'yes' if links.is_paused(link, now=now) else 'no'}, asked for {_at(link.wanted_at)}"
    if link.tried_at:
        yield f"tried {_at(link.tried_at)}: {quote(link.tried_said) or 'nothing said'}"
    if info is not None:
        yield from _settings(link, info, scrub)


def _settings(link: MisLink, info: ConnectorInfo, scrub: Scrub) -> Iterator[str]:
    try:
        kept = set(secrets_of(link))
    except KeyringError:
        kept = set()
        yield "secrets cannot be opened with any key"
    for field in info.setting_fields:
        value = kept if field.secret else link.settings.get(field.name)
        known = field.name in kept if field.secret else bool(value)
        shown = "" if field.secret or not value else f" {scrub(str(value))}"
        yield f"setting {field.name} {'set' if known else 'not set'}{shown}"
    others = sorted(kept - {field.name for field in info.setting_fields})
    if others:
        yield f"kept of its consent {', '.join(others)}"
    try:
        platform_of(info.slug)
    except ConnectorConfigError as error:
        yield f"operator's settings lacking: {error.detail}"


def _nights(link: MisLink, *, now: dt.datetime) -> Iterator[str]:
    for night in nights.last_nights(link, now=now):
        if night.state != "none":
            yield f"{night.date} {night.state}{f', due {_at(night.due_at)}' if night.due_at else ''}"


def _runs(link: MisLink, quote: Scrub) -> Iterator[str]:
    runs = Import.objects.filter(school_id=link.school_id, link=link).select_related("payload")
    for run in runs.defer("would", "notes", "left_by_undo", "released").order_by("-created_at", "-id")[:RUNS]:
        size = f", {run.payload.size} bytes" if run.payload else ""
        yield (
            f"{_at(run.created_at)} {run.kind} {run.state}{', preview' if run.preview else ''}{size}, "
            f"begun {_at(run.started_at)}, ended {_at(run.finished_at)}, attempts {run.attempts}, "
            f"fetched {run.collect_attempts} times"
        )
        if numbers := _numbers(run.counts):
            yield f"    {numbers}"
        for reason in run.reasons:
            yield f"    {_code(reason.get('code'))}: {quote(str(reason.get('sentence', '')))}"
        if run.detail:
            yield from (f"    {line}" for line in quote(run.detail).splitlines()[:20])


def _numbers(counts: dict[str, Any]) -> str:
    said = [f"{name} {counts[name]}" for name in _COUNTS if isinstance(counts.get(name), int)]
    if lacking := counts.get("lacking"):
        said.append(f"withheld {' '.join(str(field) for field in lacking)}")
    return ", ".join(said)


def _rejected(link: MisLink) -> Iterator[str]:
    standing = RejectedRecord.objects.filter(school_id=link.school_id, link=link, resolved_at=None)
    for kind, severity, reason, count in (
        standing.values_list("kind", "severity", "reason").annotate(count=Count("id")).order_by("-count", "reason")
    ):
        yield f"{count} {kind} {severity} {reason}"


def _agents(link: MisLink, scrub: Scrub, quote: Scrub) -> Iterator[str]:
    tokens = AgentToken.objects.filter(school_id=link.school_id, link=link, revoked_at=None).order_by("-created_at")
    for number, token in enumerate(tokens, start=1):
        yield f"copy {number}, version {scrub(token.agent_version) or 'unknown'}, heard {_at(token.last_seen_at)}"
        for check in token.last_check.get("checks", []):
            found = "ok" if check.get("ok") else quote(str(check.get("sentence", "")))
            yield f"    {quote(str(check.get('name', '')))}: {found}"
        if ran := token.last_check.get("run"):
            yield f"    last run {'ok' if ran.get('ok') else 'failed'}: {quote(str(ran.get('sentence', '')))}"
        yield from (f"    | {line}" for line in quote(token.log_tail).splitlines()[-LOG_LINES:])


def _addresses(slug: str) -> Iterator[str]:
    """Yield what the operator set of an MIS and is no secret: where it is, so that an address in an error stays."""
    made = registry.connectors().get(slug)
    open_ = [field.name for field in made.info.platform_fields if not field.secret] if made else []
    given = settings.MIS_PLATFORM.get(slug, {})
    yield from (str(given[name]) for name in open_ if given.get(name))


def _code(code: object) -> str:
    """Return a reason's code, which is one word of ours."""
    return str(code) if re.fullmatch(r"[a-z_]{1,40}", str(code)) else vocabulary.LEFT_OUT


def _answers(name: str, now: dt.datetime) -> bool:
    try:
        with scope.schools():
            return {"broker": health.broker, "beat": health.beat}[name](now).ok
    except Exception:  # noqa: BLE001  (that it does not answer is the answer)
        return False


def _at(when: dt.datetime | None) -> str:
    return f"{when.astimezone(dt.UTC):%Y-%m-%d %H:%M:%SZ}" if when else "never"


def _version() -> str:
    """Return the version of the source that runs; it need not be installed as a package."""
    try:
        return str(tomllib.loads((settings.BASE_DIR / "pyproject.toml").read_text("utf-8"))["project"]["version"])
    except (OSError, KeyError, ValueError):
        return "unknown"
