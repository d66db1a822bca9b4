"""Two people of the hub whom the MIS has made one. Pure.

Where the MIS drops the record of somebody Connected, and keeps another record of the same person
(by the rule of `matching`: the name, and an email or mobile, in one family), that record becomes
theirs: whoever cleans up doubles in the MIS takes no child out of a parent's sight.
"""

from __future__ import annotations

from dataclasses import replace

from imports.planning.drafting import Draft
from imports.planning.links import Links
from imports.planning.matching import Likeness
from imports.types import CONTACT, IDENTITY, Action, Facts, Owner, Problem, Why


class United:
    """Moves records to the Connected whose own the MIS dropped; says where it cannot know whose they are."""

    def __init__(self, draft: Draft, links: Links) -> None:
        self._draft, self._links = draft, links
        self._likeness: Likeness | None = None

    def settle(self, facts: list[Facts]) -> None:
        """Plan for every Connected contact whose records are all gone from a snapshot of everybody."""
        if CONTACT not in self._draft.reading.complete:
            return
        for owner in [owner for owner in self._draft.owners if self._is_dropped(owner)]:
            self._likeness = self._likeness or Likeness(self._draft.state, facts, self._draft.person_of)
            survivors = [pk for pk in self._likeness.same_as(owner[1]) if self._is_kept((CONTACT, pk))]
            if len(survivors) == 1:
                self._unite(owner, (CONTACT, survivors[0]))

    def _is_dropped(self, owner: Owner) -> bool:
        draft = self._draft
        if owner[0] != CONTACT or owner not in draft.state.connected:
            return False
        live = [identity for identity in draft.owners[owner] if not identity.gone]
        return bool(live) and not any(draft.is_present(identity) for identity in draft.owners[owner])

    def _is_kept(self, owner: Owner) -> bool:
        return any(self._draft.is_present(identity) for identity in self._draft.owners.get(owner, ()))

    def _unite(self, dropped: Owner, kept: Owner) -> None:
        draft = self._draft
        if kept not in draft.state.connected:
            self._move(dropped, kept)
            return
        logins = draft.state.logins
        if not (dropped in logins and logins[dropped] == logins.get(kept)):
            record = next(one for one in draft.owners[kept] if draft.is_present(one))
            draft.plan.problems.append(_two_logins(record.key[1], draft.label(*kept)))

    def _move(self, to: Owner, other: Owner) -> None:
        """Give `to` the records of the other, whose links end: they are the same person's now."""
        draft = self._draft
        draft.united[other[1]] = to[1]
        before = {"record": ", ".join(sorted(one.key[1] for one in draft.owners[to])), "contact_id": other[1]}
        for identity in draft.owners.pop(other):
            moved = replace(identity, person_id=to[1], digest=b"")
            draft.state.identities[identity.key] = moved
            draft.owners[to].append(moved)
            if identity.key in draft.person_of:
                draft.person_of[identity.key] = to[1]
            draft.plan.moved_identities.append((identity.id, to[1]))
            after = {"record": identity.key[1]}
            draft.change(Action.RELINKED, IDENTITY, identity.id, to, before, after, Why.SAME_PERSON, draft.label(*to))
        for _pupil_id, link in self._links.open(other[1]):
            self._links.end(link, other[1], draft.label(*other))


def _two_logins(record: str, name: str) -> Problem:
    return Problem(
        severity="warning", kind=CONTACT, external_id=record, label=name, file="", row=None,
        field="name", value=name, reason="two_logins",
        message=f"The MIS has made two records of {name} one, but they were connected with two logins. "
        "The login of the record that went sees no pupil any more.",
        advice="Ask which login is in use. If it is the one that went, disconnect the other on its page and invite "
        "this record again.",
    )  # fmt: skip
