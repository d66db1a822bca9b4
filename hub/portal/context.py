"""What the parents' frame shows on every page, and which frame a page of one's own login lies in."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

PORTAL_FRAME = "portal/base.html"
STAFF_FRAME = "staff.html"


def frame(request: HttpRequest) -> dict[str, Any]:
    """Return `account_frame`, the frame of pages about the own login: the staff's for staff, else the parents'."""
    viewer = getattr(request, "viewer", None)
    staff = viewer is not None and bool(viewer.memberships)
    return {"account_frame": STAFF_FRAME if staff else PORTAL_FRAME, "is_staff_member": staff}
