"""The rows of the Verified User Changes Report, for the page and its CSV. Reads what the selectors have loaded."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from django.urls import reverse
from django.utils import timezone

from hub.core.templatetags.frame import day, when
from hub.people.judging import display
from hub.people.models import ContactDetail, DetailSource, PupilContact
from hub.people.rows import dialled

HEADER = ["Pupils", "Person", "Field", "Kept here", "The MIS says", "The MIS says so since", "Confirmed", "Why"]
STAFF = "Staff"
NO_PUPIL = "No pupil here now"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One value that differs from the MIS."""

    person: str
    link: str
    belongs: str
    field: str
    kept: str
    mis: str
    since: dt.datetime | None
    verified: dt.datetime | None
    tone: str
    state: str
    why: str


@dataclass(frozen=True, slots=True)
class PupilRows:
    """A pupil's heading and the rows below it; several for siblings stand under the first of them."""

    heading: str
    link: str
    rows: list[Row] = field(default_factory=list)


def by_pupil(details: Iterable[ContactDetail], slug: str) -> list[PupilRows]:
    """Put the rows of `selectors.drift_by_pupil` under their pupils."""
    return [
        PupilRows(*key, rows=[row(detail, slug) for detail in group])
        for key, group in groupby(details, lambda detail: _heading(detail, slug))
    ]


def row(detail: ContactDetail, slug: str) -> Row:
    """Return one detail as the report shows it."""
    person = detail.contact or detail.staff
    assert person is not None
    name = "people:contact" if detail.contact_id else "people:staff"
    tone, state, why = _standing(detail)
    return Row(
        person=str(person),
        link=reverse(name, args=[slug, person.pk]),
        belongs=_belongs(detail),
        field=detail.get_kind_display(),
        kept=display(detail.kind, detail.value),
        mis=display(detail.kind, detail.mis_value),
        since=detail.mis_changed_at,
        verified=detail.verified_at,
        tone=tone,
        state=state,
        why=why,
    )


def cells(details: Iterable[ContactDetail], slug: str) -> Iterator[Sequence[str]]:
    """Yield the CSV cells of each detail."""
    for detail in details:
        one = row(detail, slug)
        pupils = ", ".join(_pupil(link) for link in _links(detail)) or (STAFF if detail.staff_id else NO_PUPIL)
        yield [
            pupils,
            one.person,
            one.field,
            dialled(one.kept),
            dialled(one.mis),
            _iso(one.since),
            _iso(one.verified),
            one.why,
        ]


def _standing(detail: ContactDetail) -> tuple[str, str, str]:
    """The word, its colour, and why the value is not the MIS's."""
    if detail.connected:  # type: ignore[attr-defined]
        if not detail.value:
            return "warn", "Offer", "Connected, and has given none: it is theirs to take."
        if detail.verified_at:
            by = detail.changed_by if detail.source == DetailSource.PERSON and detail.changed_by else "the person"
            return "good", "Kept", f"Confirmed by {by} on {day(detail.verified_at)}."
        return "good", "Kept", "The person is connected, so no import changes it."
    did = "Changed" if detail.value else "Taken out"
    return "quiet", "Office", f"{did} by {detail.changed_by or 'the office'} on {when(detail.changed_at)}."


def _links(detail: ContactDetail) -> Sequence[PupilContact]:
    return detail.contact.standing_links if detail.contact else ()  # type: ignore[attr-defined]


def _heading(detail: ContactDetail, slug: str) -> tuple[str, str]:
    links = _links(detail)
    if not links:
        return (STAFF if detail.staff_id else NO_PUPIL), ""
    return _pupil(links[0]), reverse("people:pupil", args=[slug, links[0].pupil_id])


def _belongs(detail: ContactDetail) -> str:
    """`Mother; also of Sam Okafor (4RJ)`."""
    links = _links(detail)
    if detail.staff:
        return detail.staff.role
    others = ", ".join(_pupil(link) for link in links[1:])
    parts = [links[0].relationship if links else "", f"also of {others}" if others else ""]
    return "; ".join(part for part in parts if part)


def _pupil(link: PupilContact) -> str:
    form = link.pupil.registration_group or link.pupil.year_group
    return f"{link.pupil}{f' ({form})' if form else ''}"


def _iso(moment: dt.datetime | None) -> str:
    return timezone.localtime(moment).strftime("%Y-%m-%d %H:%M") if moment else ""
