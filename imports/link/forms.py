"""Forms of the MIS Link: they check what was typed, and decide nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.forms.widgets import Input

from hub.core.forms import Choice
from imports.models import MisLink
from mis_connectors.base import ConnectorInfo, SettingField

DAYS = ((1, "Mon"), (2, "Tue"), (3, "Wed"), (4, "Thu"), (5, "Fri"), (6, "Sat"), (7, "Sun"))


class ConnectorForm(forms.Form):
    """Which MIS the school uses: those installed on this hub, each with how it is connected."""

    connector = forms.ChoiceField(
        label="Your school's MIS",
        widget=forms.RadioSelect,
        error_messages={"required": "Choose the system in which your school keeps its pupils."},
    )

    def __init__(self, *args: Any, choices: Sequence[tuple[ConnectorInfo, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["connector"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [(info.slug, Choice(info.mis_name, about)) for info, about in choices]
        if len(field.choices) == 1:
            self.initial.setdefault("connector", field.choices[0][0])


class ScheduleForm(forms.Form):
    """Which nights, and at what time in London."""

    weekdays = forms.TypedMultipleChoiceField(
        label="Nights",
        choices=DAYS,
        coerce=int,
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": "Choose at least one night. To stop for a while, pause the link instead."},
    )
    run_at = forms.TimeField(
        label="Time",
        help_text="By the clocks of the school. After midnight, when the MIS is idle, is best.",
        widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
    )

    @classmethod
    def of(cls, link: MisLink) -> ScheduleForm:
        """Return the form as the link stands."""
        return cls(initial={"weekdays": link.weekdays, "run_at": link.run_at})


class PauseForm(forms.Form):
    """Until when no night is run."""

    until = forms.DateField(
        label="Pause until",
        help_text="No import before this day; then it goes on by itself.",
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )


class AgentForm(forms.Form):
    """What a copy of the agent is called."""

    name = forms.CharField(
        label="Name of this copy",
        max_length=100,
        initial="School server",
        help_text="The computer it will run on. A new copy of a name ends the old one when it is first heard.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )


class SettingsForm(forms.Form):
    """What a school types in for its MIS. A secret is never shown again; left empty, it stays as it is."""

    def __init__(
        self,
        data: Any = None,
        *,
        fields: Sequence[SettingField],
        known: Mapping[str, Any],
        kept: Mapping[str, str],
    ) -> None:
        super().__init__(data)
        for field in fields:
            since = kept.get(field.name)
            saved = f"Saved on {since}, not shown. Leave it empty to keep it." if since else ""
            widget: type[Input] = forms.PasswordInput if field.secret else forms.TextInput
            self.fields[field.name] = forms.CharField(
                label=field.label,
                help_text=" ".join(part for part in (saved, field.help) if part),
                required=field.required and since is None,
                initial="" if field.secret else known.get(field.name, ""),
                max_length=300,
                widget=widget(attrs={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}),
                error_messages={"required": f"Type in the {field.label[:1].lower()}{field.label[1:]}."},
            )

    def take(self, problems: Mapping[str, str]) -> None:
        """Show beside each field what cannot be right of it."""
        for name, sentence in problems.items():
            self.add_error(name if name in self.fields else None, sentence)
