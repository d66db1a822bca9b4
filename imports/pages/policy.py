"""Settings > Who is imported: the rule, the number of parents each choice gives, and when an import asks first."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from hub.accounts.models import Role
from hub.accounts.viewer import SchoolRequest, require
from imports import policy, selectors
from imports.link.links import current_link
from imports.models import ImportPolicy, RecipientRule

EXPLAINED = {
    RecipientRule.RESPONSIBILITY: "Also those of whom the MIS does not say: silence is not held against them.",
    RecipientRule.PRIORITY: "By the order in which the MIS lists a pupil's contacts.",
    RecipientRule.ALL: "Also emergency contacts and those under a court order. Rarely what you want.",
}
_FIELDS = ("recipient_rule", "priority_limit", "include_pre_admissions", "removal_percent", "removal_floor")


def _percent(label: str, help_text: str) -> forms.IntegerField:
    return forms.IntegerField(label=label, help_text=help_text, min_value=1, max_value=100)


class PolicyForm(forms.Form):
    """What a school chooses; the defaults are safe."""

    recipient_rule = forms.ChoiceField(label="Which contacts become parents here", choices=RecipientRule.choices)
    priority_limit = forms.IntegerField(label="Highest priority that is imported", min_value=1, max_value=20)
    include_pre_admissions = forms.BooleanField(
        label="Import pre-admissions",
        required=False,
        help_text="Pupils who have a place and have not started, and their parents.",
    )
    removal_percent = _percent(
        "Hold removals above this per cent",
        "Of pupils, parents or staff, on one night and over the last seven. The rest of the import goes in.",
    )
    removal_floor = forms.IntegerField(
        label="So many may always go",
        help_text="A small school loses 10 % with a handful of leavers: up to this number nothing is held.",
        min_value=0,
        max_value=500,
    )


@require(Role.ADMINISTRATOR)
@require_http_methods(["GET", "HEAD", "POST"])
def who_is_imported(request: SchoolRequest, school: str) -> HttpResponseBase:
    """Show and change who is imported and what is held."""
    stored = policy.policy_of(request.school)
    initial = {name: getattr(stored, name) for name in _FIELDS}
    form = PolicyForm(request.POST if request.method == "POST" else None, initial=initial)
    if form.is_bound and form.is_valid():
        policy.set_policy(school=request.school, by=request.account, now=timezone.now(), **form.cleaned_data)
        messages.success(request, "Saved. The next import reads every record again by these rules.")
        return redirect("imports:policy", school)
    counts = _counts(request) if "count" in request.GET else {}
    context = {
        "nav": "settings",
        "form": form,
        "mis": selectors.mis_of(current_link(request.school)),
        "options": _options(form, stored, counts.get("by_rule", {})),
        **counts,
    }
    return render(request, "imports/policy.html", context, status=422 if form.errors else 200)


@require(Role.ADMINISTRATOR)
@require_safe
def who_is_imported_counts(request: SchoolRequest, school: str) -> HttpResponseBase:
    """Count what each choice gives: it reads the last file again, so the page asks for it afterwards."""
    context = {"mis": selectors.mis_of(current_link(request.school)), "school": request.school, "fill_in": True}
    return render(request, "imports/_policy_counts.html", context | _counts(request))


def _counts(request: SchoolRequest) -> dict[str, Any]:
    choices = policy.count_choices(request.school)
    return {"counted": True, "choices": choices, "by_rule": choices.by_rule if choices else {}}


def _options(
    form: PolicyForm, stored: ImportPolicy, by_rule: dict[str, int]
) -> list[tuple[str, str, str, bool, int | None]]:
    chosen = form["recipient_rule"].value() or stored.recipient_rule
    return [
        (rule.value, rule.label, EXPLAINED[rule], rule.value == chosen, by_rule.get(rule.value))
        for rule in RecipientRule
    ]
