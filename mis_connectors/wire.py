"""How requests reaches an MIS: every address checked as it is connected to, every read bounded by the run's deadline.

The sockets are our own because urllib3's time-out is for each read: a server that drips a byte a second would never
meet it. What a failure means for a run is `http`'s business.
"""

from __future__ import annotations

import ipaddress
import logging
import socket
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from typing import Any, cast

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection

from mis_connectors.lookup import Address, NotInTime, addresses_of

_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_OF_CLOUDS = (ipaddress.ip_network("192.0.0.0/24"), ipaddress.ip_network("168.63.129.16/32"))
"""Where clouds answer their own machines, though Python takes these for public."""
for _name in ("connection", "connectionpool", "response", "util.retry"):  # they repeat queries and headers
    logging.getLogger(f"urllib3.{_name}").addFilter(lambda record: False)


class Refused(Exception):
    """The address is not one that may be connected to."""


@dataclass(slots=True)
class Bounds:
    """What the connections of one run may do, and what is left of its time, which begins with the first one."""

    total_seconds: float
    connect_seconds: float
    read_seconds: float
    loopback: bool
    ends: float | None = None

    def left(self) -> float:
        """Return the seconds that all requests together may still take."""
        self.ends = time.monotonic() + self.total_seconds if self.ends is None else self.ends
        return self.ends - time.monotonic()

    def wait(self, at_most: float) -> float:
        """Return how long to wait for something; raises `TimeoutError`."""
        left = self.left()
        if left <= 0:
            raise TimeoutError
        return min(at_most, left)


class _Bounded:
    """Gives every single read what is left of the time."""

    bounds: Bounds | None = None
    settimeout: Callable[[float | None], None]

    def recv_into(self, *given: Any, **named: Any) -> int:
        if self.bounds is not None:
            self.settimeout(self.bounds.wait(self.bounds.read_seconds))
        return int(super().recv_into(*given, **named))  # type: ignore[misc]


class _PlainSocket(_Bounded, socket.socket):
    pass


class _SecureSocket(_Bounded, ssl.SSLSocket):
    pass


class _Checked:
    """A connection of urllib3 that connects to the very addresses that were checked: no name is asked for twice."""

    secure = False

    def __init__(self, bounds: Bounds, *given: Any, **named: Any) -> None:
        self._bounds = bounds
        super().__init__(*given, **named)

    def _new_conn(self: Any) -> socket.socket:
        """Raises `Refused`, and `OSError` as `socket` does."""
        if self.proxy is None:
            return _dial(addresses(self._dns_host, self.port, self._bounds, self.secure), self._bounds)
        try:
            addresses(self._tunnel_host, self._tunnel_port, self._bounds, self.secure)
        except (socket.gaierror, NotInTime):
            pass  # a name that only the proxy knows is the proxy's to judge
        return _dial(_found(self._dns_host, self.port, self._bounds), self._bounds)


class _Plain(_Checked, HTTPConnection):
    pass


class _Secure(_Checked, HTTPSConnection):
    secure = True

    def __init__(self, bounds: Bounds, *given: Any, **named: Any) -> None:
        super().__init__(bounds, *given, **{**named, "ssl_context": trusting()})

    def connect(self) -> None:
        super().connect()
        cast(_SecureSocket, self.sock).bounds = self._bounds


class Adapter(HTTPAdapter):
    """Lets requests connect within `Bounds` only, through its proxy as well as without."""

    def __init__(self, bounds: Bounds) -> None:
        self._bounds = bounds
        super().__init__()

    def get_connection_with_tls_context(self, *given: Any, **named: Any) -> Any:
        """Return the pool of a place, which makes connections of ours."""
        pool: Any = super().get_connection_with_tls_context(*given, **named)
        pool.ConnectionCls = partial(_Secure if pool.scheme == "https" else _Plain, self._bounds)
        return pool


@cache
def trusting() -> ssl.SSLContext:
    """Return who is trusted: this machine's authorities (or those of `SSL_CERT_FILE`); requests adds certifi's."""
    context = ssl.create_default_context()
    context.sslsocket_class = _SecureSocket
    return context


def addresses(host: str, port: int, bounds: Bounds, secure: bool) -> list[Address]:
    """Return where a name leads; raises `Refused` if only one of it is not allowed, else as `addresses_of`."""
    found = _found(host, port, bounds)
    for _, address in found:
        ip = ipaddress.ip_address(str(address[0]).partition("%")[0])
        if not ((bounds.loopback and ip.is_loopback) or (secure and is_public(ip))):
            raise Refused
    return found


def _found(host: str, port: int, bounds: Bounds) -> list[Address]:
    return addresses_of(host, port, seconds=bounds.wait(bounds.connect_seconds))


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


def _dial(places: list[Address], bounds: Bounds) -> socket.socket:
    """Connect to the first of the addresses that answers."""
    failed: OSError = OSError("no address")
    for family, address in places:
        sock = _PlainSocket(family, socket.SOCK_STREAM)
        try:
            sock.settimeout(bounds.wait(bounds.connect_seconds))
            sock.connect(address)
        except OSError as error:
            sock.close()
            failed = error
            continue
        sock.bounds = bounds
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return sock
    raise failed
