"""Every part of the visual language on one page, for whoever draws the next. Developers only."""

from __future__ import annotations

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe


@require_safe
def style_guide(request: HttpRequest) -> HttpResponse:
    """Show the parts; not found unless SCHOOLGATE_DEBUG is 1."""
    if not settings.DEBUG:
        raise Http404
    return render(request, "overview/style_guide.html", {"nav": "overview"})


style_guide.access = "developers only"  # type: ignore[attr-defined]
