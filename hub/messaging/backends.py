"""Where mail goes in the demo: nowhere. It stays in the hub and is read under /inbox/."""

from __future__ import annotations

from collections.abc import Sequence
from email.message import Message

from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend
from django.utils import timezone

from hub.messaging.models import InboxMail


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
