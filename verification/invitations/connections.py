"""Connection status: who is connected, invited, or still to be invited – the rows of the report. No writes."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.db import connection
from django.db.models import BooleanField, Exists, OuterRef, Prefetch, Q, QuerySet, Subquery, Value
from django.urls import reverse
from django.utils import timezone

from hub.core.models import School
from hub.core.templatetags.frame import day, when
from hub.people.judging import display
from hub.people.models import Connection, Contact, ContactDetail, Group, GroupKind, PupilContact, Staff
from hub.people.rows import dialled
from hub.people.selectors import at_school, with_sight
from verification.invitations import rules
from verification.invitations.rules import LETTER, Ask, Asked, Record, Refusal
from verification.invitations.selectors import LOST, NOT_HEARD, can_reach, lost, open_invitations
from verification.invitations.words import short_reason
from verification.models import Invitation, InvitationChannel

PARENTS, STAFF = "parents", "staff"
ALL = "all"
STATES = {
    ALL: "All",
    "not-connected": "Not connected",
    "invited": "Invited",
    "lapsed": "Lapsed",
    "connected": "Connected",
    "undelivered": "Could not be delivered",
    "unreachable": "No email and no mobile",
}
_WHERE: dict[str, dict[str, bool]] = {
    "connected": {"is_connected": True},
    "invited": {"is_connected": False, "is_invited": True},
    "lapsed": {"is_connected": False, "is_invited": False, "was_invited": True},
    "not-connected": {"is_connected": False, "is_invited": False, "was_invited": False},
    "undelivered": {"is_connected": False, "is_undelivered": True},
    "unreachable": {"is_connected": False, "is_reached": False},
}
HEADER = [
    "Surname", "Forename", "Title", "Pupils", "State", "Since", "Until", "By", "Times invited", "Email", "Mobile",
    "Not delivered",
]  # fmt: skip
_CHUNK = 500


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the page is asked to show."""

    who: str = PARENTS
    state: str = ALL
    year: str = ""

    @property
    def query(self) -> str:
        """Return it as the end of an address; nothing personal is in it."""
        said = (("who", self.who, PARENTS), ("show", self.state, ALL), ("year", self.year, ""))
        return urlencode({name: value for name, value, usual in said if value != usual})


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One person as the report shows them; `ask` is how they can be invited now, `why_not` why they cannot."""

    person: Contact | Staff
    owner: str
    link: str
    belongs: str
    tone: str
    state: str
    about: str
    since: dt.datetime | None
    until: dt.datetime | None
    by: str
    times: int
    email: str
    mobile: str
    ask: str
    why_not: str
    undelivered: str
    """Why the invitation did not arrive, and what to do; blank where nothing is known against it."""


def everybody(school: School, who: str, now: dt.datetime) -> QuerySet[Any]:
    """Return the parents whom the school would write to, or the staff who are here, with their state."""
    if who == STAFF:
        return _with_state(_staff_here(school, now), school, who, now)
    # A value and not “exists”: so it is asked of each person as the names are walked, and no longer after a page.
    seen = Subquery(_seen(school, now).filter(contact=OuterRef("pk")).values("access")[:1], output_field=BooleanField())
    found = Contact.objects.filter(Q(made_by_hand=True) | Q(seen), school=school, merged_into=None)
    return _with_state(found, school, who, now)


def _staff_here(school: School, now: dt.datetime) -> QuerySet[Staff]:
    return Staff.objects.filter(at_school(timezone.localdate(now)), school=school)


def _seen(school: School, now: dt.datetime) -> QuerySet[PupilContact]:
    return PupilContact.objects.filter(with_sight(timezone.localdate(now)), school=school)


def _by_hand(school: School) -> QuerySet[Contact]:
    return Contact.objects.filter(school=school, made_by_hand=True)


def these(school: School, who: str, ids: Iterable[int], now: dt.datetime) -> QuerySet[Any]:
    """Return some of `everybody`, found before, with their state and by name: asked of them and not of everybody."""
    found: QuerySet[Any] = (Staff if who == STAFF else Contact).objects.filter(school=school, pk__in=ids)
    return by_name(_with_state(found, school, who, now))


def _with_state(found: QuerySet[Any], school: School, who: str, now: dt.datetime) -> QuerySet[Any]:
    mine = {_columns(who)[0]: OuterRef("pk")}
    flags = {flag: Exists(rows.filter(**mine)) for flag, rows in _said(school, who, now).items()}
    stated: QuerySet[Any] = found.annotate(**flags)
    return stated


def _columns(who: str) -> tuple[str, str]:
    """Return the column that points at these people, and the one that does not."""
    return ("staff_id", "contact_id") if who == STAFF else ("contact_id", "staff_id")


def _said(school: School, who: str, now: dt.datetime) -> dict[str, QuerySet[Any]]:
    """Return, by what they say of a person, the rows that say it: of everybody, and of whoever is no longer here."""
    theirs: dict[str, Any] = {"school": school, f"{_columns(who)[1]}__isnull": True}
    ties, sent = Connection.objects.filter(**theirs, ended_at=None), Invitation.objects.filter(**theirs)
    return {
        "is_connected": ties.filter(connected_at__isnull=False),
        "is_invited": sent.filter(open_invitations(now)),
        "was_invited": ties.filter(connected_at=None),
        "is_reached": ContactDetail.objects.filter(**theirs, deliverable=True).exclude(value=""),
        "is_undelivered": _waiting(sent).filter(Exists(lost(LOST))),
    }


def _waiting(sent: QuerySet[Invitation]) -> QuerySet[Invitation]:
    """The invitation that nobody has used: a newer one voids it."""
    return sent.filter(used_at=None, voided_at=None)


def counts(school: School, who: str, now: dt.datetime) -> dict[str, int]:
    """Return how many of `everybody` there are in each state, and `all`.

    One query that reads each kind of row once and in any order, and adds up what they say: asking each
    person for theirs took four times as long.
    """
    said = _said(school, who, now)
    here = [_staff_here(school, now).values_list("pk")] if who == STAFF else [
        _seen(school, now).values_list("contact_id"), _by_hand(school).values_list("pk"),
    ]  # fmt: skip
    gone = [] if who == STAFF else [Contact.objects.filter(school=school, merged_into__isnull=False).values_list("pk")]
    about = [here, gone, *([rows.values_list(_columns(who)[0])] for rows in said.values())]
    arms = [rows.annotate(bit=Value(1 << place)) for place, some in enumerate(about) for rows in some]
    sql, values = arms[0].union(*arms[1:], all=True).query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(_ALIKE % sql, values)
        alike = [({flag: bool(bits >> place & 1) for place, flag in enumerate(said, 2)}, people)
                 for bits, people in cursor.fetchall() if bits & 3 == 1]  # fmt: skip
    return {ALL: sum(people for _, people in alike)} | {
        name: sum(people for flags, people in alike if where.items() <= flags.items()) for name, where in _WHERE.items()
    }


_ALIKE = """
SELECT bits, count(*) FROM (SELECT person, bit_or(bit) AS bits FROM (%s) said (person, bit) GROUP BY person) people
GROUP BY bits
"""
"""How many people there are of whom the same is said; the first two bits: is here, is part of another record."""


def narrowed(found: QuerySet[Any], wanted: Wanted) -> QuerySet[Any]:
    """Return those of one state and one year group, by name."""
    if wanted.state in _WHERE:
        found = found.filter(**_WHERE[wanted.state])
    if wanted.year and wanted.who == PARENTS:
        links = PupilContact.objects.filter(
            school_id=OuterRef("school_id"), contact=OuterRef("pk"), ended_on=None, pupil__year_group=wanted.year
        )
        found = found.filter(Exists(links))
    return by_name(found)


def by_name(found: QuerySet[Any]) -> QuerySet[Any]:
    return found.order_by("surname", "forename", "pk")


def year_groups(school: School) -> list[str]:
    """Return the year groups that have pupils, for the filter."""
    groups = Group.objects.filter(school=school, kind=GroupKind.YEAR, members__isnull=False).distinct()
    return sorted(groups.values_list("name", flat=True), key=_by_number)


def _by_number(name: str) -> tuple[int, str]:
    digits = "".join(char for char in name if char.isdigit())
    return (int(digits) if digits else -1, name)


def loaded(found: QuerySet[Any], who: str, now: dt.datetime) -> QuerySet[Any]:
    """Load what the rows show, in a fixed number of queries."""
    owner, other = _columns(who)
    waiting = _waiting(Invitation.objects.filter(school_id=OuterRef("school_id"), **{owner: OuterRef("pk")}))
    said = waiting.annotate(said=Subquery(lost(LOST).values("trouble")[:1])).values("said")[:1]
    sent = Invitation.objects.annotate(never_came=Exists(lost())).order_by("-sent_at", "-pk")
    found = found.annotate(trouble=Subquery(said)).prefetch_related(
        Prefetch("details", ContactDetail.objects.filter(**{f"{other}__isnull": True})),
        Prefetch("connections", Connection.objects.filter(ended_at=None), to_attr="open_connections"),
        Prefetch("invitations", sent, to_attr="all_invitations"),
    )
    if who == STAFF:
        return found
    seen = PupilContact.objects.filter(with_sight(timezone.localdate(now))).select_related("pupil")
    return found.prefetch_related(
        Prefetch("links", seen.order_by("pupil__surname", "pupil__forename", "pupil_id"), to_attr="seen_links")
    )


def rows(people: Iterable[Any], slug: str, now: dt.datetime) -> Iterator[Row]:
    """Yield the rows of people loaded by `loaded`."""
    for person in people:
        yield row(person, slug, now)


def row(person: Any, slug: str, now: dt.datetime) -> Row:
    """Return one person's row."""
    staff = isinstance(person, Staff)
    invitations: list[Invitation] = person.all_invitations
    newest = next(iter(invitations), None)
    tie: Connection | None = next(iter(person.open_connections), None)
    reached = {one.kind: one.value for one in person.details.all() if one.value and one.deliverable}
    decided = rules.decide(_record(reached, tie, invitations), now=now)
    tone, state, about = _standing(person, tie, newest, now)
    return Row(
        person=person,
        owner="staff" if staff else "contacts",
        link=reverse("people:staff" if staff else "people:contact", args=[slug, person.pk]),
        belongs=person.role if staff else ", ".join(_pupil(link) for link in person.seen_links),
        tone=tone,
        state=state,
        about=about,
        since=_since(tie, newest),
        until=newest.expires_at if state == "Invited" and newest else None,
        by=_by(newest) if newest and state in ("Invited", "Lapsed") else "",
        times=len(invitations),
        email=reached.get("email", ""),
        mobile=display("mobile", reached.get("mobile", "")),
        ask=decided.channel if isinstance(decided, Ask) else "",
        why_not="" if isinstance(decided, Ask) or state == "Connected" else _why_not(decided),
        undelivered=_undelivered(person, newest) if person.is_undelivered and state != "Connected" else "",
    )


