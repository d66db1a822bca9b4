"""What the parents' frame shows on every page, and which frame a page of one's own login lies in."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.http import HttpRequest
from django.utils import timezone

from hub.portal import selectors

PORTAL_FRAME = "portal/base.html"
STAFF_FRAME = "staff.html"


def frame(request: HttpRequest) -> dict[str, Any]:
    """Return `account_frame`, the frame of pages about the own login: the staff's for staff, else the parents'."""
    viewer = getattr(request, "viewer", None)
    staff = viewer is not None and bool(viewer.memberships)
    found: dict[str, Any] = {"account_frame": STAFF_FRAME if staff else PORTAL_FRAME, "is_staff_member": staff}
    if viewer is not None:
        found["is_parent_too"] = viewer.is_parent_too
    if connections := getattr(request, "connections", None):
        found["portal_asked"] = partial(selectors.count_questions, connections, timezone.now())
    return found
