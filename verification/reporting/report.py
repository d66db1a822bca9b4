"""The rows of the Verified User Changes Report as the page, its CSV and its paper show them. Reads what is loaded."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby, islice

from django.urls import reverse
from django.utils import timezone

from hub.core.models import School
from hub.core.templatetags.frame import day
from hub.people.judging import display
from hub.people.models import ContactDetail, PupilContact
from hub.people.rows import dialled
from verification import selectors
from verification.models import TO_COPY, DetailChange, Field, MisState, Origin, Status
from verification.selectors import Beside, Mis

STAFF = "Staff"
NO_PUPIL = "No pupil here now"
NOTHING = "None"
DROPPED = "no record of this person any more"
CHUNK = 500
AMBER, RED = 7, 28
"""Days after which a row that waits to be copied is shown in these colours."""

_STATUS_TONES = {
    Status.WAITING: "live",
    Status.PENDING: "live",
    Status.APPROVED: "good",
    Status.REJECTED: "warn",
    Status.EXPIRED: "warn",
    Status.WITHDRAWN: "quiet",
    Status.FROZEN: "bad",
    Status.KEPT: "good",
    Status.OFFER: "quiet",
}
_STATE_TONES = {
    MisState.TO_UPDATE: "warn",
    MisState.DIFFERS: "bad",
    MisState.UPDATED: "good",
    MisState.DONE: "live",
    MisState.REPLACED: "quiet",
}


@dataclass(frozen=True, slots=True)
class Chip:
    """A word with its colour."""

    tone: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One change, in words."""

    change: DetailChange
    person: str
    link: str
    also: str
    """The family's other pupils."""
    field: str
    field_in_mis: str
    old: str
    new: str
    copies: bool
    """Whether the new value is something to copy."""
    mis: str
    mis_since: dt.datetime | None
    origin: str
    status: Chip
    said: tuple[str, ...]
    """What became of it, in sentences."""
    state: Chip | None
    days: int | None
    """How many days it has waited to be copied."""
    age: str
    why: str
    """Where an email or mobile answers why it says that; blank for what is neither."""
    is_value: bool

    @property
    def key(self) -> str:
        """The change's id as markup has it: a number would be put into digits of the language each time."""
        return str(self.change.pk)

    @property
    def waits(self) -> bool:
        return self.change.mis_state in TO_COPY

    @property
    def is_done(self) -> bool:
        return self.change.mis_state == MisState.DONE

    @property
    def may_ask_again(self) -> bool:
        asked = self.change.origin != Origin.PERSON and self.is_value
        return asked and self.change.status in (Status.EXPIRED, Status.REJECTED, Status.WITHDRAWN)

    @property
    def may_withdraw(self) -> bool:
        return self.change.status == Status.PENDING

    @property
    def may_lift(self) -> bool:
        return self.change.status == Status.FROZEN and self.change.settled_at is None

    @property
    def may_give_back(self) -> bool:
        return self.change.field == Field.CHILD and self.change.status == Status.APPROVED

    @property
    def may_undo_merge(self) -> bool:
        return self.change.field == Field.RECORD and self.change.status == Status.APPROVED

    @property
    def may_more(self) -> bool:
        """Whether anything can be done about it but marking it: for most rows of the list, nothing."""
        return self.may_ask_again or self.may_withdraw or self.may_lift or self.may_give_back or self.may_undo_merge

    @property
    def waiting_words(self) -> str:
        if self.days is None:
            return ""
        if self.days == 0:
            return "since today"
        return f"waiting {self.days} day{'' if self.days == 1 else 's'}"


@dataclass(frozen=True, slots=True)
class PupilRows:
    """A pupil's heading and the rows below it; a family's rows stand under the first of its pupils."""

    heading: str
    link: str
    rows: list[Row] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Place:
    """An address of which only the last words change."""

    address: str
    stands_for: str

    def of(self, *words: object) -> str:
        return self.address.replace(self.stands_for, "/".join(str(word) for word in words))


