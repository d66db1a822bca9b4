"""How much of a request is read at all: a form is small, and a file is taken only where one is asked for.

Django spools whatever is sent, to look in it for the form's token, before it asks who sends it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponse, HttpResponseBase
from django.shortcuts import render

_PASSED_OVER = 4
"""So many times the largest upload is read of a file that is refused."""
_PIECE = 256 * 1024
View = TypeVar("View", bound=Callable[..., HttpResponseBase])


def takes_a_file(view: View) -> View:
    """Say of a view that its form brings a file: whoever is signed in may send as much as an upload has."""
    view.takes_a_file = True  # type: ignore[attr-defined]
    return view


class BodyMiddleware:
    """Refuses what is too long by the length it announces, before anything of it is read.

    Stands before Django's check of the form's token. A view that does without that check reads by
    itself, and what announces no length is read by nobody.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Callable[..., Any], args: Any, kwargs: Any
    ) -> HttpResponse | None:
        """Return the page that says so, or None where the view may go on."""
        if getattr(view, "csrf_exempt", False):
            return None
        with_file = getattr(view, "takes_a_file", False) and request.user.is_authenticated
        form = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        if _announced(request) <= (settings.UPLOAD_LIMIT + form if with_file else form):
            return None
        if with_file:
            _pass_over(request)
        context = {"file_limit": settings.UPLOAD_LIMIT // 2**20 if with_file else 0}
        return render(request, "413.html", context, status=413)


def _pass_over(request: HttpRequest) -> None:
    """Read a file and keep nothing of it, as browsers hear no answer while they send; but not for ever."""
    left = _PASSED_OVER * settings.UPLOAD_LIMIT
    while left > 0 and (piece := request.read(_PIECE)):
        left -= len(piece)


def _announced(request: HttpRequest) -> int:
    said = str(request.META.get("CONTENT_LENGTH") or "")
    return int(said) if said.isdecimal() else 0
