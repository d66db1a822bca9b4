"""What is typed on the way of registering. The forms check, and decide nothing."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms
from django.contrib.auth import password_validation
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from hub.accounts.models import Account
from hub.people.details import NOTES, SENTENCES, Reason
from hub.people.judging import judge
from hub.people.models import PupilContact
from verification.registration.rules import EMAIL

KNOWN, OTHER, NONE = "known", "other", "none"
_INPUTS = {
    "email": {"inputmode": "email", "autocomplete": "email", "spellcheck": "false", "autocapitalize": "none"},
    "mobile": {"inputmode": "tel", "autocomplete": "tel"},
}


class LetterForm(forms.Form):
    """The number and the code of a letter."""

    number = forms.CharField(
        label=gettext_lazy("Letter number"),
        max_length=20,
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off", "autofocus": True}),
    )
    code = forms.CharField(
        label=gettext_lazy("Code"),
        help_text=gettext_lazy("Capitals and dashes do not matter. There is no O or I, no 0 or 1 in it."),
        max_length=30,
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "characters", "spellcheck": "false"}),
    )


class AboutForm(forms.Form):
    """Which email or mobile is the person's: one that is known, another, or none."""

    choice = forms.ChoiceField(
        widget=forms.RadioSelect,
        required=False,
        error_messages={"invalid_choice": gettext_lazy("Choose one of these.")},
    )
    other = forms.CharField(required=False, max_length=320)

    def __init__(
        self, *args: Any, kind: str, known: Iterable[str], only_known: bool, needed: bool, **options: Any
    ) -> None:
        super().__init__(*args, **options)
        self.kind, self.known = kind, list(known)
        self.choices = [f"{KNOWN}{place}" for place in range(len(self.known))]
        self.more: tuple[str, ...] = () if only_known else (OTHER,) if needed else (OTHER, NONE)
        self.fields["choice"].choices = [(one, one) for one in (*self.choices, *self.more)]  # type: ignore[attr-defined]
        self.fields["other"].widget.attrs.update(_INPUTS[kind])

    def clean(self) -> dict[str, Any]:
        """Return `value`: the email or mobile in its one form, or blank for none."""
        cleaned = super().clean() or self.cleaned_data
        choice, typed = cleaned.get("choice") or "", (cleaned.get("other") or "").strip()
        if "choice" in self.errors:
            return cleaned
        if typed and choice != OTHER:
            choice = self._meant(choice)
        if choice in self.choices:
            cleaned["value"] = self.known[self.choices.index(choice)]
        elif choice == OTHER:
            self._clean_other(cleaned, typed)
        elif choice == NONE:
            cleaned["value"] = ""
        else:
            self.add_error("choice", _("Choose one of these."))
        return cleaned

    def _meant(self, choice: str) -> str:
        """Return what is meant where something is typed and another choice is marked; nobody guesses between two."""
        if choice:
            self.add_error("other", _("Choose this one, or leave it empty."))
            return choice
        return OTHER if OTHER in self.more else choice

    def _clean_other(self, cleaned: dict[str, Any], typed: str) -> None:
        judged = judge(self.kind, typed)
        if judged.value is None and judged.reason in (None, Reason.NOT_GIVEN):
            self.add_error("other", _("Type your email.") if self.kind == EMAIL else _("Type your mobile number."))
        elif judged.value is None or judged.reason in NOTES:
            assert judged.reason
            self.add_error("other", _(SENTENCES[judged.reason]))
        else:
            cleaned["value"] = judged.value


class CodeForm(forms.Form):
    """The six digits that were sent."""

    code = forms.CharField(
        label=gettext_lazy("The code"),
        max_length=20,
        widget=forms.TextInput(
            attrs={"inputmode": "numeric", "autocomplete": "one-time-code", "autofocus": True, "class": "code-input"}
        ),
    )


class ChildrenForm(forms.Form):
    """Of each child: mine, or not. Neither is chosen before."""

    def __init__(self, *args: Any, links: Iterable[PupilContact], **options: Any) -> None:
        super().__init__(*args, **options)
        self.links = list(links)
        for link in self.links:
            name = link.pupil.forename
            self.fields[f"child_{link.pk}"] = forms.ChoiceField(
                label=str(link.pupil),
                choices=[
                    ("yes", _("Yes, %(name)s is mine") % {"name": name}),
                    ("no", _("No, not my child")),
                ],
                widget=forms.RadioSelect,
                error_messages={"required": _("Say whether %(name)s is yours.") % {"name": name}},
            )

    @property
    def mine(self) -> dict[int, bool]:
        """Return, by link, whether the child is theirs."""
        return {link.pk: self.cleaned_data[f"child_{link.pk}"] == "yes" for link in self.links}


class PasswordForm(forms.Form):
    """A new password, held against the rules with the person's name and addresses in mind."""

    password = forms.CharField(
        label=gettext_lazy("Choose a password"),
        strip=False,
        max_length=1000,
        help_text=gettext_lazy(
            "12 characters or more. Three or four words that do not belong together are a good one."
        ),
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def __init__(self, *args: Any, unsaved: Account, **options: Any) -> None:
        super().__init__(*args, **options)
        self.unsaved = unsaved

    def clean_password(self) -> str:
        typed = str(self.cleaned_data["password"])
        try:
            password_validation.validate_password(typed, self.unsaved)
        except ValidationError as error:
            raise forms.ValidationError(error.messages) from error
        return typed
