"""The one way out to an MIS: https, bounded in time, size and number of tries, never to a private address.

`imports` makes one `Http` per run with the operator's `Outgoing`; connectors are handed it and use nothing else.
No message or detail of it holds a query, a header or a body.
"""

from __future__ import annotations

import base64
import http.client
import json
import random
import socket
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from mis_connectors.errors import ConnectorConfigError, ConnectorUnavailable, SnapshotFormatError
from mis_connectors.wire import (
    Bounds,
    Clock,
    Connection,
    CutShort,
    OutOfTime,
    Place,
    Refused,
    TooLarge,
    body_of,
    is_loopback,
)

FIRST_PAUSE = 0.5
LONGEST_PAUSE = 60.0
"""An MIS that asks for more is left alone, and the run is tried again later."""
LONGEST_RETRY_AFTER = 6 * 3600.0
_PASSES = (
    "Nothing was changed. This mostly passes by itself: if it goes on until tomorrow, ask the support of the MIS "
    "whether something is wrong there."
)
_DROPPED = (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError)
_SAFE_IN_PATH = "/%:@!$&'()*+,;=~-._"


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
    proxy: str = ""
    """`http://user:password@host:port` of the operator's proxy. The environment's HTTPS_PROXY is not looked at: behind
    a proxy nobody here could check where a name leads, so only an operator who says so goes through one."""


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer in full. `body` is within the cap."""

    status: int
    headers: Mapping[str, str]
    """By lower-case name; see `header`."""
    body: bytes
    url: str
    """Without its query."""

    def header(self, name: str) -> str:
        """Return a header whatever its case, empty where there is none."""
        return next((value for key, value in self.headers.items() if key.lower() == name.lower()), "")

    def json(self) -> Any:
        """Return the body as JSON; raises `SnapshotFormatError`, also for what does not call itself JSON."""
        kind = self.header("Content-Type").partition(";")[0].strip().lower()
        if kind and not (kind.endswith(("/json", "+json"))):
            raise SnapshotFormatError(
                "The MIS answered with something else than its data: its address may be wrong, or a page of "
                "another system stands before it. Nothing was changed. Try again in an hour, and if it stays so, "
                "tell whoever runs this hub.",
                detail=f"content type {kind[:40]}",
            )
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError) as error:
            raise SnapshotFormatError(
                f"The MIS answered with data that cannot be read: it is damaged or cut short. {_PASSES}",
                detail=f"{type(error).__name__} at {getattr(error, 'pos', '?')}",
            ) from None


class _Failed(Exception):
    """One try that came to nothing."""

    def __init__(self, sentence: str, why: str, *, tries: int = 99, retry_after: float | None = None) -> None:
        super().__init__(why)
        self.sentence = sentence
        self.why = why
        self.tries = tries
        """So many tries are enough where this is what goes wrong."""
        self.retry_after = retry_after


class Http:
    """Sends requests under `Outgoing`; not for several threads."""

    def __init__(self, outgoing: Outgoing | None = None, *, sleep: Callable[[float], None] = time.sleep) -> None:
        self._outgoing = given = outgoing or Outgoing()
        self._sleep = sleep
        self._clock = Clock(given.total_seconds)
        self._bounds = Bounds(self._clock, given.connect_seconds, given.read_seconds, given.loopback, given.proxy)
        self._open: dict[Place, Connection] = {}

    def get(
        self,
        url: str,
        *,
        params: Mapping[str, str | int] | None = None,
        headers: Mapping[str, str] | None = None,
        auth: tuple[str, str] | None = None,
    ) -> Reply:
        """Return the answer, whatever its status but redirects, 429 and 5xx; the latter two are tried again.

        Raises `ConnectorUnavailable` after the last try, and for an address that is not allowed.
        """
        return self._send("GET", url, attempts=self._outgoing.attempts, params=params, headers=headers, auth=auth)

    def post(
        self,
        url: str,
        *,
        form: Mapping[str, str],
        headers: Mapping[str, str] | None = None,
        auth: tuple[str, str] | None = None,
    ) -> Reply:
        """Send a form, once: what it changes is not asked for twice. Returns and raises as `get`."""
        return self._send("POST", url, attempts=1, headers=headers, auth=auth, form=form)

    def close(self) -> None:
        """Let go of the connections."""
        for connection in self._open.values():
            connection.close()
        self._open.clear()

    def __enter__(self) -> Http:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def _send(
        self,
        method: str,
        url: str,
        *,
        attempts: int,
        params: Mapping[str, str | int] | None = None,
        headers: Mapping[str, str] | None,
        auth: tuple[str, str] | None,
        form: Mapping[str, str] | None = None,
    ) -> Reply:
        place, path, shown = _where(url, self._outgoing.loopback)
        query = "&".join(part for part in (urlsplit(url).query, urlencode(params or {})) if part)
        sent = _headers(headers or {}, auth, form)
        body = None if form is None else urlencode(form).encode()
        for attempt in range(1, attempts + 1):
            try:
                return self._once(method, place, f"{path}?{query}" if query else path, sent, body, shown)
            except _Failed as failed:
                detail = f"{method} {shown}: {failed.why}, try {attempt}"
                pause = self._pause(attempt, failed.retry_after)
                if attempt >= min(attempts, failed.tries) or pause is None:
                    raise ConnectorUnavailable(failed.sentence, detail=detail, retry_after=failed.retry_after) from None
                self._sleep(pause)
        raise AssertionError("at least one try is made")

    def _pause(self, attempt: int, asked: float | None) -> float | None:
        """Return how long to wait before the next try, with jitter; None where it would take too long."""
        pause = FIRST_PAUSE * 2 ** (attempt - 1) * random.uniform(0.5, 1.5)  # noqa: S311 - no secret
        pause = min(pause, LONGEST_PAUSE / 2)
        if asked is not None:
            pause = max(asked * random.uniform(1, 1.1), pause)  # noqa: S311
        return pause if pause <= LONGEST_PAUSE and pause < self._clock.left() else None

    def _once(
        self, method: str, place: Place, target: str, headers: Mapping[str, str], body: bytes | None, shown: str
    ) -> Reply:
        """Return one try's answer; raises `_Failed`, and a `ConnectorUnavailable` for what no try can mend."""
        try:
            response = self._ask(method, place, target, headers, body)
            told = {name.lower(): value for name, value in response.getheaders()}
            reply = Reply(response.status, told, body_of(response, self._outgoing.body_limit), shown)
        except BaseException as error:
            self._drop(place)
            if isinstance(error, (OSError, http.client.HTTPException, Refused, CutShort, TooLarge)):
                raise self._failure(error) from None
            raise
        if response.will_close:
            self._drop(place)
        _refuse_status(reply)
        return reply

    def _ask(
        self, method: str, place: Place, target: str, headers: Mapping[str, str], body: bytes | None
    ) -> http.client.HTTPResponse:
        """Send a request and wait for its head. A connection that was closed meanwhile is made anew, for a GET."""
        connection = self._open.get(place)
        if connection is not None and method == "GET" and connection.used:
            try:
                return _asked(connection, method, target, headers, body)
            except _DROPPED:
                pass
        self._drop(place)
        connection = self._open[place] = Connection(place, self._bounds)
        return _asked(connection, method, target, headers, body)

    def _drop(self, place: Place) -> None:
        if connection := self._open.pop(place, None):
            connection.close()

    def _failure(self, error: Exception) -> _Failed:
        if isinstance(error, Refused):
            return _Failed(
                "The address of the MIS leads into a private network, so nothing was sent. Tell whoever runs this hub.",
                "private address",
                tries=1,
            )
        if isinstance(error, ssl.SSLCertVerificationError):
            return _Failed(
                "The MIS does not show a certificate that can be trusted, so nothing was sent to it. "
                "Tell whoever runs this hub.",
                f"certificate {error.verify_code}",
                tries=1,
            )
        if isinstance(error, TooLarge):
            limit = max(1, self._outgoing.body_limit // 2**20)
            return _Failed(
                f"The MIS sent an answer larger than the {limit} MB that are read. Tell whoever runs this hub.",
                "too large",
                tries=1,
            )
        if isinstance(error, OutOfTime) or (isinstance(error, TimeoutError) and self._clock.left() <= 0):
            minutes = max(1, round(self._outgoing.total_seconds / 60))
            return _Failed(
                f"The MIS took longer than the {minutes} minutes that a run may take. {_PASSES}", "deadline", tries=1
            )
        if isinstance(error, (CutShort, http.client.IncompleteRead)):
            return _Failed(f"What the MIS sent was cut short on its way. {_PASSES}", f"cut short {error}".strip())
        if isinstance(error, socket.gaierror):
            return _Failed(
                "The address of the MIS cannot be found. Tell whoever runs this hub if it goes on until tomorrow.",
                "name not found",
                tries=2,
            )
        if isinstance(error, TimeoutError):
            return _Failed(f"The MIS does not answer in time. {_PASSES}", "time-out", tries=2)
        return _Failed(f"The MIS does not answer. {_PASSES}", type(error).__name__)


def _asked(
    connection: Connection, method: str, target: str, headers: Mapping[str, str], body: bytes | None
) -> http.client.HTTPResponse:
    connection.request(method, target, body=body, headers=dict(headers))
    response = connection.getresponse()
    connection.used = True
    return response


def _where(url: str, loopback: bool) -> tuple[Place, str, str]:
    """Return the place, the path and what may be shown of an address; raises `ConnectorUnavailable`."""
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").encode("idna").decode() if not _is_ascii(parts.hostname) else parts.hostname or ""
        port = parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError:
        raise _not_allowed("not an address") from None
    plain = parts.scheme == "http" and loopback and is_loopback(host)
    if not host or parts.username is not None or not (parts.scheme == "https" or plain):
        raise _not_allowed(f"{parts.scheme[:10]} to {host[:100]}")
    if any(not letter.isprintable() or letter == " " for letter in url):
        raise _not_allowed(f"blanks in the address at {host[:100]}")
    path = quote(parts.path, safe=_SAFE_IN_PATH) or "/"
    return Place(parts.scheme, host, port), path, f"{parts.scheme}://{parts.netloc}{path}"


def _is_ascii(host: str | None) -> bool:
    return (host or "").isascii()


def _not_allowed(detail: str) -> ConnectorUnavailable:
    return ConnectorUnavailable(
        "The address of the MIS is not one that may be asked: only https is. Tell whoever runs this hub.", detail=detail
    )


def _headers(given: Mapping[str, str], auth: tuple[str, str] | None, form: Mapping[str, str] | None) -> dict[str, str]:
    """Return what is sent; raises `ConnectorConfigError` for what no header can hold, without repeating it."""
    sent = {"Accept": "application/json", "Accept-Encoding": "gzip", "User-Agent": "Schoolgate"}
    sent |= {name.title(): value for name, value in given.items()}
    if auth is not None:
        sent["Authorization"] = "Basic " + base64.b64encode(f"{auth[0]}:{auth[1]}".encode()).decode()
    if form is not None:
        sent["Content-Type"] = "application/x-www-form-urlencoded"
    if not all(value.isascii() and value.isprintable() for value in sent.values()):
        raise ConnectorConfigError(
            "What was typed in for the MIS has letters or line breaks that cannot be sent: type it in again.",
            detail="header",
        )
    return sent


def _refuse_status(reply: Reply) -> None:
    """Raises `_Failed` for an answer that is none."""
    status = reply.status
    if status == http.client.TOO_MANY_REQUESTS:
        raise _Failed(
            f"The MIS asks us to wait: too much was asked of it at once. {_PASSES}",
            "429",
            retry_after=_retry_after(reply),
        )
    if status >= 500:
        raise _Failed(
            f"The MIS says that something is wrong on its side ({status}). {_PASSES}",
            str(status),
            retry_after=_retry_after(reply),
        )
    if 300 <= status < 400:
        raise _Failed(
            "The MIS points to another address, and that is not followed. Tell whoever runs this hub: its address "
            "may have changed.",
            f"redirect {status}",
            tries=1,
        )


def _retry_after(reply: Reply) -> float | None:
    """Return the seconds of `Retry-After`, which may be a date; None where it says nothing that can be read."""
    said = reply.header("Retry-After").strip()
    if not said:
        return None
    if said.isascii() and said.isdigit():
        return min(float(said[:9]), LONGEST_RETRY_AFTER)
    try:
        seconds = parsedate_to_datetime(said).timestamp() - time.time()
    except (ValueError, OverflowError, OSError):
        return None
    return min(max(seconds, 0.0), LONGEST_RETRY_AFTER)
