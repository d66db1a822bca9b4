"""The people of a school, and who its MIS says they are.

Absence never deletes: a pupil or a member of staff gets a leaving date, a link gets an end.
A null flag means that the MIS did not say; null is never false.
"""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import Q

from hub.accounts.models import Account, Membership
from hub.core.models import SchoolOwned, SchoolPart


def _same_school(model: str) -> models.UniqueConstraint:
    return models.UniqueConstraint(fields=["school", "id"], name=f"people_{model}_school_id")


class MisSource(SchoolOwned):
    """A school's record of one MIS it uses or used. A change of MIS starts the next generation."""

    connector = models.SlugField(max_length=40)
    mis_name = models.CharField(max_length=60, blank=True, help_text="As its vendor writes it: SIMS.")
    field_names = models.JSONField(
        default=dict, help_text="What its screens call our fields: {email: …, mobile: …}, for whoever corrects it."
    )
    generation = models.PositiveSmallIntegerField(default=1)
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            _same_school("missource"),
            models.UniqueConstraint(fields=["school", "generation"], name="people_missource_generation"),
        ]


class Pupil(SchoolOwned):
    upn = models.CharField(max_length=13, blank=True)
    former_upn = models.CharField(max_length=13, blank=True)
    admission_number = models.CharField(max_length=20, blank=True)
    forename = models.CharField(max_length=100, help_text="Preferred.")
    surname = models.CharField(max_length=100, help_text="Preferred.")
    legal_forename = models.CharField(max_length=100, blank=True)
    legal_surname = models.CharField(max_length=100, blank=True)
    middle_names = models.CharField(max_length=200, blank=True)
    date_of_birth = models.DateField(null=True)
    gender = models.CharField(max_length=20, blank=True)
    year_group = models.CharField(max_length=30, blank=True)
    registration_group = models.CharField(max_length=60, blank=True)
    house = models.CharField(max_length=60, blank=True)
    class_name = models.CharField(max_length=60, blank=True)
    admission_date = models.DateField(null=True)
    leaving_date = models.DateField(null=True, help_text="As the MIS says, or the night the pupil was no longer in it.")
    pre_admission = models.BooleanField(null=True)

    class Meta:
        constraints = [_same_school("pupil")]
        indexes = [
            models.Index(fields=["school", "surname", "forename"], name="people_pupil_by_name"),
            models.Index(fields=["school", "registration_group"], name="people_pupil_by_registration"),
        ]

    def __str__(self) -> str:
        return f"{self.forename} {self.surname}"


class Contact(SchoolOwned):
    """An adult in one school's records: not the relationship, not the login."""

    title = models.CharField(max_length=30, blank=True)
    forename = models.CharField(max_length=100, blank=True)
    surname = models.CharField(max_length=100)
    gender = models.CharField(max_length=20, blank=True)
    address = models.CharField(max_length=500, blank=True)
    postcode = models.CharField(max_length=10, blank=True)
    language = models.CharField(max_length=60, blank=True)
    made_by_hand = models.BooleanField(default=False, help_text="A governor, say: no import changes or ends them.")
    merged_into = models.ForeignKey(
        "self", on_delete=models.CASCADE, null=True, db_constraint=False, db_index=False, related_name="merged"
    )

    class Meta:
        constraints = [_same_school("contact")]
        indexes = [
            models.Index(fields=["school", "surname", "forename"], name="people_contact_by_name"),
            models.Index(fields=["school"], condition=Q(made_by_hand=True), name="people_contact_by_hand"),
            models.Index(
                fields=["merged_into"], condition=Q(merged_into__isnull=False), name="people_contact_merged_into"
            ),
        ]

    def __str__(self) -> str:
        return " ".join(part for part in (self.title, self.forename, self.surname) if part)


class PupilContact(SchoolPart):
    """How a contact belongs to a pupil."""

    pupil = models.ForeignKey(
        Pupil, on_delete=models.CASCADE, db_constraint=False, db_index=False, related_name="links"
    )
    contact = models.ForeignKey(
        Contact, on_delete=models.CASCADE, db_constraint=False, db_index=False, related_name="links"
    )
    relationship = models.CharField(max_length=60, blank=True)
    priority = models.SmallIntegerField(null=True)
    parental_responsibility = models.BooleanField(null=True)
    court_order = models.BooleanField(null=True)
    lives_with = models.BooleanField(null=True)
    correspondence = models.BooleanField(null=True)
    access = models.BooleanField(default=True, help_text="By the school's rule of who is imported; lost at once.")
    denied_at = models.DateTimeField(
        null=True, help_text="The parent said “not my child”: they see nothing of the pupil until the office says so."
    )
    ended_on = models.DateField(null=True)

    class Meta:
        constraints = [
            _same_school("pupilcontact"),
            models.UniqueConstraint(fields=["school", "pupil", "contact"], name="people_pupilcontact_once"),
        ]
        indexes = [
            models.Index(fields=["school", "contact"], name="people_pupilcontact_by_contact"),
        ]


