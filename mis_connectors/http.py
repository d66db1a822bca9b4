"""The one way out to an MIS: https, bounded in time, size and number of tries, never to a private address.

`imports` makes one `Http` per run with the operator's `Outgoing`; connectors are handed it and use nothing else.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import requests

from mis_connectors.errors import ConnectorUnavailable, SnapshotFormatError


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """What requests may do."""

    loopback: bool = False
    """Whether plain http to loopback is allowed, for simulators on this machine."""
    connect_seconds: float = 10
    read_seconds: float = 60
    total_seconds: float = 900
    """For all requests of one run together."""
    attempts: int = 4
    body_limit: int = 64 * 2**20


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer in full. `body` is within the cap."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    url: str

    def json(self) -> Any:
        """Return the body as JSON; raises `SnapshotFormatError`."""
        try:
            return json.loads(self.body)
        except ValueError as error:
            raise SnapshotFormatError("The MIS answered with something that is not JSON.", detail=str(error)) from None


class Http:
    """Sends requests under `Outgoing`; not for several threads."""

    def __init__(self, outgoing: Outgoing | None = None) -> None:
        self._outgoing = outgoing or Outgoing()
        self._session = requests.Session()

    def get(
        self,
        url: str,
        *,
        params: Mapping[str, str | int] | None = None,
        headers: Mapping[str, str] | None = None,
        auth: tuple[str, str] | None = None,
    ) -> Reply:
        """Return the answer, whatever its status but 429 and 5xx, which are tried again.

        Raises `ConnectorUnavailable` after the last try, and for an address that is not allowed.
        """
        return self._send("GET", url, params=params, headers=headers, auth=auth)

    def post(
        self,
        url: str,
        *,
        form: Mapping[str, str],
        headers: Mapping[str, str] | None = None,
        auth: tuple[str, str] | None = None,
    ) -> Reply:
        """Send a form, once: what it changes is not asked for twice. Returns and raises as `get`."""
        return self._send("POST", url, data=form, headers=headers, auth=auth)

    def _send(self, method: str, url: str, **given: Any) -> Reply:
        timeout = (self._outgoing.connect_seconds, self._outgoing.read_seconds)
        try:
            answer = self._session.request(method, url, timeout=timeout, allow_redirects=False, **given)
        except requests.RequestException as error:
            raise ConnectorUnavailable("The MIS does not answer.", detail=type(error).__name__) from None
        return Reply(answer.status_code, answer.headers, answer.content, url)
