"""Words and drawings that every page shares: icons, dates as the school says them, "6 minutes ago"."""

from __future__ import annotations

import datetime as dt
from functools import cache, lru_cache

from django import template
from django.utils import dateformat, timezone
from django.utils.html import escape, format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language

from hub.core.icons import ICONS

register = template.Library()


@register.simple_tag
@cache
def icon(name: str, size: int = 20) -> SafeString:
    """Draw the icon `name`; it never speaks alone, so screen readers skip it."""
    return format_html(
        '<svg class="ico" width="{0}" height="{0}" viewBox="0 0 20 20" fill="none" stroke="currentColor"'
        ' stroke-width="1.6" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true">{1}</svg>',
        size,
        mark_safe(ICONS[name]),  # noqa: S308  (ours)
    )


@register.filter
def address(value: str) -> SafeString:
    """An email that breaks where its parts meet, before it breaks anywhere; a number as it is."""
    # Escaping makes and takes no "@" and no ".", so all of it can be escaped at once.
    local, at, domain = escape(value).partition("@")
    return mark_safe(f"{local}@<wbr>{domain.replace('.', '<wbr>.')}" if at else local)  # noqa: S308


@register.filter
def day(value: dt.date | dt.datetime | None) -> str:
    """`Mon 23 Nov`, in the school's time; with the year where it is not this one."""
    if value is None:
        return ""
    date = timezone.localtime(value).date() if isinstance(value, dt.datetime) else value
    return _day(date, timezone.localdate().year, get_language())


@lru_cache(maxsize=1_000)
def _day(date: dt.date, this_year: int, language: str | None) -> str:
    """The words of a day: a list says the same few again and again."""
    year = "" if date.year == this_year else f" {date.year}"
    return f"{dateformat.format(date, 'D j M')}{year}"


@register.filter
def clock(value: dt.datetime | dt.time | None) -> str:
    """`02:04`, in the school's time."""
    if value is None:
        return ""
    return f"{timezone.localtime(value) if isinstance(value, dt.datetime) else value:%H:%M}"


@register.filter
def when(value: dt.datetime | None) -> str:
    """`Mon 23 Nov, 02:04`, in the school's time."""
    return "" if value is None else f"{day(value)}, {clock(value)}"


@register.filter
def near(value: dt.datetime | None, now: dt.datetime) -> str:
    """`Today, 02:04`, `Yesterday, 02:04`, else the day."""
    if value is None:
        return ""
    days = (timezone.localtime(now).date() - timezone.localtime(value).date()).days
    words = {0: "Today", 1: "Yesterday", -1: "Tomorrow"}
    return f"{words.get(days) or day(value)}, {clock(value)}"


@register.filter
def ago(value: dt.datetime | None, now: dt.datetime) -> str:
    """`6 minutes ago`: how long before `now`, in one unit; `never` without a time."""
    if value is None:
        return "never"
    seconds = int((now - value).total_seconds())
    if seconds < 60:
        return "just now"
    for size, unit in ((86_400, "day"), (3_600, "hour"), (60, "minute")):
        if number := seconds // size:
            return f"{number:,} {unit}{'' if number == 1 else 's'} ago"
    raise AssertionError("a minute or more was left")


@register.filter
def number(value: int | None) -> str:
    """`1,184`; an en dash for nothing."""
    return f"{value:,}" if value else "–"


@register.filter
def thousands(value: int) -> str:
    """`1,184`, and 0 as 0."""
    return f"{value:,}"


@register.simple_tag
def plural(count: int, one: str, many: str = "") -> str:
    """`1 pupil`, `1,184 pupils`, `no pupils`."""
    word = one if count == 1 else many or f"{one}s"
    return f"{count:,} {word}" if count else f"no {word}"
