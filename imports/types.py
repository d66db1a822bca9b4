"""The plain types that canonicalising, planning and guarding speak in: no Django, no database.

A *key* names a record of the MIS: `(kind, external id, part)`; part 1 is the second person of a
joint record. New people have negative ids until they are saved.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

Key = tuple[str, str, int]
"""(kind, external id, part)"""
Owner = tuple[str, int]
"""(kind, person id) of somebody who has details: a contact or a member of staff."""
Values = dict[str, Any]
"""Column name to value."""

PUPIL, CONTACT, STAFF, LINK, DETAIL, IDENTITY = "pupil", "contact", "staff", "link", "detail", "identity"
KINDS = (PUPIL, CONTACT, STAFF)
EMAIL, MOBILE = "email", "mobile"
DIGEST_BYTES = 16
"""The length of a record's digest, as connectors make it (`mis_connectors.records`)."""
WAITING = b"?"
"""Stands before the digest of a contact's record with a link to a pupil who is not here: it is read
again, though it is the same, on the night on which any pupil comes."""

PUPIL_FIELDS = (
    "upn", "former_upn", "admission_number", "forename", "surname", "legal_forename", "legal_surname",
    "middle_names", "date_of_birth", "gender", "year_group", "registration_group", "house", "class_name",
    "admission_date", "leaving_date", "pre_admission",
)  # fmt: skip
CONTACT_FIELDS = ("title", "forename", "surname", "gender", "address", "postcode", "language")
STAFF_FIELDS = ("code", "title", "forename", "surname", "role", "tutor_of", "leaving_date")
LINK_FIELDS = (
    "relationship", "priority", "parental_responsibility", "court_order", "lives_with", "correspondence",
    "access", "ended_on",
)  # fmt: skip
FIELDS: dict[str, tuple[str, ...]] = {PUPIL: PUPIL_FIELDS, CONTACT: CONTACT_FIELDS, STAFF: STAFF_FIELDS}


class Action(StrEnum):
    ADDED = "added"
    UPDATED = "updated"
    ENDED = "ended"
    RETURNED = "returned"
    RELINKED = "relinked"
    KEPT = "kept"


class Why(StrEnum):
    """Why a change was made or not made; the words are in `imports.pages.presenting`."""

    NEW = "new_in_mis"
    CHANGED = "changed_in_mis"
    GONE = "gone_from_mis"
    LEFT = "left_in_mis"
    BACK = "back_in_mis"
    NOT_CONNECTED = "not_connected"
    OFFICE_OVERRULED = "mis_over_office"
    KEPT_CONNECTED = "kept_connected"
    OFFER = "offer"
    AGREES = "mis_agrees"
    SAME_PERSON = "same_person"
    ACCESS_LOST = "access_lost"


@dataclass(frozen=True, slots=True)
class LinkFacts:
    """What a record says of one contact and one pupil, by the pupil's external id."""

    pupil_external_id: str
    values: Values


@dataclass(frozen=True, slots=True)
class Facts:
    """One person's record in canonical form. Only the fields that the MIS supplies stand in `values`."""

    key: Key
    digest: bytes
    values: Values
    emails: tuple[str, ...] = ()
    mobiles: tuple[str, ...] = ()
    links: tuple[LinkFacts, ...] = ()
    label: str = ""


@dataclass(frozen=True, slots=True)
class Problem:
    """A rejected row, a rejected part or a warning, as it will be shown."""

    severity: str
    kind: str
    external_id: str
    label: str
    file: str
    row: int | None
    field: str
    value: str
    reason: str
    message: str
    advice: str


@dataclass(frozen=True, slots=True)
class Identity:
    """A record of the MIS as the hub knows it."""

    id: int
    key: Key
    person_id: int
    digest: bytes
    gone: bool
    emails: tuple[str, ...] = ()
    mobiles: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Detail:
    """The effective email or mobile of a person, and what the MIS said last."""

    id: int
    value: str
    mis_value: str
    source: str


@dataclass(slots=True)
class State:
    """What the hub holds of the people a snapshot touches."""

    identities: dict[Key, Identity] = field(default_factory=dict)
    """Every identity of the source; the emails and mobiles of those touched only."""
    people: dict[str, dict[int, Values]] = field(default_factory=lambda: {kind: {} for kind in KINDS})
    links: dict[tuple[int, int], Values] = field(default_factory=dict)
    """(pupil id, contact id) to columns, with `id`."""
    details: dict[tuple[Owner, str], Detail] = field(default_factory=dict)
    connected: set[Owner] = field(default_factory=set)
    logins: dict[Owner, int] = field(default_factory=dict)
    """The login of each who is Connected."""
    by_hand: set[Owner] = field(default_factory=set)
    top_year: str = ""
    """The highest year group of the school: its pupils leave in summer."""


@dataclass(frozen=True, slots=True)
class AccessRule:
    """Who is imported: a school's setting."""

    rule: str = "responsibility"
    priority_limit: int = 2
    include_pre_admissions: bool = False

    @property
    def needs(self) -> frozenset[str]:
        """The fields by which it judges."""
        judged = {"all": (), "priority": ("link.priority",)}
        return frozenset(judged.get(self.rule, ("link.parental_responsibility", "link.court_order")))

    def admits(self, link: Mapping[str, Any]) -> bool:
        """Say whether a link makes its contact a recipient. What the MIS does not say is not held against it."""
        if self.rule == "all":
            return True
        if self.rule == "priority":
            return link["priority"] is not None and link["priority"] <= self.priority_limit
        return link["parental_responsibility"] is not False and link["court_order"] is not True


