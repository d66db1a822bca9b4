"""What may be trusted: changes and their approval, invitations, proofs of an address, merges.

A `DetailChange` is a row of the *Verified User Changes Report*. It has two states: what became of the
change (`status`), and whether the MIS has caught up with it (`mis_state`). Rows are never deleted.
"""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from hub.accounts.models import Account
from hub.core.models import SchoolOwned
from hub.people.models import Contact, Pupil, Staff


class Field(models.TextChoices):
    EMAIL = "email", "Email"
    MOBILE = "mobile", "Mobile"
    CHILD = "child", "Child"
    """The parent says that a pupil is not their child; `pupil` says who."""
    RECORD = "record", "Record"
    """Two records of the MIS are one person: see `Merge`."""


class Origin(models.TextChoices):
    PERSON = "person", "The person"
    ORGANISATION = "organisation", "The school office"
    IMPORT = "import", "An import"


class Status(models.TextChoices):
    WAITING = "waiting", "Waiting for proof"
    PENDING = "pending", "Pending approval"
    APPROVED = "approved", "Change approved"
    REJECTED = "rejected", "Rejected"
    EXPIRED = "expired", "Expired"
    WITHDRAWN = "withdrawn", "Withdrawn"
    FROZEN = "frozen", "Frozen: “this was not me”"
    KEPT = "kept", "Kept"
    """No change: the MIS says something else than what the person confirmed (drift)."""
    OFFER = "offer", "Offered"
    """No change: the MIS has one where the person has confirmed none."""


OPEN_STATUSES = (Status.WAITING, Status.PENDING)
STANDING_STATUSES = (Status.APPROVED, Status.KEPT, Status.OFFER)
"""Those whose value is in use now, or that stand beside it: only they have a state in the MIS."""


class MisState(models.TextChoices):
    NOTHING = "", "Nothing to do"
    TO_UPDATE = "to_update", "To update in the MIS"
    UPDATED = "updated", "Updated in the MIS"
    DONE = "done", "Marked done"
    DIFFERS = "differs", "Differs again"
    REPLACED = "replaced", "Replaced by a later change"


TO_COPY = (MisState.TO_UPDATE, MisState.DIFFERS)
"""What the office still has to type into the MIS."""


def _owner(name: str) -> models.CheckConstraint:
    return models.CheckConstraint(
        condition=Q(contact__isnull=False, staff=None) | Q(contact=None, staff__isnull=False),
        name=f"verification_{name}_has_one_owner",
    )


