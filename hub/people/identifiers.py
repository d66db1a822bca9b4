"""UPNs and DfE numbers as schools write them. Pure.

The check letter is the CBDS rule: the sum of each digit times its position, 2 to 13, modulo 23.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_LETTERS = "ABCDEFGHJKLMNPQRTUVWXYZ"
"""All but I, O and S, which are too easily read as 1, 0 and 5."""
_SHAPE = re.compile(rf"[{_LETTERS}][0-9]{{11}}[0-9{_LETTERS}]")


@dataclass(frozen=True, slots=True)
class UpnJudged:
    """A UPN in capitals without spaces. With a problem it is refused and `value` is None."""

    value: str | None
    temporary: bool
    problem: str | None


def upn(raw: str) -> UpnJudged:
    """Judge a UPN; a temporary one ends in a letter. Blank is no problem: not every pupil has one."""
    text = re.sub(r"[\s\-\u200b\u00a0\ufeff]", "", raw).upper()
    if not text:
        return UpnJudged(None, False, None)
    if len(text) != 13:
        return UpnJudged(None, False, f"A UPN has 13 characters; this has {len(text)}.")
    if not _SHAPE.fullmatch(text):
        return UpnJudged(
            None, False, "A UPN is a letter (never I, O or S), 11 digits, and a last digit or, if temporary, a letter."
        )
    letter = upn_check_letter(text[1:])
    if letter != text[0]:
        return UpnJudged(
            None, False, f"The first letter of this UPN should be {letter}, so something in it is mistyped."
        )
    return UpnJudged(text, not text[12].isdigit(), None)


def upn_check_letter(twelve: str) -> str:
    """Return the first letter that belongs to the 12 characters after it; the last may be a letter.

    Raises ValueError where they are not 11 digits and a digit or letter of a UPN.
    """
    if not re.fullmatch(rf"[0-9]{{11}}[0-9{_LETTERS}]", twelve):
        raise ValueError("After its first letter a UPN has 11 digits and a last digit or letter.")
    values = [int(char) if char.isdigit() else _LETTERS.index(char) for char in twelve]
    return _LETTERS[sum(value * position for position, value in enumerate(values, start=2)) % 23]


def dfe_number(raw: str) -> str:
    """Return the seven digits of `823/3001` or `823-3001`; raises ValueError with a sentence."""
    text = re.sub(r"[\s\u00a0\u200b]", "", raw)
    found = re.fullmatch(r"([0-9]{3})[/\-]?([0-9]{4})", text)
    if not found:
        raise ValueError(
            "A DfE number has seven digits: three of the local authority and four of the school, 823/3001."
        )
    return found[1] + found[2]