class Writer:
    """Puts the changes of one school into words, with what stands beside them."""

    def __init__(self, school: School, *, mis: Mis, now: dt.datetime) -> None:
        self.school, self.mis, self.now = school, mis, now
        # Worked out once: hundreds of look-ups of an address would be a fifth of the page.
        self._places = {
            "person": Place(reverse("people:contact", args=[school.slug, 0]), "contacts/0"),
            "pupil": Place(reverse("people:pupil", args=[school.slug, 0]), "pupils/0"),
            "why": Place(reverse("imports:why", args=[school.slug, "contacts", 0, "email"]), "contacts/0/email"),
        }

    def rows(self, changes: Sequence[DetailChange]) -> list[Row]:
        """Return a row for each of these changes, in five queries at most."""
        beside = selectors.beside(self.school, changes)
        return [self._row(change, beside) for change in changes]

    def by_pupil(self, changes: Sequence[DetailChange]) -> list[PupilRows]:
        """Return the rows under the pupils they belong to."""
        beside = selectors.beside(self.school, changes)
        return [
            PupilRows(*heading, rows=[self._row(change, beside) for change in group])
            for heading, group in groupby(changes, lambda change: self._heading(change, beside))
        ]

    def stream(self, changes: Iterable[DetailChange]) -> Iterator[Row]:
        """Yield the rows of any number of changes, a few hundred in memory at a time."""
        source = iter(changes)
        while chunk := list(islice(source, CHUNK)):
            yield from self.rows(chunk)

    def _heading(self, change: DetailChange, beside: Beside) -> tuple[str, str]:
        if change.staff_id:
            return STAFF, ""
        first = change.pupil_names.split(", ")[0]
        pupil = beside.pupils.get(selectors.first_pupil_id(change) or 0)
        if pupil is None:
            return first or NO_PUPIL, ""
        form = pupil.registration_group or pupil.year_group
        return f"{pupil}{f' ({form})' if form else ''}", self._places["pupil"].of("pupils", pupil.pk)

    def _row(self, change: DetailChange, beside: Beside) -> Row:
        kind = "contact" if change.contact_id else "staff"
        owner = kind, change.contact_id or change.staff_id or 0
        detail = beside.details.get((owner, change.field))
        is_value = change.field in (Field.EMAIL, Field.MOBILE)
        is_dropped = is_value and owner in beside.dropped
        days = self._days(change, detail)
        whose = "contacts" if kind == "contact" else "staff", owner[1]
        return Row(
            change=change,
            person=change.person_name,
            link=self._places["person"].of(*whose),
            also=", ".join(change.pupil_names.split(", ")[1:]),
            field=str(Field(change.field).label),
            field_in_mis=self.mis.field(change.field),
            old=_shown(change, change.old_value),
            new=_shown(change, change.new_value),
            copies=is_value and bool(change.new_value),
            mis=DROPPED if is_dropped else self._mis_now(change, detail, beside),
            mis_since=detail.mis_changed_at if detail and is_value and not is_dropped else None,
            origin=_origin(change),
            status=Chip(_STATUS_TONES[Status(change.status)], str(Status(change.status).label)),
            said=tuple(_said(change)),
            state=self._state(change),
            days=days,
            age="" if days is None else "bad" if days >= RED else "warn" if days >= AMBER else "",
            why=self._places["why"].of(*whose, change.field) if is_value else "",
            is_value=is_value,
        )

    def _days(self, change: DetailChange, detail: ContactDetail | None) -> int | None:
        if change.mis_state not in TO_COPY:
            return None
        since = change.effective_at or change.made_at
        if change.mis_state == MisState.DIFFERS and detail and detail.mis_changed_at:
            since = max(since, detail.mis_changed_at)
        return max((self.now - since).days, 0)

    def _mis_now(self, change: DetailChange, detail: ContactDetail | None, beside: Beside) -> str:
        if change.field == Field.RECORD:
            return ""
        if change.field == Field.CHILD:
            return _link_now(beside.links.get((change.contact_id or 0, change.pupil_id or 0)))
        return display(change.field, detail.mis_value if detail else "") or NOTHING

    def _state(self, change: DetailChange) -> Chip | None:
        if not change.mis_state:
            return None
        state = MisState(change.mis_state)
        words = {
            MisState.TO_UPDATE: f"To update in {self.mis.name}",
            MisState.UPDATED: f"Updated in {self.mis.name}",
        }
        return Chip(_STATE_TONES[state], words.get(state, str(state.label)))


