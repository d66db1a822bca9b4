"""What somebody types who cannot sign in. The forms check, and decide nothing."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy


class BeginForm(forms.Form):
    """An email or a mobile."""

    name = forms.CharField(
        label=gettext_lazy("Your email or mobile"),
        max_length=320,
        widget=forms.TextInput(
            attrs={
                "autocomplete": "username",
                "autocapitalize": "none",
                "autocorrect": "off",
                "spellcheck": "false",
                "inputmode": "email",
                "autofocus": True,
            }
        ),
    )


class DigitsForm(forms.Form):
    """Six digits that were sent."""

    code = forms.CharField(
        label=gettext_lazy("The code"),
        max_length=20,
        widget=forms.TextInput(
            attrs={"inputmode": "numeric", "autocomplete": "one-time-code", "autofocus": True, "class": "code-input"}
        ),
    )


class FactorForm(forms.Form):
    """A time code or a recovery code."""

    factor = forms.CharField(
        label=gettext_lazy("The code"),
        max_length=40,
        widget=forms.TextInput(
            attrs={"autocomplete": "one-time-code", "autocapitalize": "none", "spellcheck": "false", "autofocus": True}
        ),
    )


class LetterForm(forms.Form):
    """The code of a letter from the office."""

    code = forms.CharField(
        label=gettext_lazy("The code on the letter"),
        help_text=gettext_lazy("16 letters and digits, no O or I, no 0 or 1. Capitals and dashes do not matter."),
        max_length=40,
        widget=forms.TextInput(
            attrs={"autocomplete": "off", "autocapitalize": "characters", "spellcheck": "false", "autofocus": True}
        ),
    )
