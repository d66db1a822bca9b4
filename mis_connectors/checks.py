"""The parts of *Test link*, as connectors yield them: what went well, what did not, and the first pupils."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from mis_connectors.base import Check, CheckState, SamplePupil
from mis_connectors.errors import ConnectorError, ConnectorUnavailable, SnapshotFormatError
from mis_connectors.lists import Identity
from mis_connectors.records import Opened, PupilRecord

SAMPLE = 5
"""So many pupils are shown."""


def ok(key: str, sentence: str) -> Check:
    """Return a part that is as it should be."""
    return Check(key=key, state=CheckState.OK, sentence=sentence)


def failed(key: str, said: str | ConnectorError, *, advice: str = "") -> Check:
    """Return the part at which the test ends, from a sentence or from what was raised.

    Where an MIS did not answer with what it was asked for, that is said, and not that this part is wrong.
    """
    sentence = said if isinstance(said, str) else said.message
    state = CheckState.UNANSWERED if _is_no_answer(said) else CheckState.FAILED
    return Check(key=key, state=state, sentence=sentence, advice=advice)


def _is_no_answer(said: str | ConnectorError) -> bool:
    return isinstance(said, SnapshotFormatError) or (isinstance(said, ConnectorUnavailable) and not said.address)


def sample(mis: str, pupils: Sequence[tuple[str, Opened]], *, links: Iterable[Identity]) -> Check:
    """Return the first pupils by id, with as many contacts as their links say; a link is named by pupil and contact."""
    ids = {one for one, _ in pupils}
    contacts = Counter(link[0] for link in {link for link in links if link[0] in ids})
    shown = tuple(
        pupil(opened.record, contacts[one]) for one, opened in pupils if isinstance(opened.record, PupilRecord)
    )
    said = f"These are the first pupils that {mis} gives." if len(shown) > 1 else f"{mis} has one pupil."
    return Check(key="sample", state=CheckState.OK, sentence=said, sample=shown)


def pupil(record: PupilRecord, contacts: int) -> SamplePupil:
    """Return a pupil as an office knows them."""
    return SamplePupil(
        name=" ".join(part for part in (record.forename, record.surname) if part) or "without a name",
        year_group=record.year_group or "",
        registration_group=record.registration_group or "",
        contacts=contacts,
    )
