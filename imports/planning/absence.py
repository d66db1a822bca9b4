"""Planning what becomes of people whom a complete snapshot no longer has: it ends, never deletes. Pure."""

from __future__ import annotations

from imports.planning.drafting import SUMMER, Draft
from imports.planning.links import Links
from imports.types import CONTACT, PUPIL, Action, Identity, Values, Why


class Absence:
    """Ends links, and sets leaving dates."""

    def __init__(self, draft: Draft, links: Links) -> None:
        self._draft, self._links = draft, links

    def of(self, kind: str) -> None:
        """Plan for everybody of one kind who is absent."""
        draft = self._draft
        for owner, identities in draft.owners.items():
            if owner[0] != kind:
                continue
            live = [identity for identity in identities if not identity.gone]
            absent = [identity for identity in live if not draft.is_present(identity)]
            if not absent:
                continue
            # Another record of the same person may be there still, or be back.
            if any(map(draft.is_present, identities)) or owner in draft.moved_to:
                self._gone(kind, absent)
            else:
                self._person(kind, owner[1], absent)

    def of_returned_pupils(self) -> None:
        """End the links of contacts who went while a pupil was away, who is now back without them.

        Contacts who stand, but are not in a snapshot of some, have to be heard again by the next of everybody.
        """
        draft = self._draft
        again: dict[int, Identity] = {}
        for (pupil_id, contact_id), link in draft.state.links.items() if draft.returned else ():
            identities = draft.owners.get((CONTACT, contact_id))
            if pupil_id not in draft.returned or link["ended_on"] is not None or not identities:
                continue
            if (CONTACT, contact_id) in draft.moved_to:
                continue
            if all(one.gone and not draft.is_present(one) for one in identities):
                self._links.end(link, contact_id, draft.label(CONTACT, contact_id))
            elif CONTACT not in draft.reading.complete:
                again |= {one.id: one for one in identities if not one.gone and not draft.is_present(one)}
        draft.plan.seen_identities += [(one.id, b"", one.emails, one.mobiles) for one in again.values() if one.digest]

    def of_parted(self) -> None:
        """Have records that are joint no longer heard again, where a snapshot of some ends nobody.

        Unchanged they would not be opened by the next of everybody, and the second person would keep their links.
        """
        draft = self._draft
        if CONTACT in draft.reading.complete:
            return
        again: dict[int, Identity] = {}
        for key, identity in draft.state.identities.items():
            is_second = key[0] == CONTACT and key[2] and key[:2] in draft.reading.opened and not identity.gone
            first = draft.state.identities.get((key[0], key[1], 0))
            if is_second and first and not draft.is_present(identity):
                again[first.id] = first
        seen = [row for row in draft.plan.seen_identities if row[0] not in again]
        heard = {pk: said for pk, _digest, *said in draft.plan.seen_identities}
        for pk, first in again.items():
            emails, mobiles = heard.get(pk, (first.emails, first.mobiles))
            seen.append((pk, b"", emails, mobiles))
        draft.plan.seen_identities = seen

    def _gone(self, kind: str, identities: list[Identity]) -> None:
        self._draft.plan.gone_identities[kind] += [identity.id for identity in identities]

    def _person(self, kind: str, person_id: int, absent: list[Identity]) -> None:
        draft = self._draft
        if kind == PUPIL and person_id in draft.unsettled:
            return
        stats = draft.plan.stats[kind]
        ends: list[Values] = []
        if kind == CONTACT:
            ends = [link for pupil_id, link in self._links.open(person_id) if draft.is_told_of(pupil_id)]
            explained = not ends
        else:
            leaving = draft.state.people[kind][person_id]["leaving_date"]
            explained = bool(leaving and leaving <= draft.today)
        if explained:
            stats.explained += 1
            self._gone(kind, absent)
            return
        is_excluded = all(identity.key[:2] in draft.reading.excluded for identity in absent)
        if is_excluded or self._is_top_year_in_summer(kind, person_id):
            stats.explained += 1
        elif kind in draft.hold:
            stats.removed += 1
            return
        elif kind in draft.keep:
            self._gone(kind, absent)
            return
        else:
            stats.removed += 1
        self._gone(kind, absent)
        self._end(kind, person_id, ends)

    def _end(self, kind: str, person_id: int, ends: list[Values]) -> None:
        draft = self._draft
        label = draft.label(kind, person_id)
        if kind == CONTACT:
            for link in ends:
                self._links.end(link, person_id, label)
            return
        current = draft.state.people[kind][person_id]
        before, after = {"leaving_date": current["leaving_date"]}, {"leaving_date": draft.today}
        draft.plan.updates[kind].append((person_id, {**current, **after}))
        draft.change(Action.ENDED, kind, person_id, (kind, person_id), before, after, Why.GONE, label)

    def _is_top_year_in_summer(self, kind: str, person_id: int) -> bool:
        draft = self._draft
        if kind != PUPIL or draft.today.month not in SUMMER or not draft.state.top_year:
            return False
        year: str = draft.state.people[PUPIL][person_id]["year_group"]
        return year == draft.state.top_year
