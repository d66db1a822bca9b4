"""Planning pupils and staff, whose every record is one person, and what all kinds of people share. Pure."""

from __future__ import annotations

import datetime as dt

from imports.planning.details import Details
from imports.planning.doubles import Doubles
from imports.planning.drafting import SUMMER, Draft
from imports.types import CONTACT, IDENTITY, PUPIL, STAFF, Action, Facts, NewIdentity, Values, Why

ROLL_OVER_FIELDS = frozenset({"year_group", "registration_group", "class_name", "house"})


class People:
    """Adds and updates people, and gives known people their new records."""

    def __init__(self, draft: Draft, details: Details) -> None:
        self._draft, self._details, self._doubles = draft, details, Doubles(draft)

    def record(self, fact: Facts) -> None:
        """Plan one pupil or member of staff."""
        draft = self._draft
        kind = fact.key[0]
        identity = draft.state.identities.get(fact.key)
        person_id = identity.person_id if identity else self._match(fact)
        if self._doubles.refuses(fact, person_id):
            return
        if identity:
            draft.seen(identity, fact, fact.digest)
        elif person_id is not None:
            draft.matcher.take(kind, person_id)
            self.adopt(fact, person_id, fact.digest)
        if person_id is None:
            person_id = self._add(fact)
            self._doubles.add(fact, person_id)
        elif identity is None or draft.speaks(identity):
            known = [identity] if identity else draft.owners[(kind, person_id)]
            back = all(one.gone for one in known)
            if back and kind == PUPIL:
                draft.returned.add(person_id)
            changed = self.update(fact, person_id, back=back)
            if kind == STAFF:
                changed |= self._details.of_known((STAFF, person_id), fact.emails, fact.mobiles, fact.label)
            draft.count_update((kind, person_id), changed)
        draft.person_of[fact.key] = person_id

    def _match(self, fact: Facts) -> int | None:
        matcher = self._draft.matcher
        return matcher.pupil(fact) if fact.key[0] == PUPIL else matcher.staff(fact)

    def adopt(self, fact: Facts, person_id: int, digest: bytes) -> None:
        """Give a known person a new identity."""
        draft = self._draft
        kind = fact.key[0]
        draft.plan.new_identities.append(NewIdentity(fact.key, person_id, digest, fact.emails, fact.mobiles))
        if draft.matcher.is_vacant(kind, person_id) and (kind, person_id) not in draft.moved_to:
            live = [old for old in draft.owners[(kind, person_id)] if not old.gone]
            draft.plan.stats[kind].rekeyed += len(live) < 2  # several that became one were merged, on purpose
            draft.moved_to.add((kind, person_id))
        before = {"record": ", ".join(sorted(old.key[1] for old in draft.owners[(kind, person_id)]))}
        after = {"record": fact.key[1]}
        draft.change(Action.RELINKED, IDENTITY, 0, (kind, person_id), before, after, Why.SAME_PERSON, fact.label)

    def _add(self, fact: Facts) -> int:
        draft = self._draft
        kind = fact.key[0]
        person_id = draft.new_id()
        draft.plan.inserts[kind].append((person_id, fact.values))
        draft.plan.new_identities.append(NewIdentity(fact.key, person_id, fact.digest, fact.emails, fact.mobiles))
        after = shown(fact.values)
        if kind == STAFF:
            after |= self._details.first((STAFF, person_id), fact.emails, fact.mobiles)
        draft.change(Action.ADDED, kind, person_id, (kind, person_id), {}, after, Why.NEW, fact.label)
        draft.plan.stats[kind].added += 1
        return person_id

    def update(self, fact: Facts, person_id: int, *, back: bool) -> bool:
        """Plan the columns in which a known person differs; say whether there are any."""
        draft = self._draft
        kind = fact.key[0]
        if (kind, person_id) in draft.state.by_hand:
            return False
        current = draft.state.people[kind][person_id]
        values = fact.values
        if back and kind != CONTACT:  # an MIS that tells of no leaving dates cannot take one back
            values = {"leaving_date": None} | values
        after = {
            name: value
            for name, value in values.items()
            if current[name] != value and not self._doubles.lost_zeros(name, current[name], value)
        }
        if not after:
            return False
        before = {name: current[name] for name in after}
        action, why = self._kind_of_update(before, after, back=back)
        draft.plan.updates[kind].append((person_id, {**current, **after}))
        draft.change(action, kind, person_id, (kind, person_id), before, after, why, fact.label)
        draft.plan.stats[kind].counted_updates += not _is_roll_over(after, draft.today)
        return True

    def _kind_of_update(self, before: Values, after: Values, *, back: bool) -> tuple[Action, Why]:
        if "leaving_date" in after:
            today = self._draft.today
            left, was = after["leaving_date"], before["leaving_date"]
            if left and left <= today and not (was and was <= today):
                return Action.ENDED, Why.LEFT
            if was and was <= today and not (left and left <= today):
                return Action.RETURNED, Why.BACK
        return (Action.RETURNED, Why.BACK) if back else (Action.UPDATED, Why.CHANGED)


def shown(values: Values) -> Values:
    """Return the columns of a new person that say something."""
    return {name: value for name, value in values.items() if value not in ("", None)}


def _is_roll_over(after: Values, today: dt.date) -> bool:
    """Say whether an update is only the move into a new school year."""
    return today.month in SUMMER and ROLL_OVER_FIELDS.issuperset(after)
