"""The root of refusals: what the hub will not do, in words for the person who asked."""

from __future__ import annotations


class HubError(Exception):
    """A refusal whose message is shown to the user as it is. Domain errors derive from it."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message
