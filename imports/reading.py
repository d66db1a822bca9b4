"""From a stored payload to a plan: read, skip what is unchanged by digest, load, plan, guard. Writes nothing."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Set
from dataclasses import dataclass, replace

from hub.core.models import School
from hub.people.models import Connection, ContactDetail, ImportExclusion, PupilContact
from imports import canonical, payloads, policy, state, withholding
from imports.models import Import, ImportKind, ImportPolicy, ImportState, MisLink
from imports.planning import guards
from imports.planning.plan import access_losses, build_plan
from imports.types import (
    CONTACT,
    PUPIL,
    WAITING,
    Assessment,
    Change,
    Decision,
    History,
    Identity,
    Key,
    Plan,
    Reading,
    Verdict,
)
from mis_connectors import registry
from mis_connectors.base import Connector, Delivery
from mis_connectors.records import Kind, Snapshot, SourceRecord
from verification.lifecycle.merges import merges_made

WEEK = dt.timedelta(days=7)
FULL_EVERY = dt.timedelta(days=7)
"""Every seventh night nothing is skipped: a change behind the digests' back is put right."""


@dataclass(frozen=True, slots=True)
class Basis:
    """What a run reads by: all of it goes into the digests' salt."""

    link: MisLink
    connector: Connector
    policy: ImportPolicy
    salt: bytes
    read_as: str
    """The salt and the "do not import" list: the same bytes read as the same say the same."""


def basis_of(link: MisLink) -> Basis:
    connector = registry.connector(link.source.connector)
    settings = policy.policy_of(link.school_id)
    salt = payloads.salt_of(
        connector.info.slug, connector.info.version, canonical.SCHEMA_VERSION, sorted(link.settings.items()),
        policy.access_rule(settings),
    )  # fmt: skip
    read_as = payloads.salt_of(salt, sorted(excluded_from(link))).hex()
    return Basis(link, connector, settings, salt, read_as)


@dataclass(slots=True)
class Read:
    """A payload read, with only what is new in canonical form."""

    reading: Reading
    identities: dict[Key, Identity]
    absent: list[Identity]
    """Whose people have to be looked at although the snapshot does not have these records, or has them unchanged."""
    full: bool
    lacking: frozenset[str]
    """Fields that the MIS could supply and the school withholds."""
    merges: int
    """How often records had been merged, and merges undone, when it was read."""
    snapshot: Snapshot
    """What came, every record of it: whoever uploads a file is told what is wrong in all of it."""


def read(basis: Basis, run: Import, *, today: dt.date) -> Read:
    """Read a run's payload; raises `ConnectorError` and `PayloadCleared`."""
    assert run.payload is not None
    snapshot = basis.connector.read(payloads.incoming(run.payload, salt=basis.salt))
    if not run.everybody:
        snapshot = _of_some(snapshot)
    merges = merges_made(basis.link.school_id)
    identities = state.load_identities(basis.link.source)
    excluded = excluded_from(basis.link)
    full = is_full_night(basis.link, today)
    present = {(record.kind.value, record.external_id) for record in snapshot.records} - excluded
    absent = [
        identity
        for key, identity in identities.items()
        if not identity.gone and key[0] in snapshot.complete and key[:2] not in present
    ]
    absent += [*_of_families(basis.link, identities, absent), *_of_returning(basis.link, identities, present)]
    rule = policy.access_rule(basis.policy)
    doubted = withholding.is_doubted(basis.link.school_id, snapshot.lacking & rule.needs)
    reading = canonical.canonical(
        snapshot,
        records=_to_open(snapshot, identities, absent, state.load_passed(basis.link.source), full=full),
        supplies=basis.connector.info.supplies,
        rule=rule,
        excluded=excluded,
        doubted=doubted,
    )
    reading = replace(
        reading,
        ids_by_hand=basis.connector.info.delivery is Delivery.UPLOAD,
        notes=(*reading.notes, *withholding.notes(basis.connector.info, snapshot.lacking, doubted=doubted)),
    )
    return Read(reading, identities, [*absent, *_parted(reading, identities)], full, snapshot.lacking, merges, snapshot)


