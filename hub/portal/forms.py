"""The portal's forms: a new email or mobile, a code, a reason."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from hub.people.models import Connection, DetailKind
from hub.portal import words
from hub.portal.selectors import Record

SOMETHING_ELSE = "else"


class WhereForm(forms.Form):
    """At which of the person's records; not asked where there is one."""

    where = forms.MultipleChoiceField(label=gettext_lazy("At which schools?"), widget=forms.CheckboxSelectMultiple)

    def __init__(self, records: Sequence[Record], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._records = records
        where = self.fields["where"]
        assert isinstance(where, forms.MultipleChoiceField)
        where.choices = [(str(one.connection.pk), words.place_of(one, records)) for one in records]
        where.initial = [str(one.connection.pk) for one in records]
        if len(records) < 2:
            where.required = False
            where.widget = forms.MultipleHiddenInput()

    def connections(self) -> list[Connection]:
        """Return the chosen connections: all of them where nothing was asked."""
        chosen = set(self.cleaned_data["where"])
        own = [one.connection for one in self._records]
        return [one for one in own if str(one.pk) in chosen] or own


class ValueForm(WhereForm):
    """A new email or mobile. What is one, the domain says."""

    value = forms.CharField(max_length=320)
    field_order = ("value", "where")

    def __init__(self, kind: str, records: Sequence[Record], *args: Any, **kwargs: Any) -> None:
        super().__init__(records, *args, **kwargs)
        value = self.fields["value"]
        if kind == DetailKind.EMAIL:
            value.label = _("New email")
            value.widget = forms.EmailInput(attrs={"autocomplete": "email", "spellcheck": "false"})
        else:
            value.label = _("New mobile")
            value.widget = forms.TextInput(attrs={"type": "tel", "autocomplete": "tel", "inputmode": "tel"})


class CodeForm(forms.Form):
    """The code from a message."""

    code = forms.CharField(
        label=gettext_lazy("The code"),
        max_length=20,
        widget=forms.TextInput(
            attrs={"autocomplete": "one-time-code", "inputmode": "numeric", "class": "code-input", "autofocus": True}
        ),
    )

    def clean_code(self) -> str:
        return "".join(self.cleaned_data["code"].split())


class ReasonForm(forms.Form):
    """Why not: one of three, or something else, and what one likes to add."""

    why = forms.ChoiceField(label=gettext_lazy("Why?"), widget=forms.RadioSelect)
    more = forms.CharField(
        label=gettext_lazy("Anything to add for the office"),
        max_length=200,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        why = self.fields["why"]
        assert isinstance(why, forms.ChoiceField)
        why.initial = REASONS[0]
        why.choices = [*((english, _(english)) for english in REASONS), (SOMETHING_ELSE, _("Something else"))]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        if data.get("why") == SOMETHING_ELSE and not data.get("more", "").strip():
            self.add_error("more", _("Say in a few words why, so that the office knows what to do."))
        return data

    def reason(self) -> str:
        """Return what the office reads: the quick reason in English, and the parent's own words."""
        quick = self.cleaned_data["why"]
        return _joined(("" if quick == SOMETHING_ELSE else quick, self.cleaned_data["more"].strip()))


def _joined(parts: Iterable[str]) -> str:
    return " ".join(part for part in parts if part)


REASONS = (
    words.N_("Mine is right as it is."),
    words.N_("The new one is old or mistyped."),
    words.N_("The new one belongs to somebody else."),
)
