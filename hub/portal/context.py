"""What the parents' frame shows on every page, and which frame a page of one's own login lies in."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.http import HttpRequest
from django.utils import timezone

from hub.accounts.models import Account
from hub.people.selectors import connections_of
from hub.portal import selectors

PORTAL_FRAME = "portal/base.html"
STAFF_FRAME = "staff.html"


def frame(request: HttpRequest) -> dict[str, Any]:
    """Return `account_frame`, the frame of pages about the own login: the staff's for staff, else the parents'."""
    viewer = getattr(request, "viewer", None)
    staff = viewer is not None and bool(viewer.memberships)
    found: dict[str, Any] = {"account_frame": STAFF_FRAME if staff else PORTAL_FRAME, "is_staff_member": staff}
    if viewer is not None and staff:
        found["is_parent_too"] = partial(_is_parent, viewer.account)
    if connections := getattr(request, "connections", None):
        found["portal_asked"] = partial(selectors.count_proposals, connections, timezone.now())
    return found


def _is_parent(account: Account) -> bool:
    """Whether a member of staff is somebody's parent too; asked by the staff frame where it shows the way home."""
    return any(one.contact_id for one in connections_of(account))
