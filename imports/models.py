"""What comes in: the link to an MIS, what it sent, and each run over it."""

from __future__ import annotations

import datetime as dt
from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from hub.core.models import SchoolOwned, SchoolPart
from hub.people.models import MisSource


class RecipientRule(models.TextChoices):
    RESPONSIBILITY = "responsibility", "With parental responsibility and without a court order"
    PRIORITY = "priority", "Up to a priority"
    ALL = "all", "Everybody the MIS links to a pupil"


class ImportPolicy(SchoolOwned):
    """Who is imported and when an import asks a person first: one row per school."""

    recipient_rule = models.CharField(
        max_length=14, choices=RecipientRule.choices, default=RecipientRule.RESPONSIBILITY
    )
    priority_limit = models.PositiveSmallIntegerField(default=2)
    include_pre_admissions = models.BooleanField(default=False)
    removal_percent = models.PositiveSmallIntegerField(default=10)
    removal_floor = models.PositiveSmallIntegerField(default=5, help_text="So many may go on any night.")
    update_percent = models.PositiveSmallIntegerField(default=75)
    present_percent = models.PositiveSmallIntegerField(default=20)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["school"], name="imports_importpolicy_one_per_school")]


class LinkState(models.TextChoices):
    NOT_SET_UP = "not_set_up", "Not set up"
    WAITING = "waiting", "Waiting for the MIS"
    AWAITING_CREDENTIALS = "awaiting_credentials", "Awaiting credentials"
    ENABLED = "enabled", "Enabled"
    DISABLED = "disabled", "Disabled"
    RECONNECT = "reconnect", "Reconnect"
    FROZEN = "frozen", "Frozen"


class MisLink(SchoolOwned):
    """The live connection of a source: "MIS Link" on screen."""

    sealed_columns: ClassVar[tuple[str, ...]] = ("secrets",)
    source = models.OneToOneField(MisSource, on_delete=models.CASCADE, db_constraint=False)
    state = models.CharField(max_length=20, choices=LinkState.choices, default=LinkState.NOT_SET_UP)
    state_since = models.DateTimeField()
    state_by = models.CharField(max_length=200, blank=True)
    settings = models.JSONField(default=dict)
    secrets = models.BinaryField(default=b"", help_text="Encrypted under the key ring.")
    weekdays = ArrayField(
        models.PositiveSmallIntegerField(), default=list, help_text="Nights that are run: 1 Monday … 7 Sunday."
    )
    run_at = models.TimeField(default=dt.time(2, 0), help_text="Europe/London.")
    scheduled_since = models.DateTimeField(null=True, help_text="Nights before this were never expected.")
    paused_until = models.DateField(null=True, help_text="Resumes by itself on this day.")
    paused_at = models.DateTimeField(null=True, help_text="Paused after an undo until somebody resumes it.")
    paused_why = models.CharField(max_length=300, blank=True)
    wanted_at = models.DateTimeField(null=True, help_text="Import now: asked for and not yet begun.")
    wanted_by = models.CharField(max_length=200, blank=True)
    kept_everybody_at = models.DateTimeField(null=True)
    tried_at = models.DateTimeField(null=True, help_text="The last attempt of a link that is not enabled yet.")
    tried_said = models.CharField(max_length=500, blank=True, help_text="What came of it: a sentence.")
    read_everything_on = models.DateField(null=True, help_text="The last night on which nothing was skipped.")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["school", "id"], name="imports_mislink_school_id")]


class AgentToken(SchoolOwned):
    """One download of the agent: what it may sign in with, and when it was last heard. Only a hash is kept."""

    link = models.ForeignKey(MisLink, on_delete=models.CASCADE, db_constraint=False, related_name="tokens")
    name = models.CharField(max_length=100)
    token_hash = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField()
    created_by = models.CharField(max_length=200)
    revoked_at = models.DateTimeField(null=True)
    revoked_by = models.CharField(max_length=200, blank=True)
    last_seen_at = models.DateTimeField(null=True)
    agent_version = models.CharField(max_length=20, blank=True)
    host_name = models.CharField(max_length=100, blank=True)
    log_tail = models.TextField(blank=True)
    last_check = models.JSONField(default=dict, help_text="What `agent check` found last.")


