"""Where mail goes: to the mail server; in the demo nowhere, it stays in the hub and is read under /inbox/."""

from __future__ import annotations

import smtplib
import socket
from collections.abc import Sequence
from contextlib import suppress
from email.message import Message
from typing import Any

from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend
from django.core.mail.backends.smtp import EmailBackend
from django.utils import timezone

from hub.messaging.models import InboxMail


class _Given(smtplib.SMTP):
    """Remembers whether the server was given a mail. Before that it cannot have taken one, whatever goes wrong."""

    given = False

    def send(self, s: Any) -> None:
        """Send a command, which is text, or the mail itself, which is bytes."""
        self.given = self.given or not isinstance(s, str)
        super().send(s)


class _GivenOverTls(_Given, smtplib.SMTP_SSL):
    pass


class MailServerBackend(EmailBackend):
    """Django's conversation with a mail server; `given` says whether the server has seen the mail itself."""

    @property
    def connection_class(self) -> type[smtplib.SMTP]:
        return _GivenOverTls if self.use_ssl else _Given

    @property
    def given(self) -> bool:
        return bool(getattr(self.connection, "given", False))

    def hang_up(self) -> None:
        """End the conversation, whatever the server is saying then."""
        if self.connection is not None and self.connection.sock is not None:
            with suppress(OSError):  # it has ended already
                self.connection.sock.shutdown(socket.SHUT_RDWR)


class LocalInboxBackend(BaseEmailBackend):
    """Keeps each mail once per recipient, as plain text."""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        """Store the mails and return how many there were."""
        now = timezone.now()
        InboxMail.objects.bulk_create(
            InboxMail(
                sent_at=now,
                sender=str(message["From"]),
                recipient=recipient[:320],
                subject=str(mail.subject),
                body=str(mail.body),
            )
            for mail, message in ((mail, _checked(mail)) for mail in email_messages)
            for recipient in mail.recipients()
        )
        return len(email_messages)


def _checked(mail: EmailMessage) -> Message:
    """Build the mail as a server would get it, so that a forbidden header fails here as it would there."""
    return mail.message()
