"""What every staff page's frame shows: the school, the role, the way to the other schools."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone

from hub.accounts.models import Membership, Role
from hub.core.models import School
from verification import selectors as verification


def shell(request: HttpRequest) -> dict[str, Any]:
    """Return what the frame of a staff page needs; on other pages only what is cheap."""
    frame: dict[str, Any] = {"local_inbox": settings.LOCAL_INBOX, "now": timezone.now()}
    viewer = getattr(request, "viewer", None)
    if viewer is None or viewer.account is None:
        return frame
    frame |= {"account": viewer.account, "other_schools": max(len(viewer.memberships) - 1, 0)}
    membership: Membership | None = getattr(request, "membership", None)
    if membership is None and len(viewer.memberships) == 1:
        membership = viewer.memberships[0]
    if membership is not None:
        frame |= {
            "school": membership.school,
            "role": membership.get_role_display(),
            "runs_office": membership.role in (Role.ADMINISTRATOR, Role.OFFICE),
            "is_administrator": membership.role == Role.ADMINISTRATOR,
            "reports_count": partial(_reports, membership.school),
        }
    return frame


def _reports(school: School) -> int:
    """Count what is still to be copied into the MIS; asked by the frame only where it shows the number."""
    return verification.count_to_copy(school)
