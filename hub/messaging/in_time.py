"""A session of HTTP that ends in time: whoever answers byte by byte is hung up on, as no time-out of a socket does."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool


@contextmanager
def session(seconds: float) -> Iterator[requests.Session]:
    """Yield a session whose conversations break off after so many seconds, whatever is being read then."""
    adapter = _Adapter()
    alarm = threading.Timer(seconds, adapter.hang_up)
    alarm.daemon = True
    alarm.start()
    try:
        with requests.Session() as made:
            for scheme in ("https://", "http://"):
                made.mount(scheme, adapter)
            yield made
    finally:
        alarm.cancel()


class _Adapter(HTTPAdapter):
    """Knows the sockets of its connections, those through a proxy too."""

    def __init__(self) -> None:
        self._opened: list[socket.socket] = []
        self._pools = _pools(self._opened)
        super().__init__()

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = self._pools

    def proxy_manager_for(self, *args: Any, **kwargs: Any) -> Any:
        manager = super().proxy_manager_for(*args, **kwargs)
        manager.pool_classes_by_scheme = self._pools
        return manager

    def hang_up(self) -> None:
        """End every conversation: what is being read ends there."""
        for one in self._opened:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)


def _pools(opened: list[socket.socket]) -> dict[str, Any]:
    class Plain(HTTPConnection):
        def connect(self) -> None:
            super().connect()
            opened.append(self.sock)

    class OverTls(HTTPSConnection):
        def connect(self) -> None:
            super().connect()
            opened.append(self.sock)

    plain = type("PlainPool", (HTTPConnectionPool,), {"ConnectionCls": Plain})
    return {"http": plain, "https": type("TlsPool", (HTTPSConnectionPool,), {"ConnectionCls": OverTls})}