@dataclass(frozen=True, slots=True)
class Reading:
    """A snapshot, canonical: those records that differ from what the hub knows, and who is there at all."""

    facts: tuple[Facts, ...]
    present: frozenset[tuple[str, str]]
    """(kind, external id) of every record in the snapshot, unchanged ones too."""
    complete: frozenset[str]
    dfe_numbers: frozenset[str]
    unread: Mapping[tuple[str, str], bytes] = field(default_factory=dict)
    """Rejected whole or not to be imported: present, but saying nothing. With the record's digest."""
    problems: tuple[Problem, ...] = ()
    opened: frozenset[tuple[str, str]] = frozenset()
    """Every record that was read, so that problems which no longer stand can close."""
    notes: tuple[str, ...] = ()
    excluded: frozenset[tuple[str, str]] = frozenset()
    """Records on the "do not import" list: as if the MIS no longer had them."""
    unsaid: frozenset[str] = frozenset()
    """Fields, as `contact.emails`, that this MIS does not supply, or withholds tonight: they stay as they are."""
    ids_by_hand: bool = False
    """People make up the ids and type them in, as in a spreadsheet: the same id need not be the same child."""
    rule: AccessRule = field(default_factory=lambda: AccessRule())


@dataclass(frozen=True, slots=True)
class Change:
    """One operation of a plan; `before` and `after` hold the columns that differ."""

    action: Action
    model: str
    row_id: int
    person_kind: str
    person_id: int
    before: Values
    after: Values
    why: Why
    name: str


@dataclass(frozen=True, slots=True)
class NewIdentity:
    key: Key
    person_id: int
    digest: bytes
    emails: tuple[str, ...]
    mobiles: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DetailWrite:
    """One detail to insert (id 0) or update, and on what condition.

    `takes_value` is never true for a Connected person; the statement that writes asks again.
    """

    id: int
    owner: Owner
    kind: str
    value: str
    mis_value: str
    source: str
    before_value: str
    takes_value: bool
    change: int
    """Index of its Change in the plan, or -1 where it is part of an added person."""


@dataclass(slots=True)
class Plan:
    """Everything an import would do, as data."""

    changes: list[Change] = field(default_factory=list)
    inserts: dict[str, list[tuple[int, Values]]] = field(
        default_factory=lambda: {PUPIL: [], CONTACT: [], STAFF: [], LINK: []}
    )
    updates: dict[str, list[tuple[int, Values]]] = field(
        default_factory=lambda: {PUPIL: [], CONTACT: [], STAFF: [], LINK: []}
    )
    details: list[DetailWrite] = field(default_factory=list)
    new_identities: list[NewIdentity] = field(default_factory=list)
    seen_identities: list[tuple[int, bytes, tuple[str, ...], tuple[str, ...]]] = field(default_factory=list)
    """(identity id, digest, emails, mobiles): also brings back one that was gone."""
    moved_identities: list[tuple[int, int]] = field(default_factory=list)
    """(identity id, contact id): records of another contact who turned out to be this one."""
    gone_identities: dict[str, list[int]] = field(default_factory=lambda: {kind: [] for kind in KINDS})
    problems: list[Problem] = field(default_factory=list)
    passed: dict[tuple[str, str], bytes] = field(default_factory=dict)
    """Records that make nobody a person here, with their digests: not read again until they change."""
    stats: dict[str, KindStats] = field(default_factory=dict)

    @property
    def is_empty(self) -> bool:
        """True where the snapshot brings nothing to write but, at most, new digests."""
        return not (self.changes or self.new_identities or any(self.gone_identities.values()))


@dataclass(slots=True)
class KindStats:
    """Counts of one kind of person, for the guards."""

    known: int = 0
    """People the MIS told of before, not gone."""
    present: int = 0
    """Of these, how many the snapshot has."""
    in_file: int = 0
    added: int = 0
    updated: int = 0
    counted_updates: int = 0
    """Updates that are not the summer roll-over."""
    removed: int = 0
    """People ended because they are absent, and nothing explains it."""
    explained: int = 0
    """Absent, but leaving dates or the end of the top year say why."""
    rekeyed: int = 0
    """Known people under a new id of the MIS."""
    doubles: int = 0
    """New records that may be people known already whom the snapshot otherwise does not have."""


class Verdict(StrEnum):
    PROCEED = "proceed"
    WITHOUT_REMOVALS = "without_removals"
    HOLD = "hold"
    REFUSE = "refuse"
    """Held, and not even losses of access are taken from it: it is another school's."""


@dataclass(frozen=True, slots=True)
class Reason:
    code: str
    sentence: str
    advice: str


@dataclass(frozen=True, slots=True)
class Assessment:
    verdict: Verdict
    reasons: tuple[Reason, ...] = ()
    held_kinds: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Limits:
    """When an import asks a person first: a school's settings, in percent and people."""

    removal_percent: int = 10
    removal_floor: int = 5
    update_percent: int = 75
    present_percent: int = 20


@dataclass(frozen=True, slots=True)
class History:
    """The last seven nights of one kind: the largest number of people, and removals that nothing explained."""

    largest: Mapping[str, int] = field(default_factory=dict)
    removed: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Decision:
    """What a person answered to a hold: apply it (up to so many removals), or keep everybody."""

    action: str = ""
    """`apply`, `keep` or empty."""
    removals: Mapping[str, int] = field(default_factory=dict)
