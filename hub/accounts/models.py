"""Logins, the ways to prove that they are one's own, and what they may do at which school."""

from __future__ import annotations

import uuid
from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.contrib.postgres.fields import ArrayField
from django.contrib.sessions.base_session import AbstractBaseSession
from django.db import models
from django.db.models.functions import Lower
from django.utils.crypto import salted_hmac

from hub.core.models import SchoolOwned


class AccountManager(BaseUserManager["Account"]):
    def create_user(self, email: str | None, *, name: str = "", password: str | None = None, **fields: Any) -> Account:
        """Make a login; without a password it cannot sign in until an invitation sets one.

        None for `email` where another login has that address: this one signs in by its mobile or a passkey.
        """
        account = self.model(email=email.strip().lower() if email else None, name=name, **fields)
        account.set_password(password)
        account.save()
        return account


class Account(AbstractBaseUser, PermissionsMixin):
    """One person's login, for any number of schools and roles.

    `email` and `mobile` are what one signs in by, not where messages go: two parents may share a
    mailbox, but only one of them signs in by it. That an address is somebody's own is proved on the
    person's detail, at each school.
    """

    email = models.EmailField(max_length=320, unique=True, null=True, help_text="Signs in by it, if any.")
    mobile = models.CharField(max_length=20, unique=True, null=True, help_text="Signs in by it, if any; E.164.")
    handle = models.UUIDField(default=uuid.uuid4, unique=True, help_text="Names the login to its passkeys.")
    name = models.CharField(max_length=200, blank=True)
    is_active = models.BooleanField(default=True)
    is_operator = models.BooleanField(default=False, help_text="Runs this installation; sees health and schools.")
    created_at = models.DateTimeField(auto_now_add=True)
    session_generation = models.PositiveIntegerField(
        default=0, help_text="Counted up to end every session of the account."
    )
    second_factor_at = models.DateTimeField(
        null=True, help_text="Since when there is a time code or a passkey; staff must have one."
    )
    password_changed_at = models.DateTimeField(null=True)

    USERNAME_FIELD = "email"
    objects = AccountManager()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(email=Lower("email")), name="accounts_account_email_is_lower"),
        ]

    def __str__(self) -> str:
        return self.name or self.email or self.mobile or "Somebody"

    def _get_session_auth_hash(self, secret: str | bytes | None = None) -> str:
        """Bind sessions to the password and to `session_generation`: a new value of either ends them."""
        return salted_hmac(
            "hub.accounts.Account.session",
            f"{self.session_generation}:{self.password}",
            secret=secret,
            algorithm="sha256",
        ).hexdigest()


class TimeCode(models.Model):
    """The secret an authenticator app counts with (TOTP, RFC 6238), encrypted; it counts once confirmed."""

    sealed_columns: ClassVar[tuple[str, ...]] = ("sealed_secret",)
    account = models.OneToOneField(Account, on_delete=models.CASCADE, related_name="time_code")
    sealed_secret = models.BinaryField()
    made_at = models.DateTimeField()
    confirmed_at = models.DateTimeField(null=True)
    last_step = models.BigIntegerField(default=0, help_text="The step used last: no code is good twice.")


class Passkey(models.Model):
    """A WebAuthn credential; it is something one has and something one is or knows, so it is both factors."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="passkeys")
    credential_id = models.BinaryField(unique=True, max_length=1023)
    public_key = models.BinaryField()
    sign_count = models.BigIntegerField(default=0)
    transports = ArrayField(models.CharField(max_length=20), default=list)
    name = models.CharField(max_length=100)
    made_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)


class RecoveryCode(models.Model):
    """One of ten codes on paper, each good once in place of the second factor. Only its hash is kept."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="recovery_codes")
    code_hash = models.CharField(max_length=64)
    made_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "code_hash"], name="accounts_recoverycode_once")]


class Session(AbstractBaseSession):
    """A browser session that knows whose it is, so that it can be listed and ended."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, null=True, related_name="sessions")
    device = models.CharField(max_length=100, blank=True, help_text="Firefox on Android, as the browser says.")
    signed_in_at = models.DateTimeField(null=True)
    seen_at = models.DateTimeField(null=True)


class SignInLimit(models.Model):
    """Wrong tries at one name (hashed, known or not) or from one address, and until when it rests."""

    key = models.CharField(max_length=64, primary_key=True)
    tries = models.PositiveSmallIntegerField(default=0)
    since = models.DateTimeField()
    rests_until = models.DateTimeField(null=True)


class SecurityEvent(models.Model):
    """Something about how a login signs in has changed, and its owner is to be told (by messaging, above)."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="security_events")
    what = models.CharField(max_length=40)
    device = models.CharField(max_length=100, blank=True)
    at = models.DateTimeField()
    told_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["at"], condition=models.Q(told_at=None), name="accounts_security_untold")]


class Role(models.TextChoices):
    ADMINISTRATOR = "administrator", "Administrator"
    OFFICE = "office", "Office"
    TEACHER = "teacher", "Teacher"


class Membership(SchoolOwned):
    """An account's role at one school. Invited until accepted; ended, never deleted."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=13, choices=Role.choices)
    invited_by = models.ForeignKey(Account, on_delete=models.SET_NULL, null=True, related_name="+")
    invited_at = models.DateTimeField(null=True)
    accepted_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    ended_why = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["school", "id"], name="accounts_membership_school_id"),
            models.UniqueConstraint(
                fields=["school", "account"], condition=models.Q(ended_at=None), name="accounts_membership_one_open"
            ),
        ]

    @property
    def called(self) -> str:
        """What the school calls them: until they have joined, what it has invited. The rest is their own affair."""
        return str(self.account) if self.accepted_at else self.account.email or "Somebody"


class StaffInvitation(SchoolOwned):
    """A single-use link by which an invited member of staff sets a password. Only its hash is kept."""

    membership = models.ForeignKey(
        Membership, on_delete=models.CASCADE, db_constraint=False, related_name="invitations"
    )
    token_hash = models.CharField(max_length=64, unique=True)
    sent_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)
