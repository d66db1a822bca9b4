"""What the people domain refuses, in words for the person who asked."""

from __future__ import annotations

from django.utils.translation import gettext

from hub.core.errors import HubError
from hub.people.reasons import SENTENCES, Reason


class ConnectedError(HubError):
    """The person is Connected: the detail is theirs to change."""


class DetailRefusedError(HubError):
    """The value is no email or mobile; `reason` says why."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(gettext(SENTENCES[reason]))
        self.reason = reason


class NotByHandError(HubError):
    """The person came from the MIS, and only an import ends them."""
