"""What every connector is: an app that describes itself, and a class that reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import ClassVar, Protocol

from mis_connectors.records import IncomingPayload, Snapshot


class Delivery(StrEnum):
    PUSH = "push"
    """An agent in the school's network sends: *Autolink*."""
    PULL = "pull"
    """We fetch from a cloud MIS: *Cloudlink*."""


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
    version: int
    """Raised when the same bytes would be read differently; everything is then read again once."""
    supplies: frozenset[str]
    """Canonical fields, as `pupil.upn`; a field not named here is never written as empty."""
    setting_fields: tuple[SettingField, ...] = ()
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
