"""Forms of accounts: they check what was typed, and decide nothing."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth import password_validation
from django.contrib.auth.forms import AuthenticationForm
from django.core.exceptions import ValidationError

from hub.accounts.models import Account

WRONG = "That email and password do not belong together. Check both and try again."


class SignInForm(AuthenticationForm):
    """Email and password. What is wrong is never said more closely than `WRONG`."""

    error_messages = {"invalid_login": WRONG, "inactive": WRONG}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["username"] = forms.EmailField(
            label="Email",
            max_length=320,
            widget=forms.EmailInput(attrs={"autocomplete": "username", "autofocus": True, "autocapitalize": "none"}),
        )
        self.fields["password"].label = "Password"

    def clean_username(self) -> str:
        return str(self.cleaned_data["username"]).strip().lower()


class AcceptForm(forms.Form):
    """Name and a new password, to accept an invitation to join as staff."""

    name = forms.CharField(label="Your name", max_length=200, widget=forms.TextInput(attrs={"autocomplete": "name"}))
    password = forms.CharField(
        label="New password",
        strip=False,
        max_length=1000,
        help_text="12 characters or more. Three or four words that do not belong together are a good one.",
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def __init__(self, *args: Any, account: Account, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.account = account

    def clean(self) -> dict[str, Any]:
        """Hold the password against the rules, with the name in mind."""
        cleaned = super().clean() or self.cleaned_data
        if password := cleaned.get("password"):
            unsaved = Account(email=self.account.email, name=cleaned.get("name", ""))
            try:
                password_validation.validate_password(password, unsaved)
            except ValidationError as error:
                self.add_error("password", error)
        return cleaned
