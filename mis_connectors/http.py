"""The one way out to an MIS: https, bounded in time, size and number of tries, never to a private address.

`imports` makes one `Http` per run with the operator's `Outgoing`; connectors are handed it and use nothing else.
No message, detail or log line of it holds a query, a header or a body.
"""

from __future__ import annotations

import gzip
import http.client
import io
import json
import random
import socket
import ssl
import time
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from http.cookiejar import DefaultCookiePolicy
from typing import Any
from urllib.parse import urlsplit

import requests
from urllib3.exceptions import HTTPError, InvalidHeader, ProtocolError
from urllib3.util import Retry

from mis_connectors.errors import ConnectorConfigError, ConnectorError, ConnectorUnavailable, SnapshotFormatError
from mis_connectors.lookup import NotInTime
from mis_connectors.wire import Adapter, Bounds, Refused, is_loopback

FIRST_PAUSE = 0.5
LONGEST_PAUSE = 60.0
"""An MIS that asks for more is left alone, and the run is tried again later."""
LONGEST_RETRY_AFTER = 6 * 3600.0
_CHUNK = 64 * 1024
_OPERATOR = "Tell whoever runs this hub."
_PASSES = (
    "Nothing was changed. This mostly passes by itself: if it goes on until tomorrow, ask the support of the MIS "
    "whether something is wrong there."
)
_FAILURES = (OSError, HTTPError, http.client.HTTPException, Refused)
"""What may come out of requests; all of its own are an OSError."""
_DROPPED = (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError)


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
    """One try that came to nothing, and how many are enough where this is what goes wrong."""

    def __init__(
        self, sentence: str, why: str, *, tries: int = 99, retry_after: float | None = None, address: bool = False
    ) -> None:
        super().__init__(why)
        self.sentence, self.why, self.tries, self.retry_after, self.address = sentence, why, tries, retry_after, address


