"""Notices to one person each, how people want them, and what the demo's local inbox keeps.

A notice is not a message of the school to its parents (those come later): it is the hub's own word
to one address about that person's own affairs. It belongs to a login or an address, not to a school.
"""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q

from hub.accounts.models import Account


class Channel(models.TextChoices):
    EMAIL = "email", "Email"
    TEXT = "text", "Text message"


class NoticeState(models.TextChoices):
    WAITING = "waiting", "To be sent"
    SUMMARY = "summary", "Waits for the summary"
    SENDING = "sending", "Being sent"
    SENT = "sent", "Sent"
    FAILED = "failed", "Not sent"
    UNKNOWN = "unknown", "May have been sent"
    """The sender died between asking the provider and hearing its answer; it is not asked again."""
    TOO_LATE = "too_late", "Not sent in time"


class Notice(models.Model):
    """One email or text to one address. Its words are encrypted, and wiped when they are no longer needed."""

    sealed_columns: ClassVar[tuple[str, ...]] = ("sealed",)
    kind = models.CharField(max_length=40, help_text="A key of hub.messaging.kinds.")
    account = models.ForeignKey(Account, on_delete=models.CASCADE, null=True, related_name="notices")
    channel = models.CharField(max_length=5, choices=Channel.choices)
    to = models.CharField(max_length=320)
    sealed = models.BinaryField(null=True, help_text="Subject and body under the key ring; none once wiped.")
    secret = models.BooleanField(default=False, help_text="Holds a code or a link: wiped as soon as it is sent.")
    state = models.CharField(max_length=8, choices=NoticeState.choices, default=NoticeState.WAITING)
    tries = models.PositiveSmallIntegerField(default=0)
    made_at = models.DateTimeField()
    not_before = models.DateTimeField(help_text="The sweep asks for it from then on.")
    good_until = models.DateTimeField(null=True, help_text="A code is not worth sending after that.")
    claimed_at = models.DateTimeField(null=True, help_text="Committed before the provider hears of it.")
    sent_at = models.DateTimeField(null=True)
    trouble = models.CharField(max_length=200, blank=True, help_text="Why it was not sent; names no person.")

    class Meta:
        indexes = [
            models.Index(
                fields=["not_before"], condition=Q(state__in=["waiting", "sending"]), name="messaging_notice_due"
            ),
            models.Index(fields=["account"], condition=Q(state="summary"), name="messaging_notice_summary"),
            models.Index(fields=["made_at"], name="messaging_notice_made"),
            models.Index(fields=["to", "-made_at"], name="messaging_notice_to"),
        ]


class How(models.TextChoices):
    INSTANT = "instant", "At once"
    SUMMARY = "summary", "In a daily summary"
    NEVER = "never", "Not at all"


class NoticeChoice(models.Model):
    """How one login wants one kind of notice; without a row, as the kind says."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="notice_choices")
    kind = models.CharField(max_length=40)
    how = models.CharField(max_length=7, choices=How.choices)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "kind"], name="messaging_noticechoice_once")]


class InboxMail(models.Model):
    """A mail or text that would have left, kept for /inbox/ when SCHOOLGATE_LOCAL_INBOX is on."""

    channel = models.CharField(max_length=5, choices=Channel.choices, default=Channel.EMAIL)
    sent_at = models.DateTimeField()
    sender = models.CharField(max_length=320)
    recipient = models.CharField(max_length=320, db_index=True)
    subject = models.CharField(max_length=998, blank=True)
    body = models.TextField()
    reference = models.CharField(
        max_length=64, unique=True, null=True, help_text="What the hub calls a text: none is kept twice."
    )
