"""Email through Django's settings: one SMTP conversation per notice, and what its answers mean."""

from __future__ import annotations

import re
import smtplib
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import EmailMessage, get_connection

from hub.messaging.channels import Receipt, Refused, Unanswered

ANSWERS_WITHIN = 120.0
"""The whole conversation after the greeting, however slowly each line of it comes."""
_ENHANCED = re.compile(r"\s*([245])\.(\d{1,3})\.(\d{1,3})\b")
_NO_SUCH_MAILBOX = {("1", "0"), ("1", "1"), ("1", "2"), ("1", "3"), ("1", "6"), ("1", "10"), ("2", "1")}
"""Enhanced codes (RFC 3463, RFC 7505) that speak of the address itself, not of the mail or of us."""
_NO_SUCH_MAILBOX_PLAIN = {550, 551, 553}


class Email:
    """Sends through the mail server of the settings. SMTP knows no references: what is unanswered is not repeated."""

    knows_references = False

    def available(self) -> bool:
        """Email is always there; a server that is not set up or not reached is tried again."""
        return True

    def deliver(self, *, to: str, subject: str, body: str, reference: str) -> Receipt:
        """Hand one mail to the server. Raises `Refused` or `Unanswered`."""
        host = urlsplit(settings.PUBLIC_URL).hostname or "localhost"
        headers = {"Message-ID": f"<{reference}@{host}>", "Auto-Submitted": "auto-generated"}
        mail = EmailMessage(subject=subject, body=body, to=[to], headers=headers)
        with _conversation() as server:
            try:
                mail.message()  # a forbidden header fails before the server hears of it
                taken = server.send_messages([mail])
            except ValueError as error:
                raise Refused("The address or the subject cannot stand in a mail.", about_address=False) from error
            except smtplib.SMTPException as error:
                raise _meaning(error, given=_given(server)) from error
            except OSError as error:
                raise _broken_off(given=_given(server)) from error
        if not taken:
            raise Refused("There is no address to send it to.")
        return Receipt(reference)


@contextmanager
def _conversation() -> Iterator[Any]:
    """Greet the server, which has not heard of the mail yet, and part from it, when it has answered already."""
    server = get_connection()
    try:
        server.open()
    except (OSError, ValueError) as error:  # smtplib's errors are OSErrors
        raise Refused(f"The mail server could not be reached ({type(error).__name__}).", again=True) from error
    alarm = threading.Timer(ANSWERS_WITHIN, getattr(server, "hang_up", server.close))
    alarm.daemon = True
    alarm.start()
    try:
        with closing(_Quiet(server)):
            yield server
    finally:
        alarm.cancel()


class _Quiet:
    def __init__(self, server: Any) -> None:
        self._server = server

    def close(self) -> None:
        with suppress(OSError):
            self._server.close()


def _given(server: Any) -> bool:
    """Whether the server has seen the mail itself; of one that does not say, it is assumed."""
    return bool(getattr(server, "given", True))


def _broken_off(*, given: bool) -> Refused | Unanswered:
    """Only a server that was given the mail can have taken it."""
    if given:
        return Unanswered("The mail server broke off the conversation.")
    return Refused("The mail server broke off the conversation before it had the mail.", again=True)


def _meaning(error: smtplib.SMTPException, *, given: bool) -> Refused | Unanswered:
    """Say what an SMTP answer means: 4xx may be asked again, 5xx not; no answer is no answer."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        code, words = next(iter(error.recipients.values()), (550, b""))
        return _answer(code, words, "the address", of_recipient=True, given=given)
    if isinstance(error, smtplib.SMTPServerDisconnected):
        return _broken_off(given=given)
    if isinstance(error, smtplib.SMTPSenderRefused | smtplib.SMTPHeloError):
        who = "the sender" if isinstance(error, smtplib.SMTPSenderRefused) else "this hub"
        return Refused(f"The mail server refused {who} ({error.smtp_code}).", again=True)
    if isinstance(error, smtplib.SMTPResponseException):
        return _answer(error.smtp_code, error.smtp_error, "the mail", given=given)
    return Refused(f"The mail server cannot take this mail ({type(error).__name__}).")


def _answer(
    code: int, words: bytes | str, what: str, *, of_recipient: bool = False, given: bool
) -> Refused | Unanswered:
    if not 400 <= code < 600:  # smtplib's word for what is no answer at all is -1
        said = "The mail server's answer could not be understood."
        return Unanswered(said) if given else Refused(said, again=True)
    text = words.decode("ascii", "replace") if isinstance(words, bytes) else words
    if 400 <= code < 500:
        return Refused(f"The mail server asked to try {what} later ({code}).", again=True)
    found = _ENHANCED.match(text)
    gone = (found[2], found[3]) in _NO_SUCH_MAILBOX if found else code in _NO_SUCH_MAILBOX_PLAIN
    return Refused(f"The mail server refused {what} ({code}).", about_address=of_recipient and gone)
