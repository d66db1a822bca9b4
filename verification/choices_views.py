"""Settings > What parents confirm: the school's choices."""

from __future__ import annotations

from django import forms
from django.contrib import messages
from django.http import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from hub.accounts.models import Role
from hub.accounts.viewer import SchoolRequest, require
from hub.core.forms import Choice
from verification import choosing, selectors

_DRIFT = (
    ("list", Choice("List it", "It stands in the report, for you to copy. Nobody is written to.")),
    (
        "ask",
        Choice(
            "Ask the parent",
            "They get a question with seven days to answer. If they say no, or nothing, theirs stays and is listed.",
        ),
    ),
)  # fmt: skip


class ChoicesForm(forms.Form):
    """What a school chooses; the defaults write to nobody unasked."""

    drift = forms.ChoiceField(
        label="When the MIS begins to say something else", choices=_DRIFT, widget=forms.RadioSelect
    )
    weekly_summary = forms.BooleanField(
        label="Mail the office on Mondays what is still to copy",
        required=False,
        help_text="At 07:30, while there is something to copy; to everybody who runs the office and has not switched "
        "it off for themselves.",
    )
    leaver_login_days = forms.IntegerField(
        label="Days until the login of a leaver’s parent ends",
        min_value=choosing.LEAST_DAYS,
        max_value=choosing.MOST_DAYS,
        help_text="They lose sight of the child on the day it leaves. The login itself, with their own details, goes "
        "on for so long, if they have no other child here.",
        widget=forms.NumberInput(attrs={"inputmode": "numeric"}),
    )
    letter_days = forms.IntegerField(
        label="Days a printed letter is good",
        min_value=choosing.LEAST_LETTER_DAYS,
        max_value=choosing.MOST_LETTER_DAYS,
        help_text="Invitations by email and text are good for 10 days. A letter may need longer: it travels in a book "
        "bag, perhaps over a holiday. Whoever finds one can use it so long, too.",
        widget=forms.NumberInput(attrs={"inputmode": "numeric"}),
    )


@require(Role.ADMINISTRATOR)
@require_http_methods(["GET", "HEAD", "POST"])
def choices(request: SchoolRequest, school: str) -> HttpResponseBase:
    """Show and change what the school chose."""
    held = selectors.choices(request.school)
    initial = {
        "drift": "ask" if held.propose_drift else "list",
        "weekly_summary": held.weekly_summary,
        "leaver_login_days": held.leaver_login_days,
        "letter_days": held.letter_days,
    }
    form = ChoicesForm(request.POST or None, initial=initial)
    if form.is_valid():
        choosing.choose(
            school=request.school,
            propose_drift=form.cleaned_data["drift"] == "ask",
            weekly_summary=form.cleaned_data["weekly_summary"],
            leaver_login_days=form.cleaned_data["leaver_login_days"],
            letter_days=form.cleaned_data["letter_days"],
            by=request.account,
            now=timezone.now(),
        )
        messages.success(request, "Your choices are saved.")
        return redirect("verification:choices", school)
    context = {"nav": "settings", "form": form, "mis": selectors.mis(request.school)}
    return render(request, "verification/choices.html", context, status=422 if form.errors else 200)
