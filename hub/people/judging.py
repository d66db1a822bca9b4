"""The judge of each kind of detail, by its name."""

from __future__ import annotations

from hub.people import details
from hub.people.details import Judged
from hub.people.models import DetailKind

_JUDGES = {DetailKind.EMAIL: details.email, DetailKind.MOBILE: details.mobile}


def judge(kind: str, raw: str) -> Judged:
    """Judge `raw` as an email or a mobile."""
    return _JUDGES[DetailKind(kind)](raw)


def display(kind: str, value: str) -> str:
    """Return a stored value as people write it."""
    return details.display_mobile(value) if kind == DetailKind.MOBILE else value
