"""A resolver that hangs holds nobody past their time: neither one lookup, nor a run, nor the lookups after it."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from mis_connectors import lookup
from mis_connectors.errors import ConnectorUnavailable
from mis_connectors.http import Http, Outgoing
from tests.factories.wire import serving, whole


class Resolver:
    """Stands in for the system's: hangs at every name below `hangs.example.org` until it is released."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.release = threading.Event()
        self._real = socket.getaddrinfo

    def __call__(self, host: str, port: int, *rest: Any, **named: Any) -> Any:
        self.asked.append(host)
        if host.endswith("hangs.example.org"):
            self.release.wait(30)
            raise socket.gaierror(socket.EAI_AGAIN, "at last")
        return self._real(host, port, *rest, **named)


@pytest.fixture
def resolver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Resolver]:
    made = Resolver()
    monkeypatch.setattr(socket, "getaddrinfo", made)
    yield made
    made.release.set()
    for thread in threading.enumerate():  # one that ended later would let go of a place of the next test
        if thread.name == "lookup":
            thread.join(5)


def asked(**changed: Any) -> tuple[ConnectorUnavailable, float]:
    given = {"loopback": True, "connect_seconds": 0.2, "total_seconds": 10, **changed}
    began = time.monotonic()
    with pytest.raises(ConnectorUnavailable) as caught, Http(Outgoing(**given), sleep=lambda seconds: None) as client:
        client.get("https://mis.hangs.example.org/people")
    return caught.value, time.monotonic() - began


def test_a_resolver_that_hangs_is_waited_for_as_long_as_a_connection_twice(resolver: Resolver) -> None:
    error, took = asked()
    assert error.message.startswith("The address of the MIS could not be looked up in time. Tell whoever runs this hub")
    assert "name not looked up in time, try 2" in error.detail
    assert resolver.asked == ["mis.hangs.example.org"] * 2
    assert took < 3


def test_and_never_past_the_deadline_of_the_run(resolver: Resolver) -> None:
    error, took = asked(connect_seconds=60, total_seconds=0.3)
    assert "longer than" in error.message
    assert "deadline, try 1" in error.detail
    assert took < 3


def test_a_name_that_only_the_proxy_knows_is_left_to_the_proxy_though_the_resolver_hangs(resolver: Resolver) -> None:
    with serving(whole(status=403)) as proxy:
        error, _ = asked(loopback=False, proxy=proxy.url(), attempts=1)
    assert proxy.requests[0].startswith(b"CONNECT mis.hangs.example.org:443 ")
    assert error.message.startswith("The MIS does not answer.")


def test_lookups_that_were_given_up_neither_multiply_nor_stay_once_they_have_ended(
    resolver: Resolver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lookup, "_free", threading.BoundedSemaphore(2))
    for _ in range(3):
        with pytest.raises(lookup.NotInTime):
            lookup.addresses_of("one.hangs.example.org", 443, seconds=0.1)
    assert len(resolver.asked) == 2, "a third would have been a third thread that hangs"
    with pytest.raises(lookup.NotInTime):
        lookup.addresses_of("127.0.0.1", 443, seconds=0.1)
    resolver.release.set()
    assert lookup.addresses_of("127.0.0.1", 443, seconds=10) == [(socket.AF_INET, ("127.0.0.1", 443))]


def test_who_asks_is_not_kept_from_ending_by_a_thread_that_hangs(resolver: Resolver) -> None:
    with pytest.raises(lookup.NotInTime):
        lookup.addresses_of("one.hangs.example.org", 443, seconds=0.1)
    threads = [thread.daemon for thread in threading.enumerate() if thread.name == "lookup"]
    assert threads
    assert all(threads)


@pytest.mark.parametrize("host", ["nowhere.invalid", "a" * 64 + ".example.org"])
def test_a_name_that_leads_nowhere_is_said_to(host: str) -> None:
    with pytest.raises(socket.gaierror):
        lookup.addresses_of(host, 443, seconds=10)
