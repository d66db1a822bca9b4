"""The one way out to an MIS, over real sockets: where it may lead, how long it may take, how much it may be."""

from __future__ import annotations

import gzip
import ipaddress
import logging
import socket
import time
import tracemalloc
from collections.abc import Iterator
from email.utils import formatdate
from pathlib import Path
from typing import Any

import pytest

from mis_connectors import lookup, wire
from mis_connectors.errors import ConnectorConfigError, ConnectorUnavailable, SnapshotFormatError
from mis_connectors.http import Http, Outgoing, Reply
from tests.factories.wire import Act, Authority, authority, serving, whole

SECRET = "s3cr3t-never-shown"
Slept = list[float]


def http(slept: Slept | None = None, **changed: Any) -> Http:
    given = {"loopback": True, "connect_seconds": 2, "read_seconds": 2, "total_seconds": 10, **changed}
    return Http(Outgoing(**given), sleep=(slept if slept is not None else []).append)


def refused(client: Http, url: str, **given: Any) -> ConnectorUnavailable:
    with pytest.raises(ConnectorUnavailable) as caught:
        client.get(url, **given)
    return caught.value


def failure(client: Http, url: str) -> ConnectorUnavailable | None:
    try:
        client.get(url)
    except ConnectorUnavailable as error:
        return error
    return None


def names(monkeypatch: pytest.MonkeyPatch, **leads_to: list[str]) -> list[str]:
    """Let names lead where a test says; returns the names that were asked for."""
    asked: list[str] = []
    real = socket.getaddrinfo

    def getaddrinfo(host: str, port: int, *rest: Any, **named: Any) -> Any:
        key = host.replace(".", "_").replace("-", "_")
        if key not in leads_to:
            return real(host, port, *rest, **named)
        asked.append(host)
        return [entry for ip in leads_to[key] for entry in real(ip, port, *rest, **named)]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return asked


# What is asked


def test_an_answer_comes_back_whole_with_its_status_and_headers() -> None:
    with serving(whole(b'{"Page": 1}', ETag="x")) as server:
        reply = http().get(server.url("/v2/students"), params={"page": 2, "q": "a b&c"}, auth=("us€r", "p"))
    assert (reply.status, reply.json(), reply.header("etag")) == (200, {"Page": 1}, "x")
    head = server.requests[0].decode()
    assert head.startswith("GET /v2/students?page=2&q=a+b%26c HTTP/1.1\r\n")
    assert "Authorization: Basic dXPigqxyOnA=\r\n" in head
    assert reply.url == server.url("/v2/students")


@pytest.mark.parametrize("status", [201, 400, 401, 403, 404, 410])
def test_what_a_connector_judges_comes_back_at_once(status: int) -> None:
    with serving(whole(status=status)) as server:
        assert http().get(server.url()).status == status
    assert len(server.requests) == 1


def test_a_form_is_posted_once_whatever_happens() -> None:
    for answer in (whole(status=503), whole(status=429), None, _cut):
        with serving(answer) as server, pytest.raises(ConnectorUnavailable):
            http(read_seconds=0.15).post(server.url(), form={"code": "a b"})
        assert [request.partition(b"\r\n\r\n")[2] for request in server.requests] == [b"code=a+b"]


def test_one_connection_serves_many_requests_and_is_made_anew_when_it_was_closed() -> None:
    with serving(whole(), whole(), whole(Connection="close"), whole()) as server, http() as client:
        assert [client.get(server.url()).status for _ in range(4)] == [200] * 4
        assert server.connections == 2
    with serving(whole(), None, whole()) as server, http(slept := []) as client:
        assert [client.get(server.url()).status for _ in range(2)] == [200, 200]
        assert (server.connections, slept) == (2, [])


def test_cookies_are_never_sent_back() -> None:
    with serving(whole(Set_Cookie="a=1; Path=/")) as server, http() as client:
        client.get(server.url())
        client.get(server.url())
    assert b"Cookie" not in b"".join(server.requests)


# Where it may lead


