"""Forms of Settings: the school's details, and staff."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.core.validators import RegexValidator

from hub.accounts.models import Role
from hub.core.forms import Choice
from hub.core.models import School
from hub.people import selectors as people
from hub.people.models import Group, GroupKind

ROLES = (
    (Role.ADMINISTRATOR, Choice("Administrator", "Everything, and who works here.")),
    (Role.OFFICE, Choice("Office", "People, imports, reports and the MIS Link.")),
    (Role.TEACHER, Choice("Teacher", "Sees the pupils of some groups, and their parents.")),
)


class SchoolForm(forms.Form):
    """A school's name, and where its alerts go."""

    name = forms.CharField(label="Name", max_length=200)
    office_email = forms.EmailField(
        label="Office email", help_text="Where Schoolgate writes when an import fails, is held or stays away."
    )
    urn = forms.CharField(
        label="URN",
        required=False,
        help_text="Six digits, from Get Information about Schools.",
        validators=[RegexValidator(r"^\d{6}$", "A URN has six digits.")],
        widget=forms.TextInput(attrs={"inputmode": "numeric", "maxlength": 6}),
    )


class MemberForm(forms.Form):
    """A role, and for teachers the groups they see: one field per kind of group the school has."""

    role = forms.ChoiceField(label="Role", choices=ROLES, widget=forms.RadioSelect)

    def __init__(self, *args: Any, school: School, chosen: Sequence[int] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        filled = list(people.groups(school))
        emptied = Group.objects.filter(school=school, pk__in=chosen).exclude(pk__in=[group.pk for group in filled])
        groups = sorted([*filled, *emptied], key=lambda group: group.name)
        for kind in GroupKind:
            if of_kind := [(group.pk, group.name) for group in groups if group.kind == kind]:
                self.fields[f"groups_{kind}"] = forms.TypedMultipleChoiceField(
                    label=_PLURALS[kind],
                    choices=of_kind,
                    coerce=int,
                    required=False,
                    initial=[pk for pk, _ in of_kind if pk in chosen],
                    widget=forms.CheckboxSelectMultiple,
                )
        self._groups = {group.pk: group for group in groups}

    @property
    def group_fields(self) -> list[forms.BoundField]:
        """The fields for a teacher's groups; none while the school has no groups."""
        return [self[name] for name in self.fields if name.startswith("groups_")]

    def chosen_groups(self) -> list[Group]:
        """Return the groups that were ticked, of a valid form."""
        return [
            self._groups[pk]
            for name, picked in self.cleaned_data.items()
            if name.startswith("groups_")
            for pk in picked
        ]


class InviteForm(MemberForm):
    """Who is invited, and as what."""

    email = forms.EmailField(
        label="Email",
        max_length=320,
        help_text="Their work address. The link goes there.",
        widget=forms.EmailInput(attrs={"autocomplete": "off", "autocapitalize": "none"}),
    )

    field_order = ("email", "role")


_PLURALS = {
    GroupKind.REGISTRATION: "Registration groups",
    GroupKind.YEAR: "Year groups",
    GroupKind.CLASS: "Classes",
    GroupKind.HOUSE: "Houses",
    GroupKind.PRE_ADMISSION: "Pre-admission",
}
