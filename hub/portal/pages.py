"""The portal's pages that only show: home, children, details, approvals, notices, messages."""

from __future__ import annotations

from django.http import Http404, HttpResponse
from django.shortcuts import render

from hub.people.models import DetailKind
from hub.portal.viewer import ParentRequest, parent


def _page(request: ParentRequest, tab: str) -> HttpResponse:
    return render(request, f"portal/{tab}.html", {"tab": tab})


@parent
def home(request: ParentRequest) -> HttpResponse:
    """What needs the parent, and the children."""
    return _page(request, "home")


@parent
def children(request: ParentRequest) -> HttpResponse:
    """Each child, as its school has it."""
    return _page(request, "children")


@parent
def details(request: ParentRequest) -> HttpResponse:
    """Email and mobile at each school."""
    return _page(request, "details")


@parent
def approvals(request: ParentRequest) -> HttpResponse:
    """What schools have asked to change."""
    return _page(request, "approvals")


@parent
def notices(request: ParentRequest) -> HttpResponse:
    """How the parent wants to hear."""
    return _page(request, "notices")


@parent
def messages(request: ParentRequest) -> HttpResponse:
    """The place kept for messages."""
    return _page(request, "messages")


@parent
def change(request: ParentRequest, kind: str) -> HttpResponse:
    """A new email or mobile."""
    if kind not in DetailKind.values:
        raise Http404
    return _page(request, "details")
