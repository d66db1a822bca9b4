"""What registering asks of a person before they are let in: the rules, on plain values."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from enum import StrEnum

EMAIL, MOBILE = "email", "mobile"
KINDS = (EMAIL, MOBILE)


class Said(StrEnum):
    """What became of the question after an email or a mobile."""

    PROVED = "proved"
    KEPT = "kept"
    """Left as the school has it, not confirmed."""
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Told:
    """What a person said of their email or mobile."""

    said: Said
    value: str = ""


@dataclass(frozen=True, slots=True)
class Known:
    """A detail as the school has it, and whether another record of the school has the same."""

    value: str = ""
    shared: bool = False


def second_proof(channel: str, sent_to: str, known: dict[str, Known]) -> str:
    """Return which detail must be proved beside the link, because the link went to a shared address; blank if none.

    A link in a mailbox that two parents share does not say which of them opens it; the mobile that
    only one of them has does. Where there is nothing of their own, the link is all there can be.
    """
    went = EMAIL if channel == "email" else MOBILE if channel == "text" else ""
    if not went or known[went].value != sent_to or not known[went].shared:
        return ""
    other = MOBILE if went == EMAIL else EMAIL
    return other if known[other].value and not known[other].shared else ""


def enough(told: dict[str, Told], second: str, known: dict[str, Known]) -> bool:
    """Whether what was proved lets the person in: one detail at least, and the one that says who they are."""
    proved = {kind: one.value for kind, one in told.items() if one.said == Said.PROVED}
    return bool(proved) and (not second or proved.get(second) == known[second].value)


@dataclass(frozen=True, slots=True)
class Name:
    """How a record calls its person."""

    title: str
    forename: str
    surname: str


def may_be_one(a: Name, b: Name) -> bool:
    """Whether two records of one school may be one person: by the forename, or by title and surname without one.

    Surnames change; two adults of one family hardly ever share a forename.
    """
    first, second = _plain(a.forename), _plain(b.forename)
    if first and second:
        return first.startswith(second) or second.startswith(first)
    return _plain(a.surname) == _plain(b.surname) and _plain(a.title) == _plain(b.title)


def _plain(name: str) -> str:
    bare = unicodedata.normalize("NFKD", name).casefold()
    return "".join(char for char in bare if char.isalnum())


def sign_in_kind(proved: dict[str, str], taken: set[str]) -> str:
    """Return which proved detail one signs in by: the email, else the mobile, that signs in nobody else; or blank."""
    return next((kind for kind in KINDS if proved.get(kind) and kind not in taken), "")