class Staff(SchoolOwned):
    code = models.CharField(max_length=30, blank=True)
    title = models.CharField(max_length=30, blank=True)
    forename = models.CharField(max_length=100)
    surname = models.CharField(max_length=100)
    role = models.CharField(max_length=100, blank=True)
    tutor_of = models.CharField(max_length=60, blank=True)
    leaving_date = models.DateField(null=True)
    made_by_hand = models.BooleanField(default=False)

    class Meta:
        constraints = [_same_school("staff")]
        indexes = [models.Index(fields=["school", "surname", "forename"], name="people_staff_by_name")]

    def __str__(self) -> str:
        return " ".join(part for part in (self.title, self.forename, self.surname) if part)


class GroupKind(models.TextChoices):
    YEAR = "year", "Year group"
    REGISTRATION = "registration", "Registration group"
    HOUSE = "house", "House"
    CLASS = "class", "Class"
    PRE_ADMISSION = "pre_admission", "Pre-admission"


class Group(SchoolOwned):
    """A set of pupils, derived from what the MIS says of each: see `services.refresh_groups`."""

    kind = models.CharField(max_length=13, choices=GroupKind.choices)
    name = models.CharField(max_length=60)

    class Meta:
        constraints = [
            _same_school("group"),
            models.UniqueConstraint(fields=["school", "kind", "name"], name="people_group_once"),
        ]


class GroupMember(SchoolPart):
    group = models.ForeignKey(Group, on_delete=models.CASCADE, db_constraint=False, related_name="members")
    pupil = models.ForeignKey(Pupil, on_delete=models.CASCADE, db_constraint=False, related_name="group_members")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["school", "group", "pupil"], name="people_groupmember_once")]


class GroupAccess(SchoolPart):
    """A teacher sees the pupils of these groups, and their parents."""

    membership = models.ForeignKey(
        Membership, on_delete=models.CASCADE, db_constraint=False, related_name="group_access"
    )
    group = models.ForeignKey(Group, on_delete=models.CASCADE, db_constraint=False, related_name="access")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["school", "membership", "group"], name="people_groupaccess_once")
        ]


class DetailKind(models.TextChoices):
    EMAIL = "email", "Email"
    MOBILE = "mobile", "Mobile"


class DetailSource(models.TextChoices):
    MIS = "mis", "The MIS"
    PERSON = "person", "The person"
    ORGANISATION = "organisation", "The school office"


class ContactDetail(SchoolPart):
    """The one effective email or mobile of a person, and what the MIS says beside it.

    `value` blank with a `mis_value` is an offer: a Connected person has none, the MIS has one.
    """

    contact = models.ForeignKey(
        Contact, on_delete=models.CASCADE, null=True, db_constraint=False, db_index=False, related_name="details"
    )
    staff = models.ForeignKey(
        Staff, on_delete=models.CASCADE, null=True, db_constraint=False, db_index=False, related_name="details"
    )
    kind = models.CharField(max_length=6, choices=DetailKind.choices)
    value = models.CharField(max_length=320, blank=True, help_text="Lower-case email, or E.164 mobile.")
    mis_value = models.CharField(max_length=320, blank=True, help_text="What the MIS said last, chosen by the rule.")
    source = models.CharField(max_length=12, choices=DetailSource.choices)
    changed_at = models.DateTimeField(help_text="When the value became what it is.")
    changed_by = models.CharField(
        max_length=200, blank=True, help_text="The person's or office's name; blank: an import."
    )
    changed_import = models.BigIntegerField(null=True, help_text="The import that brought the value.")
    mis_changed_at = models.DateTimeField(null=True, help_text="When the MIS began to say `mis_value`.")
    verified_at = models.DateTimeField(null=True)
    deliverable = models.BooleanField(default=True)

    class Meta:
        constraints = [
            _same_school("contactdetail"),
            models.CheckConstraint(
                condition=Q(contact__isnull=False, staff=None) | Q(contact=None, staff__isnull=False),
                name="people_contactdetail_has_one_owner",
            ),
            models.UniqueConstraint(
                fields=["school", "contact", "kind"], condition=Q(staff=None), name="people_contactdetail_contact_once"
            ),
            models.UniqueConstraint(
                fields=["school", "staff", "kind"], condition=Q(contact=None), name="people_contactdetail_staff_once"
            ),
        ]
        indexes = [
            models.Index(fields=["school", "value"], name="people_contactdetail_by_value"),
            models.Index(
                fields=["school", "mis_value"], condition=~Q(mis_value=models.F("value")), name="people_detail_differs"
            ),
        ]


