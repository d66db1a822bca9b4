"""What an import would do, worked out as data from state and snapshot. Pure: no I/O, `now` is given.

The parts: `plan_people` (pupils, staff), `plan_contacts` with `plan_links`, `plan_details`,
`plan_absence`; they share a `drafting.Draft`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Set

from imports.planning.absence import Absence
from imports.planning.contacts import Contacts
from imports.planning.details import Details
from imports.planning.drafting import Draft
from imports.planning.links import Links
from imports.planning.people import People
from imports.planning.united import United
from imports.types import CONTACT, KINDS, LINK, PUPIL, STAFF, Action, Change, Facts, Plan, Reading, State, Values, Why


def build_plan(
    state: State,
    reading: Reading,
    *,
    now: dt.datetime,
    hold: Set[str] = frozenset(),
    keep: Set[str] = frozenset(),
) -> Plan:
    """Return what this snapshot changes. `now` is local time.

    Kinds in `hold` lose nobody and will ask again; kinds in `keep` lose nobody and are remembered
    as gone, so that they do not ask again until they reappear.
    """
    draft = Draft(state, reading, now.date(), hold, keep)
    details, links = Details(draft), Links(draft)
    people = People(draft, details)
    facts: dict[str, list[Facts]] = {kind: [] for kind in KINDS}
    for fact in reading.facts:
        facts[fact.key[0]].append(fact)
    _count(draft)
    for fact in (*facts[PUPIL], *facts[STAFF]):
        people.record(fact)
    United(draft, links).settle(facts[CONTACT])
    Contacts(draft, people, links, details).records(facts[CONTACT])
    absence = Absence(draft, links)
    for kind in KINDS:
        if kind in reading.complete:
            absence.of(kind)
    absence.of_parted()
    absence.of_returned_pupils()
    return draft.plan


def _count(draft: Draft) -> None:
    for (kind, _person_id), identities in draft.owners.items():
        live = [identity for identity in identities if not identity.gone]
        if live:
            stats = draft.plan.stats[kind]
            stats.known += 1
            stats.present += any(draft.is_present(identity) for identity in live)
    for kind, _external_id in draft.reading.present:
        draft.plan.stats[kind].in_file += 1


def access_losses(plan: Plan) -> Plan:
    """Return what of a held plan is applied all the same: access to a child that the MIS has taken away."""
    kept = Plan(stats=plan.stats)
    lost = {change.row_id: change for change in plan.changes if change.model == LINK and _loses_access(change)}
    for link_id, values in plan.updates[LINK]:
        if link_id in lost:
            _lose(kept, link_id, values, lost[link_id])
    return kept


_ACCESS_FIELDS = frozenset({"pupil_id", "access", "court_order", "parental_responsibility"})


def _lose(kept: Plan, link_id: int, values: Values, change: Change) -> None:
    after = {name: value for name, value in change.after.items() if name in _ACCESS_FIELDS}
    before = {name: change.before[name] for name in after}
    kept.updates[LINK].append((link_id, {**values, **change.before, **after}))
    kept.changes.append(
        Change(
            Action.UPDATED,
            LINK,
            link_id,
            change.person_kind,
            change.person_id,
            before,
            after,
            Why.ACCESS_LOST,
            change.name,
        )
    )


def _loses_access(change: Change) -> bool:
    after = change.after
    return (
        after.get("access") is False
        or after.get("court_order") is True
        or after.get("parental_responsibility") is False
    )
