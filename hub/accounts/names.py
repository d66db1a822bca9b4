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


@dataclass(frozen=True, slots=True)
class Name:
    """A sign-in name: the column it is looked up in, and the value there."""

    column: str
    value: str


def read(typed: str) -> Name:
    """Return the name as it would be kept: a lower-case email, or a mobile in E.164 (07… is a UK number)."""
    text = unicodedata.normalize("NFKC", typed[:MOST]).strip().lower().replace("\x00", "")
    if "@" in text:
        return Name("email", "".join(text.split()))
    return Name("mobile", _number(text) or text)


def _number(text: str) -> str | None:
    try:
        return phonenumbers.format_number(phonenumbers.parse(text, "GB"), PhoneNumberFormat.E164)
    except NumberParseException:
        return None
