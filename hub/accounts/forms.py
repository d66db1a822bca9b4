"""Forms of accounts: they check what was typed, and decide nothing."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django import forms
from django.contrib.auth import password_validation
from django.core.exceptions import ValidationError
from django.utils.translation import gettext, gettext_lazy

from hub.accounts.models import Account
from hub.core.templatetags.frame import clock

MOST = 1000
"""Characters of a password: more would only keep the hasher busy."""


def wrong() -> str:
    """Return what every wrong pair is told; never more closely."""
    return gettext("That name and that password do not belong together. Check both and try again.")


def resting(until: dt.datetime) -> str:
    """Return what is told while a counter of wrong tries rests."""
    return gettext(
        "That did not work too many times. Wait until %(time)s, then try again. A passkey opens without waiting."
    ) % {"time": clock(until + dt.timedelta(minutes=1))}


class SignInForm(forms.Form):
    """Email or mobile, and password."""

    username = forms.CharField(
        label=gettext_lazy("Email or mobile"),
        max_length=320,
        widget=forms.TextInput(
            attrs={
                "autocomplete": "username webauthn",
                "autocapitalize": "none",
                "autocorrect": "off",
                "spellcheck": "false",
                "inputmode": "email",
                "autofocus": True,
            }
        ),
    )
    password = forms.CharField(
        label=gettext_lazy("Password"),
        strip=False,
        max_length=MOST,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )


class CodeForm(forms.Form):
    """The second factor: a time code, or a recovery code."""

    code = forms.CharField(
        label=gettext_lazy("Code from your authenticator app"),
        help_text=gettext_lazy("6 digits; a new one comes every 30 seconds."),
        max_length=40,
        widget=forms.TextInput(
            attrs={"autocomplete": "one-time-code", "inputmode": "numeric", "autofocus": True, "class": "digits"}
        ),
    )
    recovery_code = forms.CharField(
        label=gettext_lazy("Recovery code"),
        help_text=gettext_lazy("12 letters and digits from the paper you printed. Each is good once."),
        max_length=40,
        widget=forms.TextInput(
            attrs={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false", "class": "digits"}
        ),
    )

    def __init__(self, *args: Any, with_time_code: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not with_time_code:
            del self.fields["code"]

    def full_clean(self) -> None:
        """Ask for one of the two; on the page neither is called optional."""
        for field in self.fields.values():
            field.required = False
        super().full_clean()
        for field in self.fields.values():
            field.required = True

    def clean(self) -> dict[str, Any]:
        """Refuse a form with neither."""
        cleaned = super().clean() or self.cleaned_data
        if not self.errors and not any(cleaned.values()):
            self.add_error(next(iter(self.fields)), gettext("Type the code first."))
        return cleaned

    @property
    def typed(self) -> str:
        """Whichever of the two was filled in."""
        return str(self.cleaned_data.get("code") or self.cleaned_data.get("recovery_code") or "")


class NewPasswordForm(forms.Form):
    """A new password, held against the rules with its owner in mind."""

    password = forms.CharField(
        label=gettext_lazy("New password"),
        strip=False,
        max_length=MOST,
        help_text=gettext_lazy(
            "12 characters or more. Three or four words that do not belong together are a good one."
        ),
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password", "minlength": 12}),
    )

    def __init__(self, *args: Any, account: Account, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.account = account

    def clean(self) -> dict[str, Any]:
        """Hold the password against the rules, with the name in mind."""
        cleaned = super().clean() or self.cleaned_data
        if password := cleaned.get("password"):
            unsaved = Account(
                email=self.account.email, mobile=self.account.mobile, name=cleaned.get("name", self.account.name)
            )
            try:
                password_validation.validate_password(password, unsaved)
            except ValidationError as error:
                self.add_error("password", error)
        return cleaned


class AcceptForm(NewPasswordForm):
    """Name and a new password, to accept an invitation to join as staff."""

    name = forms.CharField(
        label=gettext_lazy("Your name"), max_length=200, widget=forms.TextInput(attrs={"autocomplete": "name"})
    )
    field_order = ["name", "password"]


class ChangePasswordForm(NewPasswordForm):
    """A new password; the present one too, unless a passkey has just shown who it is."""

    present = forms.CharField(
        label=gettext_lazy("Present password"),
        strip=False,
        max_length=MOST,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )
    field_order = ["present", "password"]

    def __init__(self, *args: Any, with_present: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not with_present:
            del self.fields["present"]


class ProveForm(forms.Form):
    """The password again, before something that matters."""

    password = forms.CharField(
        label=gettext_lazy("Password"),
        strip=False,
        max_length=MOST,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password", "autofocus": True}),
    )


class TimeCodeForm(forms.Form):
    """The first code counted with a new secret."""

    code = forms.CharField(
        label=gettext_lazy("Code the app shows now"),
        max_length=40,
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "inputmode": "numeric", "class": "digits"}),
    )


class PasskeyNameForm(forms.Form):
    """What a passkey is called."""

    name = forms.CharField(
        label=gettext_lazy("Name"), max_length=100, widget=forms.TextInput(attrs={"autocomplete": "off"})
    )
