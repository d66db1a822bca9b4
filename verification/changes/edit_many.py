"""The table in which the office edits many people at once: its rows, what was typed in them, and what came of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from django.core.exceptions import ValidationError
from django.urls import reverse

from hub.core.templatetags.frame import when
from hub.people.forms import DetailField
from hub.people.judging import display
from hub.people.models import Contact, DetailKind
from hub.people.rows import contact_row
from hub.people.why import Standing
from verification.changes.proposing import Edited, Outcome, Typed

_FIELDS = {kind: DetailField(kind) for kind in DetailKind}


@dataclass(slots=True)
class Cell:
    """One input: what is used now, what was shown, what was typed, and what came of it."""

    kind: DetailKind
    person_id: int
    used: str
    """As people write it."""
    was: str = ""
    typed: str = ""
    error: str = ""
    done: str = ""
    note: str = ""

    @property
    def name(self) -> str:
        return f"{self.kind}-{self.person_id}"


@dataclass(slots=True)
class Row:
    """One person of the table."""

    person: Contact
    link: str
    belongs: str
    standing: Standing
    connected: bool
    cells: list[Cell] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Summary:
    """What became of a page of edits."""

    saved: int = 0
    asked: int = 0
    failed: int = 0

    @property
    def sentence(self) -> str:
        """Return the three numbers in words; blank where nothing was typed."""
        parts = (
            (self.saved, "saved at once"),
            (self.asked, "asked, because the person is connected"),
            (self.failed, "not saved: see the rows marked below"),
        )
        said = "; ".join(f"{count} {words}" for count, words in parts if count)
        return f"{said[:1].upper()}{said[1:]}." if said else ""


def rows_of(contacts: Iterable[Contact], slug: str) -> list[Row]:
    """Return the rows of contacts loaded by `selectors.with_details`, with what is used now in the inputs."""
    return [_row(one, slug) for one in contacts]


def _row(contact: Contact, slug: str) -> Row:
    shown = contact_row(contact, slug)
    known = {one.kind: one for one in contact.details.all()}
    connection = next(iter(contact.open_connections), None)  # type: ignore[attr-defined]
    row = Row(
        person=contact,
        link=reverse("people:contact", args=[slug, contact.pk]),
        belongs=shown.belongs or shown.note,
        standing=shown.standing,
        connected=bool(connection and connection.connected_at),
    )
    for kind in DetailKind:
        held = known.get(kind)
        used = display(kind, held.value) if held else ""
        dead = held is not None and bool(held.value) and not held.deliverable
        note = "Messages do not arrive there." if dead else ""
        row.cells.append(Cell(kind, contact.pk, used, was=used, typed=used, note=note))
    return row


def read(rows: Iterable[Row], posted: Mapping[str, str]) -> list[tuple[Cell, Typed]]:
    """Put what was typed into the cells, and return those to save; what cannot be is marked and stays as typed.

    A cell that nobody touched is left alone, whatever has become of the value since the page was opened.
    """
    wanted = []
    for row in rows:
        for cell in row.cells:
            cell.typed = posted.get(cell.name, cell.used)
            cell.was = posted.get(f"was-{cell.name}", cell.used)
            if cell.typed.strip() == cell.was.strip():
                cell.typed = cell.was = cell.used
                continue
            value = _judged(cell)
            if value is not None:
                wanted.append((cell, Typed(row.person, cell.kind, value)))
    return wanted


def _judged(cell: Cell) -> str | None:
    try:
        value = str(_FIELDS[cell.kind].clean(cell.typed))
    except ValidationError as refusal:
        cell.error = " ".join(refusal.messages)
        return None
    if cell.was.strip() != cell.used:
        cell.error = (
            f"It has changed since you opened this page, to {cell.used or 'none'}. Look again, and save once more."
        )
        cell.was = cell.used
        return None
    return value


def note_outcomes(done: Iterable[tuple[Cell, Edited]]) -> None:
    """Write into the cells what came of them."""
    for cell, edited in done:
        if edited.outcome == Outcome.FAILED:
            cell.error = edited.sentence
        elif edited.outcome == Outcome.ASKED and edited.change is not None:
            asked = display(cell.kind, edited.change.new_value) or "having none"
            cell.done = f"Asked about {asked}, until {when(edited.change.deadline)}."
            cell.typed = cell.was = cell.used
        elif edited.outcome == Outcome.SAVED and edited.change is not None:
            cell.done = "Saved."
            cell.typed = cell.was = cell.used = display(cell.kind, edited.change.new_value)


def summary(rows: Iterable[Row], done: Iterable[tuple[Cell, Edited]]) -> Summary:
    """Count what came of a page."""
    outcomes = [edited.outcome for _, edited in done]
    failed = sum(bool(cell.error) for row in rows for cell in row.cells)
    return Summary(outcomes.count(Outcome.SAVED), outcomes.count(Outcome.ASKED), failed)
