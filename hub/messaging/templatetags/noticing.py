"""What the words of notices need: codes as people read them and as phones do."""

from __future__ import annotations

from django import template

register = template.Library()


@register.filter
def spaced(code: str) -> str:
    """`482 913`: a code of six digits in threes, longer ones in fours; others as they are."""
    bare = digits(code)
    if not bare.isdecimal():
        return str(code)
    size = 3 if len(bare) <= 6 else 4
    return " ".join(bare[at : at + size] for at in range(0, len(bare), size))


@register.filter
def digits(code: str) -> str:
    """`482913`: a code as a phone fills it in."""
    return "".join(str(code).split())
