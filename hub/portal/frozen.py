"""Where “this was not me” stands, a form says so at once, with whom to ring, instead of refusing what was typed."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec

from django.http import HttpResponse
from django.shortcuts import render

from hub.portal import selectors
from hub.portal.viewer import ParentRequest

P = ParamSpec("P")


def unless_frozen(view: Callable[Concatenate[ParentRequest, P], HttpResponse]) -> Callable[..., HttpResponse]:
    """Show the form while the login may change something; a form sent too late is answered by the same page, as 422.

    The verbs refuse by themselves, under the lock: this only spares the typing.
    """

    @wraps(view)
    def inner(request: ParentRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        schools = selectors.frozen_at(request.connections) if request.connections else []
        if not schools:
            return view(request, *args, **kwargs)
        status = 422 if request.method == "POST" else 200
        return render(request, "portal/frozen.html", {"tab": "details", "schools": schools}, status=status)

    return inner
