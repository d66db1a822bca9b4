"""What the portal's pages show, made of rows that are already loaded: questions, values, history. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from hub.people.models import ContactDetail, DetailKind
from hub.portal import words
from hub.portal.selectors import Record
from hub.portal.words import State
from verification.invitations.selectors import can_reach
from verification.models import DetailChange, MisState, Origin, Status

SOON = dt.timedelta(hours=48)
"""A question is urgent when less than this is left to answer it."""
Pair = tuple[Record, Record]
_VALUES = (DetailKind.EMAIL, DetailKind.MOBILE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """One proposed value: who asks for it, since when and until when, and where else a yes would go."""

    change: DetailChange
    places: str
    """Which schools ask."""
    schools: int
    """How many ask, for the verb."""
    kind: str
    old: str
    new: str
    soon: bool
    only: tuple[tuple[str, int], ...]
    """School by school: where a yes can go alone, and to which change; empty for a person of one record."""
    by_import: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What schools ask about one kind of detail: one value, or several side by side."""

    kind: str
    asks: tuple[Ask, ...]

    @property
    def deadline(self) -> dt.datetime | None:
        return min((ask.change.deadline for ask in self.asks if ask.change.deadline), default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """A value that waits for the code sent to it."""

    batch: str
    kind: str
    value: str
    places: str
    deadline: dt.datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """A value and the records that have it, with its state in words."""

    kind: str
    raw: str
    shown: str
    places: str
    states: tuple[tuple[str, State], ...]
    """State, and of which of the places where they do not all share it."""
    notes: tuple[tuple[str, str], ...]
    connections: tuple[int, ...]
    to_confirm: tuple[int, ...] = ()
    """The connections at which it is in use, but not confirmed."""
    decline: int = 0
    """Of an offer: the change by which it can be turned down."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DetailCard:
    """Everything about one kind of detail on the page of details."""

    kind: str
    title: str
    icon: str
    change_words: str
    values: tuple[Value, ...]
    proofs: tuple[Proof, ...]
    asks: tuple[Question, ...]
    may_take_out: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Twins:
    """Two records of one school that are the same person."""

    kept: Record
    gone: Record

    @property
    def choices(self) -> list[Either]:
        """The kinds of detail that both records have, confirmed, with different values: one is to be chosen."""
        pairs = ((kind, self.kept.details.get(kind), self.gone.details.get(kind)) for kind in _VALUES)
        return [
            Either(kind, words.which_is_used(kind), words.shown(kind, kept.value), words.shown(kind, gone.value))
            for kind, kept, gone in pairs
            if kept and gone and kept.value and gone.value and gone.verified_at and kept.value != gone.value
        ]

    @property
    def both(self) -> tuple[Side, Side]:
        return Side(self.kept), Side(self.gone)


@dataclass(frozen=True, slots=True)
class Either:
    """Two values, of which one is used from now on."""

    kind: str
    title: str
    kept: str
    gone: str


@dataclass(frozen=True, slots=True)
class Side:
    """One of two records, with what tells it from the other."""

    record: Record

    @property
    def owner(self) -> str:
        return str(self.record.owner)

    @property
    def lines(self) -> list[tuple[str, str]]:
        """Each kind of detail and its value."""
        return [(words.kind_title(kind), words.shown(kind, _held(self.record, kind))) for kind in _VALUES]


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """Everything that waits for the person, in the order of its weight."""

    questions: tuple[Question, ...] = ()
    proofs: tuple[Proof, ...] = ()
    offers: tuple[Value, ...] = ()
    to_confirm: tuple[Value, ...] = ()
    twins: tuple[Twins, ...] = ()
    frozen: tuple[DetailChange, ...] = field(default=())

    @property
    def count(self) -> int:
        parts = (self.questions, self.proofs, self.offers, self.to_confirm, self.twins)
        return sum(len(part) for part in parts)


def waiting_of(
    records: Sequence[Record], rows: Iterable[DetailChange], now: dt.datetime, pairs: Iterable[Pair] = ()
) -> Waiting:
    """Sort what stands open into what the person is asked; `pairs` are records that may be one."""
    rows = list(rows)
    by_status = {status: [row for row in rows if row.status == status] for status in Status}
    questions = questions_of(records, by_status[Status.PENDING], now)
    proofs = proofs_of(records, by_status[Status.WAITING])
    busy = {question.kind for question in questions} | {proof.kind for proof in proofs}
    return Waiting(
        questions=questions,
        proofs=proofs,
        offers=tuple(_offers(records, by_status[Status.OFFER], by_status[Status.REJECTED], busy)),
        to_confirm=tuple(_to_confirm(records, busy)),
        twins=tuple(Twins(kept=kept, gone=gone) for kept, gone in pairs),
        frozen=tuple(by_status[Status.FROZEN]),
    )


def questions_of(records: Sequence[Record], pending: Sequence[DetailChange], now: dt.datetime) -> tuple[Question, ...]:
    """One question per kind of detail; the same value asked for by several schools is one ask."""
    return tuple(
        Question(kind=kind, asks=tuple(_asks(records, [row for row in pending if row.field == kind], now)))
        for kind in _VALUES
        if any(row.field == kind for row in pending)
    )


def _asks(records: Sequence[Record], pending: list[DetailChange], now: dt.datetime) -> Iterable[Ask]:
    # A stable order: who asked first stands first.
    values = list(dict.fromkeys(row.new_value for row in pending))
    for value in values:
        same = [row for row in pending if row.new_value == value]
        first = same[0]
        yield Ask(
            change=first,
            places=places(records, same),
            schools=len(same),
            kind=first.field,
            old=words.shown(first.field, first.old_value),
            new=words.shown(first.field, first.new_value),
            soon=first.deadline is not None and first.deadline - now < SOON,
            only=tuple((places(records, [row]), row.pk) for row in same) if len(records) > 1 else (),
            by_import=first.origin == Origin.IMPORT,
        )


def proofs_of(records: Sequence[Record], waiting: Iterable[DetailChange]) -> tuple[Proof, ...]:
    """One line per change that waits for its code, however many schools it is for."""
    ordered = sorted(waiting, key=lambda row: (str(row.batch), row.pk))
    batches = [list(rows) for _, rows in groupby(ordered, key=lambda row: row.batch)]
    return tuple(
        Proof(
            batch=str(rows[0].batch),
            kind=rows[0].field,
            value=words.shown(rows[0].field, rows[0].new_value),
            places=places(records, rows),
            deadline=rows[0].deadline,
        )
        for rows in batches
    )


def _offers(
    records: Sequence[Record], rows: Sequence[DetailChange], declined: Sequence[DetailChange], busy: set[str]
) -> Iterable[Value]:
    declinable = {
        (row.contact_id, row.staff_id, row.field, row.new_value): row.pk
        for row in rows
        if row.mis_state != MisState.REPLACED
    }
    for kind in _VALUES:
        offered: dict[str, list[Record]] = {}
        for record in records if kind not in busy else ():
            detail = record.details.get(kind)
            known = detail and not detail.value and (*_key(record), kind, detail.mis_value) in declinable
            if detail and known and not _was_declined(record, detail, declined):
                offered.setdefault(detail.mis_value, []).append(record)
        for value, own in offered.items():
            yield _value(kind, value, own, records, decline=declinable[*_key(own[0]), kind, value])


def _was_declined(record: Record, detail: ContactDetail, declined: Sequence[DetailChange]) -> bool:
    """Whether the person said already that it is not theirs, since the MIS began to say it."""
    since = detail.mis_changed_at
    return any(
        (row.contact_id, row.staff_id, row.field, row.new_value) == (*_key(record), detail.kind, detail.mis_value)
        and (since is None or row.answered_at is None or row.answered_at >= since)
        for row in declined
    )


def _key(record: Record) -> tuple[int | None, int | None]:
    return record.connection.contact_id, record.connection.staff_id


def _is_unsure(detail: ContactDetail | None) -> bool:
    """Whether somebody is to say of this detail that it is theirs, where a code can be sent to it."""
    unsure = detail is not None and bool(detail.value) and (detail.verified_at is None or not detail.deliverable)
    return unsure and detail is not None and can_reach(detail.kind)


def _to_confirm(records: Sequence[Record], busy: set[str]) -> Iterable[Value]:
    for kind in _VALUES:
        unsure: dict[str, list[Record]] = {}
        for record in records if kind not in busy else ():
            detail = record.details.get(kind)
            if detail and _is_unsure(detail):
                unsure.setdefault(detail.value, []).append(record)
        for value, own in unsure.items():
            yield _value(kind, value, own, records)


# The page of details


def cards_of(records: Sequence[Record], waiting: Waiting) -> list[DetailCard]:
    """One card for the email and one for the mobile."""
    proven = {kind for record in records for kind, one in record.details.items() if one.value and one.verified_at}
    return [
        DetailCard(
            kind=kind,
            title=words.kind_title(kind),
            icon="mail" if kind == DetailKind.EMAIL else "phone",
            change_words=words.change_words(kind, any(_held(record, kind) for record in records)),
            values=tuple(_values(kind, records)),
            proofs=tuple(one for one in waiting.proofs if one.kind == kind),
            asks=tuple(one for one in waiting.questions if one.kind == kind),
            may_take_out=bool(proven - {kind}) and any(_held(record, kind) for record in records),
        )
        for kind in _VALUES
    ]


def _held(record: Record, kind: str) -> str:
    detail = record.details.get(kind)
    return detail.value if detail else ""


def _values(kind: str, records: Sequence[Record]) -> Iterable[Value]:
    values: dict[str, list[Record]] = {}
    for record in records:
        values.setdefault(_held(record, kind), []).append(record)
    # What is there first, then where there is none.
    for value in sorted(values, key=lambda one: not one):
        yield _value(kind, value, values[value], records)


def _value(kind: str, raw: str, own: Sequence[Record], among: Sequence[Record], decline: int = 0) -> Value:
    states: dict[State, list[str]] = {}
    notes: dict[str, list[str]] = {}
    for record in own:
        place, detail = words.place_of(record, among), record.details.get(kind)
        if detail and detail.value:
            states.setdefault(words.detail_state(detail), []).append(place)
            if note := words.school_side(detail):
                notes.setdefault(note, []).append(place)
    return Value(
        kind=kind,
        raw=raw,
        shown=words.shown(kind, raw),
        places=words.places_of(own, among),
        states=tuple((_unless_all(places, own), state) for state, places in states.items()),
        notes=tuple((_unless_all(places, own), note) for note, places in notes.items()),
        connections=tuple(record.connection.pk for record in own),
        to_confirm=tuple(record.connection.pk for record in own if _is_unsure(record.details.get(kind))),
        decline=decline,
    )


def _unless_all(places: list[str], own: Sequence[Record]) -> str:
    return "" if len(places) == len(own) else words.listed(places)


def places(records: Sequence[Record], rows: Iterable[DetailChange]) -> str:
    whose = {(row.contact_id, row.staff_id) for row in rows}
    return words.places_of([one for one in records if _key(one) in whose], records)
