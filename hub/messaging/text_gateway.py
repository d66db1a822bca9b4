"""A stand-in for a provider of text messages: the interface of `texting`, over real HTTP, into the local inbox.

It checks what a provider checks and answers as one would; `fault` makes it fail as they do. The demo
and the tests run it in a process of its own (`manage.py text_gateway`).
"""

from __future__ import annotations

import hmac
import json
import re
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from django.db import close_old_connections, connection
from django.utils import timezone

from hub.messaging import gsm
from hub.messaging.models import Channel, InboxMail
from hub.people import details

PATH = "/texts"
LONGEST_REQUEST = 16 * 1024
LONGEST_TEXT = 918
"""Six parts of 153: what UK providers take as one text."""
FAULTS = ("slow", "500", "429", "503", "hang", "garbage")
_SLOW, _HANG = 8.0, 600.0
_SENDER = re.compile(r"[A-Za-z0-9 ]{1,11}\Z|\+?[0-9]{3,15}\Z").match


class Gateway(ThreadingHTTPServer):
    """Answers on the loopback address until it is shut down."""

    daemon_threads = True

    def __init__(self, port: int, *, key: str, fault: str = "") -> None:
        super().__init__(("127.0.0.1", port), _Request)
        self.key, self.fault = key, fault

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say what broke, not with what: a database's words may hold a number or a text."""
        print(f"A request broke: {type(sys.exc_info()[1]).__name__}", file=sys.stderr, flush=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}{PATH}"


class _Trouble(Exception):
    """An answer that is no 202."""

    def __init__(self, status: int, error: str, **headers: str) -> None:
        super().__init__(error)
        self.status, self.error, self.headers = status, error, headers


class _Request(BaseHTTPRequestHandler):
    server: Gateway
    protocol_version = "HTTP/1.1"
    timeout = 30

    def do_POST(self) -> None:
        try:
            asked = self._read()
            _fail_before(self.server.fault)
            try:
                kept = keep(asked)
            finally:
                connection.close()
            if self._fail_after(self.server.fault):
                return
            self._answer(202, {"id": kept})
        except _Trouble as trouble:
            self._answer(trouble.status, {"error": trouble.error}, trouble.headers)

    def do_GET(self) -> None:
        self._answer(200, {"says": "POST a text here."})

    def _read(self) -> dict[str, str]:
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal() or int(length) > LONGEST_REQUEST:
            self.close_connection = True
            raise _Trouble(413, "too_long")
        body = self.rfile.read(int(length))
        if self.path != PATH:
            raise _Trouble(404, "no_such_address")
        given = self.headers.get("Authorization", "").encode()
        if not hmac.compare_digest(given, f"Bearer {self.server.key}".encode()):
            raise _Trouble(401, "wrong_key")
        return _asked(body)

    def _fail_after(self, fault: str) -> bool:
        """Go wrong with a text that was taken: never say so, or say something that nobody understands."""
        if fault == "hang":
            time.sleep(_HANG)
        elif fault == "garbage":
            self.wfile.write(b"HTTP/1.1 202 Accepted\r\nContent-Length: 9\r\n\r\n<html>ok?")
        self.close_connection = True
        return fault in ("hang", "garbage")

    def _answer(self, status: int, answer: dict[str, str], headers: dict[str, str] | None = None) -> None:
        content = json.dumps(answer).encode()
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", **(headers or {})}.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: a number or a text belongs in no log."""


def keep(asked: dict[str, str]) -> str:
    """Keep one text in the local inbox, once per reference, and return its id. Raises `_Trouble` if it is no good."""
    if details.mobile(asked["to"]).value != asked["to"]:
        raise _Trouble(422, "invalid_number")
    if not 0 < gsm.length(asked["text"]) <= (LONGEST_TEXT if gsm.is_gsm(asked["text"]) else LONGEST_TEXT // 2):
        raise _Trouble(422, "too_long")
    if not _SENDER(asked["from"]):
        raise _Trouble(422, "invalid_sender")
    if not 0 < len(asked["reference"]) <= 64:
        raise _Trouble(422, "invalid_reference")
    close_old_connections()
    kept, _ = InboxMail.objects.get_or_create(
        reference=asked["reference"],
        defaults={
            "channel": Channel.TEXT,
            "recipient": asked["to"],
            "sender": asked["from"],
            "body": asked["text"],
            "sent_at": timezone.now(),
        },
    )
    return f"text-{kept.pk}"


def _asked(body: bytes) -> dict[str, str]:
    try:
        asked = json.loads(body)
    except ValueError as error:
        raise _Trouble(400, "not_json") from error
    names = ("to", "from", "text", "reference")
    if not isinstance(asked, dict) or not all(isinstance(asked.get(name), str) for name in names):
        raise _Trouble(400, "not_as_agreed")
    return {name: asked[name] for name in names}


def _fail_before(fault: str) -> None:
    """Go wrong before the text is taken, as providers do."""
    if fault == "slow":
        time.sleep(_SLOW)
    elif fault == "500":
        raise _Trouble(500, "it_broke")
    elif fault == "429":
        raise _Trouble(429, "too_many", Retry_After="30")
    elif fault == "503":
        raise _Trouble(503, "busy")
