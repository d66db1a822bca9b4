"""A plan in the making: what the modules that fill it share. Pure."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Set
from functools import cached_property

from imports.planning.matching import Matcher
from imports.types import (
    KINDS,
    PUPIL,
    Action,
    Change,
    Facts,
    Identity,
    Key,
    KindStats,
    Owner,
    Plan,
    Reading,
    State,
    Values,
    Why,
)

SUMMER = (7, 8, 9)
"""Months in which year groups move up and the top year leaves."""


class Draft:
    """State and reading, the plan so far, and who each record of the MIS is."""

    def __init__(self, state: State, reading: Reading, today: dt.date, hold: Set[str], keep: Set[str]) -> None:
        self.state, self.reading, self.today = state, reading, today
        self.hold, self.keep = hold, keep
        self.plan = Plan(
            stats={kind: KindStats() for kind in KINDS},
            problems=list(reading.problems),
            passed={name: digest for name, digest in reading.unread.items() if (*name, 0) not in state.identities},
        )
        self._present = reading.present - reading.excluded
        self._said = frozenset(fact.key for fact in reading.facts)
        self.owners: dict[Owner, list[Identity]] = defaultdict(list)
        for identity in state.identities.values():
            self.owners[(identity.key[0], identity.person_id)].append(identity)
        self.person_of: dict[Key, int] = {
            key: identity.person_id for key, identity in state.identities.items() if key[:2] not in reading.excluded
        }
        self.moved_to: set[Owner] = set()
        """People all of whose old records are gone, and who have a new one."""
        self.united: dict[int, int] = {}
        """Contacts whose records became another's tonight, and whose: a new record of theirs is that one's too."""
        self.returned: set[int] = set()
        """Pupils who were gone and are back."""
        self.unsettled: set[int] = set()
        """Pupils whom a record may be that was left out for it: they neither change nor end."""
        self._touched: set[Owner] = set()
        self._next_id = -1

    @cached_property
    def matcher(self) -> Matcher:
        """Who a new record may be; most nights have none, and what finds it is not made."""
        return Matcher(self.state, self._present)

    def new_id(self) -> int:
        """Return the provisional id of a new row."""
        self._next_id -= 1
        return self._next_id

    def change(
        self, action: Action, model: str, row_id: int, person: Owner, before: Values, after: Values, why: Why,
        name: str,
    ) -> None:  # fmt: skip
        """Write down one operation."""
        self.plan.changes.append(Change(action, model, row_id, person[0], person[1], before, after, why, name))

    def count_update(self, person: Owner, changed: bool) -> None:
        """Count a person who changed, once."""
        if changed and person not in self._touched:
            self._touched.add(person)
            self.plan.stats[person[0]].updated += 1

    def seen(self, identity: Identity, fact: Facts, digest: bytes) -> None:
        """Remember what a known record says now; nothing is written where it says what it said."""
        kind, unsaid = identity.key[0], self.reading.unsaid
        emails = identity.emails if f"{kind}.emails" in unsaid else fact.emails
        mobiles = identity.mobiles if f"{kind}.telephones" in unsaid else fact.mobiles
        same = identity.digest == digest and not identity.gone
        if not same or (not digest and (identity.emails, identity.mobiles) != (emails, mobiles)):
            self.plan.seen_identities.append((identity.id, digest, emails, mobiles))

    def is_present(self, identity: Identity) -> bool:
        """Say whether the snapshot has a known record, or the known part of a joint record."""
        name = identity.key[:2]
        if name not in self._present:
            return False
        if identity.key[2] == 0 or identity.key in self._said:
            return True
        was_read = name in self.reading.opened and name not in self.reading.unread
        return not was_read

    def unheard(self, owner: Owner, records: list[Facts]) -> list[Identity]:
        """Return a person's known records that stand and were not read tonight.

        Where the snapshot is not everybody, a record that it does not have stands as it was.
        """
        read = {fact.key for fact in records}
        return [one for one in self.owners[owner] if one.key not in read and not one.gone and self._stands(one)]

    def _stands(self, identity: Identity) -> bool:
        name, everybody = identity.key[:2], identity.key[0] in self.reading.complete
        return self.is_present(identity) or not (everybody or name in self._present or name in self.reading.excluded)

    def speaks(self, identity: Identity) -> bool:
        """Say whether no older record of the same pupil or member of staff is in the snapshot."""
        return not any(
            other.id < identity.id and self.is_present(other) and (not other.gone or other.key in self._said)
            for other in self.owners[(identity.key[0], identity.person_id)]
        )

    def is_told_of(self, pupil_id: int) -> bool:
        """Say whether the snapshot has this pupil, so that a missing link means something."""
        return pupil_id not in self.unsettled and any(
            self.is_present(known) for known in self.owners[(PUPIL, pupil_id)]
        )

    def label(self, kind: str, person_id: int) -> str:
        """Return a known person's name as it is shown beside a change."""
        values = self.state.people[kind][person_id]
        return " ".join(part for part in (values.get("title"), values["forename"], values["surname"]) if part)


def pupil_keys(fact: Facts) -> list[Key]:
    """Return the pupils a contact's record is linked to."""
    return [(PUPIL, link.pupil_external_id, 0) for link in fact.links]