class Http:
    """Sends requests under `Outgoing`; not for several threads."""

    def __init__(self, outgoing: Outgoing | None = None, *, sleep: Callable[[float], None] = time.sleep) -> None:
        self._outgoing = given = outgoing or Outgoing()
        self._sleep = sleep
        self._bounds = Bounds(given.total_seconds, given.connect_seconds, given.read_seconds, given.loopback)
        self._session = _session(self._bounds)
        self._kept = False
        """Whether a connection is open that has answered already: its server may have closed it since."""

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
        return self._send(self._prepared("GET", url, headers, auth, params=params), self._outgoing.attempts)

    def post(
        self,
        url: str,
        *,
        form: Mapping[str, str],
        headers: Mapping[str, str] | None = None,
        auth: tuple[str, str] | None = None,
    ) -> Reply:
        """Send a form, once: what it changes is not asked for twice. Returns and raises as `get`."""
        prepared = self._prepared("POST", url, headers, auth, data=form)
        self.close()  # not over a connection that may have been closed meanwhile
        return self._send(prepared, 1)

    def close(self) -> None:
        """Let go of the connections."""
        self._session.close()
        self._kept = False

    def __enter__(self) -> Http:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def _prepared(
        self, method: str, url: str, headers: Mapping[str, str] | None, auth: tuple[str, str] | None, **more: Any
    ) -> requests.PreparedRequest:
        if not all(value.isascii() and value.isprintable() for value in (headers or {}).values()):
            raise ConnectorConfigError(
                "What was typed in for the MIS has letters or line breaks that cannot be sent: type it in again.",
                detail="header",
            )
        pair = auth and (auth[0].encode(), auth[1].encode())
        try:
            prepared = self._session.prepare_request(requests.Request(method, url, headers, auth=pair, **more))
            allowed = all(_allowed(written, self._outgoing.loopback) for written in (url, prepared.url or ""))
        except ValueError:  # as all of requests' own about addresses are
            allowed = False
        if not allowed:
            raise ConnectorUnavailable(
                f"The address of the MIS is not one that may be asked: only https is. {_OPERATOR}",
                detail="address not allowed",
                address=True,
            )
        return prepared

    def _send(self, request: requests.PreparedRequest, attempts: int) -> Reply:
        for attempt in range(1, attempts + 1):
            try:
                return self._once(request)
            except _Failed as failed:
                self.close()  # the next try begins anew: this connection may be about to end
                detail = f"{request.method} {_shown(request)}: {failed.why}, try {attempt}"
                pause = self._pause(attempt, failed.retry_after)
                if attempt >= min(attempts, failed.tries) or pause is None:
                    raise ConnectorUnavailable(
                        failed.sentence, detail=detail, retry_after=failed.retry_after, address=failed.address
                    ) from None
                self._sleep(pause)
        raise AssertionError("at least one try is made")

    def _pause(self, attempt: int, asked: float | None) -> float | None:
        """Return how long to wait before the next try, with jitter; None where it would take too long."""
        pause = FIRST_PAUSE * 2 ** (attempt - 1) * random.uniform(0.5, 1.5)  # noqa: S311 - no secret
        pause = min(pause, LONGEST_PAUSE / 2)
        if asked is not None:
            pause = max(asked * random.uniform(1, 1.1), pause)  # noqa: S311
        return pause if pause <= LONGEST_PAUSE and pause < self._bounds.left() else None

    def _once(self, request: requests.PreparedRequest) -> Reply:
        """Return one try's answer. A connection that was closed meanwhile is made anew. Raises `_Failed`."""
        try:
            return self._asked(request)
        except _FAILURES as error:
            was_kept, chain = self._kept, list(_chain(error))
            self.close()
        if was_kept and any(isinstance(error, _DROPPED) for error in chain):
            return self._once(request)
        raise self._failure(chain)  # out here, so that no error of requests is its context: they repeat the query

    def _asked(self, request: requests.PreparedRequest) -> Reply:
        given, wait = self._outgoing, self._bounds.wait
        proxied = given.proxy and not is_loopback(urlsplit(request.url or "").hostname or "")
        with self._session.send(
            request,
            stream=True,
            allow_redirects=False,
            timeout=(wait(given.connect_seconds), wait(given.read_seconds)),
            proxies={"https": given.proxy} if proxied else {},
        ) as answer:
            body = _body_of(answer, given.body_limit)
        self._kept = True
        _refuse_status(answer)
        headers = {name.lower(): value for name, value in answer.headers.items()}
        return Reply(answer.status_code, headers, body, _shown(request))

    def _failure(self, chain: list[BaseException]) -> _Failed:
        """Return what is said of an error and what led to it."""

        def found(kind: type[BaseException]) -> bool:
            return any(isinstance(error, kind) for error in chain)

        if found(Refused):
            where = "The address of the MIS leads into a private network, so nothing was sent."
            return _Failed(f"{where} {_OPERATOR}", "private address", tries=1, address=True)
        if found(ssl.SSLCertVerificationError):
            shown = "The MIS does not show a certificate that can be trusted, so nothing was sent to it."
            return _Failed(f"{shown} {_OPERATOR}", "certificate", tries=1, address=True)
        if found(TimeoutError) and self._bounds.left() <= 0:
            minutes = max(1, round(self._outgoing.total_seconds / 60))
            limit = "the minute" if minutes == 1 else f"the {minutes} minutes"
            sentence = f"The MIS took longer than {limit} that a run may take. {_PASSES}"
            return _Failed(sentence, "deadline", tries=1)
        if found(NotInTime):
            slow = "The address of the MIS could not be looked up in time."
            sentence = f"{slow} {_OPERATOR[:-1]} if it goes on until tomorrow."
            return _Failed(sentence, "name not looked up in time", tries=2, address=True)
        if found(socket.gaierror):
            unknown = f"The address of the MIS cannot be found. {_OPERATOR[:-1]} if it goes on until tomorrow."
            return _Failed(unknown, "name not found", tries=2, address=True)
        if found(TimeoutError):
            return _Failed(f"The MIS does not answer in time. {_PASSES}", "time-out", tries=2)
        return _Failed(f"The MIS does not answer. {_PASSES}", type(chain[-1]).__name__)


