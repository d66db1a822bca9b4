"""Settings: where things are set, and the school's own details."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from hub.accounts.models import Role
from hub.accounts.viewer import SchoolRequest, require
from hub.core import services
from hub.overview.settings_forms import SchoolForm


@require_safe
@require(Role.ADMINISTRATOR, Role.OFFICE)
def index(request: SchoolRequest, school: str) -> HttpResponse:
    """Lead to everything that can be set."""
    return render(request, "overview/settings.html", {"nav": "settings"})


@require_http_methods(["GET", "HEAD", "POST"])
@require(Role.ADMINISTRATOR)
def school_details(request: SchoolRequest, school: str) -> HttpResponse:
    """Show and change the school's name, office email and URN."""
    held = request.school
    initial = {"name": held.name, "office_email": held.office_email, "urn": held.urn}
    form = SchoolForm(request.POST or None, initial=initial)
    if form.is_valid():
        services.change_school(school=held, **form.cleaned_data, by=request.account, now=timezone.now())
        messages.success(request, "The school's details are saved.")
        return redirect("overview:school_details", school)
    context = {"nav": "settings", "form": form}
    return render(request, "overview/school_details.html", context, status=422 if form.errors else 200)