def _undelivered(person: Any, newest: Invitation | None) -> str:
    """`Could not be delivered: mailbox unknown. Correct the email, or print a letter.`"""
    if newest is None:
        return ""
    dead = any(one.value == newest.sent_to and not one.deliverable for one in person.details.all())
    what = newest.went_to
    why = (person.trouble or "").strip().rstrip(".") or NOT_HEARD
    todo = f"Correct the {what}" if dead else f"Check the {what}"
    return f"Could not be delivered: {why}. {todo}, or print a letter."


def _why_not(refusal: Refusal) -> str:
    return f"Again from {day(refusal.again)}" if refusal.again else short_reason(refusal).capitalize()


def _record(reached: dict[str, str], tie: Connection | None, invitations: Sequence[Any]) -> Record:
    asked: dict[str, Asked] = {}
    for one in reversed(invitations):
        if one.channel != LETTER and not one.never_came:
            before = asked.get(one.sent_to)
            asked[one.sent_to] = Asked(before.times + 1 if before else 1, one.sent_at)
    usable = {kind: value for kind, value in reached.items() if can_reach(kind)}
    return Record(
        email=usable.get("email", ""),
        mobile=usable.get("mobile", ""),
        connected=bool(tie and tie.connected_at),
        asked=asked,
    )


