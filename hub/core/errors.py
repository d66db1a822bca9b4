"""The root of refusals: what the hub will not do, in words for the person who asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise


class HubError(Exception):
    """A refusal whose message is shown to the user as it is, in their language. Domain errors derive from it."""

    def __init__(self, message: StrOrPromise) -> None:
        super().__init__(str(message))
        self.message = str(message)