class DetailChange(SchoolOwned):
    """A made or proposed change of a person's detail or connection, or a value kept against the MIS."""

    contact = models.ForeignKey(
        Contact, on_delete=models.CASCADE, null=True, db_constraint=False, db_index=False, related_name="changes"
    )
    staff = models.ForeignKey(
        Staff, on_delete=models.CASCADE, null=True, db_constraint=False, db_index=False, related_name="changes"
    )
    pupil = models.ForeignKey(Pupil, on_delete=models.CASCADE, null=True, db_constraint=False, db_index=False)
    field = models.CharField(max_length=6, choices=Field.choices)
    old_value = models.CharField(max_length=320, blank=True, help_text="In use before; of a kept row what the MIS had.")
    new_value = models.CharField(max_length=320, blank=True, help_text="What was asked for, and what the MIS is due.")
    origin = models.CharField(max_length=12, choices=Origin.choices)
    made_by = models.CharField(max_length=200, help_text="The person's or office member's name; “Import 12”.")
    made_by_account = models.ForeignKey(Account, on_delete=models.SET_NULL, null=True, related_name="+", db_index=False)
    by_import = models.BigIntegerField(null=True)
    batch = models.UUIDField(default=uuid.uuid4, help_text="One change of one person at several schools.")
    status = models.CharField(max_length=9, choices=Status.choices)
    mis_state = models.CharField(max_length=9, choices=MisState.choices, default=MisState.NOTHING, blank=True)
    made_at = models.DateTimeField()
    deadline = models.DateTimeField(null=True, help_text="168 hours after it was made, while it is open.")
    answered_at = models.DateTimeField(null=True, help_text="Approved (proof may follow), rejected or withdrawn.")
    answered_by = models.CharField(max_length=200, blank=True)
    reason = models.CharField(max_length=300, blank=True, help_text="Why it was rejected, withdrawn or frozen.")
    effective_at = models.DateTimeField(null=True, help_text="When the value came into use.")
    previous = models.JSONField(default=dict, help_text="The detail as it was before, to go back to.")
    reminders = models.PositiveSmallIntegerField(default=0)
    settled_at = models.DateTimeField(null=True)
    settled_by = models.CharField(max_length=200, blank=True, help_text="Who marked it done; blank: an import.")
    settled_import = models.BigIntegerField(null=True)
    # As lists show and sort it; brought up to date with each import while the row is open.
    person_name = models.CharField(max_length=300)
    pupil_names = models.TextField(blank=True)
    year_groups = ArrayField(models.CharField(max_length=30), default=list)
    sort_key = models.CharField(max_length=250, blank=True, help_text="Surname, forename and id of the first pupil.")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["school", "id"], name="verification_detailchange_school_id"),
            _owner("detailchange"),
            models.CheckConstraint(
                condition=~Q(field="child") | Q(pupil__isnull=False), name="verification_detailchange_child_has_pupil"
            ),
            models.UniqueConstraint(
                fields=["school", "contact", "field", "status"],
                condition=Q(
                    status__in=["waiting", "pending", "kept", "offer"], staff=None, field__in=["email", "mobile"]
                )
                & ~Q(mis_state__in=["replaced", "updated"]),
                name="verification_detailchange_one_open_per_contact",
            ),
            models.UniqueConstraint(
                fields=["school", "staff", "field", "status"],
                condition=Q(
                    status__in=["waiting", "pending", "kept", "offer"], contact=None, field__in=["email", "mobile"]
                )
                & ~Q(mis_state__in=["replaced", "updated"]),
                name="verification_detailchange_one_open_per_staff",
            ),
        ]
        indexes = [
            models.Index(fields=["school", "contact"], name="verification_change_contact"),
            models.Index(fields=["school", "staff"], name="verification_change_staff"),
            models.Index(fields=["school", "-made_at"], name="verification_change_recent"),
            models.Index(
                fields=["school", "sort_key", "id"],
                condition=Q(mis_state__in=["to_update", "differs"]),
                name="verification_change_to_copy",
            ),
            models.Index(
                fields=["deadline"], condition=Q(status__in=["waiting", "pending"]), name="verification_change_open"
            ),
            models.Index(fields=["batch"], name="verification_change_batch"),
            models.Index(
                fields=["school", "field"],
                condition=Q(mis_state__in=["to_update", "differs", "done", "updated"])
                | Q(mis_state="", status="offer"),
                name="verification_change_alive",
            ),
            models.Index(fields=["school", "sort_key", "person_name"], name="verification_change_in_order"),
            models.Index(fields=["school", "status", "mis_state"], name="verification_change_by_state"),
            models.Index(fields=["school", "old_value"], name="verification_change_from"),
            models.Index(fields=["school", "new_value"], name="verification_change_to"),
        ]


class ChangeLink(models.Model):
    """The link in a notice by which somebody says “this was not me”. Belongs to a batch, which may span schools."""

    batch = models.UUIDField()
    token_hash = models.CharField(max_length=64, unique=True)
    sent_to = models.CharField(max_length=320)
    made_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)


class InvitationChannel(models.TextChoices):
    EMAIL = "email", "Email"
    TEXT = "text", "Text message"
    LETTER = "letter", "Letter"


class Invitation(SchoolOwned):
    """An invitation of one record to connect. Single use; a newer one voids it. Only hashes are kept."""

    contact = models.ForeignKey(
        Contact, on_delete=models.CASCADE, null=True, db_constraint=False, db_index=False, related_name="invitations"
    )
    staff = models.ForeignKey(
        Staff, on_delete=models.CASCADE, null=True, db_constraint=False, db_index=False, related_name="invitations"
    )
    channel = models.CharField(max_length=6, choices=InvitationChannel.choices)
    sent_to = models.CharField(max_length=320, blank=True, help_text="The address; of a letter nothing.")
    token_hash = models.CharField(max_length=64, unique=True)
    letter_number = models.CharField(max_length=8, unique=True, null=True, help_text="Eight digits on a letter.")
    letter_hash = models.CharField(max_length=64, blank=True, help_text="Of the code beside the number.")
    sent_by = models.CharField(max_length=200)
    sent_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)
    voided_at = models.DateTimeField(null=True)

    @property
    def went_to(self) -> str:
        """Return what kind of address it went to, in the office's words."""
        return "mobile" if self.channel == InvitationChannel.TEXT else "email"

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["school", "id"], name="verification_invitation_school_id"),
            _owner("invitation"),
        ]
        indexes = [
            models.Index(fields=["school", "contact", "-sent_at"], name="verification_invite_contact"),
            models.Index(fields=["school", "staff", "-sent_at"], name="verification_invite_staff"),
            models.Index(fields=["school", "sent_to"], name="verification_invite_sent_to"),
        ]


