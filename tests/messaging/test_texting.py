"""Texts: what a gateway answers over real HTTP, and what that means for the notice."""

from __future__ import annotations

import datetime as dt
import json
import socket
import socketserver
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from hub.messaging import texting
from hub.messaging.channels import Receipt, Refused, Unanswered
from hub.messaging.texting import Texting
from hub.settings.environment import SettingError, address


class Gateway(socketserver.ThreadingTCPServer):
    """Keeps what it is asked and answers with these very bytes."""

    allow_reuse_address = True
    daemon_threads = True
    answer = b""
    pieces: list[bytes]

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Request)
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.pieces = []


class Request(socketserver.StreamRequestHandler):
    server: Gateway

    def handle(self) -> None:
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += self.rfile.readline()
        length = int(next(line.split(b":")[1] for line in head.split(b"\r\n") if line.startswith(b"Content-Length")))
        self.server.asked.append((head.decode(), json.loads(self.rfile.read(length))))
        for piece in self.server.pieces or [self.server.answer]:
            try:
                self.wfile.write(piece)
            except OSError:
                return
            time.sleep(0.05 if self.server.pieces else 0)


def answer(status: str, body: str = "", **headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n" + body).encode()


@pytest.fixture
def gateway(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Gateway]:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setattr(texting, "TIMEOUTS", (1.0, 1.0))
    with Gateway() as made:
        settings.TEXT_URL = f"http://127.0.0.1:{made.server_address[1]}/texts"
        settings.TEXT_KEY, settings.TEXT_SENDER = "a-key", "Schoolgate"
        threading.Thread(target=made.serve_forever, args=(0.05,), daemon=True).start()
        yield made
        made.shutdown()


def deliver() -> Receipt:
    return Texting().deliver(to="+447700900123", subject="", body="482 913 is your code.", reference="r1")


def test_a_text_is_handed_over_as_agreed(gateway: Gateway) -> None:
    gateway.answer = answer("202 Accepted", '{"id": "t-7"}')
    assert deliver().id == "t-7"
    [(head, asked)] = gateway.asked
    assert head.startswith("POST /texts HTTP/1.1")
    assert "Authorization: Bearer a-key" in head
    assert asked == {
        "to": "+447700900123",
        "from": "Schoolgate",
        "text": "482 913 is your code.",
        "reference": "r1",
    }


@pytest.mark.parametrize(
    ("given", "again", "about_address"),
    [
        (answer("429 Too Many Requests"), True, False),
        (answer("503 Service Unavailable"), True, False),
        (answer("401 Unauthorized", '{"error": "wrong_key"}'), True, False),
        (answer("302 Found", Location="https://elsewhere.example.org/"), True, False),
        (answer("422 Unprocessable", '{"error": "invalid_number"}'), False, True),
        (answer("422 Unprocessable", '{"error": "too_long"}'), False, False),
        (answer("400 Bad Request", "<html>"), False, False),
        (answer("400 Bad Request", '{"error": ["invalid_number"]}'), False, False),
    ],
)
def test_what_the_gateway_refuses(gateway: Gateway, given: bytes, again: bool, about_address: bool) -> None:
    gateway.answer = given
    with pytest.raises(Refused) as refused:
        deliver()
    assert (refused.value.again, refused.value.about_address) == (again, about_address)
    assert len(gateway.asked) == 1


@pytest.mark.parametrize(
    ("header", "seconds"), [("30", 30), ("0", 0), ("soon", None), ("99999999999", None), ("99999999", 86_400)]
)
def test_retry_after_is_heard_where_it_makes_sense(gateway: Gateway, header: str, seconds: int | None) -> None:
    gateway.answer = answer("429 Too Many Requests", Retry_After=header)
    with pytest.raises(Refused) as refused:
        deliver()
    assert refused.value.after == (None if seconds is None else dt.timedelta(seconds=seconds))


@pytest.mark.parametrize(
    "given",
    [
        answer("500 Internal Server Error"),
        answer("502 Bad Gateway", "<html>"),
        answer("202 Accepted", "<html>ok"),
        answer("202 Accepted", '{"id": 7}'),
        answer("202 Accepted", "[]"),
        answer("202 Accepted", "x" * 100_000),
        answer("200 OK", '{"id": "t-7"}'),
        b"HTTP/1.1 202 Accepted\r\nContent-Length: 500\r\n\r\n{",
        b"not http at all\r\n\r\n",
        b"",
    ],
)
def test_what_nobody_understands_may_have_been_sent(gateway: Gateway, given: bytes) -> None:
    gateway.answer = given
    with pytest.raises(Unanswered):
        deliver()


def test_a_gateway_that_hangs_may_have_sent_it(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    done = threading.Event()
    monkeypatch.setattr(Request, "handle", lambda self: done.wait(10))
    try:
        with pytest.raises(Unanswered):
            deliver()
    finally:
        done.set()


def test_a_gateway_that_is_not_there_has_not(settings: Any) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # nobody listens here
        settings.TEXT_URL = f"http://127.0.0.1:{taken.getsockname()[1]}/texts"
        with pytest.raises(Refused) as refused:
            deliver()
    assert refused.value.again


def test_without_a_gateway_texts_are_not_offered(settings: Any) -> None:
    settings.TEXT_URL = ""
    assert not Texting().available()
    with pytest.raises(Refused, match="not set up"):
        deliver()


@pytest.mark.parametrize("given", ["http://gateway.example.org/", "gateway.example.org", "https://", "ftp://x/"])
def test_a_key_never_travels_in_the_clear(given: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCHOOLGATE_TEXT_URL", given)
    with pytest.raises(SettingError, match="https://"):
        address("SCHOOLGATE_TEXT_URL")


HEAD = b"HTTP/1.1 202 Accepted\r\n"


@pytest.mark.parametrize(
    "slow",
    [
        HEAD + b"X-Slow: " + b"x" * 400,
        HEAD + b"Content-Length: 400\r\n\r\n" + b"x" * 400,
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n190\r\n" + b"x" * 400,
    ],
)
def test_a_gateway_that_answers_byte_by_byte_holds_nobody_for_long(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch, slow: bytes
) -> None:
    monkeypatch.setattr(texting, "ANSWER_WITHIN", 0.5)
    gateway.pieces = [slow[at : at + 1] for at in range(len(slow))]  # twenty seconds and more
    begun = time.monotonic()
    with pytest.raises(Unanswered):
        deliver()
    assert time.monotonic() - begun < 5