class Payload(SchoolOwned):
    """What an MIS sent, exactly as it came: compressed and encrypted, in chunks, for some nights."""

    link = models.ForeignKey(MisLink, on_delete=models.CASCADE, db_constraint=False, related_name="payloads")
    run_id = models.CharField(max_length=64, help_text="The same run sent twice is one payload.")
    filename = models.CharField(max_length=200)
    content_digest = models.BinaryField(max_length=32, help_text="Of the reports' bytes, not of their wrapping.")
    size = models.BigIntegerField(help_text="Bytes as received.")
    received_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True, help_text="When the sender says its run began.")
    stored = models.BooleanField(default=True, help_text="False once its chunks have been cleared away.")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["school", "id"], name="imports_payload_school_id"),
            models.UniqueConstraint(fields=["school", "link", "run_id"], name="imports_payload_once_per_run"),
        ]


class PayloadChunk(SchoolPart):
    sealed_columns: ClassVar[tuple[str, ...]] = ("body",)
    payload = models.ForeignKey(Payload, on_delete=models.CASCADE, db_constraint=False, related_name="chunks")
    number = models.PositiveIntegerField()
    body = models.BinaryField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["payload", "number"], name="imports_payloadchunk_in_order")]


class PassedRecord(SchoolPart):
    """A record of the MIS that was read and makes nobody a person here: no access, rejected, a pre-admission.

    Its digest is remembered, so that it is not read again until it changes.
    """

    source = models.ForeignKey(MisSource, on_delete=models.CASCADE, db_constraint=False, db_index=False)
    kind = models.CharField(max_length=7)
    external_id = models.CharField(max_length=100)
    digest = models.BinaryField(max_length=20)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["school", "source", "kind", "external_id"], name="imports_passedrecord_once"
            ),
        ]


class ImportKind(models.TextChoices):
    AUTOLINK = "autolink", "Autolink"
    CLOUDLINK = "cloudlink", "Cloudlink"
    UPLOAD = "upload", "Upload"


class ImportState(models.TextChoices):
    """Open states first, then how an import can end (see `docs/architecture.md`)."""

    QUEUED = "queued", "Waiting to start"
    COLLECTING = "collecting", "Collecting"
    READING = "reading", "Reading"
    PLANNING = "planning", "Working out what changed"
    APPLYING = "applying", "Saving"
    APPLIED = "applied", "Complete"
    UNCHANGED = "unchanged", "Nothing changed"
    PARTLY_HELD = "partly_held", "Removals held"
    HELD = "held", "Held for you"
    FAILED = "failed", "Failed"
    INTERRUPTED = "interrupted", "Interrupted, runs again by itself"
    DISCARDED = "discarded", "Discarded"
    UNDONE = "undone", "Undone"


OPEN_STATES = (
    ImportState.QUEUED,
    ImportState.COLLECTING,
    ImportState.READING,
    ImportState.PLANNING,
    ImportState.APPLYING,
)
GOOD_STATES = (ImportState.APPLIED, ImportState.UNCHANGED)
HELD_STATES = (ImportState.PARTLY_HELD, ImportState.HELD)


class Import(SchoolOwned):
    """One run over one payload."""

    link = models.ForeignKey(MisLink, on_delete=models.CASCADE, db_constraint=False, related_name="imports")
    payload = models.ForeignKey(
        Payload, on_delete=models.CASCADE, null=True, db_constraint=False, related_name="imports"
    )
    kind = models.CharField(max_length=9, choices=ImportKind.choices)
    state = models.CharField(max_length=11, choices=ImportState.choices, default=ImportState.QUEUED)
    preview = models.BooleanField(default=False, help_text="Works out what would change and changes nothing.")
    everybody = models.BooleanField(
        default=True, help_text="An upload that says it is everybody; else it removes nobody."
    )
    night = models.DateField(null=True, help_text="The local night this run is for; null: asked for by hand.")
    requested_by = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    collect_attempts = models.PositiveSmallIntegerField(default=0)
    collect_until = models.DateTimeField(null=True, help_text="Whoever collects has given up by then.")
    not_before = models.DateTimeField(null=True, help_text="The MIS asked to wait, or did not answer: then again.")
    counts = models.JSONField(default=dict, help_text="added, updated, ended, kept, rejected; per kind; present.")
    reasons = models.JSONField(default=list, help_text="Why it was held or failed: sentences with what to do.")
    notes = models.JSONField(default=list, help_text="Sentences worth knowing: unknown captions, re-read bytes.")
    would = models.JSONField(default=list, help_text="A preview's or a hold's changes, as rows to show.")
    cells = models.JSONField(default=list, help_text="What a preview of a spreadsheet found wrong, cell by cell.")
    detail = models.TextField(blank=True, help_text="For the log and support; never shown to an office.")
    released = models.JSONField(default=dict, help_text="What a person approved: {kind: removals agreed to}.")
    decided_by = models.CharField(max_length=200, blank=True)
    decided_at = models.DateTimeField(null=True)
    undone_at = models.DateTimeField(null=True)
    undone_by = models.CharField(max_length=200, blank=True)
    left_by_undo = models.JSONField(default=list, help_text="What an undo named and left, as rows to show.")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["school", "id"], name="imports_import_school_id"),
            models.UniqueConstraint(
                fields=["school", "link"],
                condition=Q(state__in=["collecting", "reading", "planning", "applying"]),
                name="imports_import_one_running_per_link",
            ),
        ]
        indexes = [models.Index(fields=["school", "-created_at"], name="imports_import_recent")]