@pytest.mark.parametrize(
    "url",
    [
        "http://mis.example.org/",
        "ftp://mis.example.org/",
        "file:///etc/passwd",
        "//mis.example.org/",
        "https://",
        "https://user:pass@mis.example.org/",
        "https://mis.example.org:99999/",
        "https://mis.example.org/a\r\nX: y",
        "https://[::1/",
        "http://10.0.0.1/",
        "http://localhost.example.org/",
    ],
)
@pytest.mark.parametrize("loopback", [True, False])
def test_only_https_is_asked_and_plain_http_only_of_this_machine(url: str, loopback: bool) -> None:
    error = refused(http(loopback=loopback), url)
    assert "only https" in error.message
    assert "pass" not in error.detail.replace("passwd", "")


def test_this_machine_is_asked_only_where_the_operator_allows_it() -> None:
    with serving(whole()) as server:
        assert "only https" in refused(http(loopback=False), server.url()).message
        assert "private network" in refused(http(loopback=False), server.url(scheme="https")).message
        assert http().get(server.url(host="localhost")).status == 200
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1",
        "240.0.0.1", "255.255.255.255", "192.0.0.192", "198.18.0.1", "[::1]", "[::]", "[fe80::1]", "[fc00::1]",
        "[fd00:ec2::254]", "[fec0::1]", "[ff02::1]", "[::ffff:127.0.0.1]", "[::ffff:10.0.0.1]", "[::127.0.0.1]",
        "[64:ff9b::7f00:1]", "[64:ff9b::a9fe:a9fe]", "[2002:7f00:1::]", "[2001:db8::1]", "2130706433", "0x7f000001",
        "0177.0.0.1", "127.1", "0", "localhost", "localhost.", "①②⑦.0.0.1",
    ],
)  # fmt: skip
def test_no_way_of_writing_a_private_address_is_let_through(host: str) -> None:
    error = refused(http(loopback=False), f"https://{host}:9/")
    assert any(said in error.message for said in ("private network", "cannot be found", "only https"))


@pytest.mark.parametrize(
    "address",
    [
        "https://mis.example.org\\@10.0.0.1/", "https://10.0.0.1\\.example.org/", "https://127.0.0.1%00.example.org/",
        "https://127。0。0。1/", "https://１２７.0.0.1/", "https://10.0.0.1#@mis.example.org/",
    ],
)  # fmt: skip
def test_addresses_that_readers_disagree_about_lead_nowhere(address: str) -> None:
    error = refused(http(loopback=False), address)
    assert "private network" in error.message or "only https" in error.message


def test_public_addresses_are_public() -> None:
    for written in ("8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"):
        assert wire.is_public(ipaddress.ip_address(written)), written


@pytest.mark.parametrize("leads_to", [["10.0.0.1"], ["8.8.8.8", "127.0.0.1"], ["8.8.8.8", "::ffff:169.254.169.254"]])
def test_a_name_that_leads_only_in_part_to_a_private_address_is_refused(
    monkeypatch: pytest.MonkeyPatch, leads_to: list[str]
) -> None:
    asked = names(monkeypatch, mis_example_org=leads_to)
    error = refused(http(loopback=False, attempts=4), "https://mis.example.org/x?token=" + SECRET)
    assert "private network" in error.message
    assert asked == ["mis.example.org"]
    assert SECRET not in error.message + error.detail


def test_loopback_alone_does_not_open_the_rest_of_the_network(monkeypatch: pytest.MonkeyPatch) -> None:
    names(monkeypatch, mis_example_org=["192.168.0.10"], localhost=["10.0.0.7"])
    assert "private network" in refused(http(), "https://mis.example.org/").message
    assert "private network" in refused(http(), "http://localhost:8/").message


