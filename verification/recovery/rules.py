"""Who may get back into which login, and by what. Pure.

A mailbox or a number proves a person only where it is nobody else's. Otherwise, and where the login
has a second factor, a second proof is asked for – of something the others do not have.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

LINK_GOOD_FOR = dt.timedelta(minutes=30)
CODE_GOOD_FOR = dt.timedelta(minutes=10)
CODE_TRIES = 5
MOST_A_DAY = 20
"""Messages to one address in 24 hours; of links, after them one in 15 minutes: no asking keeps its owner out."""
MOST_AT_ONCE = 4
"""Messages to one address in 15 minutes: whoever asks for another's mails fills no mailbox."""
AT_ONCE = dt.timedelta(minutes=15)
SECOND_GOOD_FOR = dt.timedelta(minutes=15)
"""How long a second proof stands while the person thinks of a password."""


class Way(StrEnum):
    """A second proof."""

    EMAIL = "email"
    MOBILE = "mobile"
    TIME_CODE = "time_code"
    RECOVERY_CODE = "recovery_code"
    PASSKEY = "passkey"


@dataclass(frozen=True, slots=True)
class Proven:
    """An email or mobile that the login's owner has proved, and whether somebody else has it too."""

    kind: str
    value: str
    shared: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How a login stands, as far as getting back into it goes."""

    first: Proven
    """What was shown to be held: the mailbox a link came to, the mobile a code came to."""
    others: tuple[Proven, ...] = ()
    time_code: bool = False
    recovery_codes: bool = False
    passkey: bool = False
    staff: bool = False
    """Works at a school, or runs the installation."""

    @property
    def has_factor(self) -> bool:
        return self.time_code or self.passkey


def needs_second(standing: Standing) -> bool:
    """Whether the first proof is not enough: others hold it too, or the login asks for two proofs anyhow."""
    return standing.first.shared or standing.has_factor or standing.staff


def ways(standing: Standing) -> list[Way]:
    """Return the second proofs that this login takes, the surest first; none: only the school can help.

    A code to another address stands in for no factor that its owner has set up, nor for the one that
    staff must have; and it counts only where nobody else has that address, whoever they are: somebody
    who shares one with the owner may share the other.
    """
    found = [
        way
        for way, there in (
            (Way.PASSKEY, standing.passkey),
            (Way.TIME_CODE, standing.time_code),
            (Way.RECOVERY_CODE, standing.recovery_codes and standing.has_factor),
        )
        if there
    ]
    if standing.has_factor or standing.staff:
        return found
    return found + [Way(kind) for kind in dict.fromkeys(one.kind for one in usable(standing))]


def usable(standing: Standing) -> list[Proven]:
    """Return the addresses to which a second code may go, the first of each kind to be used."""
    first = standing.first
    return [one for one in standing.others if not one.shared and (one.kind, one.value) != (first.kind, first.value)]


def labels(names: Iterable[str]) -> list[str]:
    """Return what each of several logins is called in a mailbox that others read too: the first name, no more."""
    firsts = [(name.split() or ["Somebody"])[0] for name in names]
    seen: dict[str, int] = {}
    found = []
    for first in firsts:
        seen[first] = seen.get(first, 0) + 1
        found.append(first if seen[first] == 1 else f"{first} ({seen[first]})")
    return found


def may_send(sent: Iterable[dt.datetime], now: dt.datetime, *, by_link: bool) -> bool:
    """Whether one more message may go to an address that got these: not too many at once, nor in a day.

    A link is good for longer than the next one has to wait, and for whoever reads the mailbox: however
    often somebody else asks, its owner has one. A code serves only the browser that asked for it.
    """
    times = list(sent)
    at_once = sum(now - at < AT_ONCE for at in times)
    if len(times) >= MOST_A_DAY:
        return by_link and not at_once
    return at_once < MOST_AT_ONCE
