"""Where a name leads, asked for no longer than there is time: the system's resolver knows no time-out of its own."""

from __future__ import annotations

import queue
import socket
import threading
import time
from typing import Any

Address = tuple[int, Any]
"""The family and what `socket.connect` takes."""
AT_ONCE = 64
"""Lookups that may be under way in one process, those given up included: each holds a thread until it ends."""
_free = threading.BoundedSemaphore(AT_ONCE)


class NotInTime(TimeoutError):
    """The resolver has not said where a name leads."""


def addresses_of(host: str, port: int, *, seconds: float) -> list[Address]:
    """Return where a name leads; raises `socket.gaierror` for nowhere, and `NotInTime`.

    The thread that asks is left to itself once the time is over: nothing can interrupt the resolver.
    """
    ends = time.monotonic() + seconds
    if not _free.acquire(timeout=seconds):
        raise NotInTime
    answer: queue.SimpleQueue[list[Address] | BaseException] = queue.SimpleQueue()
    try:
        threading.Thread(target=_ask, args=(host, port, answer), name="lookup", daemon=True).start()
    except RuntimeError:  # no thread can be made
        _free.release()
        raise NotInTime from None
    try:
        found = answer.get(timeout=max(0.0, ends - time.monotonic()))
    except queue.Empty:
        raise NotInTime from None
    if isinstance(found, UnicodeError):  # a name that none can have
        raise socket.gaierror
    if isinstance(found, BaseException):
        raise found
    return found


def _ask(host: str, port: int, answer: queue.SimpleQueue[list[Address] | BaseException]) -> None:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        answer.put([(family, at) for family, _, _, _, at in found])
    except BaseException as error:  # noqa: BLE001 - whoever asked judges it
        answer.put(error)
    finally:
        _free.release()
