"""Finding people by what somebody types: names, an email, digits of a mobile, admission number or UPN."""

from __future__ import annotations

import re
from typing import TypeVar

from django.db.models import Exists, Model, OuterRef, Q, QuerySet

from hub.people import details
from hub.people.models import Contact, ContactDetail, Pupil, Staff

M = TypeVar("M", bound=Model)
_OTHER = {"contact": "staff", "staff": "contact"}
_LONGEST = 100
_LEAST_DIGITS = 3


def search_pupils(found: QuerySet[Pupil], query: str) -> QuerySet[Pupil]:
    """Narrow to the pupils the query means."""
    text = _tidy(query)
    if not text:
        return found
    compact = text.replace(" ", "")
    if re.fullmatch(r"[a-zA-Z][0-9]{3,11}[0-9a-zA-Z]?", compact):
        upn = Q(upn__istartswith=compact) | Q(former_upn__istartswith=compact)
        return found.filter(upn | Q(admission_number__istartswith=compact))
    if compact.isdigit():
        return found.filter(admission_number__regex=rf"^0*{compact.lstrip('0')}")
    return found.filter(_names(text, "forename", "surname", "legal_forename", "legal_surname"))


def search_contacts(found: QuerySet[Contact], query: str) -> QuerySet[Contact]:
    """Narrow to the contacts the query means."""
    return _search_adults(found, query, "contact")


def search_staff(found: QuerySet[Staff], query: str) -> QuerySet[Staff]:
    """Narrow to the staff the query means; by their code too."""
    text = _tidy(query)
    by_code = found.filter(code__iexact=text) if text else found.none()
    return by_code | _search_adults(found, query, "staff")


def _search_adults(found: QuerySet[M], query: str, owner: str) -> QuerySet[M]:
    text = _tidy(query)
    if not text:
        return found
    beginning = _beginning_of_detail(text)
    if beginning is None:
        return found.filter(_names(text, "forename", "surname"))
    return found.filter(
        Exists(
            ContactDetail.objects.filter(
                Q(value__startswith=beginning) | Q(mis_value__startswith=beginning),
                school_id=OuterRef("school_id"),
                **{owner: OuterRef("pk"), _OTHER[owner]: None},
            )
        )
    )


def _beginning_of_detail(text: str) -> str | None:
    """Return how the stored email or mobile must begin, where the text is one or the start of one."""
    if "@" in text:
        return text.lower().replace(" ", "")
    if re.search(r"[^0-9+()\s.\-]", text):
        return None
    judged = details.mobile(text)
    if judged.value:
        return judged.value
    digits = re.sub(r"[^0-9]", "", text)
    if len(digits) < _LEAST_DIGITS:
        return None
    national = re.sub(r"^(?:0044|44|0)", "", digits)
    return "+" + digits if text.startswith("+") and not digits.startswith("44") else "+44" + national


def _names(text: str, *fields: str) -> Q:
    """Every word begins one of the names, or a later part of one: `smith` finds Lloyd-Smith."""
    found = Q()
    for word in text.split():
        either = Q()
        for field in fields:
            either |= Q(**{f"{field}__iregex": rf"(^|[^[:alnum:]]){re.escape(word)}"})
        found &= either
    return found


def _tidy(query: str) -> str:
    return " ".join(query.replace("\x00", "").replace("’", "'").split())[:_LONGEST]
