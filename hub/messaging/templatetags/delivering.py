"""What a person's page shows of notices that did not arrive: for templates of the domains below."""

from __future__ import annotations

from django import template
from django.utils import timezone

from hub.messaging import selectors
from hub.people import details

register = template.Library()


@register.simple_tag
def delivery_trouble(kind: str, shown: str) -> selectors.Trouble | None:
    """Return the newest notice to an email or mobile, as a page shows it, if it did not arrive."""
    address = details.mobile(shown).value if kind == "mobile" and shown else shown
    found = selectors.trouble_for(address, now=timezone.now()) if address else []
    return found[0] if found else None
