"""What the local inbox of the demo keeps. Messages themselves come later."""

from __future__ import annotations

from django.db import models


class InboxMail(models.Model):
    """A mail that would have left, kept for /inbox/ when SCHOOLGATE_LOCAL_INBOX is on."""

    sent_at = models.DateTimeField()
    sender = models.CharField(max_length=320)
    recipient = models.CharField(max_length=320, db_index=True)
    subject = models.CharField(max_length=998)
    body = models.TextField()
