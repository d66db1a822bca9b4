"""Choosing the language one reads: for anybody, signed in or not."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponseBase
from django.views.decorators.http import require_POST
from django.views.i18n import set_language


@require_POST
def choose(request: HttpRequest) -> HttpResponseBase:
    """Remember the language in a cookie, and go back to where one was; only to a page of ours."""
    return set_language(request)


choose.access = "anybody"  # type: ignore[attr-defined]
