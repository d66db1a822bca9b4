"""The person a page of the office is about, as its address names them: `contacts` or `staff`, and an id."""

from __future__ import annotations

from django.http import Http404
from django.shortcuts import get_object_or_404

from hub.accounts.viewer import SchoolRequest
from hub.people import selectors
from hub.people.models import Contact, Staff

PAGES = {"contacts": "people:contact", "staff": "people:staff"}
"""By the word in the address, what a person's own page is called."""


def person_or_404(request: SchoolRequest, owner: str, person_id: int) -> Contact | Staff:
    """Return a parent or a member of staff whom the viewer may see; anybody else, and any other word, is not found."""
    if owner == "staff":
        return get_object_or_404(selectors.staff(request.membership), pk=person_id)
    if owner == "contacts":
        return get_object_or_404(selectors.contacts(request.membership), pk=person_id)
    raise Http404
