"""What follows from a change of an email or mobile, an answer, a deadline. Pure: no clock, no database."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

OPEN_FOR = dt.timedelta(hours=168)
"""How long a change waits for its proof or its answer."""
REMIND_AFTER = (dt.timedelta(days=3), dt.timedelta(days=6))
NOT_ME_FOR = dt.timedelta(days=7)
"""How long somebody can say “this was not me”."""
ASK_AGAIN_AFTER = dt.timedelta(hours=24)
"""An open question is not put again sooner."""

EMAIL, MOBILE = "email", "mobile"


class Next(StrEnum):
    """What a wish for a value comes to."""

    NOTHING = "nothing"
    AT_ONCE = "at once"
    ASK = "ask"
    PROVE = "prove"


class Mis(StrEnum):
    """How a value in use stands in the MIS; the words of `MisState`."""

    NOTHING = ""
    TO_UPDATE = "to_update"
    UPDATED = "updated"
    REPLACED = "replaced"


@dataclass(frozen=True, slots=True)
class Held:
    """One email or mobile of one record as it is used now."""

    kind: str
    value: str
    proven: bool = False
    """Confirmed by the person, and messages arrive."""


def deadline_of(made_at: dt.datetime) -> dt.datetime:
    """Return until when a change made then can be answered or proved."""
    return made_at + OPEN_FOR


def is_open(deadline: dt.datetime | None, now: dt.datetime) -> bool:
    """Whether it can still be answered; exactly at the deadline it is expired."""
    return deadline is None or now < deadline


def reminders_due(made_at: dt.datetime, sent: int, now: dt.datetime) -> int:
    """Return how many reminders should have gone by now; a late one takes the place of those before it."""
    due = sum(now >= made_at + after for after in REMIND_AFTER)
    return due if due > sent and is_open(deadline_of(made_at), now) else sent


def mis_state_of(new_value: str, effective: str, mis_value: str, *, in_mis: bool = True) -> Mis:
    """Return how a standing row stands: in use or not, and whether the MIS says the same."""
    if effective != new_value:
        return Mis.REPLACED
    if not in_mis:
        return Mis.NOTHING
    return Mis.UPDATED if mis_value == new_value else Mis.TO_UPDATE


def own_change(value: str, held: Held, proven_anywhere: Collection[str]) -> Next:
    """Return what follows when the person wants `value` where `held` is used: it is proved once, not per school."""
    if value == held.value and held.proven:
        return Next.NOTHING
    return Next.AT_ONCE if value in proven_anywhere else Next.PROVE


def office_edit(value: str, held: Held, *, connected: bool) -> Next:
    """Return what follows when the office wants `value`: of the Connected it is asked."""
    if value == held.value:
        return Next.NOTHING
    return Next.ASK if connected else Next.AT_ONCE


def approval(value: str, proven_anywhere: Collection[str]) -> Next:
    """Return what follows when the person says yes: blank needs no proof, nor does what is proved already."""
    return Next.AT_ONCE if not value or value in proven_anywhere else Next.PROVE


def leaves_nothing_proven(kind: str, held: Iterable[Held]) -> bool:
    """Whether taking out the detail of this kind leaves the record without a proven one."""
    return not any(one.proven and one.value for one in held if one.kind != kind)


def addresses_to_tell(old: Iterable[str], proven: Iterable[str], new_value: str) -> list[str]:
    """Return who hears of a change that took effect: every old address, and one other proven one; never the new."""
    told = [value for value in dict.fromkeys(old) if value and value != new_value]
    other = next((value for value in proven if value and value != new_value and value not in told), None)
    return told if other is None else [*told, other]


@dataclass(frozen=True, slots=True)
class Effective:
    """A change that took effect, as the freeze looks at it."""

    id: int
    owner: tuple[str, int]
    """Kind and id of the record."""
    new_value: str
    at: dt.datetime


@dataclass(frozen=True, slots=True)
class Undoing:
    """The changes of one record that freeze together, and the one whose `previous` is put back."""

    owner: tuple[str, int]
    back_to: int
    frozen: tuple[int, ...]
    restores: bool
    """False where something else is used by now: that is nobody's to take away."""


def undoing(changes: Iterable[Effective], effective: Mapping[tuple[str, int], str]) -> list[Undoing]:
    """Return what “this was not me” takes back of one field: the disputed change, and all that came after it.

    Whoever took an address over may have changed it twice: going back one step would leave it with
    them. `effective` is what each record uses now.
    """
    chains: dict[tuple[str, int], list[Effective]] = {}
    for one in sorted(changes, key=lambda change: (change.at, change.id)):
        chains.setdefault(one.owner, []).append(one)
    return [
        Undoing(
            owner=owner,
            back_to=chain[0].id,
            frozen=tuple(one.id for one in chain),
            restores=effective.get(owner, "") in {one.new_value for one in chain},
        )
        for owner, chain in chains.items()
    ]


def masked(kind: str, value: str) -> str:
    """Return an address so that its owner knows it and nobody else learns it: `n•••@example.org`, `ending 123`."""
    if not value:
        return ""
    if kind == MOBILE:
        return f"the number ending {value[-3:]}"
    local, _, domain = value.rpartition("@")
    return f"{local[:1]}•••@{domain}"