def _shown(change: DetailChange, value: str) -> str:
    if change.field == Field.CHILD:
        return "Not their child" if value == change.new_value else value
    if change.field == Field.RECORD:
        return value
    return display(change.field, value) or NOTHING


def _link_now(link: PupilContact | None) -> str:
    if link is None or link.ended_on:
        return "No link"
    return link.relationship or "Linked"


def _origin(change: DetailChange) -> str:
    if change.origin == Origin.IMPORT:
        return f"Import {change.by_import}" if change.by_import else "An import"
    return str(Origin(change.origin).label)


def _said(change: DetailChange) -> Iterator[str]:
    """What became of a change, sentence by sentence."""
    if change.status in (Status.WAITING, Status.PENDING) and change.deadline:
        yield f"Open until {_stamp(change.deadline)}."
    answered = {Status.REJECTED: "Rejected", Status.WITHDRAWN: "Withdrawn", Status.APPROVED: "Approved"}
    if (verb := answered.get(Status(change.status))) and change.answered_at:
        by = f" by {change.answered_by}" if change.answered_by else ""
        yield f"{verb}{by} on {_stamp(change.answered_at)}."
    if change.status == Status.EXPIRED and change.deadline:
        yield f"{_in_vain(change)} by {_stamp(change.deadline)}."
    if change.status == Status.FROZEN and change.settled_at:
        yield f"Lifted by {change.settled_by or 'the office'} on {_stamp(change.settled_at)}."
    elif change.mis_state == MisState.DONE and change.settled_at:
        yield f"Marked done by {change.settled_by or 'the office'} on {_stamp(change.settled_at)}."
    elif change.mis_state == MisState.UPDATED and change.settled_at:
        yield f"Seen on {_stamp(change.settled_at)}."
    if change.reason:
        yield f"“{change.reason}”" if change.status == Status.REJECTED else change.reason


def _in_vain(change: DetailChange) -> str:
    """Say what did not come in time: an answer, or after a yes, or of an own change, the proof."""
    if change.answered_at:
        return f"{change.answered_by or 'They'} said yes on {_stamp(change.answered_at)}, and proved nothing"
    return "Not proved" if change.origin == Origin.PERSON else "No answer"


def _stamp(moment: dt.datetime) -> str:
    here = timezone.localtime(moment)
    return f"{day(moment)}, {here:%H:%M}"


# CSV


def header(mis: Mis) -> list[str]:
    """Return the first line of the CSV."""
    return [
        "Pupils", "Year groups", "Person", "Field", f"Field in {mis.name}", "Old value", "New value",
        f"{mis.name} says now", "Says so since", "State in the MIS", "Days waiting", "Status", "Origin", "Made by",
        "Made", "Import", "Answered", "Answered by", "Reason", "In use since", "Settled", "Settled by",
        "Settled by import",
    ]  # fmt: skip


def cells(row: Row) -> Sequence[object]:
    """Return a row's cells: numbers as text that can be dialled, times as a spreadsheet sorts them."""
    change = row.change
    return [
        change.pupil_names or (STAFF if change.staff_id else NO_PUPIL),
        ", ".join(change.year_groups),
        row.person, row.field, row.field_in_mis, dialled(row.old), dialled(row.new), dialled(row.mis),
        _iso(row.mis_since), row.state.text if row.state else "", row.days, row.status.text, row.origin,
        change.made_by, _iso(change.made_at), change.by_import, _iso(change.answered_at), change.answered_by,
        change.reason, _iso(change.effective_at), _iso(change.settled_at), change.settled_by, change.settled_import,
    ]  # fmt: skip


def _iso(moment: dt.datetime | None) -> str:
    return timezone.localtime(moment).strftime("%Y-%m-%d %H:%M") if moment else ""
