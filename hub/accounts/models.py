"""Logins, what they may do at which school, and invitations to join as staff."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.db import models
from django.db.models.functions import Lower
from django.utils.crypto import salted_hmac

from hub.core.models import SchoolOwned


class AccountManager(BaseUserManager["Account"]):
    def create_user(self, email: str, *, name: str = "", password: str | None = None, **fields: Any) -> Account:
        """Make a login; without a password it cannot sign in until an invitation sets one."""
        account = self.model(email=email.strip().lower(), name=name, **fields)
        account.set_password(password)
        account.save()
        return account


class Account(AbstractBaseUser, PermissionsMixin):
    """One person's login, for any number of schools and roles."""

    email = models.EmailField(max_length=320, unique=True)
    name = models.CharField(max_length=200, blank=True)
    is_active = models.BooleanField(default=True)
    is_operator = models.BooleanField(default=False, help_text="Runs this installation; sees health and schools.")
    created_at = models.DateTimeField(auto_now_add=True)
    session_generation = models.PositiveIntegerField(
        default=0, help_text="Counted up to end every session of the account."
    )

    USERNAME_FIELD = "email"
    objects = AccountManager()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(email=Lower("email")), name="accounts_account_email_is_lower"),
        ]

    def __str__(self) -> str:
        return self.name or self.email

    def _get_session_auth_hash(self, secret: str | bytes | None = None) -> str:
        """Bind sessions to the password and to `session_generation`: a new value of either ends them."""
        return salted_hmac(
            "hub.accounts.Account.session",
            f"{self.session_generation}:{self.password}",
            secret=secret,
            algorithm="sha256",
        ).hexdigest()


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


class StaffInvitation(SchoolOwned):
    """A single-use link by which an invited member of staff sets a password. Only its hash is kept."""

    membership = models.ForeignKey(
        Membership, on_delete=models.CASCADE, db_constraint=False, related_name="invitations"
    )
    token_hash = models.CharField(max_length=64, unique=True)
    sent_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)