def test_what_was_checked_is_what_is_connected_to(
    monkeypatch: pytest.MonkeyPatch, trusted: Authority
) -> None:  # fmt: skip
    """A name that leads elsewhere a moment later (rebinding) is asked for once, and judged anew for each connection."""
    leads_to = ["127.0.0.1"]
    asked = names(monkeypatch, mis_example_org=leads_to)
    with serving(whole(Connection="close"), context=trusted.context("mis.example.org")) as server, http() as client:
        assert client.get(server.url(host="mis.example.org", scheme="https")).status == 200
        assert asked == ["mis.example.org"]
        leads_to[:] = ["10.0.0.1"]
        assert "private network" in refused(client, server.url(host="mis.example.org", scheme="https")).message
    assert len(server.requests) == 1


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(status: int) -> None:
    with serving(whole()) as other, serving(whole(status=status, Location=other.url(f"/?{SECRET}"))) as server:
        error = refused(http(), server.url(), headers={"Authorization": f"Bearer {SECRET}"})
    assert "points to another address" in error.message
    assert (len(server.requests), other.requests) == (1, [])
    assert SECRET not in error.message + error.detail


def test_the_environments_proxies_passwords_and_hosts_are_not_looked_at(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login a password b\n")
    for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    monkeypatch.setenv("HOME", str(tmp_path))
    with serving(whole()) as server:
        assert http().get(server.url()).status == 200
    assert b"Authorization" not in server.requests[0]


def test_the_operators_proxy_is_asked_for_a_tunnel_and_private_names_are_refused_all_the_same(
    monkeypatch: pytest.MonkeyPatch, trusted: Authority
) -> None:
    context = trusted.context("mis.nowhere.example.org")

    def tunnel(sock: socket.socket) -> None:
        sock.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        with context.wrap_socket(sock, server_side=True) as inner:
            inner.recv(65536)
            inner.sendall(whole(b'{"through": true}'))

    names(monkeypatch, mis_example_org=["10.0.0.1"])
    with serving(tunnel) as proxy:
        client = http(loopback=False, proxy=f"http://me:p%40ss@127.0.0.1:{proxy.port}")
        monkeypatch.setattr(wire, "addresses", _unknown)
        assert client.get("https://mis.nowhere.example.org/x").json() == {"through": True}
        monkeypatch.undo()
        names(monkeypatch, mis_example_org=["10.0.0.1"])
        assert "private network" in refused(client, "https://mis.example.org/").message
    assert proxy.requests[0].startswith(b"CONNECT mis.nowhere.example.org:443 HTTP/1.")
    assert b"Proxy-Authorization: Basic bWU6cEBzcw==" in proxy.requests[0]
    with serving(whole(status=403)) as proxy:
        client = http(loopback=False, proxy=proxy.url(), attempts=1)
        monkeypatch.setattr(wire, "addresses", _unknown)
        assert refused(client, "https://mis.nowhere.example.org/x").message.startswith("The MIS does not answer.")


def _unknown(host: str, port: int, bounds: wire.Bounds, secure: bool) -> list[lookup.Address]:
    raise socket.gaierror


# Certificates


@pytest.fixture
def trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Authority]:
    made = authority(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(made.file))
    wire.trusting.cache_clear()
    yield made
    wire.trusting.cache_clear()


def test_a_certificate_of_a_trusted_authority_for_this_very_name_is_accepted(trusted: Authority) -> None:
    with serving(whole(), context=trusted.context("127.0.0.1")) as server:
        assert http().get(server.url(scheme="https")).status == 200


@pytest.mark.parametrize("wrong", ["another name", "run out", "another authority"])
def test_any_other_certificate_is_refused_before_anything_is_sent(
    trusted: Authority, tmp_path: Path, wrong: str
) -> None:
    (tmp_path / "other").mkdir()
    context = {
        "another name": lambda: trusted.context("mis.example.org"),
        "run out": lambda: trusted.context("127.0.0.1", days=-1),
        "another authority": lambda: authority(tmp_path / "other").context("127.0.0.1"),
    }[wrong]()
    with serving(whole(), context=context) as server:
        error = refused(http(), server.url(scheme="https"), headers={"Authorization": SECRET})
    assert "certificate" in error.message
    assert server.requests == []


