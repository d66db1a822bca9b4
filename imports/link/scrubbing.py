"""Takes personal data and secrets out of text that leaves the hub for support. Pure.

It rather takes out too much: a surname is taken out also where it is meant as a word.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

_PATTERNS = tuple(
    (re.compile(pattern), put)
    for pattern, put in (
        (r"[^\s@<>\"'(),;:]+@[^\s@<>\"'(),;:]+", "[email]"),
        (
            r"(?i)\b(authorization|bearer|basic|password|passwd|secret|token|key|code|state)(\s*[:=]\s*|\s+)\S{4,}",
            r"\1 […]",
        ),
        (r"(?i)(?<=\\users\\)[^\\\s]+", "[name]"),
        (r"(?i)(?<=/home/)[^/\s]+", "[name]"),
        (r"\?[^\s\"']+=[^\s\"']*", "?[…]"),
        (r"\b[A-Za-z]\d{11}[A-Za-z\d]\b", "[UPN]"),
        (r"[A-Za-z0-9_-]{32,}", "[…]"),
        (r"\b\d{1,2}[./]\d{1,2}[./]\d{2,4}\b", "[date]"),
        (r"\b\d{4}-\d\d-\d\d\b(?![T ]\d\d:)", "[date]"),
        (r"(?<![\d:.-])\(?(?:\+44|0)[\d ()-]{8,}\d", "[number]"),
        (r"\b[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2}\b", "[postcode]"),
        (
            r"(?i)\b\d+[a-z]?,? (?:[a-z'’]+ ){1,3}(?:road|rd|street|st|lane|avenue|ave|close|drive|way|court|crescent|"
            r"grove|place|terrace|gardens|green|hill|view|walk)\b",
            "[address]",
        ),
    )
)
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")


def words_of(names: Iterable[str]) -> frozenset[str]:
    """Return the words of people's names, as `scrubbed` takes them."""
    return frozenset(part for name in names for whole in _WORD.findall(name) for part in _parts(whole))


def scrubbed(text: str, names: frozenset[str]) -> str:
    """Return `text` without addresses, numbers, dates of birth, UPNs, secrets, and words of these names."""
    for pattern, put in _PATTERNS:
        text = pattern.sub(put, text)
    return _WORD.sub(lambda found: found[0] if names.isdisjoint(_parts(found[0])) else "[name]", text)


def _parts(word: str) -> list[str]:
    """Return a word and, of `O'Neil` and `Neil's`, its parts; a single letter is nobody's name."""
    folded = word.casefold()
    return [part for part in (folded, *re.split("['’]", folded)) if len(part) > 1]
