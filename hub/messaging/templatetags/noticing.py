"""What the words of notices need: codes as people read them and as phones do, and links that are ours."""

from __future__ import annotations

import re

from django import template
from django.conf import settings
from django.utils.html import conditional_escape, format_html
from django.utils.safestring import SafeString, mark_safe

from hub.people.details import display_mobile

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


@register.filter
def mobile(value: str) -> str:
    """`07700 900123`; an email as it is."""
    return display_mobile(value) if value.startswith("+") else value


@register.filter
def code_in(text: str) -> str:
    """Return the code a mail or text brings, without spaces; "" where it brings none."""
    found = _CODE.search(text)
    return digits(found[1]) if found else ""


@register.filter
def linked(text: str) -> SafeString:
    """Make addresses of this hub clickable, and those only; the rest is escaped text."""
    pieces = _LINK.split(text)
    return mark_safe("".join(_piece(one, bool(at % 2)) for at, one in enumerate(pieces)))  # noqa: S308  (escaped below)


@register.filter
def link_in(text: str) -> str:
    """Return the first address of a page of this hub that a mail or text brings; "" where it brings none."""
    return next((one for one in _LINK.findall(text) if one.startswith(f"{settings.PUBLIC_URL}/")), "")


_CODE = re.compile(r"(?<![\d+])(\d{3} \d{3}|\d{4} \d{4})(?!\d)")
_LINK = re.compile(r"(https?://[^\s<>\"']*[^\s<>\"'.,;:!?)\]])")


def _piece(words: str, is_link: bool) -> str:
    ours = words == settings.PUBLIC_URL or words.startswith(f"{settings.PUBLIC_URL}/")
    return format_html('<a href="{0}">{0}</a>', words) if is_link and ours else conditional_escape(words)