class ScheduledRun(SchoolOwned):
    """That a link was due on a local night: claimed once by inserting it."""

    link = models.ForeignKey(MisLink, on_delete=models.CASCADE, db_constraint=False, related_name="scheduled_runs")
    night = models.DateField()
    due_at = models.DateTimeField()
    claimed_at = models.DateTimeField()
    satisfied_by = models.ForeignKey(
        Import, on_delete=models.SET_NULL, null=True, db_constraint=False, related_name="satisfies"
    )

    class Meta:
        constraints = [models.UniqueConstraint(fields=["school", "link", "night"], name="imports_scheduledrun_once")]


class ChangeAction(models.TextChoices):
    ADDED = "added", "Added"
    UPDATED = "updated", "Changed"
    ENDED = "ended", "Ended"
    RETURNED = "returned", "Came back"
    RELINKED = "relinked", "MIS link moved"
    KEPT = "kept", "Kept"


class ImportChange(SchoolPart):
    """One operation of an import with before and after: its audit, and what an undo reads.

    `person_kind`/`person_id` say whose page it belongs to; `model`/`row_id` name the row changed.
    `before` and `after` map column to value; a kept detail has both sides and changes nothing.
    """

    run = models.ForeignKey(
        Import, on_delete=models.CASCADE, db_constraint=False, db_index=False, related_name="changes"
    )
    action = models.CharField(max_length=8, choices=ChangeAction.choices)
    model = models.CharField(max_length=20, help_text="pupil, contact, staff, link, detail or identity.")
    row_id = models.BigIntegerField()
    person_kind = models.CharField(max_length=7)
    person_id = models.BigIntegerField()
    before = models.JSONField(default=dict)
    after = models.JSONField(default=dict)
    why = models.CharField(max_length=40, blank=True, help_text="A reason code of `imports.types.Why`.")

    class Meta:
        indexes = [
            models.Index(fields=["school", "run"], name="imports_importchange_by_run"),
            models.Index(fields=["school", "person_kind", "person_id"], name="imports_importchange_by_person"),
        ]


class Rejection(models.TextChoices):
    ROW = "row", "Complete row rejection"
    PART = "part", "Partially rejected"
    WARNING = "warning", "Imported (warning only)"


class RejectedRecord(SchoolPart):
    """What the MIS says that could not be taken, while it stands: it closes when the record is mended."""

    link = models.ForeignKey(MisLink, on_delete=models.CASCADE, db_constraint=False, related_name="rejected")
    first_run = models.ForeignKey(
        Import,
        on_delete=models.CASCADE,
        db_constraint=False,
        related_name="rejected",
        help_text="Where it first showed.",
    )
    severity = models.CharField(max_length=7, choices=Rejection.choices)
    kind = models.CharField(max_length=7)
    external_id = models.CharField(max_length=100)
    label = models.CharField(max_length=200, help_text="Whom it is about, in words.")
    file = models.CharField(max_length=100, blank=True)
    row = models.PositiveIntegerField(null=True)
    field = models.CharField(max_length=60, blank=True)
    value = models.CharField(max_length=500, blank=True)
    reason = models.CharField(max_length=40, help_text="A reason code.")
    message = models.CharField(max_length=500)
    advice = models.CharField(max_length=500)
    seen_at = models.DateTimeField()
    resolved_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["school", "link"], condition=Q(resolved_at=None), name="imports_rejected_standing"),
        ]
