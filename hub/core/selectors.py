"""Reading what is nobody's domain: whether this installation has begun."""

from __future__ import annotations

from hub.core import scope
from hub.core.models import School


def any_school() -> bool:
    """Whether a school exists at all; before the first one, the start page says how to make it."""
    with scope.every_school():
        return School.objects.exists()
