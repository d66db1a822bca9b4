"""What an MIS could supply and the school withholds tonight: it stays as it was, and the import says so."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import Q

from hub.people.models import PupilContact
from imports.pages.presenting import listed
from imports.pages.wording import field_label
from mis_connectors.base import ConnectorInfo, Delivery

_NAMES = {"emails": "Email", "telephones": "Telephone"}
_EVERYBODY = {"pupil": "pupils", "contact": "contacts", "staff": "staff"}


def is_doubted(school_id: int, judged_by: Iterable[str]) -> bool:
    """Return whether one of these fields of links, withheld tonight, has ever said who may see a pupil here.

    Then nobody new is let see one before it is said again. Where it never was, a school imports without it.
    """
    known = Q()
    for name in judged_by:
        known |= Q(**{f"{name.partition('.')[2]}__isnull": False})
    return bool(known) and PupilContact.objects.filter(known, school_id=school_id).exists()


def notes(info: ConnectorInfo, lacking: Iterable[str], *, doubted: bool) -> list[str]:
    """Return what an office should know of what is withheld: one sentence or two, or none.

    That a file has no column for what few have (`ConnectorInfo.partly`) is not worth a word.
    """
    is_file = info.delivery is Delivery.UPLOAD
    words = _words(info, frozenset(lacking) - (info.partly.keys() if is_file else set()))
    if not words:
        return []
    if is_file:
        said = f"The file has no column for: {listed(words)}. What is known of it stays as it was."
        return [said, _DOUBTED] if doubted else [said]
    said = (
        f"{info.mis_name} does not give us: {listed(words)}. What is known of it stays as it was. "
        f"Allow it again in {info.mis_name} to have it brought up to date."
    )
    return [said, _DOUBTED] if doubted else [said]


def named(info: ConnectorInfo, lacking: Iterable[str]) -> str:
    """Return what is withheld as `email and UPN`, empty where nothing is."""
    return listed(_words(info, frozenset(lacking)))


_DOUBTED = "It says who may see a pupil, so nobody new is given access until it is given again."


def _words(info: ConnectorInfo, lacking: frozenset[str]) -> list[str]:
    """Return what is withheld, in order; a kind of person of whom nothing is given is one word."""
    found: dict[str, None] = {}
    for field in sorted(lacking):
        kind = field.partition(".")[0]
        supplied = {name for name in info.supplies if name.startswith(f"{kind}.")}
        is_all = kind in _EVERYBODY and bool(supplied) and supplied <= lacking
        found.setdefault(_EVERYBODY[kind] if is_all else name_of(field))
    return list(found)


def name_of(field: str) -> str:
    """Return what an office calls a canonical field such as `contact.emails`, in the middle of a sentence."""
    kind, _, name = field.partition(".")
    word = _NAMES.get(name) or field_label(name)
    word = word if word.isupper() else word[:1].lower() + word[1:]
    return f"{word} of staff" if kind == "staff" else word