def excluded_from(link: MisLink) -> frozenset[tuple[str, str]]:
    """Return the records on the link's "do not import" list: one query."""
    rows = ImportExclusion.objects.filter(school_id=link.school_id, source=link.source)
    return frozenset(rows.values_list("kind", "external_id"))


def _of_returning(
    link: MisLink, identities: dict[Key, Identity], present: Set[tuple[str, str]]
) -> list[Identity]:  # fmt: skip
    """Return the records of contacts still linked to pupils who come back, to hear again how they belong to them."""
    back = {one.person_id for key, one in identities.items() if one.gone and key[0] == PUPIL and key[:2] in present}
    if not back:
        return []
    links = PupilContact.objects.filter(school_id=link.school_id, pupil_id__in=back, ended_on=None)
    contacts = set(links.values_list("contact_id", flat=True))
    return [one for key, one in identities.items() if key[0] == CONTACT and one.person_id in contacts]


def _parted(reading: Reading, identities: dict[Key, Identity]) -> list[Identity]:
    """Return the second people of joint records that were read and are joint no longer."""
    said = {fact.key for fact in reading.facts}
    return [
        identity
        for key, identity in identities.items()
        if key[2] and not identity.gone and key not in said and key[:2] in reading.opened
    ]


def _of_families(link: MisLink, identities: dict[Key, Identity], absent: list[Identity]) -> list[Identity]:
    """Return the records of the families of Connected contacts who are absent: one may be the same person's.

    Of their families, and whoever has the same email or mobile.
    """
    contacts = {one.person_id for one in absent if one.key[0] == CONTACT}
    if not contacts:
        return []
    theirs = Connection.objects.filter(
        school_id=link.school_id, contact_id__in=contacts, connected_at__isnull=False, ended_at=None
    )
    # Few, and asked for one after another: without statistics PostgreSQL went through everybody for each of everybody.
    connected = list(theirs.values_list("contact_id", flat=True))
    if not connected:
        return []
    open_links = PupilContact.objects.filter(school_id=link.school_id, ended_on=None)
    pupils = list(open_links.filter(contact_id__in=connected).values_list("pupil_id", flat=True))
    family = set(open_links.filter(pupil_id__in=pupils).values_list("contact_id", flat=True))
    details = ContactDetail.objects.filter(school_id=link.school_id, staff=None)
    reached_by = details.filter(contact_id__in=connected).exclude(value="").values_list("value", flat=True)
    family |= set(details.filter(value__in=list(reached_by)).values_list("contact_id", flat=True))
    family -= contacts
    return [one for key, one in identities.items() if key[0] == CONTACT and one.person_id in family]


def is_full_night(link: MisLink, today: dt.date) -> bool:
    return link.read_everything_on is None or today - link.read_everything_on >= FULL_EVERY


def _of_some(snapshot: Snapshot) -> Snapshot:
    """Return the snapshot of an upload that is not everybody: its absent records mean nothing."""
    return replace(snapshot, complete=frozenset())


def _to_open(
    snapshot: Snapshot,
    identities: dict[Key, Identity],
    absent: list[Identity],
    passed: dict[tuple[str, str], bytes],
    *,
    full: bool,
) -> list[SourceRecord]:
    """Return the records that are new or differ, and the others of a person who has several."""
    if full:
        return list(snapshot.records)
    opened, same = _told_apart(snapshot, identities, passed)
    if not opened and not absent:
        return []
    new = {(record.kind.value, record.external_id) for record in opened}
    touched = {(key[0], identity.person_id) for key, identity in identities.items() if key[:2] in new}
    touched |= {(identity.key[0], identity.person_id) for identity in absent}
    records_of: dict[tuple[str, int], set[str]] = defaultdict(set)
    for key, identity in identities.items():
        if (key[0], identity.person_id) in touched:
            records_of[(key[0], identity.person_id)].add(key[1])
    others = {(person[0], external_id) for person, ids in records_of.items() for external_id in ids}
    return opened + [record for record in same if (record.kind.value, record.external_id) in others]


