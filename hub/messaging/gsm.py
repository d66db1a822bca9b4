"""How long a text message is: the characters of GSM 03.38, and what others cost. Pure."""

from __future__ import annotations

import unicodedata

BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
EXTENDED = frozenset("^{}\\[~]|€")
"""Each of these takes the room of two."""
_FOLDED = str.maketrans(
    {
        **dict.fromkeys("‘’‛`´", "'"),
        **dict.fromkeys("“”„", '"'),
        **dict.fromkeys("‐‑‒–—―−", "-"),
        **dict.fromkeys("\u00a0\u2007\u2009\u202f\t", " "),
        "…": "...",
        "•": "-",
        "·": "-",
    }
)
_ONE, _PART = 160, 153
_ONE_WIDE, _PART_WIDE = 70, 67


def plain(text: str) -> str:
    """Return the text with typographers' characters, and accents that GSM lacks, made plain; the rest as it is."""
    return "".join(_plain(char) for char in text.translate(_FOLDED))


def is_gsm(text: str) -> bool:
    """Say whether every character is one of GSM's; a single other one more than halves what fits."""
    return BASIC.union(EXTENDED).issuperset(text)


def length(text: str) -> int:
    """Return the room the text takes: in septets where it is GSM's, else in UTF-16 units."""
    if is_gsm(text):
        return len(text) + sum(char in EXTENDED for char in text)
    return len(text.encode("utf-16-le")) // 2


def parts(text: str) -> int:
    """Return how many messages the provider will count."""
    one, part = (_ONE, _PART) if is_gsm(text) else (_ONE_WIDE, _PART_WIDE)
    size = length(text)
    return 1 if size <= one else -(-size // part)


def _plain(char: str) -> str:
    if char in BASIC or char in EXTENDED:
        return char
    if unicodedata.category(char) in ("Cf", "Mn"):
        return ""
    base = unicodedata.normalize("NFKD", char)
    bare = "".join(one for one in base if not unicodedata.combining(one))
    return bare if bare and BASIC.issuperset(bare) else char
