"""Why does it say that? The standing of a person and of each detail, in words. Reads rows that are already loaded."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from hub.core.templatetags.frame import when
from hub.people.judging import display
from hub.people.models import Connection, ContactDetail, DetailKind, DetailSource


@dataclass(frozen=True, slots=True)
class Standing:
    """A word with its colour."""

    tone: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DetailRow:
    """One email or mobile as a page shows it; `import_id` names the import that brought it."""

    kind: str
    label: str
    value: str
    mis: str
    """What the MIS says, where it says something else."""
    standing: Standing | None
    why: tuple[str, ...]
    import_id: int | None


CONNECTED = Standing("good", "Connected")
INVITED = Standing("live", "Invited")
NOT_CONNECTED = Standing("quiet", "Not connected")


def standing_of(connection: Connection | None) -> Standing:
    """Return the state of a record, by its open connection."""
    if connection is None:
        return NOT_CONNECTED
    return CONNECTED if connection.connected_at else INVITED


def detail_rows(details: Iterable[ContactDetail], connection: Connection | None) -> list[DetailRow]:
    """Return a row for the email and one for the mobile, also where there is none."""
    known = {detail.kind: detail for detail in details}
    connected = connection is not None and connection.connected_at is not None
    return [detail_row(kind, known.get(kind), connected=connected) for kind in DetailKind]


def detail_row(kind: DetailKind, detail: ContactDetail | None, *, connected: bool) -> DetailRow:
    """Return how one detail is shown."""
    if detail is None:
        why = ("Neither the MIS nor anybody else has given one.",)
        return DetailRow(kind=kind, label=kind.label, value="", mis="", standing=None, why=why, import_id=None)
    return DetailRow(
        kind=kind,
        label=kind.label,
        value=display(kind, detail.value),
        mis=display(kind, detail.mis_value) if differs(detail) else "",
        standing=_standing_of(detail, connected),
        why=(*_origin(detail), *_future(detail, connected), *_mis_side(detail)),
        import_id=detail.changed_import,
    )


def _standing_of(detail: ContactDetail, connected: bool) -> Standing | None:
    if not detail.deliverable:
        return Standing("bad", "Messages do not arrive")
    if differs(detail):
        if not detail.value:
            return Standing("warn", "The MIS has one")
        return Standing("good", "Kept") if connected else Standing("warn", "Differs from the MIS")
    if detail.verified_at:
        return Standing("good", "Confirmed")
    return None


def differs(detail: ContactDetail) -> bool:
    """Whether the MIS says something else than what is used."""
    return detail.mis_value not in ("", detail.value)


def _origin(detail: ContactDetail) -> Iterable[str]:
    by = detail.changed_by or "Somebody"
    if detail.source == DetailSource.PERSON and not detail.value:
        yield f"{by} took it out on {when(detail.changed_at)}."
    elif detail.source == DetailSource.PERSON:
        yield f"{by} confirmed it on {when(detail.verified_at or detail.changed_at)}."
    elif detail.source == DetailSource.ORGANISATION:
        did = "entered it" if detail.value else "took it out"
        yield f"{by} {did} for the school on {when(detail.changed_at)}."
    elif detail.value:
        yield f"It came from the MIS on {when(detail.changed_at)}."
    else:
        yield "Nobody has confirmed one."
    if detail.verified_at and detail.source != DetailSource.PERSON:
        yield f"It was confirmed on {when(detail.verified_at)}."


def _future(detail: ContactDetail, connected: bool) -> Iterable[str]:
    if connected:
        yield "The person is connected, so no import writes, fills or clears it."
    elif detail.source == DetailSource.MIS:
        yield "It changes when the MIS does."
    else:
        yield "It stays until the MIS says something new."


def _mis_side(detail: ContactDetail) -> Iterable[str]:
    if differs(detail):
        since = f" since {when(detail.mis_changed_at)}" if detail.mis_changed_at else ""
        yield f"The MIS says {display(detail.kind, detail.mis_value)}{since}."
    elif detail.value and detail.mis_value == detail.value and detail.source != DetailSource.MIS:
        yield "The MIS says the same."
    elif detail.value and not detail.mis_value:
        yield "The MIS has none."
