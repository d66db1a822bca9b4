"""Whom to invite, where and how often: the rules, on plain values.

A record is invited at most once a week and ten times in all, whichever of its addresses is asked. Both
begin again where the address is another one, and what could not be delivered asked nobody. A letter asks
no address, so the office may print one whenever it is needed.
"""

from __future__ import annotations

import datetime as dt
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

GOOD_FOR = dt.timedelta(days=10)
"""How long an invitation is good; of letters a school may choose otherwise: `Choices.letter_days`."""
AGAIN_AFTER = dt.timedelta(days=7)
MOST = 10

ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
"""32 characters that nobody takes for one another on paper: no I and 1, no O and 0."""
CODE_LENGTH = 12
"""60 bits: at ten thousand tries a second, day and night, ten days find one letter's code with a chance of 1 in 10⁸.

So no number of wrong codes makes a letter rest: whoever could bring that about kept its owner out.
"""

EMAIL, TEXT, LETTER = "email", "text", "letter"


class Reason(StrEnum):
    """Why somebody is not invited."""

    CONNECTED = "connected"
    MERGED = "merged"
    LEFT = "left"
    NO_CHILD = "no_child"
    NOT_MY_CHILD = "not_my_child"
    NO_ACCESS = "no_access"
    TOO_SOON = "too_soon"
    TEN_TIMES = "ten_times"
    NO_ADDRESS = "no_address"
    HAS_LETTER = "has_letter"


@dataclass(frozen=True, slots=True)
class Asked:
    """How often an address was asked, and when last; what certainly did not arrive is not counted."""

    times: int
    last: dt.datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What the rules look at of a parent or a member of staff; blank addresses are none that messages reach."""

    email: str = ""
    mobile: str = ""
    connected: bool = False
    merged: bool = False
    left: bool = False
    belongs: bool = True
    """A link to a pupil who is here stands, or they need none: staff, or added by hand."""
    sight: bool = True
    """And one of them lets them see the pupil."""
    denied: bool = False
    """They have said of a pupil who is here that it is not theirs."""
    asked: Mapping[str, Asked] = field(default_factory=dict)
    """By address, also such as are not theirs any more."""

    @property
    def asked_now(self) -> Asked | None:
        """Return how often the addresses that are theirs now were asked, all together."""
        asked = [self.asked[one] for one in {self.email, self.mobile} if one in self.asked]
        return Asked(sum(one.times for one in asked), max(one.last for one in asked)) if asked else None


@dataclass(frozen=True, slots=True)
class Ask:
    """The way an invitation goes; a letter goes to no address."""

    channel: str
    to: str


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why no invitation goes; `again` says from when one may, if the reason passes by itself."""

    reason: Reason
    last: dt.datetime | None = None
    again: dt.datetime | None = None


def decide(record: Record, *, channel: str | None = None, now: dt.datetime) -> Ask | Refusal:
    """Choose the way to invite a record – by email, else by text, else a letter – or say why none is open."""
    if reason := _shut(record):
        return Refusal(reason)
    ask = _way(record, channel)
    if ask is None:
        return Refusal(Reason.NO_ADDRESS)
    asked = record.asked_now if ask.channel != LETTER else None
    if asked is None:
        return ask
    if asked.times >= MOST:
        return Refusal(Reason.TEN_TIMES, last=asked.last)
    again = asked.last + AGAIN_AFTER
    return Refusal(Reason.TOO_SOON, last=asked.last, again=again) if now < again else ask


def _shut(record: Record) -> Reason | None:
    rules = (
        (record.merged, Reason.MERGED),
        (record.connected, Reason.CONNECTED),
        (record.left, Reason.LEFT),
        (not record.belongs, Reason.NO_CHILD),
        (not record.sight and record.denied, Reason.NOT_MY_CHILD),
        (not record.sight, Reason.NO_ACCESS),
    )
    return next((reason for shut, reason in rules if shut), None)


def _way(record: Record, channel: str | None) -> Ask | None:
    ways = {EMAIL: record.email, TEXT: record.mobile, LETTER: ""}
    if channel is None:
        channel = EMAIL if record.email else TEXT if record.mobile else LETTER
    return Ask(channel, ways[channel]) if ways[channel] or channel == LETTER else None


# The code of a letter


def make_code() -> str:
    """Return a new code of 60 bits, `ABCD-EFGH-JKLM`."""
    letters = "".join(secrets.choice(ALPHABET) for _ in range(CODE_LENGTH))
    return "-".join(letters[place : place + 4] for place in range(0, CODE_LENGTH, 4))


def make_number() -> str:
    """Return a number of eight digits that does not begin with 0."""
    return str(10_000_000 + secrets.randbelow(90_000_000))


def typed_code(raw: str) -> str:
    """Return a code as typed in one form: capitals without dashes or spaces."""
    return re.sub(r"[^A-Z0-9]", "", raw.upper())


def typed_number(raw: str) -> str:
    """Return a letter's number as typed: digits only."""
    return re.sub(r"[^0-9]", "", raw)
