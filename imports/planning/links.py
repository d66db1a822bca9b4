"""Planning how contacts belong to pupils: links begin, change and end. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from functools import cached_property

from hub.people.unions import united
from imports.planning.drafting import Draft
from imports.types import CONTACT, LINK, PUPIL, Action, Facts, Values, Why


class Links:
    """Adds a contact's links to the plan."""

    def __init__(self, draft: Draft) -> None:
        self._draft = draft

    def wanted(self, records: list[Facts]) -> dict[int, Values]:
        """Return pupil id to columns; where two records tell of one pupil, `people.unions` says what holds."""
        wanted: dict[int, Values] = {}
        for fact in records:
            for link in fact.links:
                pupil_id = self._draft.person_of.get((PUPIL, link.pupil_external_id, 0))
                if pupil_id is not None:
                    known = wanted.get(pupil_id)
                    wanted[pupil_id] = link.values if known is None else united(known, link.values)
        return wanted

    def of_new(self, contact_id: int, records: list[Facts]) -> None:
        """Plan the links of a contact who is being added: they are part of that change."""
        for pupil_id, values in self.wanted(records).items():
            self._insert(pupil_id, contact_id, values)

    def of_known(self, contact_id: int, records: list[Facts], *, all_heard: bool) -> bool:
        """Plan what becomes of a known contact's links; say whether anything does.

        While another record of the contact was not read, it may be that one which tells of a link:
        then none ends, and an open one changes only where access is denied.
        """
        label = records[0].label
        wanted = self.wanted(records)
        changed = False
        for pupil_id, values in wanted.items():
            current = self._draft.state.links.get((pupil_id, contact_id))
            if current is not None:
                values = self._with_unsaid(values, current)
            if current is None:
                self._add(pupil_id, contact_id, values, label)
                changed = True
            elif all_heard or current["ended_on"] is not None or values["access"] < current["access"]:
                changed |= self._update(current, contact_id, values, label)
        if not all_heard:
            return changed
        for pupil_id, current in self.open(contact_id):
            if pupil_id not in wanted and self._draft.is_told_of(pupil_id):
                changed |= self.end(current, contact_id, label)
        return changed

    def _with_unsaid(self, values: Values, current: Values) -> Values:
        """Return what is said of a link, with what is known where the MIS says nothing tonight."""
        reading = self._draft.reading
        known = {name: current[name] for name in values if f"{LINK}.{name}" in reading.unsaid}
        if not known:
            return values
        whole = {**values, **known}
        return {**whole, "access": reading.rule.admits(whole)}

    def undecided(self, contact_id: int, records: list[Facts]) -> bool:
        """Say whether a link is left open only because the snapshot does not have its pupil, nor everybody.

        A complete snapshot will have to hear these records again.
        """
        if PUPIL in self._draft.reading.complete:
            return False
        wanted = self.wanted(records)
        return any(
            pupil_id not in wanted and not self._draft.is_told_of(pupil_id) for pupil_id, _ in self.open(contact_id)
        )

    def open(self, contact_id: int) -> Iterator[tuple[int, Values]]:
        """Yield pupil id and columns of a contact's links that have not ended."""
        for pupil_id, current in self._of_contact[contact_id]:
            if current["ended_on"] is None:
                yield pupil_id, current

    @cached_property
    def _of_contact(self) -> dict[int, list[tuple[int, Values]]]:
        found: dict[int, list[tuple[int, Values]]] = defaultdict(list)
        for (pupil_id, contact_id), values in self._draft.state.links.items():
            found[contact_id].append((pupil_id, values))
        return found

    def end(self, current: Values, contact_id: int, label: str) -> bool:
        """Plan the end of a link."""
        return self._update(current, contact_id, {"ended_on": self._draft.today}, label)

    def _insert(self, pupil_id: int, contact_id: int, values: Values) -> int:
        link_id = self._draft.new_id()
        columns = {"pupil_id": pupil_id, "contact_id": contact_id, **values}
        self._draft.plan.inserts[LINK].append((link_id, columns))
        return link_id

    def _add(self, pupil_id: int, contact_id: int, values: Values, label: str) -> None:
        link_id = self._insert(pupil_id, contact_id, values)
        after = {"pupil_id": pupil_id} | {name: value for name, value in values.items() if value not in ("", None)}
        self._draft.change(Action.ADDED, LINK, link_id, (CONTACT, contact_id), {}, after, Why.NEW, label)

    def _update(self, current: Values, contact_id: int, values: Values, label: str) -> bool:
        after = {name: value for name, value in values.items() if current[name] != value}
        if not after:
            return False
        before = {name: current[name] for name in after}
        action, why = Action.UPDATED, Why.CHANGED
        if "ended_on" in after:
            action, why = (Action.ENDED, Why.GONE) if after["ended_on"] else (Action.RETURNED, Why.BACK)
        elif after.get("access") is False:
            why = Why.ACCESS_LOST
        pupil = {"pupil_id": current["pupil_id"]}
        self._draft.plan.updates[LINK].append((current["id"], {**current, **after}))
        self._draft.change(
            action, LINK, current["id"], (CONTACT, contact_id), before | pupil, after | pupil, why, label
        )
        return True