def _standing(person: Any, tie: Connection | None, newest: Invitation | None, now: dt.datetime) -> tuple[str, str, str]:
    """The word, its colour, and a sentence."""
    if person.is_connected and tie:
        return "good", "Connected", f"Since {day(tie.connected_at)}"
    times = len(person.all_invitations)
    often = f", {times} times in all" if times > 1 else ""
    if person.is_invited and newest:
        return (
            "bad" if person.is_undelivered else "live",
            "Invited",
            f"On {day(newest.sent_at)} {_by(newest)}, until {when(newest.expires_at)}{often}",
        )
    if person.was_invited and newest:
        why = f"the {newest.went_to} has changed since" if newest.voided_at else "without an answer"
        return "warn", "Lapsed", f"Invited on {day(newest.sent_at)} {_by(newest)}{often}, {why}"
    return "quiet", "Not connected", "" if person.is_reached else "No email and no mobile: print a letter"


def _since(tie: Connection | None, newest: Invitation | None) -> dt.datetime | None:
    if tie is None:
        return None
    return tie.connected_at or (newest.sent_at if newest else tie.invited_at)


def _by(invitation: Invitation) -> str:
    return {
        InvitationChannel.EMAIL: "by email",
        InvitationChannel.TEXT: "by text",
        InvitationChannel.LETTER: "by letter",
    }[InvitationChannel(invitation.channel)]


def _pupil(link: PupilContact) -> str:
    form = link.pupil.registration_group or link.pupil.year_group
    return f"{link.pupil}{f' ({form})' if form else ''}"


def cells(found: QuerySet[Any], slug: str, now: dt.datetime) -> Iterator[Sequence[str]]:
    """Yield the CSV cells of everybody loaded by `loaded`, in constant memory."""
    for one in rows(found.iterator(chunk_size=_CHUNK), slug, now):
        person = one.person
        yield [
            person.surname,
            person.forename,
            person.title,
            one.belongs,
            one.state,
            _iso(one.since),
            _iso(one.until),
            one.by.removeprefix("by "),
            str(one.times or ""),
            one.email,
            dialled(one.mobile),
            one.undelivered,
        ]


def _iso(moment: dt.datetime | None) -> str:
    return timezone.localtime(moment).strftime("%Y-%m-%d %H:%M") if moment else ""