def test_old_versions_of_tls_are_not_spoken() -> None:
    assert wire.trusting().minimum_version.name == "TLSv1_2"
    assert wire.trusting().check_hostname


# Trying again


def _cut(sock: socket.socket) -> None:
    sock.sendall(whole(b'{"Page": 1}')[:-3])


@pytest.mark.parametrize("first", [whole(status=500), whole(status=503), whole(status=429), None, _cut])
def test_a_get_is_tried_again(first: bytes | Act | None) -> None:
    with serving(first, whole(b"[1]")) as server, http(slept := []) as client:
        assert client.get(server.url()).json() == [1]
    assert len(server.requests) == 2
    assert len(slept) == 1
    assert 0.2 <= slept[0] <= 0.8


def test_the_pauses_grow_and_differ_and_the_last_failure_is_told() -> None:
    with serving(whole(status=502)) as server:
        slept: Slept = []
        error = refused(http(slept, total_seconds=100), server.url("/v2/students"), params={"token": SECRET})
        again: Slept = []
        refused(http(again, total_seconds=100), server.url())
    assert len(server.requests) == 8
    assert error.message.startswith("The MIS says that something is wrong on its side (502). Nothing was changed.")
    assert error.detail == f"GET {server.url('/v2/students')}: 502, try 4"
    assert 0.25 <= slept[0] <= 0.75 <= 1.0 <= slept[2] <= 3.0
    assert slept != again


def test_retry_after_is_kept_to_in_seconds_and_as_a_date() -> None:
    date = formatdate(time.time() + 5, usegmt=True)
    with serving(whole(status=429, Retry_After="3"), whole(status=503, Retry_After=date), whole()) as server:
        slept: Slept = []
        assert http(slept, total_seconds=100).get(server.url()).status == 200
    assert 3 <= slept[0] <= 3.3
    assert 3 <= slept[1] <= 5.5


@pytest.mark.parametrize(
    ("said", "kept"), [("600", 600), ("9" * 40, 6 * 3600), ("soon", None), ("-5", None), ("Wed, 99 Foo", None)]
)
def test_a_long_retry_after_is_for_whoever_runs_the_import(said: str, kept: float | None) -> None:
    with serving(whole(status=429, Retry_After=said)) as server:
        error = refused(http(slept := [], total_seconds=3000), server.url())
    assert error.retry_after == kept
    assert len(slept) == (0 if kept else 3)


def test_the_total_deadline_ends_the_tries() -> None:
    with serving(whole(status=429, Retry_After="20")) as server:
        error = refused(http(slept := [], total_seconds=10), server.url())
    assert (slept, error.retry_after) == ([], 20)


