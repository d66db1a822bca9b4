"""What an import would do, worked out as data from state and snapshot. Pure: no I/O, `now` is given."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterator, Set

from imports import who_wins
from imports.matching import Matcher
from imports.types import (
    CONTACT,
    DETAIL,
    EMAIL,
    IDENTITY,
    KINDS,
    LINK,
    MOBILE,
    PUPIL,
    STAFF,
    Action,
    Change,
    DetailWrite,
    Facts,
    Identity,
    Key,
    KindStats,
    NewIdentity,
    Plan,
    Problem,
    Reading,
    State,
    Values,
    Why,
)

SUMMER = (7, 8, 9)
"""Months in which year groups move up and the top year leaves."""
ROLL_OVER_FIELDS = frozenset({"year_group", "registration_group", "class_name", "house"})


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
    planner = _Planner(state, reading, now.date(), hold, keep)
    planner.run()
    return planner.plan


class _Planner:
    """One pass over the facts; each method adds its operations to the plan."""

    def __init__(self, state: State, reading: Reading, today: dt.date, hold: Set[str], keep: Set[str]) -> None:
        self.state, self.reading, self.today = state, reading, today
        self.hold, self.keep = hold, keep
        self.plan = Plan(
            stats={kind: KindStats() for kind in KINDS},
            problems=list(reading.problems),
            passed={name: digest for name, digest in reading.unread.items() if (*name, 0) not in state.identities},
        )
        self.matcher = Matcher(state, reading.present)
        self.next_id = -1
        self.owners: dict[tuple[str, int], list[Identity]] = defaultdict(list)
        for identity in state.identities.values():
            self.owners[(identity.key[0], identity.person_id)].append(identity)
        self.person_of: dict[Key, int] = {key: identity.person_id for key, identity in state.identities.items()}
        self.touched: set[tuple[str, int]] = set()
        self.moved_to: set[tuple[str, int]] = set()

    def run(self) -> None:
        facts: dict[str, list[Facts]] = {kind: [] for kind in KINDS}
        for fact in self.reading.facts:
            facts[fact.key[0]].append(fact)
        self._count()
        for fact in facts[PUPIL]:
            self._simple(fact, self.matcher.pupil)
        for fact in facts[STAFF]:
            self._simple(fact, self.matcher.staff)
        self._contacts(facts[CONTACT])
        for kind in KINDS:
            if kind in self.reading.complete:
                self._absent(kind)

    def _new_id(self) -> int:
        self.next_id -= 1
        return self.next_id

    def _count(self) -> None:
        for kind, person_id in self.owners:
            identities = [identity for identity in self.owners[(kind, person_id)] if not identity.gone]
            if identities:
                stats = self.plan.stats[kind]
                stats.known += 1
                stats.present += any(identity.key[:2] in self.reading.present for identity in identities)
        for kind, _external_id in self.reading.present:
            self.plan.stats[kind].in_file += 1

    # Pupils and staff: one record is one person.

    def _simple(self, fact: Facts, match: object) -> None:
        kind = fact.key[0]
        identity = self.state.identities.get(fact.key)
        person_id = identity.person_id if identity else match(fact)  # type: ignore[operator]
        if identity:
            self.plan.seen_identities.append((identity.id, fact.digest, fact.emails, fact.mobiles))
        elif person_id is not None:
            self._adopt(fact, person_id, fact.digest)
        if person_id is None:
            person_id = self._add(fact, fact.values)
        else:
            back = bool(identity and identity.gone)
            changed = self._update(fact, person_id, back=back)
            changed |= kind == STAFF and self._details((STAFF, person_id), fact.emails, fact.mobiles, fact.label)
            self._count_update(kind, person_id, changed)
        self.person_of[fact.key] = person_id

    def _adopt(self, fact: Facts, person_id: int, digest: bytes) -> None:
        """Give a known person a new identity."""
        kind = fact.key[0]
        self.plan.new_identities.append(NewIdentity(fact.key, person_id, digest, fact.emails, fact.mobiles))
        if person_id < 0:
            return
        if self.matcher.is_vacant(kind, person_id):
            self.plan.stats[kind].rekeyed += 1
            self.moved_to.add((kind, person_id))
        before = {"record": ", ".join(sorted(old.key[1] for old in self.owners[(kind, person_id)]))}
        self._change(
            Action.RELINKED,
            IDENTITY,
            0,
            (kind, person_id),
            before,
            {"record": fact.key[1]},
            Why.SAME_PERSON,
            fact.label,
        )

    def _add(self, fact: Facts, values: Values) -> int:
        kind = fact.key[0]
        person_id = self._new_id()
        self.plan.inserts[kind].append((person_id, values))
        self.plan.new_identities.append(NewIdentity(fact.key, person_id, fact.digest, fact.emails, fact.mobiles))
        after = {name: value for name, value in values.items() if value not in ("", None)}
        if kind == STAFF:
            after |= self._first_details((STAFF, person_id), fact.emails, fact.mobiles)
        self._change(Action.ADDED, kind, person_id, (kind, person_id), {}, after, Why.NEW, fact.label)
        self.plan.stats[kind].added += 1
        return person_id

    def _update(self, fact: Facts, person_id: int, *, back: bool) -> bool:
        kind = fact.key[0]
        if (kind, person_id) in self.state.by_hand:
            return False
        current = self.state.people[kind][person_id]
        after = {name: value for name, value in fact.values.items() if current[name] != value}
        if not after:
            return False
        before = {name: current[name] for name in after}
        action, why = self._kind_of_update(before, after, back=back)
        self.plan.updates[kind].append((person_id, {**current, **after}))
        self._change(action, kind, person_id, (kind, person_id), before, after, why, fact.label)
        self.plan.stats[kind].counted_updates += not _is_roll_over(after, self.today)
        return True

    def _kind_of_update(self, before: Values, after: Values, *, back: bool) -> tuple[Action, Why]:
        if "leaving_date" in after:
            left, was = after["leaving_date"], before["leaving_date"]
            if left and left <= self.today and not (was and was <= self.today):
                return Action.ENDED, Why.LEFT
            if was and was <= self.today and not (left and left <= self.today):
                return Action.RETURNED, Why.BACK
        return (Action.RETURNED, Why.BACK) if back else (Action.UPDATED, Why.CHANGED)

    def _count_update(self, kind: str, person_id: int, changed: bool) -> None:
        if changed and (kind, person_id) not in self.touched:
            self.touched.add((kind, person_id))
            self.plan.stats[kind].updated += 1

    # Contacts: many records may be one person, and each brings links.

    def _contacts(self, facts: list[Facts]) -> None:
        groups: dict[int, list[tuple[Facts, set[int]]]] = defaultdict(list)
        for fact in facts:
            pupil_ids = {self.person_of[key] for key in _pupil_keys(fact) if key in self.person_of}
            identity = self.state.identities.get(fact.key)
            if identity is None and not self._is_recipient(fact):
                if all(key in self.person_of for key in _pupil_keys(fact)):
                    self.plan.passed[fact.key[:2]] = fact.digest
                continue
            person_id = identity.person_id if identity else self._find_contact(fact, pupil_ids)
            groups[person_id].append((fact, pupil_ids))
        for person_id, found in groups.items():
            records = [fact for fact, _pupils in found]
            if person_id < 0:
                self._add_contact(person_id, records)
            else:
                self._known_contact(person_id, records)

    def _is_recipient(self, fact: Facts) -> bool:
        """Say whether a new record's links admit it, to at least one pupil who is here."""
        return any(
            link.values["access"] and (PUPIL, link.pupil_external_id, 0) in self.person_of for link in fact.links
        )

    def _find_contact(self, fact: Facts, pupil_ids: set[int]) -> int:
        same, doubtful = self.matcher.contact(fact, pupil_ids)
        if same is not None:
            return same
        if doubtful is not None:
            self.plan.problems.append(_possible_duplicate(fact))
        person_id = self._new_id()
        self.matcher.add_contact(person_id, fact, pupil_ids)
        return person_id

    def _digest(self, fact: Facts) -> bytes:
        """Return the digest to remember: none while a link leads to a pupil who is not here, to read it again."""
        return fact.digest if all(key in self.person_of for key in _pupil_keys(fact)) else b""

    def _add_contact(self, person_id: int, records: list[Facts]) -> None:
        first = records[0]
        self.plan.inserts[CONTACT].append((person_id, first.values))
        after = {name: value for name, value in first.values.items() if value not in ("", None)}
        after |= self._first_details(
            (CONTACT, person_id),
            tuple(email for fact in records for email in fact.emails),
            tuple(mobile for fact in records for mobile in fact.mobiles),
        )
        for pupil_id, values in self._wanted(records).items():
            self.plan.inserts[LINK].append((self._new_id(), {"pupil_id": pupil_id, "contact_id": person_id, **values}))
        after["pupils"] = [link.values["relationship"] for link in first.links]
        for fact in records:
            self.plan.new_identities.append(
                NewIdentity(fact.key, person_id, self._digest(fact), fact.emails, fact.mobiles)
            )
            self.person_of[fact.key] = person_id
        self._change(Action.ADDED, CONTACT, person_id, (CONTACT, person_id), {}, after, Why.NEW, first.label)
        self.plan.stats[CONTACT].added += 1

    def _known_contact(self, person_id: int, records: list[Facts]) -> None:
        records.sort(key=lambda fact: known.id if (known := self.state.identities.get(fact.key)) else 1 << 62)
        back = False
        for fact in records:
            identity = self.state.identities.get(fact.key)
            if identity:
                back |= identity.gone
                self.plan.seen_identities.append((identity.id, self._digest(fact), fact.emails, fact.mobiles))
            else:
                self._adopt(fact, person_id, self._digest(fact))
            self.person_of[fact.key] = person_id
        owner = (CONTACT, person_id)
        changed = self._update(records[0], person_id, back=back)
        changed |= self._links(person_id, records)
        changed |= self._details(owner, *self._all_details(person_id, records), records[0].label)
        self._count_update(CONTACT, person_id, changed)

    def _all_details(self, person_id: int, records: list[Facts]) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Return emails and mobiles by the rule: the oldest identity first, each in its own order."""
        read = {fact.key: fact for fact in records}
        ordered: list[Facts | Identity] = [
            read.pop(known.key, known)
            for known in sorted(self.owners[(CONTACT, person_id)], key=lambda known: known.id)
            if known.key in read or (not known.gone and known.key[:2] in self.reading.present)
        ]
        ordered += read.values()
        return (
            tuple(email for record in ordered for email in record.emails),
            tuple(mobile for record in ordered for mobile in record.mobiles),
        )

    def _wanted(self, records: list[Facts]) -> dict[int, Values]:
        """Return pupil id to link columns; where two records tell of one pupil, the first is heard."""
        wanted: dict[int, Values] = {}
        for fact in records:
            for link in fact.links:
                pupil_id = self.person_of.get((PUPIL, link.pupil_external_id, 0))
                if pupil_id is not None and (
                    pupil_id not in wanted or link.values["access"] < wanted[pupil_id]["access"]
                ):
                    wanted[pupil_id] = link.values
        return wanted

    def _links(self, contact_id: int, records: list[Facts]) -> bool:
        wanted = self._wanted(records)
        changed = False
        for pupil_id, values in wanted.items():
            current = self.state.links.get((pupil_id, contact_id))
            if current is None:
                changed |= self._add_link(pupil_id, contact_id, values, records[0].label)
            else:
                changed |= self._update_link(current, contact_id, values, records[0].label)
        for pupil_id, current in self._open_links(contact_id):
            if pupil_id not in wanted and self._is_told_of(pupil_id):
                changed |= self._update_link(current, contact_id, {"ended_on": self.today}, records[0].label)
        return changed

    def _open_links(self, contact_id: int) -> Iterator[tuple[int, Values]]:
        for (pupil_id, linked_to), current in self._links_of()[contact_id]:
            if linked_to == contact_id and current["ended_on"] is None:
                yield pupil_id, current

    def _links_of(self) -> dict[int, list[tuple[tuple[int, int], Values]]]:
        if not hasattr(self, "_by_contact"):
            self._by_contact: dict[int, list[tuple[tuple[int, int], Values]]] = defaultdict(list)
            for pair, values in self.state.links.items():
                self._by_contact[pair[1]].append((pair, values))
        return self._by_contact

    def _is_told_of(self, pupil_id: int) -> bool:
        """Say whether the snapshot has this pupil, so that a missing link means something."""
        return any(known.key[:2] in self.reading.present for known in self.owners[(PUPIL, pupil_id)])

    def _add_link(self, pupil_id: int, contact_id: int, values: Values, label: str) -> bool:
        link_id = self._new_id()
        self.plan.inserts[LINK].append((link_id, {"pupil_id": pupil_id, "contact_id": contact_id, **values}))
        after = {"pupil_id": pupil_id} | {name: value for name, value in values.items() if value not in ("", None)}
        self._change(Action.ADDED, LINK, link_id, (CONTACT, contact_id), {}, after, Why.NEW, label)
        return True

    def _update_link(self, current: Values, contact_id: int, values: Values, label: str) -> bool:
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
        self.plan.updates[LINK].append((current["id"], {**current, **after}))
        self._change(action, LINK, current["id"], (CONTACT, contact_id), before | pupil, after | pupil, why, label)
        return True

    # Emails and mobiles.

    def _first_details(self, owner: tuple[str, int], emails: tuple[str, ...], mobiles: tuple[str, ...]) -> Values:
        shown: Values = {}
        for kind, values in ((EMAIL, emails), (MOBILE, mobiles)):
            if values:
                shown[kind] = values[0]
                self.plan.details.append(DetailWrite(0, owner, kind, values[0], values[0], who_wins.MIS, "", True, -1))
        return shown

    def _details(self, owner: tuple[str, int], emails: tuple[str, ...], mobiles: tuple[str, ...], label: str) -> bool:
        changed = False
        for kind, values in ((EMAIL, emails), (MOBILE, mobiles)):
            if f"{owner[0]}" not in (CONTACT, STAFF):
                continue
            detail = self.state.details.get((owner, kind))
            mis = values[0] if values else ""
            outcome = who_wins.settle(detail, mis, connected=owner in self.state.connected)
            if outcome is None:
                continue
            before = {
                "kind": kind,
                "value": detail.value if detail else "",
                "mis_value": detail.mis_value if detail else "",
            }
            before["source"] = detail.source if detail else ""
            after = {"kind": kind, "value": outcome.value, "mis_value": outcome.mis_value, "source": outcome.source}
            detail_id = detail.id if detail else 0
            self.plan.details.append(
                DetailWrite(
                    detail_id,
                    owner,
                    kind,
                    outcome.value,
                    outcome.mis_value,
                    outcome.source,
                    before["value"],
                    outcome.takes_value,
                    len(self.plan.changes),
                )  # fmt: skip
            )
            self._change(outcome.action, DETAIL, detail_id, owner, before, after, outcome.why, label)
            changed = changed or outcome.takes_value
        return changed

    # Absence: it ends, never deletes.

    def _absent(self, kind: str) -> None:
        for (owner_kind, person_id), identities in self.owners.items():
            if owner_kind != kind:
                continue
            live = [identity for identity in identities if not identity.gone]
            absent = [identity for identity in live if identity.key[:2] not in self.reading.present]
            if not absent:
                continue
            if len(absent) < len(live) or (kind, person_id) in self.moved_to:
                self._gone(kind, absent)
            else:
                self._absent_person(kind, person_id, absent)

    def _gone(self, kind: str, identities: list[Identity]) -> None:
        self.plan.gone_identities[kind] += [identity.id for identity in identities]

    def _absent_person(self, kind: str, person_id: int, absent: list[Identity]) -> None:
        stats = self.plan.stats[kind]
        if kind == CONTACT:
            ends = [(pupil_id, link) for pupil_id, link in self._open_links(person_id) if self._is_told_of(pupil_id)]
            explained = not ends
        else:
            leaving = self.state.people[kind][person_id]["leaving_date"]
            ends = []
            explained = bool(leaving and leaving <= self.today)
        if explained:
            stats.explained += 1
            self._gone(kind, absent)
            return
        if self._is_top_year_in_summer(kind, person_id):
            stats.explained += 1
        elif kind in self.hold:
            stats.removed += 1
            return
        elif kind in self.keep:
            self._gone(kind, absent)
            return
        else:
            stats.removed += 1
        self._gone(kind, absent)
        self._end(kind, person_id, ends)

    def _end(self, kind: str, person_id: int, ends: list[tuple[int, Values]]) -> None:
        label = self._label(kind, person_id)
        if kind == CONTACT:
            for _pupil_id, link in ends:
                self._update_link(link, person_id, {"ended_on": self.today}, label)
            return
        current = self.state.people[kind][person_id]
        before, after = {"leaving_date": current["leaving_date"]}, {"leaving_date": self.today}
        self.plan.updates[kind].append((person_id, {**current, **after}))
        self._change(Action.ENDED, kind, person_id, (kind, person_id), before, after, Why.GONE, label)

    def _is_top_year_in_summer(self, kind: str, person_id: int) -> bool:
        if kind != PUPIL or self.today.month not in SUMMER or not self.state.top_year:
            return False
        year: str = self.state.people[PUPIL][person_id]["year_group"]
        return year == self.state.top_year

    def _label(self, kind: str, person_id: int) -> str:
        values = self.state.people[kind][person_id]
        return " ".join(part for part in (values.get("title"), values["forename"], values["surname"]) if part)

    def _change(
        self, action: Action, model: str, row_id: int, person: tuple[str, int], before: Values, after: Values, why: Why, name: str
    ) -> None:  # fmt: skip
        self.plan.changes.append(Change(action, model, row_id, person[0], person[1], before, after, why, name))


def _pupil_keys(fact: Facts) -> list[Key]:
    return [(PUPIL, link.pupil_external_id, 0) for link in fact.links]


def _is_roll_over(after: Values, today: dt.date) -> bool:
    """Say whether an update is only the move into a new school year."""
    return today.month in SUMMER and ROLL_OVER_FIELDS.issuperset(after)


def _possible_duplicate(fact: Facts) -> Problem:
    return Problem(
        severity="warning", kind=CONTACT, external_id=fact.key[1], label=fact.label, file="", row=None,
        field="name", value=fact.label, reason="possible_duplicate",
        message="A parent of the same name belongs to the same family already, with another email and mobile.",
        advice="If the two are one person, merge them in the MIS. If they are two, nothing needs doing.",
    )  # fmt: skip


def access_losses(plan: Plan) -> Plan:
    """Return what of a held plan is applied all the same: access to a child that the MIS has taken away."""
    kept = Plan(stats=plan.stats)
    lost = {change.row_id: change for change in plan.changes if change.model == LINK and _loses_access(change)}
    for link_id, values in plan.updates[LINK]:
        if link_id in lost:
            change = lost[link_id]
            only = {name: value for name, value in change.after.items() if name in _ACCESS_FIELDS}
            before = {name: change.before[name] for name in only}
            kept.updates[LINK].append((link_id, {**values, **{k: v for k, v in change.before.items()}, **only}))
            kept.changes.append(
                Change(
                    Action.UPDATED,
                    LINK,
                    link_id,
                    change.person_kind,
                    change.person_id,
                    before,
                    only,
                    Why.ACCESS_LOST,
                    change.name,
                )  # fmt: skip
            )
    return kept


_ACCESS_FIELDS = frozenset({"pupil_id", "access", "court_order", "parental_responsibility"})


def _loses_access(change: Change) -> bool:
    after = change.after
    return (
        after.get("access") is False
        or after.get("court_order") is True
        or after.get("parental_responsibility") is False
    )
