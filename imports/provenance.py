"""Why does it say that? The whole story of one email or mobile, read from what imports, people and the office did.

Works for values from before anybody could confirm them: an import's own audit goes back to the first night.
Each source is read once, however long the story.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import reduce
from operator import or_

from django.db.models import Q

from hub.core.models import AuditEntry, School
from hub.people.models import Connection, Contact, ContactDetail, Staff
from hub.people.selectors import details_of
from imports import selectors
from imports.models import ImportChange, ImportState
from imports.pages import provenance_words as words
from imports.pages.provenance_words import Event, Said
from verification.models import DetailChange, Invitation, InvitationChannel
from verification.selectors import Mis

MOST = 200
"""Of each source; nobody reads further, and the story of one address has never been longer."""
_CHANNELS = {"email": InvitationChannel.EMAIL, "mobile": InvitationChannel.TEXT}
_AUDITED = (
    "person.detail_edited",
    "person.connected",
    "person.merged",
    "person.merge_undone",
    "person.undeliverable",
)


@dataclass(frozen=True, slots=True)
class Story:
    """The events, the latest first, and the detail as it is now."""

    detail: ContactDetail | None
    events: list[Event] = field(default_factory=list)


def story(*, school: School, owner: Contact | Staff, kind: str, mis: Mis) -> Story:
    """Return how a person's email or mobile became what it is: eight queries, whatever happened."""
    detail = details_of(owner).filter(kind=kind).first()
    said = Said(kind=kind, mis=mis.name)
    reader = _Reader(school, owner, kind, said)
    changes = reader.changes()
    events = [
        *reader.imports(shown={change.by_import for change in changes if change.by_import}),
        *(event for change in changes for event in reader.of(change.contact_id, words.of_change(change, said))),
        *reader.audited(known=[change for change in changes if change.origin == "organisation"]),
        *reader.connections(),
        *reader.invitations(),
    ]
    if detail is not None and not any(event.value == detail.value for event in events if event.takes_effect):
        events += words.of_detail(detail, said)
    # Of two at one moment the one with the later place in this list came of the other.
    order = sorted(enumerate(events), key=lambda pair: (pair[1].at, pair[1].rank, pair[0]), reverse=True)
    return Story(detail, [event for _, event in order])


class _Reader:
    def __init__(self, school: School, owner: Contact | Staff, kind: str, said: Said) -> None:
        self.school, self.kind, self.said = school, kind, said
        self.is_contact = isinstance(owner, Contact)
        self.ids = [owner.pk]
        if self.is_contact:
            gone = Contact.objects.filter(school=school, merged_into_id=owner.pk)
            self.ids += gone.values_list("pk", flat=True)
        self.person_kind = "contact" if self.is_contact else "staff"

    def _theirs(self) -> Q:
        """Name the other kind of owner as none, so that PostgreSQL uses the index."""
        if self.is_contact:
            return Q(school=self.school, contact_id__in=self.ids, staff=None)
        return Q(school=self.school, staff_id__in=self.ids, contact=None)

    def of(self, person_id: int | None, events: Iterable[Event]) -> Iterator[Event]:
        """Yield events, saying of those of a merged record that they were not about this one."""
        for event in events:
            yield words.elsewhere(event) if person_id in self.ids[1:] else event

    def changes(self) -> list[DetailChange]:
        found = DetailChange.objects.filter(self._theirs(), field=self.kind)
        return list(found.order_by("-made_at", "-pk")[:MOST])

    def imports(self, *, shown: set[int]) -> Iterator[Event]:
        """Yield what imports brought; a kept value that has a row of the report is told by that row."""
        about = Q(model="detail") & (Q(after__kind=self.kind) | Q(before__kind=self.kind))
        came_with = Q(model=self.person_kind, action="added", after__has_key=self.kind)
        found = (
            ImportChange.objects.filter(
                about | came_with, school=self.school, person_kind=self.person_kind, person_id__in=self.ids
            )
            .select_related("run__link__source")
            .defer(*(f"run__{column}" for column in selectors.BULKY))
            .annotate(left=self._left())
            .order_by("-run_id", "-id")[:MOST]
        )
        undone: dict[int, Event] = {}
        for change in found:
            run, left = change.run, bool(getattr(change, "left"))  # noqa: B009  (no field of the model)
            if run.undone_at is not None:
                undone.setdefault(run.pk, words.of_undo(change, self.said, left=left))
            if change.action == "kept" and change.run_id in shown and change.before.get("value"):
                continue
            was_undone = run.state == ImportState.UNDONE
            event = words.of_import(change, run.finished_at or run.created_at, self.said, undone=was_undone)
            yield from self.of(change.person_id, [event])
        yield from undone.values()

    def _left(self) -> Q:
        """Whether an undo of the import has left this detail as it was."""
        named = {"kind": self.person_kind, "model": "detail", "field": self.kind}
        wheres = (Q(run__left_by_undo__contains=[named | {"person_id": pk}]) for pk in self.ids)
        return reduce(or_, wheres)

    def audited(self, *, known: list[DetailChange]) -> Iterator[Event]:
        """Yield what people did that no row of the report tells."""
        told = {(change.effective_at, change.new_value) for change in known}
        found = AuditEntry.objects.filter(
            school=self.school, object_kind=self.person_kind, object_id__in=self.ids, action__in=_AUDITED
        )
        for entry in found.order_by("-at", "-pk")[:MOST]:
            if entry.action == "person.detail_edited" and (entry.at, entry.data.get("after", "")) in told:
                continue
            if (event := words.of_audit(entry, self.said)) is not None:
                yield event

    def connections(self) -> Iterator[Event]:
        for tie in Connection.objects.filter(self._theirs(), ended_at__isnull=False).order_by("-pk")[:MOST]:
            yield words.of_end(tie)

    def invitations(self) -> Iterator[Event]:
        found = Invitation.objects.filter(self._theirs(), channel__in=[_CHANNELS[self.kind], InvitationChannel.LETTER])
        for invitation in found.order_by("-sent_at")[:MOST]:
            yield words.of_invitation(invitation, self.said)