class ProofCode(models.Model):
    """A code, and sometimes a link, sent to an address to prove that it is somebody's own.

    Belongs to a subject (`account:5`, `contact:17`), not to a school: one person, any number of schools.
    """

    subject = models.CharField(max_length=60, help_text="Whose proof: limits count per subject.")
    purpose = models.CharField(max_length=20, help_text="join, change, recover, …: a code is good for one thing.")
    kind = models.CharField(max_length=6, help_text="email or mobile.")
    address = models.CharField(max_length=320)
    code_hash = models.CharField(max_length=64)
    made_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    tries = models.PositiveSmallIntegerField(default=0)
    used_at = models.DateTimeField(null=True)
    voided_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["subject", "-made_at"], name="verification_code_subject")]


class RecoveryLink(models.Model):
    """A link to a mailbox, or an office letter, by which somebody gets back into their login."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+")
    token_hash = models.CharField(max_length=64, unique=True)
    sent_to = models.CharField(max_length=320, blank=True, help_text="The address it proves; of a letter nothing.")
    by_office = models.CharField(max_length=200, blank=True, help_text="Who at the school vouched; blank: a mail.")
    by_school = models.BigIntegerField(null=True, help_text="Whose office: it opens only what is this school's.")
    made_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)


class RecoveryRequest(models.Model):
    """Somebody who cannot sign in has typed an email or mobile. Made alike whether anybody has it or not.

    What follows is done by a task that looks the address up. Belongs to no school.
    """

    sealed_columns: ClassVar[tuple[str, ...]] = ("sealed_name",)
    sealed_name = models.BinaryField(help_text="What was typed, encrypted.")
    name_hash = models.CharField(max_length=64, help_text="Keyed; to count by.")
    kind = models.CharField(max_length=6, help_text="email or mobile.")
    code_hash = models.CharField(max_length=100, help_text="Of the code that a mobile is sent; also where none is.")
    tries = models.PositiveSmallIntegerField(default=0)
    made_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    answered_at = models.DateTimeField(null=True, help_text="When the task had looked; messages may have gone or not.")
    used_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["name_hash", "-made_at"], name="verification_recovery_by_name"),
            models.Index(fields=["made_at"], condition=Q(answered_at=None), name="verification_recovery_open"),
        ]


class Merge(SchoolOwned):
    """Two records that one person confirmed to be theirs, made one; the office can undo it."""

    kept = models.ForeignKey(Contact, on_delete=models.CASCADE, db_constraint=False, related_name="+")
    gone = models.ForeignKey(Contact, on_delete=models.CASCADE, db_constraint=False, related_name="+")
    by_name = models.CharField(max_length=200)
    at = models.DateTimeField()
    moved = models.JSONField(default=dict, help_text="Identities and links as they were, to go back to.")
    undone_at = models.DateTimeField(null=True)
    undone_by = models.CharField(max_length=200, blank=True)


class Choices(SchoolOwned):
    """What a school has chosen about confirming; without a row, the defaults."""

    propose_drift = models.BooleanField(
        default=False, help_text="Ask the parent when the MIS says something new, instead of only listing it."
    )
    weekly_summary = models.BooleanField(default=True)
    summary_sent_on = models.DateField(null=True)
    leaver_login_days = models.PositiveSmallIntegerField(
        default=90, help_text="How long the login of a parent without a child here goes on."
    )
    letter_days = models.PositiveSmallIntegerField(
        default=10, help_text="How long a printed letter is good; whatever else invites is good for ten days."
    )

    class Meta:
        constraints = [models.UniqueConstraint(fields=["school"], name="verification_choices_once")]
