"""What JSON said, as the records want it: text, days, whole numbers, yes or no; and the digest of what was said.

Knows no vendor's words. None always means that nothing was said; what cannot be read raises `ValueError`, whose text
never repeats the value.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import math
import re

LARGEST = 32_767
"""No priority and no page number is larger."""
_DATE = re.compile(r"(\d{4})-(\d{2})-(\d{2})(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:?\d{2})?)?", re.ASCII)
_BRITISH_DATE = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})(?: \d{1,2}:\d{2}(?::\d{2})?)?", re.ASCII)
_WHOLE = re.compile(r"\d{1,9}", re.ASCII)
_TRUE = frozenset({"t", "true", "yes", "y", "1"})
_FALSE = frozenset({"f", "false", "no", "n", "0"})
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
"""JSON may escape these, and no database or file takes them."""


def digest_of(salt: bytes, *raw: object) -> bytes:
    """Return 16 bytes over values that came from JSON: the same for the same values, in whatever order their keys."""
    key = salt if len(salt) <= hashlib.blake2b.MAX_KEY_SIZE else hashlib.sha256(salt).digest()
    said = json.dumps(raw, sort_keys=True, separators=(",", ":"))
    return hashlib.blake2b(said.encode(), digest_size=16, key=key).digest()


def text(value: object) -> str | None:
    """Return text without white space around it, None for nothing; a number becomes its digits.

    Raises `ValueError` for what is no text: a list, an object, true and false.
    """
    if value is None:
        return None
    if isinstance(value, str):
        return _UNSTORABLE.sub("", value).strip() or None
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if isinstance(value, float) and math.isfinite(value):
        return str(int(value)) if value.is_integer() else repr(value)
    raise ValueError("is not text")


def date_of(value: object) -> dt.date | None:
    """Return the day of `2015-03-09`, `2015-03-09T00:00:00Z` or `09/03/2015`; raises `ValueError` for anything else."""
    said = text(value)
    if said is None:
        return None
    if found := _DATE.fullmatch(said):
        year, month, day = map(int, found.groups())
    elif found := _BRITISH_DATE.fullmatch(said):
        day, month, year = map(int, found.groups())
    else:
        raise ValueError("is not a date")
    try:
        return dt.date(year, month, day)
    except ValueError:
        raise ValueError("is not a date") from None


def whole(value: object) -> int | None:
    """Return a whole number from 0 to `LARGEST`, also of `3.0` and `"3"`; raises `ValueError` for anything else."""
    said = text(value)
    if said is None:
        return None
    if not _WHOLE.fullmatch(said) or int(said) > LARGEST:
        raise ValueError("is not a whole number")
    return int(said)


def yes_no(value: object) -> bool | None:
    """Return what a box says, also of `"Yes"`, `"F"` or `1`; raises `ValueError` for a word that is neither."""
    if value is None or isinstance(value, bool):
        return value
    said = text(value)
    if said is None:
        return None
    word = said.casefold()
    if word not in _TRUE and word not in _FALSE:
        raise ValueError("is neither yes nor no")
    return word in _TRUE
