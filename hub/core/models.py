"""Schools, the audit of what people did, and alerts."""

from __future__ import annotations

from django.core.validators import RegexValidator
from django.db import models


class School(models.Model):
    """One school: the tenant. A shadow school is a rehearsal copy of a real one."""

    name = models.CharField(max_length=200)
    slug = models.SlugField(max_length=40, unique=True, help_text="In addresses; a real school's is its DfE number.")
    dfe_number = models.CharField(max_length=7, validators=[RegexValidator(r"^\d{7}$")])
    urn = models.CharField(max_length=6, blank=True)
    shadow_of = models.ForeignKey("self", on_delete=models.CASCADE, null=True, blank=True)
    office_email = models.EmailField(blank=True, help_text="Where alerts go.")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["dfe_number"], condition=models.Q(shadow_of=None), name="core_school_one_real_per_dfe_number"
            ),
            models.CheckConstraint(
                condition=models.Q(dfe_number__regex=r"^[0-9]{7}$"), name="core_school_dfe_number_has_seven_digits"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def dfe_display(self) -> str:
        """`823/3001`, as offices write it."""
        return f"{self.dfe_number[:3]}/{self.dfe_number[3:]}"


class SchoolOwned(models.Model):
    """A row that belongs to one school and stands behind the wall."""

    school = models.ForeignKey(School, on_delete=models.CASCADE, db_index=False)

    class Meta:
        abstract = True


class SchoolPart(SchoolOwned):
    """A row that hangs on another row of its school by a composite key `(school_id, …)`.

    That key already proves that the school exists, so a second check of it is spared: an import
    writes tens of thousands of such rows.
    """

    school = models.ForeignKey(School, on_delete=models.CASCADE, db_index=False, db_constraint=False)

    class Meta:
        abstract = True


class AuditEntry(SchoolOwned):
    """What a person did, in dotted words: `import.undone`, `staff.invited`."""

    actor_name = models.CharField(max_length=200, help_text="Kept as text: it outlives the account.")
    actor_id = models.BigIntegerField(null=True)
    action = models.CharField(max_length=60)
    object_kind = models.CharField(max_length=40, blank=True)
    object_id = models.BigIntegerField(null=True)
    data = models.JSONField(default=dict)
    at = models.DateTimeField()

    class Meta:
        indexes = [
            models.Index(fields=["school", "-at"], name="core_audit_recent"),
            models.Index(fields=["school", "object_kind", "object_id"], name="core_audit_by_object"),
        ]


class Severity(models.TextChoices):
    BAD = "bad", "Failed"
    WARN = "warn", "Needs a person"
    QUIET = "quiet", "For information"


class Alert(SchoolOwned):
    """Something that needs a person. One open alert per school and key; it closes when its cause does."""

    key = models.CharField(max_length=80, help_text="Names the cause, so that it is raised once.")
    severity = models.CharField(max_length=5, choices=Severity.choices)
    title = models.CharField(max_length=200)
    body = models.TextField(blank=True)
    button = models.CharField(max_length=40, blank=True, help_text="What the one button says.")
    path = models.CharField(max_length=200, blank=True, help_text="Where it leads, below the school's address.")
    raised_at = models.DateTimeField()
    mailed_at = models.DateTimeField(null=True)
    resolved_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["school", "key"], condition=models.Q(resolved_at=None), name="core_alert_one_open_per_key"
            ),
        ]


class Heartbeat(models.Model):
    """When something that runs by itself last ran: the beat. Belongs to no school."""

    name = models.CharField(max_length=40, primary_key=True)
    at = models.DateTimeField()
