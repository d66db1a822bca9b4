"""What every way of sending has in common: ask, and hear *taken*, *refused* or nothing.

A carrier carries one notice to one address. Which class carries email and which texts is set in
`NOTICE_CARRIERS`; a provider's own words end in its class.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol, cast

from django.conf import settings
from django.utils.module_loading import import_string


@dataclass(frozen=True, slots=True)
class Receipt:
    """The provider has it: nothing more is known, and nothing more is needed."""

    id: str = ""


class Refused(Exception):
    """The provider, or the way to it, says no: it certainly did not take the notice.

    `again`: asking once more is safe and may help, not before `after` where that is given.
    `about_address`: there is no such mailbox or number, so nothing else will arrive there either.
    `why` is a sentence for the office; it names nobody and no address.
    """

    def __init__(
        self, why: str, *, again: bool = False, after: dt.timedelta | None = None, about_address: bool = False
    ) -> None:
        super().__init__(why)
        self.why, self.again, self.after, self.about_address = why, again, after, about_address


class Unanswered(Exception):
    """The provider was asked and its answer was not heard or not understood: it may have taken the notice."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class Carrier(Protocol):
    """One way of sending."""

    knows_references: bool
    """The provider takes a reference and sends nothing twice under it, so that asking again is always safe."""

    def available(self) -> bool:
        """Say whether it is set up here."""

    def deliver(self, *, to: str, subject: str, body: str, reference: str) -> Receipt:
        """Ask the provider once. Raises `Refused` or `Unanswered`; it ends within four minutes."""


def carrier(channel: str) -> Carrier:
    """Return what carries notices of this channel."""
    return _made(settings.NOTICE_CARRIERS[channel])


def available(channel: str) -> bool:
    """Say whether notices can be sent by this channel here; ask before offering it to anybody."""
    return carrier(channel).available()


@lru_cache(maxsize=8)
def _made(path: str) -> Carrier:
    return cast(Carrier, import_string(path)())
