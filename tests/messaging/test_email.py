"""Email: what a mail server answers, over a real conversation, and what that means for the notice."""

from __future__ import annotations

import socketserver
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest

from hub.messaging import email
from hub.messaging.channels import Receipt, Refused, Unanswered
from hub.messaging.email import Email

ENDLESS = "250-"
"""An answer that goes on, line after line."""


class MailServer(socketserver.ThreadingTCPServer):
    """Speaks just enough SMTP; `says` replaces its answer to a command, "" hangs up."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Conversation)
        self.says: dict[str, str] = {}
        self.silent_at = ""
        self.mails: list[str] = []


class Conversation(socketserver.StreamRequestHandler):
    server: MailServer

    def handle(self) -> None:
        if not self.say("CONNECT", "220 hello"):
            return
        for raw in self.rfile:
            command = raw.decode().strip().split(":")[0].split(" ")[0].upper()
            if not self.say(command, {"DATA": "354 go on", "QUIT": "221 bye"}.get(command, "250 ok")):
                return
            if command == "DATA" and "DATA" not in self.server.says:
                self.server.mails.append(self.mail())
                if not self.say("END", "250 taken"):
                    return
            if command == "QUIT":
                return

    def say(self, command: str, usual: str) -> bool:
        words = self.server.says.get(command, usual)
        with suppress(OSError):
            while words == ENDLESS:
                self.wfile.write(b"250-and more\r\n")
                time.sleep(0.05)
        if words == ENDLESS:
            return False
        if command == self.server.silent_at:
            self.rfile.read()  # until the other side has had enough
            words = ""
        if words:
            self.wfile.write(f"{words}\r\n".encode())
        return bool(words)

    def mail(self) -> str:
        lines = []
        for raw in self.rfile:
            if raw == b".\r\n":
                break
            lines.append(raw.decode())
        return "".join(lines)


@pytest.fixture
def server(settings: Any) -> Iterator[MailServer]:
    with MailServer() as made:
        settings.EMAIL_BACKEND = "hub.messaging.backends.MailServerBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = made.server_address
        settings.EMAIL_USE_TLS, settings.EMAIL_TIMEOUT = False, 3
        settings.PUBLIC_URL = "https://hub.example.org"
        thread = threading.Thread(target=made.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        yield made
        made.shutdown()


def deliver(to: str = "ngozi@example.org") -> Receipt:
    return Email().deliver(to=to, subject="Your code", body="It is 482 913.\n", reference="r1")


def test_a_mail_arrives_and_says_that_nobody_needs_to_answer(server: MailServer) -> None:
    assert deliver().id == "r1"
    [mail] = server.mails
    assert "To: ngozi@example.org" in mail
    assert "Message-ID: <r1@hub.example.org>" in mail
    assert "Auto-Submitted: auto-generated" in mail
    assert "It is 482 913." in mail


@pytest.mark.parametrize(
    ("command", "words", "again", "about_address"),
    [
        ("CONNECT", "421 busy", True, False),
        ("RCPT", "450 4.2.0 mailbox busy", True, False),
        ("RCPT", "452 4.2.2 mailbox full", True, False),
        ("RCPT", "550 5.1.1 no such user", False, True),
        ("RCPT", "550 no such user", False, True),
        ("RCPT", "550 5.7.1 you look like spam", False, False),
        ("RCPT", "552 5.2.2 mailbox full", False, False),
        ("RCPT", "554 5.7.1 relay access denied", False, False),
        ("HELO", "554 5.7.1 not you", True, False),
        ("MAIL", "550 5.7.1 not from you", True, False),
        ("DATA", "451 4.3.0 later", True, False),
        ("END", "451 4.3.0 later", True, False),
        ("END", "554 5.6.0 content refused", False, False),
    ],
)
def test_what_the_server_refuses(
    server: MailServer, command: str, words: str, again: bool, about_address: bool
) -> None:
    server.says |= {command: words} | ({"EHLO": words} if command == "HELO" else {})
    with pytest.raises(Refused) as refused:
        deliver()
    assert (refused.value.again, refused.value.about_address) == (again, about_address)
    assert "ngozi" not in refused.value.why
    assert "user" not in refused.value.why


GARBAGE = "<html>garbage</html>"


@pytest.mark.parametrize("words", ["", GARBAGE, "999 nobody knows"])
def test_a_server_that_was_given_the_mail_and_does_not_say_yes_or_no_may_have_taken_it(
    server: MailServer, words: str
) -> None:
    server.says["END"] = words
    with pytest.raises(Unanswered):
        deliver()
    assert len(server.mails) == 1


@pytest.mark.parametrize("words", ["", GARBAGE])
@pytest.mark.parametrize("commands", [["CONNECT"], ["EHLO", "HELO"], ["MAIL"], ["RCPT"], ["DATA"]])
def test_a_server_that_never_had_the_mail_is_asked_again_whatever_it_said(
    server: MailServer, commands: list[str], words: str
) -> None:
    server.says |= dict.fromkeys(commands, words)
    with pytest.raises(Refused) as refused:
        deliver()
    assert (refused.value.again, refused.value.about_address) == (True, False)
    assert not server.mails


@pytest.mark.parametrize("command", ["CONNECT", "EHLO", "RCPT"])
def test_a_server_that_falls_silent_before_it_had_the_mail_is_asked_again(
    server: MailServer, settings: Any, command: str
) -> None:
    settings.EMAIL_TIMEOUT = 0.3
    server.silent_at = command
    with pytest.raises(Refused) as refused:
        deliver()
    assert refused.value.again


def test_a_server_that_falls_silent_after_it_had_the_mail_may_have_taken_it(server: MailServer, settings: Any) -> None:
    settings.EMAIL_TIMEOUT = 0.3
    server.silent_at = "END"
    with pytest.raises(Unanswered):
        deliver()


def test_a_server_that_says_no_goodbye_has_taken_the_mail(server: MailServer) -> None:
    server.says["QUIT"] = ""
    assert deliver().id == "r1"


def test_a_server_that_is_not_there_is_asked_again(server: MailServer, settings: Any) -> None:
    settings.EMAIL_PORT = 1
    with pytest.raises(Refused, match="could not be reached") as refused:
        deliver()
    assert refused.value.again


def test_a_line_break_in_an_address_is_refused_before_the_server_hears_of_it(server: MailServer) -> None:
    with pytest.raises(Refused) as refused:
        deliver("a@example.org\nBcc: b@example.org")
    assert not refused.value.again
    assert not server.mails


@pytest.mark.parametrize("to", ["", " "])
def test_a_mail_to_nobody_is_not_sent(server: MailServer, to: str) -> None:
    with pytest.raises(Refused):
        deliver(to)
    assert not server.mails


def test_a_server_that_never_comes_to_an_end_holds_nobody_for_long(
    server: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(email, "ANSWERS_WITHIN", 0.5)
    server.says["RCPT"] = ENDLESS
    begun = time.monotonic()
    with pytest.raises(Refused) as refused:
        deliver()
    assert refused.value.again
    assert time.monotonic() - begun < 5