def _told_apart(
    snapshot: Snapshot, identities: dict[Key, Identity], passed: dict[tuple[str, str], bytes]
) -> tuple[list[SourceRecord], list[SourceRecord]]:
    """Return the records that are new or differ, and those that are the same as last time.

    What waits for a pupil to come is the same until one does, whoever it is.
    """
    opened: list[SourceRecord] = []
    same: list[SourceRecord] = []
    waiting: list[SourceRecord] = []
    a_pupil_comes = False
    for record in snapshot.records:
        known = identities.get((record.kind.value, record.external_id, 0))
        if known is None:
            digest = passed.get((record.kind.value, record.external_id), b"")
        else:
            digest = b"" if known.gone else known.digest
        if digest == record.digest:
            same.append(record)
        elif digest == WAITING + record.digest:
            waiting.append(record)
        else:
            opened.append(record)
            a_pupil_comes |= record.kind is Kind.PUPIL and (known is None or known.gone)
    (opened if a_pupil_comes else same).extend(waiting)
    return opened, same


@dataclass(slots=True)
class Planned:
    """What a run would do, what of it may be done, and what waits for a person."""

    plan: Plan
    assessment: Assessment
    waiting: list[Change]


def plan_run(basis: Basis, run: Import, read_: Read, *, school: School, local_now: dt.datetime) -> Planned:
    """Plan and guard a run. The plan returned is the part that may be written."""
    held = state.load(
        basis.link.source, read_.identities, facts=read_.reading.facts, absent=read_.absent,
        unsaid=read_.reading.unsaid, ids_by_hand=read_.reading.ids_by_hand,
    )  # fmt: skip
    decision = Decision(run.released.get("action", ""), run.released.get("removals", {}))
    keep = frozenset(read_.reading.complete) if decision.action == "keep" else frozenset()
    plan = build_plan(held, read_.reading, now=local_now, keep=keep)
    assessment = guards.assess(
        plan,
        read_.reading,
        limits=policy.limits(basis.policy),
        history=history_of(basis.link, run, now=local_now),
        decision=decision,
        dfe_number=school.dfe_number,
        came=guards.fetched(basis.connector.info.mis_name) if run.kind == ImportKind.CLOUDLINK else guards.A_FILE,
    )
    if assessment.verdict == Verdict.PROCEED:
        return Planned(plan, assessment, [])
    if assessment.verdict == Verdict.WITHOUT_REMOVALS:
        applied = build_plan(held, read_.reading, now=local_now, hold=assessment.held_kinds)
        done = {(change.model, change.row_id, change.action) for change in applied.changes}
        waiting = [c for c in plan.changes if c.row_id > 0 and (c.model, c.row_id, c.action) not in done]
        return Planned(applied, assessment, waiting)
    if assessment.verdict == Verdict.REFUSE:
        return Planned(Plan(stats=plan.stats), assessment, plan.changes)
    return Planned(access_losses(plan), assessment, plan.changes)


def history_of(link: MisLink, run: Import, *, now: dt.datetime) -> History:
    """Return what the last seven nights say of how many people there were and how many went unexplained."""
    recent = Import.objects.filter(
        school_id=link.school_id, link=link, preview=False, finished_at__gt=now - WEEK,
        state__in=[ImportState.APPLIED, ImportState.UNCHANGED, ImportState.PARTLY_HELD],
    ).exclude(pk=run.pk)  # fmt: skip
    largest: dict[str, int] = defaultdict(int)
    removed: dict[str, int] = defaultdict(int)
    for counts in recent.values_list("counts", flat=True):
        for kind, number in counts.get("known", {}).items():
            largest[kind] = max(largest[kind], number)
        for kind, number in counts.get("removed", {}).items():
            removed[kind] += number
    return History(dict(largest), dict(removed))