def test_an_answer_may_be_empty_if_it_says_so() -> None:
    for answer in (
        b"HTTP/1.1 404 No\r\ncontent-length: 0\r\n\r\n",
        b"HTTP/1.1 404 No\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ):
        with serving(answer) as server:
            assert (http().get(server.url()).body, len(server.requests)) == (b"", 1)


def test_nobody_listens_or_the_name_is_unknown() -> None:
    with serving(whole()) as server:
        pass
    assert "cannot be found" in refused(http(), f"https://{'a' * 64}.example.org/").message
    assert refused(http(), server.url()).message.startswith("The MIS does not answer.")
    assert "cannot be found" in refused(http(), "https://nowhere.invalid/").message


# Time


def hang(sock: socket.socket) -> None:
    sock.recv(1)


def drip(piece: bytes, every: float = 0.05) -> Act:
    def act(sock: socket.socket) -> None:
        try:
            while True:
                sock.sendall(piece)
                time.sleep(every)
        except OSError:
            return

    return act


def after(head: bytes, act: Act) -> Act:
    def both(sock: socket.socket) -> None:
        sock.sendall(head)
        act(sock)

    return both


def test_who_never_answers_is_waited_for_twice_and_no_longer() -> None:
    began = time.monotonic()
    with serving(hang) as server:
        error = refused(http(read_seconds=0.15), server.url())
    assert (error.message[:32], len(server.requests)) == ("The MIS does not answer in time.", 2)
    assert time.monotonic() - began < 2


@pytest.mark.parametrize(
    "act",
    [
        drip(b"H"),
        after(b"HTTP/1.1 200 OK\r\n", drip(b"A: b\r\n", 0.02)),
        after(b"HTTP/1.1 200 OK\r\nX: ", drip(b"y")),
        drip(b"HTTP/1.1 100 Continue\r\n\r\n"),
        after(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n", drip(b" ")),
        after(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", drip(b"1\r\n \r\n")),
        after(b"HTTP/1.1 200 OK\r\n\r\n", drip(b" ")),
    ],
)
def test_who_drips_bytes_gains_no_time_by_it(act: Act) -> None:
    began = time.monotonic()
    with serving(act) as server:
        error = refused(http(total_seconds=0.3), server.url())
    assert time.monotonic() - began < 1.2
    assert "longer than" in error.message or "does not answer" in error.message


def test_who_drips_bytes_over_tls_gains_none_either(trusted: Authority) -> None:
    act = after(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n", drip(b" "))
    began = time.monotonic()
    with serving(act, context=trusted.context("127.0.0.1")) as server:
        assert "longer than" in refused(http(total_seconds=0.3), server.url(scheme="https")).message
    assert time.monotonic() - began < 1.2


def test_who_drips_a_handshake_or_a_tunnel_gains_none_either() -> None:
    began = time.monotonic()
    with serving(b"") as server:
        server.serve = after(b"\x16\x03\x03\x40\x00", drip(b"\x0b"))  # type: ignore[method-assign]
        refused(http(total_seconds=0.4), server.url(scheme="https"))
    with serving(after(b"HTTP/1.1 200 OK\r\nX: ", drip(b"y"))) as proxy:
        refused(http(total_seconds=0.4, loopback=False, proxy=proxy.url()), "https://nowhere.invalid/")
    assert time.monotonic() - began < 5


def test_who_never_shakes_hands_is_left() -> None:
    began = time.monotonic()
    with serving(whole()) as server:
        listener = socket.create_server(("127.0.0.1", 0))
        port = listener.getsockname()[1]
        assert "in time" in refused(http(connect_seconds=0.3), f"https://127.0.0.1:{port}/").message
        listener.close()
    assert server.requests == []
    assert time.monotonic() - began < 2


def test_all_requests_of_a_run_share_its_time() -> None:
    def slow(sock: socket.socket) -> None:
        time.sleep(0.15)
        sock.sendall(whole(Connection="close"))

    with serving(slow) as server, http(total_seconds=0.4) as client:
        assert client.get(server.url()).status == 200
        error = next(filter(None, (failure(client, server.url()) for _ in range(10))))
    assert "longer than" in error.message
    assert len(server.requests) <= 3


# Size


def test_a_body_past_the_cap_is_not_taken_in() -> None:
    endless = after(b"HTTP/1.1 200 OK\r\n\r\n", drip(b"x" * 65536, 0))
    for answer in (endless, whole(b"x" * 2_000_000), after(whole(b"", Content_Length="9" * 15), drip(b"x" * 65536, 0))):
        with serving(answer) as server:
            tracemalloc.start()
            error = refused(http(body_limit=1 << 20), server.url())
            peak = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
        assert "larger than the 1 MB" in error.message
        assert peak < 12 << 20


@pytest.fixture(scope="module")
def bomb() -> bytes:
    return gzip.compress(b"0" * (64 << 20))


@pytest.mark.parametrize("status", [200, 302])
@pytest.mark.parametrize("times", [1, 2])
def test_a_gzip_bomb_is_not_unpacked(bomb: bytes, times: int, status: int) -> None:
    packed = "gzip" if times == 1 else "gzip, gzip"
    with serving(whole(bomb, status, Content_Encoding=packed, Location="/elsewhere")) as server:
        tracemalloc.start()
        error = refused(http(body_limit=1 << 20, attempts=1), server.url())
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert "larger than" in error.message or "cut short" in error.message
    assert peak < 8 << 20


def test_what_is_packed_is_unpacked() -> None:
    with serving(whole(gzip.compress(b'{"a": "' + b"x" * 300_000 + b'"}'), Content_Encoding="gzip")) as server:
        assert len(http().get(server.url()).json()["a"]) == 300_000
    assert b"Accept-Encoding: gzip" in server.requests[0]


@pytest.mark.parametrize(
    "answer",
    [
        whole(b'{"Page": 1}')[:-3],
        whole(b"", Content_Length="5"),
        whole(gzip.compress(b"x" * 5000)[:-9], Content_Encoding="gzip"),
        whole(b"not gzip", Content_Encoding="gzip"),
        whole(b"x", Content_Encoding="br"),
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200",
        b"SSH-2.0-OpenSSH\r\n",
        b"\xff" * 200_000,
    ],
)
def test_what_is_cut_short_or_no_http_at_all_is_no_answer(answer: bytes) -> None:
    def act(sock: socket.socket) -> None:
        sock.sendall(answer)

    with serving(act) as server:
        error = refused(http(), server.url())
    assert "cut short" in error.message or error.message.startswith("The MIS does not answer.")
    assert len(server.requests) == 4


# JSON


def test_what_is_no_json_is_said_without_repeating_it() -> None:
    page = Reply(200, {"content-type": "text/html; charset=utf-8"}, b'{"a": 1}', "https://mis.example.org/")
    broken = Reply(200, {}, b'{"a": "' + SECRET.encode(), "https://mis.example.org/")
    for reply in (page, broken, Reply(200, {}, b"[" * 200_000, ""), Reply(200, {}, b"\xff\xfe", "")):
        with pytest.raises(SnapshotFormatError) as caught:
            reply.json()
        assert SECRET not in caught.value.message + caught.value.detail
    assert Reply(200, {"Content-Type": "application/problem+json"}, b"{}", "").json() == {}


# Secrets


def _asked_with_secrets(client: Http, url: str) -> str:
    """Everything that the failures of two requests say."""
    said = ""
    bearer = {"Authorization": f"Bearer {SECRET}"}
    asking = (
        lambda: client.get(f"{url}x?key={SECRET}", params={"token": SECRET}, headers=bearer),
        lambda: client.post(url, form={"password": SECRET}, auth=("user", SECRET)),
    )
    for ask in asking:
        try:
            ask().json()
        except (ConnectorUnavailable, SnapshotFormatError) as error:
            said += f"{error!r} {error.message} {error.detail} {error.__cause__}"
    return said


def test_no_secret_is_in_any_error_or_log_not_even_when_everything_is_logged(
    caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in (None, "urllib3", "requests", "urllib3.connectionpool", "urllib3.connection", "urllib3.response"):
        caplog.set_level(logging.DEBUG, logger=name)
    said = ""
    answers: list[bytes | Act | None] = [whole(status=500, X=SECRET), whole(SECRET.encode()[:-1] + b"x"), None, _cut]
    answers += [
        whole(Transfer_Encoding="chunked"),
        b"HTTP/1.1 200 OK\r\nno header\r\n\r\n{}",
        whole(status=302, Location="/"),
    ]
    for answer in answers:
        with serving(answer) as server, http(attempts=2, read_seconds=0.2) as client:
            said += _asked_with_secrets(client, server.url()) + repr(client)
    for bad in (f"{SECRET}\r\nX: y", f"{SECRET}\n", f"{SECRET}ł"):
        with pytest.raises(ConnectorConfigError) as caught:
            http().get("https://mis.example.org/", headers={"X-Key": bad})
        said += f"{caught.value!r} {caught.value.detail} {caught.value.__context__!r}"
    out = capsys.readouterr()
    said += out.out + out.err + "".join(record.getMessage() + (record.exc_text or "") for record in caplog.records)
    assert said
    assert SECRET not in said
    assert "password" not in said
