"""What people type about people: a detail, somebody added by hand, why a record is not imported, a search."""

from __future__ import annotations

from typing import Any

from django import forms

from hub.people.details import NOTES, SENTENCES, Reason
from hub.people.judging import judge
from hub.people.models import DetailKind

_ALONE = {
    DetailKind.EMAIL: "Enter one email address and nothing else.",
    DetailKind.MOBILE: "Enter one number and nothing else.",
}
_INPUTS: dict[str, dict[str, str]] = {
    DetailKind.EMAIL: {"inputmode": "email", "autocomplete": "off", "spellcheck": "false", "autocapitalize": "none"},
    DetailKind.MOBILE: {"inputmode": "tel", "autocomplete": "off"},
}


class DetailField(forms.CharField):
    """An email or mobile, judged as an import judges it; blank is allowed."""

    def __init__(self, kind: DetailKind, **options: Any) -> None:
        self.kind = kind
        widget = forms.TextInput(attrs=_INPUTS[kind])
        super().__init__(label=kind.label, required=False, max_length=320, widget=widget, **options)

    def clean(self, value: Any) -> str:
        judged = judge(self.kind, super().clean(value) or "")
        if judged.reason in NOTES:
            raise forms.ValidationError(_ALONE[self.kind])
        if judged.value is None and judged.reason not in (None, Reason.NOT_GIVEN):
            raise forms.ValidationError(SENTENCES[judged.reason])
        return judged.value or ""


class DetailForm(forms.Form):
    """One detail of somebody not connected."""

    def __init__(self, kind: DetailKind, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["value"] = DetailField(kind, help_text="Leave it blank to take it out.")
        self.fields["value"].label = f"New {kind.label.lower()}"
        self.fields["value"].widget.attrs["autofocus"] = True


class ByHandForm(forms.Form):
    title = forms.CharField(max_length=30, required=False)
    forename = forms.CharField(max_length=100, required=False)
    surname = forms.CharField(max_length=100, error_messages={"required": "Enter a surname."})
    email = DetailField(DetailKind.EMAIL)
    mobile = DetailField(DetailKind.MOBILE)


class ExcludeForm(forms.Form):
    reason = forms.CharField(max_length=300, required=False)


class SearchForm(forms.Form):
    q = forms.CharField(max_length=100, required=False)
