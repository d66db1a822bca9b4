"""One connection to an MIS: every address checked as it is connected to, every wait bounded by the run's deadline.

Python's own http.client, so that no proxy, password or cookie comes in from the environment unasked, nothing is
followed, and nothing is logged. What a failure means for a run is `http`'s business.
"""

from __future__ import annotations

import base64
import http.client
import ipaddress
import socket
import ssl
import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, cast
from urllib.parse import unquote, urlsplit

import certifi

CHUNK = 64 * 1024
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_OF_CLOUDS = (ipaddress.ip_network("192.0.0.0/24"), ipaddress.ip_network("168.63.129.16/32"))
"""Where clouds answer their own machines, though Python takes these for public."""
_GZIP = 31
"""zlib's name for "with the header of gzip"."""


class Refused(Exception):
    """The address is not one that may be connected to."""


class CutShort(Exception):
    """The answer ended before its end."""


class TooLarge(Exception):
    """The answer is larger than the cap."""


class OutOfTime(TimeoutError):
    """The run's deadline has passed, not only the wait for one answer."""


class Clock:
    """What is left of the time that all requests together may take; it runs from the first one on."""

    def __init__(self, total: float, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._total = total
        self._now = monotonic
        self._ends: float | None = None

    def left(self) -> float:
        if self._ends is None:
            self._ends = self._now() + self._total
        return self._ends - self._now()

    def wait(self, at_most: float) -> float:
        """Return how long to wait for something; raises `OutOfTime`."""
        left = self.left()
        if left <= 0:
            raise OutOfTime
        return min(at_most, left)


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a connection may do."""

    clock: Clock
    connect_seconds: float
    read_seconds: float
    loopback: bool
    proxy: str = ""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a connection leads: connections are kept and used again by this."""

    scheme: str
    host: str
    port: int


class _Bounded:
    """Gives every single read and write what is left of the time: a server that drips bytes gains nothing by it."""

    bounds: Bounds | None = None
    settimeout: Callable[[float | None], None]

    def _wait(self) -> None:
        if self.bounds is not None:
            self.settimeout(self.bounds.clock.wait(self.bounds.read_seconds))

    def recv_into(self, *given: Any, **named: Any) -> int:
        self._wait()
        return int(super().recv_into(*given, **named))  # type: ignore[misc]

    def send(self, *given: Any, **named: Any) -> int:
        self._wait()
        return int(super().send(*given, **named))  # type: ignore[misc]

    def sendall(self, *given: Any, **named: Any) -> None:
        self._wait()
        super().sendall(*given, **named)  # type: ignore[misc]


class _Plain(_Bounded, socket.socket):
    pass


class _Secure(_Bounded, ssl.SSLSocket):
    pass


class Connection(http.client.HTTPConnection):
    """A connection that is made within `Bounds`, over TLS but for plain http to this machine."""

    def __init__(self, place: Place, bounds: Bounds) -> None:
        super().__init__(place.host, place.port)
        self._place = place
        self._bounds = bounds
        self.used = False
        """Whether it has answered already: its server may have closed it since."""

    def connect(self) -> None:
        """Raises `Refused`, and `OSError` as `socket` and `ssl` do."""
        if self._bounds.proxy and not is_loopback(self._place.host):
            sock = self._through_proxy()
        else:
            sock = _dial(addresses(self._place, self._bounds), self._bounds)
        try:
            if self._place.scheme == "https":
                sock.settimeout(self._bounds.clock.wait(self._bounds.connect_seconds))
                secure = trusting().wrap_socket(sock, server_hostname=self._place.host.rstrip("."))
                cast(_Secure, secure).bounds = self._bounds
                self.sock = secure
            else:
                self.sock = sock
        except BaseException:
            sock.close()
            raise

    def _through_proxy(self) -> socket.socket:
        """Return a tunnel through the operator's proxy, which may well stand on a private address.

        Names that can be resolved here are checked all the same; the others are the proxy's to judge.
        """
        try:
            addresses(self._place, self._bounds)
        except socket.gaierror:
            pass
        proxy = urlsplit(self._bounds.proxy)
        found = socket.getaddrinfo(proxy.hostname or "", proxy.port or 3128, type=socket.SOCK_STREAM)
        sock = _dial([(family, address) for family, _, _, _, address in found], self._bounds)
        try:
            _ask_tunnel(sock, self._place, proxy.username, proxy.password)
        except BaseException:
            sock.close()
            raise
        return sock


Address = tuple[int, Any]
"""The family and what `socket.connect` takes."""


def addresses(place: Place, bounds: Bounds) -> list[Address]:
    """Return where a name leads; raises `Refused` if only one of it is not allowed, `socket.gaierror` for none."""
    found = socket.getaddrinfo(place.host, place.port, type=socket.SOCK_STREAM)
    for _, _, _, _, address in found:
        ip = ipaddress.ip_address(str(address[0]).partition("%")[0])
        here = bounds.loopback and ip.is_loopback
        if not (here or (place.scheme == "https" and is_public(ip))):
            raise Refused
    return [(family, address) for family, _, _, _, address in found]


def is_public(ip: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    """Return whether an address is one of the public Internet, also of the IPv4 address within an IPv6 one."""
    if isinstance(ip, ipaddress.IPv6Address):
        within = ip.ipv4_mapped or ip.sixtofour
        if within is None and ip in _NAT64:
            within = ipaddress.IPv4Address(ip.packed[-4:])
        if within is not None:
            return is_public(within)
        if ip.is_site_local:
            return False
    if any(ip in network for network in _OF_CLOUDS):
        return False
    return ip.is_global and not (ip.is_multicast or ip.is_reserved or ip.is_unspecified or ip.is_loopback)


def is_loopback(host: str) -> bool:
    """Return whether a host is written as this machine."""
    if host.rstrip(".").casefold() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _dial(places: list[Address], bounds: Bounds) -> _Plain:
    """Connect to the first of the addresses that answers: the very ones that were checked, no name is asked again."""
    failed: OSError = OSError("no address")
    for family, address in places:
        sock = _Plain(family, socket.SOCK_STREAM)
        sock.settimeout(bounds.clock.wait(bounds.connect_seconds))
        try:
            sock.connect(address)
        except OSError as error:
            sock.close()
            failed = error
            continue
        sock.bounds = bounds
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return sock
    raise failed


def _ask_tunnel(sock: socket.socket, place: Place, user: str | None, password: str | None) -> None:
    host = f"[{place.host}]" if ":" in place.host else place.host
    lines = [f"CONNECT {host}:{place.port} HTTP/1.1", f"Host: {host}:{place.port}"]
    if user is not None:
        pair = f"{unquote(user)}:{unquote(password or '')}".encode()
        lines.append(f"Proxy-Authorization: Basic {base64.b64encode(pair).decode()}")
    sock.sendall("\r\n".join([*lines, "", ""]).encode())
    answer = http.client.HTTPResponse(sock, method="CONNECT")
    answer.begin()
    answer.close()
    if answer.status != http.client.OK:
        raise OSError(f"the proxy answered {answer.status}")


@cache
def trusting() -> ssl.SSLContext:
    """Return who is trusted: the well-known authorities, and this machine's own (or those of `SSL_CERT_FILE`)."""
    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())
    context.sslsocket_class = _Secure
    return context


def body_of(response: http.client.HTTPResponse, limit: int) -> bytes:
    """Return the whole body, unpacked; raises `CutShort` and `TooLarge`, before more than the cap is in memory."""
    packed = response.getheader("Content-Encoding", "identity").strip().lower()
    if packed not in ("identity", "gzip", ""):
        raise CutShort(f"packed as {packed[:20]}")
    body, taken = bytearray(), 0
    unpack = _Unpack(limit) if packed == "gzip" else None
    while data := _read(response):
        taken += len(data)
        body += unpack(data) if unpack else data
        if max(len(body), taken) > limit:
            raise TooLarge
    if response.length or (unpack and not unpack.whole and taken):
        raise CutShort
    if not taken and response.getheader("Content-Length") is None and not response.chunked:
        raise CutShort("within its head")
    return bytes(body)


def _read(response: http.client.HTTPResponse) -> bytes:
    try:
        return response.read(CHUNK)
    except (http.client.HTTPException, ValueError) as error:
        raise CutShort(type(error).__name__) from None


class _Unpack:
    """gzip, and never more of it than the cap allows: a bomb is small on the wire."""

    def __init__(self, limit: int) -> None:
        self._left = limit + 1
        self._zlib = zlib.decompressobj(_GZIP)

    @property
    def whole(self) -> bool:
        return self._zlib.eof

    def __call__(self, data: bytes) -> bytes:
        if self._left <= 0:
            raise TooLarge
        try:
            unpacked = self._zlib.decompress(data, self._left)
        except zlib.error:
            raise CutShort("gzip") from None
        self._left -= len(unpacked)
        return unpacked
