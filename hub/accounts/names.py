"""What somebody types to say who they are, made into the form a login is kept by. Pure.

Not a judgement: what is neither an email nor a mobile simply belongs to nobody. Whether an address
may be kept is decided where it is taken in (`hub.people.details`).
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberFormat

MOST = 320
_CURLY = str.maketrans("‘’‛", "'''")
"""Phones put these for the apostrophe of o'brien@example.org."""


@dataclass(frozen=True, slots=True)
class Name:
    """A sign-in name: the column it is looked up in, and the value there."""

    column: str
    value: str


def read(typed: str) -> Name:
    """Return the name as it would be kept: a lower-case email, or a mobile in E.164 (07… is a UK number)."""
    text = unicodedata.normalize("NFKC", typed[:MOST].translate(_CURLY)).strip().lower().replace("\x00", "")
    text = "".join(char for char in text if unicodedata.category(char) != "Cf")  # what a pasted name brings unseen
    if "@" in text:
        local, at, domain = "".join(text.split()).rpartition("@")
        return Name("email", f"{local}{at}{_plain(domain)}")
    return Name("mobile", _number(text) or text)


def _plain(domain: str) -> str:
    """Return a domain in the letters it is kept in: `xn--mller-kva.example`."""
    try:
        return domain.rstrip(".").encode("idna").decode()
    except UnicodeError:
        return domain


def _number(text: str) -> str | None:
    try:
        return phonenumbers.format_number(phonenumbers.parse(text, "GB"), PhoneNumberFormat.E164)
    except NumberParseException:
        return None
