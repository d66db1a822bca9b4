"""What every connector is: an app that describes itself, and a class that reads."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, ClassVar, Protocol, runtime_checkable

from mis_connectors.records import IncomingPayload, Snapshot

if TYPE_CHECKING:
    from mis_connectors.http import Http


class Delivery(StrEnum):
    PUSH = "push"
    """An agent in the school's network sends: *Autolink*."""
    PULL = "pull"
    """We fetch from a cloud MIS: *Cloudlink*."""
    UPLOAD = "upload"
    """A person uploads a file: no night is expected."""


class SetUp(StrEnum):
    """How a school and its MIS come to let us in."""

    AGENT = "agent"
    """The school downloads our agent."""
    GRANT = "grant"
    """The school grants access in its MIS, and nobody tells us: *Waiting for the MIS*."""
    CONSENT = "consent"
    """The school signs in at its MIS and consents: OAuth 2.0."""
    CREDENTIALS = "credentials"
    """The MIS mails us credentials, and somebody types them in: *Awaiting credentials*."""
    FILE = "file"
    """There is nothing to connect."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingField:
    """One thing a school types in on its MIS Link page."""

    name: str
    label: str
    help: str = ""
    secret: bool = False
    required: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectorInfo:
    """How a connector describes itself; see `mis_connectors.registry`."""

    slug: str
    mis_name: str
    delivery: Delivery
    set_up: SetUp = SetUp.AGENT
    version: int
    """Raised when the same bytes would be read differently; everything is then read again once."""
    supplies: frozenset[str]
    """Canonical fields, as `pupil.upn`; a field not named here is never written as empty."""
    optional: frozenset[str] = frozenset()
    """Of those, the fields that a school may withhold; see `Snapshot.lacking`."""
    partly: Mapping[str, str] = field(default_factory=dict)
    """What an office should know of a supplied field: `{"link.priority": "RM Integris may not have one."}`."""
    grace: dt.timedelta = dt.timedelta(0)
    """So long after it was asked for, a refusal only means that the MIS is not ready yet."""
    setting_fields: tuple[SettingField, ...] = ()
    """What the school types in; the secret ones are kept encrypted."""
    platform_fields: tuple[SettingField, ...] = ()
    """What the operator sets once for the whole hub, as `SCHOOLGATE_MIS_<SLUG>_<NAME>`: address, partner key."""
    setup_template: str = ""
    """The set-up steps, in the words of the MIS's own menus."""
    field_names: Mapping[str, str] = field(default_factory=dict)
    """What the MIS's own screens call an `email` and a `mobile`, for whoever corrects them there."""


class Connector(Protocol):
    info: ClassVar[ConnectorInfo]

    def content_digest(self, payload: IncomingPayload) -> bytes:
        """Return 32 bytes over what the reports say, whatever they were wrapped in.

        Raises `SnapshotFormatError` where the payload cannot even be unpacked.
        """
        ...

    def read(self, payload: IncomingPayload) -> Snapshot:
        """Return what the payload says.

        Deterministic, and touches nothing but the payload. Raises `SnapshotFormatError`.
        """
        ...


class Sink(Protocol):
    """Where `collect` puts what the MIS sends, exactly as it came; it becomes the payload."""

    def write(self, name: str, body: bytes) -> None:
        """Keep one part, such as `students/0001.json`. Each name once; raises `ConnectorUnavailable` past the cap."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """What a connector works with at one school."""

    dfe_number: str
    http: Http
    """The only way out: https, time-outs, bounded retries, a cap on bodies, no private addresses."""
    settings: Mapping[str, str] = field(default_factory=dict)
    """What the school typed in, but for secrets."""
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    """The secret setting fields, and whatever `exchange` and `save_secrets` kept."""
    platform: Mapping[str, str] = field(default_factory=dict, repr=False)
    """The operator's `platform_fields`."""
    save_secrets: Callable[[Mapping[str, str]], None] = lambda kept: None
    """Keeps rotated credentials at once, whatever becomes of the run; call it before they are used."""
    load_secrets: Callable[[], Mapping[str, str]] = dict
    """Reads what is kept by now: another run, or a test of the link, may have rotated it since; empty: as given."""
    renewing: Callable[[], AbstractContextManager[object]] = nullcontext
    """Renew credentials within it, having read again what is kept: of several runs, one renews and the others wait.

    An MIS that sees an old refresh token twice takes it for stolen. Raises `ConnectorUnavailable` after a while.
    """
    now: Callable[[], dt.datetime] = lambda: dt.datetime.now(dt.UTC)


class CheckState(StrEnum):
    OK = "ok"
    FAILED = "failed"
    WAITING = "waiting"
    """Not there yet, and that is expected."""
    UNANSWERED = "unanswered"
    """Nobody can tell now: the MIS gave no answer, an error of its own, or something else than its data."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SamplePupil:
    """One pupil as the MIS shows it, for an office to recognise. Shown, and kept nowhere."""

    name: str
    year_group: str = ""
    registration_group: str = ""
    contacts: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One part of *Test link*."""

    key: str
    """`address`, `credentials`, `permissions`, `fields` or `sample`, in this order."""
    state: CheckState
    sentence: str
    advice: str = ""
    lacking: frozenset[str] = frozenset()
    """Canonical fields that the school withholds."""
    sample: tuple[SamplePupil, ...] = ()


@runtime_checkable
class PullConnector(Connector, Protocol):
    """A connector that fetches."""

    def collect(self, access: Access, sink: Sink) -> None:
        """Fetch everything into the sink, page by page.

        Raises `ConnectorAuthError` where the MIS refuses us, `ConnectorUnavailable` where it does not
        answer, `SnapshotFormatError` where what it answers is not its own format.
        """
        ...

    def test(self, access: Access) -> Iterator[Check]:
        """Try each part in order and yield what was found; stops after one that failed. Keeps nothing."""
        ...


@runtime_checkable
class Authorises(Protocol):
    """A connector whose MIS asks the school for consent (RFC 6749 §4.1)."""

    def authorise_url(self, access: Access, *, redirect_uri: str, state: str) -> str:
        """Return where to send the school's browser."""
        ...

    def exchange(self, access: Access, *, code: str, redirect_uri: str) -> Mapping[str, str]:
        """Return the secrets to keep for an authorisation code; raises `ConnectorAuthError`."""
        ...


@runtime_checkable
class ChecksSettings(Protocol):
    """A connector that can tell at once that what was typed in cannot be right."""

    def problems_of(self, values: Mapping[str, str], *, dfe_number: str) -> Mapping[str, str]:
        """Return a sentence for each setting field that cannot be right."""
        ...
