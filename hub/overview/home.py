"""The start: to the school, to the list of schools, to the parents' portal, or what to do before there is one."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render

from hub.accounts.viewer import ViewedRequest, signed_in
from hub.core.selectors import any_school


def home(request: ViewedRequest) -> HttpResponseBase:
    """Lead on: before the first school to the first steps, strangers to sign in, staff to school, parents home."""
    if request.viewer.account is None and not any_school():
        return render(request, "overview/first_run.html", {"public_url": settings.PUBLIC_URL})
    return _to_school(request)


@signed_in
def _to_school(request: ViewedRequest) -> HttpResponse:
    memberships = request.viewer.memberships
    if not memberships:
        return redirect("portal:home")
    if len(memberships) == 1:
        return redirect("overview:overview", memberships[0].school.slug)
    return redirect("overview:all_schools")