class IdentityKind(models.TextChoices):
    PUPIL = "pupil", "Pupil"
    CONTACT = "contact", "Contact"
    STAFF = "staff", "Staff"


class MisIdentity(SchoolPart):
    """A record of the MIS and the person it is. Many may point at one contact."""

    source = models.ForeignKey(MisSource, on_delete=models.CASCADE, db_constraint=False, db_index=False)
    kind = models.CharField(max_length=7, choices=IdentityKind.choices)
    external_id = models.CharField(max_length=100)
    part = models.PositiveSmallIntegerField(default=0, help_text="1 for the second person of a joint record.")
    pupil = models.ForeignKey(
        Pupil, on_delete=models.CASCADE, null=True, db_constraint=False, related_name="identities"
    )
    contact = models.ForeignKey(
        Contact, on_delete=models.CASCADE, null=True, db_constraint=False, related_name="identities"
    )
    staff = models.ForeignKey(
        Staff, on_delete=models.CASCADE, null=True, db_constraint=False, related_name="identities"
    )
    digest = models.BinaryField(max_length=20, help_text="Of what the record last said; empty: read it again.")
    emails = ArrayField(models.CharField(max_length=320), default=list)
    mobiles = ArrayField(models.CharField(max_length=20), default=list)
    gone_on = models.DateField(null=True, help_text="Since when a complete snapshot has not had it.")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["school", "source", "kind", "external_id", "part"], name="people_misidentity_once"
            ),
            models.CheckConstraint(
                condition=(
                    Q(kind="pupil", pupil__isnull=False, contact=None, staff=None)
                    | Q(kind="contact", contact__isnull=False, pupil=None, staff=None)
                    | Q(kind="staff", staff__isnull=False, pupil=None, contact=None)
                ),
                name="people_misidentity_is_one_person",
            ),
        ]
        indexes = [
            GinIndex(fields=["emails", "mobiles"], condition=~Q(kind="pupil"), name="people_misidentity_reached")
        ]


class ImportExclusion(SchoolOwned):
    """A record of the MIS that no import takes in: the "do not import" list."""

    source = models.ForeignKey(MisSource, on_delete=models.CASCADE, db_constraint=False)
    kind = models.CharField(max_length=7, choices=IdentityKind.choices)
    external_id = models.CharField(max_length=100)
    label = models.CharField(max_length=200)
    reason = models.CharField(max_length=300, blank=True)
    created_by = models.CharField(max_length=200)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["school", "source", "kind", "external_id"], name="people_importexclusion_once"
            ),
        ]


class Connection(SchoolOwned):
    """A record's tie to a login: invited, then connected. Ended, never deleted."""

    contact = models.ForeignKey(
        Contact, on_delete=models.CASCADE, null=True, db_constraint=False, related_name="connections"
    )
    staff = models.ForeignKey(
        Staff, on_delete=models.CASCADE, null=True, db_constraint=False, related_name="connections"
    )
    account = models.ForeignKey(Account, on_delete=models.CASCADE, null=True, related_name="connections")
    invited_at = models.DateTimeField(null=True)
    connected_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    ended_why = models.CharField(max_length=200, blank=True)
    no_child_since = models.DateField(null=True, help_text="Since when the person has no child here; ends the login.")
    ending_told_at = models.DateTimeField(null=True, help_text="When they were told that the login will end.")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(contact__isnull=False, staff=None) | Q(contact=None, staff__isnull=False),
                name="people_connection_has_one_owner",
            ),
            models.CheckConstraint(
                condition=Q(connected_at=None) | Q(account__isnull=False), name="people_connection_needs_an_account"
            ),
            models.UniqueConstraint(
                fields=["school", "contact"],
                condition=Q(ended_at=None, staff=None),
                name="people_connection_one_open_per_contact",
            ),
            models.UniqueConstraint(
                fields=["school", "staff"],
                condition=Q(ended_at=None, contact=None),
                name="people_connection_one_open_per_staff",
            ),
        ]
