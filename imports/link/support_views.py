"""*Send details to support*: see them, download them, mail them."""

from __future__ import annotations

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from hub.accounts.models import Role
from hub.accounts.viewer import SchoolRequest, require
from hub.core.errors import HubError
from imports.link import links, support
from imports.models import MisLink

OFFICE = (Role.ADMINISTRATOR, Role.OFFICE)


@require(*OFFICE)
@require_http_methods(["GET", "HEAD", "POST"])
def support_page(request: SchoolRequest, school: str) -> HttpResponseBase:
    """Show the details as they would be sent; the POST mails them."""
    link, now = _link(request), timezone.now()
    if request.method == "POST":
        try:
            support.send(link=link, by=request.account, now=now)
        except HubError as refusal:
            messages.error(request, refusal.message)
        else:
            messages.success(request, f"Sent to {settings.SUPPORT_EMAIL}. They answer to {_answer_to(request)}.")
        return redirect("imports:mis_link_support", school)
    context = {
        "nav": "settings",
        "mis_name": link.source.mis_name,
        "details": support.bundle(link, now=now),
        "mailed_to": settings.SUPPORT_EMAIL,
        "chat": settings.SUPPORT_CHAT_URL,
        "answer_to": _answer_to(request),
    }
    return render(request, "imports/mis_link_support.html", context)


@require(*OFFICE)
@require_safe
def support_file(request: SchoolRequest, school: str) -> HttpResponseBase:
    """Return the details as a file."""
    link, now = _link(request), timezone.now()
    response = HttpResponse(support.bundle(link, now=now), content_type="text/plain; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{support.filename(link, now=now)}"'
    response["Cache-Control"] = "no-store, private"
    return response


def _answer_to(request: SchoolRequest) -> str:
    return request.school.office_email or "your school’s office"


def _link(request: SchoolRequest) -> MisLink:
    link = links.current_link(request.school)
    if link is None:
        raise Http404
    return link
