"""Dates as a parent reads them, in the parent's language: `Fri 27 Nov, 14:05`."""

from __future__ import annotations

import datetime as dt

from django import template
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

register = template.Library()


@register.filter
def date_words(value: dt.date | dt.datetime | None) -> str:
    """`Fri 27 Nov`, in the school's time; with the year where it is not this one."""
    if value is None:
        return ""
    date = timezone.localtime(value).date() if isinstance(value, dt.datetime) else value
    # Translators: the order of a date's parts in Django's letters, as in "Fri 27 Nov".
    short, full = _("D j M"), _("D j M Y")
    said = date_format(date, short if date.year == timezone.localdate().year else full)
    return said.replace(" ", "\u00a0")


@register.filter
def moment(value: dt.datetime | None) -> str:
    """`Fri 27 Nov, 14:05`, in the school's time."""
    if value is None:
        return ""
    return _("{date}, {time}").format(date=date_words(value), time=date_format(timezone.localtime(value), "H:i"))