class _Session(requests.Session):
    def get_redirect_target(self, resp: requests.Response) -> None:
        """Return nothing: requests reads the whole body of a redirect, even where it is not to follow it."""


def _session(bounds: Bounds) -> requests.Session:
    """Return a session that takes nothing from the environment and keeps no cookies."""
    session = _Session()
    session.trust_env = False
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    session.headers.clear()
    session.headers.update({"Accept": "application/json", "Accept-Encoding": "gzip", "User-Agent": "Schoolgate"})
    for scheme in ("https://", "http://"):
        session.mount(scheme, Adapter(bounds))
    return session


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an error and what led to it, but not what a connector was busy with when it asked."""
    while error is not None and not isinstance(error, ConnectorError):
        yield error
        error = error.__cause__ or error.__context__


def _allowed(url: str, loopback: bool) -> bool:
    """Return whether an address may be asked; raises `ValueError` for what is none."""
    parts = urlsplit(url)
    plain = parts.scheme == "http" and loopback and is_loopback(parts.hostname or "")
    whole = parts.hostname and parts.port != 0 and "@" not in parts.netloc and url.isprintable() and " " not in url
    return bool(whole and (parts.scheme == "https" or plain))


def _shown(request: requests.PreparedRequest) -> str:
    return urlsplit(request.url or "")._replace(query="", fragment="").geturl()


def _body_of(answer: requests.Response, limit: int) -> bytes:
    """Return the whole body, unpacked, and never more than the cap in memory; raises `_Failed`."""
    packed = answer.headers.get("Content-Encoding", "").strip().lower()
    try:
        if packed not in ("", "identity", "gzip"):
            raise ProtocolError
        body = _within(limit, answer.raw.stream(_CHUNK, decode_content=False))
        if packed == "gzip" and body:  # urllib3 unpacks too, but takes half of a file for the whole
            with gzip.GzipFile(fileobj=io.BytesIO(body)) as file:
                body = _within(limit, iter(lambda: file.read(_CHUNK), b""))
        if not body and "Content-Length" not in answer.headers and "Transfer-Encoding" not in answer.headers:
            raise EOFError
    except (ProtocolError, gzip.BadGzipFile, EOFError, zlib.error) as error:
        sentence = f"What the MIS sent was cut short on its way. {_PASSES}"
        raise _Failed(sentence, f"cut short {type(error).__name__}") from None
    return body


def _within(limit: int, pieces: Iterator[bytes]) -> bytes:
    whole = bytearray()
    for piece in pieces:
        whole += piece
        if len(whole) > limit:
            sentence = f"The MIS sent an answer larger than the {max(1, limit // 2**20)} MB that are read. {_OPERATOR}"
            raise _Failed(sentence, "too large", tries=1)
    return bytes(whole)


def _refuse_status(answer: requests.Response) -> None:
    """Raises `_Failed` for an answer that is none."""
    status = answer.status_code
    if 300 <= status < 400:
        sentence = "The MIS points to another address, and that is not followed."
        sentence = f"{sentence} {_OPERATOR[:-1]}: its address may have changed."
        raise _Failed(sentence, f"redirect {status}", tries=1, address=True)
    if status == http.client.TOO_MANY_REQUESTS or status >= 500:
        says = f"says that something is wrong on its side ({status})"
        asks = "asks us to wait: too much was asked of it at once"
        sentence = f"The MIS {says if status >= 500 else asks}. {_PASSES}"
        raise _Failed(sentence, str(status), retry_after=_retry_after(answer.headers.get("Retry-After", "")))


def _retry_after(said: str) -> float | None:
    """Return the seconds of `Retry-After`, which may be a date; None where it says nothing that can be read."""
    try:
        return min(float(Retry().parse_retry_after(said)), LONGEST_RETRY_AFTER)
    except (InvalidHeader, ValueError, OverflowError):
        return None
