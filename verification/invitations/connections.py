"""Connection status: who is connected, invited, or still to be invited – the rows of the report. No writes."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.db.models import Count, Exists, OuterRef, Prefetch, Q, QuerySet, Subquery
from django.urls import reverse
from django.utils import timezone

from hub.core.models import School
from hub.core.templatetags.frame import day, when
from hub.messaging.models import Notice, NoticeState
from hub.people.judging import display
from hub.people.models import Connection, Contact, ContactDetail, Group, GroupKind, PupilContact, Staff
from hub.people.rows import dialled
from hub.people.selectors import at_school, with_sight
from verification.invitations import rules
from verification.invitations.rules import LETTER, Ask, Asked, Record, Refusal
from verification.invitations.selectors import can_reach, open_invitations
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
_LOST = (NoticeState.FAILED, NoticeState.UNKNOWN, NoticeState.TOO_LATE)
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
    today = timezone.localdate(now)
    if who == STAFF:
        found: QuerySet[Any] = Staff.objects.filter(at_school(today), school=school)
        return _with_state(found, "staff", "contact", now)
    seen = PupilContact.objects.filter(with_sight(today), school_id=OuterRef("school_id"), contact=OuterRef("pk"))
    found = Contact.objects.filter(Q(made_by_hand=True) | Exists(seen), school=school, merged_into=None)
    return _with_state(found, "contact", "staff", now)


def these(school: School, who: str, ids: Iterable[int], now: dt.datetime) -> QuerySet[Any]:
    """Return some of `everybody`, found before, with their state and by name: asked of them and not of everybody."""
    if who == STAFF:
        return by_name(_with_state(Staff.objects.filter(school=school, pk__in=ids), "staff", "contact", now))
    return by_name(_with_state(Contact.objects.filter(school=school, pk__in=ids), "contact", "staff", now))


def _with_state(found: QuerySet[Any], owner: str, other: str, now: dt.datetime) -> QuerySet[Any]:
    mine: dict[str, Any] = {"school_id": OuterRef("school_id"), owner: OuterRef("pk")}
    ties = Connection.objects.filter(**mine, ended_at=None)
    details = ContactDetail.objects.filter(**mine, **{other: None}, deliverable=True).exclude(value="")
    stated: QuerySet[Any] = found.annotate(
        is_connected=Exists(ties.filter(connected_at__isnull=False)),
        is_invited=Exists(Invitation.objects.filter(open_invitations(now), **mine)),
        was_invited=Exists(ties.filter(connected_at=None)),
        is_reached=Exists(details),
        is_undelivered=Exists(_waiting(mine).filter(Exists(_lost()))),
    )
    return stated


def _waiting(mine: dict[str, Any]) -> QuerySet[Invitation]:
    """The invitation that nobody has used: a newer one voids it."""
    return Invitation.objects.filter(used_at=None, voided_at=None, **mine)


def _lost() -> QuerySet[Notice]:
    """The mail or text of an invitation, if it did not arrive for all one knows: it was written with it."""
    return Notice.objects.filter(
        kind="invitation", state__in=_LOST, to=OuterRef("sent_to"), made_at=OuterRef("sent_at")
    )


def counts(found: QuerySet[Any]) -> dict[str, int]:
    """Return how many there are in each state, and `all`, in one query that looks at each of them once."""
    flags = sorted({flag for where in _WHERE.values() for flag in where})
    alike = list(found.order_by().values(*flags).annotate(people=Count("pk")))
    return {ALL: sum(one["people"] for one in alike)} | {
        name: sum(one["people"] for one in alike if where.items() <= one.items()) for name, where in _WHERE.items()
    }


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
    owner, other = ("staff", {"contact": None}) if who == STAFF else ("contact", {"staff": None})
    mine: dict[str, Any] = {"school_id": OuterRef("school_id"), owner: OuterRef("pk")}
    lost = _waiting(mine).annotate(said=Subquery(_lost().values("trouble")[:1]))
    found = found.annotate(trouble=Subquery(lost.values("said")[:1])).prefetch_related(
        Prefetch("details", ContactDetail.objects.filter(**other)),
        Prefetch("connections", Connection.objects.filter(ended_at=None), to_attr="open_connections"),
        Prefetch("invitations", Invitation.objects.order_by("-sent_at", "-pk"), to_attr="all_invitations"),
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
    connection: Connection | None = next(iter(person.open_connections), None)
    reached = {one.kind: one.value for one in person.details.all() if one.value and one.deliverable}
    decided = rules.decide(_record(reached, connection, invitations), now=now)
    tone, state, about = _standing(person, connection, newest, now)
    return Row(
        person=person,
        owner="staff" if staff else "contacts",
        link=reverse("people:staff" if staff else "people:contact", args=[slug, person.pk]),
        belongs=person.role if staff else ", ".join(_pupil(link) for link in person.seen_links),
        tone=tone,
        state=state,
        about=about,
        since=_since(connection, newest),
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
    what = "mobile" if newest.channel == InvitationChannel.TEXT else "email"
    why = (person.trouble or "").strip().rstrip(".") or "nothing was heard of it"
    todo = f"Correct the {what}" if dead else f"Check the {what}"
    return f"Could not be delivered: {why}. {todo}, or print a letter."


def _why_not(refusal: Refusal) -> str:
    return f"Again from {day(refusal.again)}" if refusal.again else short_reason(refusal).capitalize()


def _record(reached: dict[str, str], connection: Connection | None, invitations: Sequence[Invitation]) -> Record:
    asked: dict[str, Asked] = {}
    for one in reversed(invitations):
        if one.channel != LETTER:
            before = asked.get(one.sent_to)
            asked[one.sent_to] = Asked(before.times + 1 if before else 1, one.sent_at)
    usable = {kind: value for kind, value in reached.items() if can_reach(kind)}
    return Record(
        email=usable.get("email", ""),
        mobile=usable.get("mobile", ""),
        connected=bool(connection and connection.connected_at),
        asked=asked,
    )


def _standing(
    person: Any, connection: Connection | None, newest: Invitation | None, now: dt.datetime
) -> tuple[str, str, str]:
    """The word, its colour, and a sentence."""
    if person.is_connected and connection:
        return "good", "Connected", f"Since {day(connection.connected_at)}"
    times = len(person.all_invitations)
    often = f", {times} times in all" if times > 1 else ""
    if person.is_invited and newest:
        return (
            "bad" if person.is_undelivered else "live",
            "Invited",
            f"On {day(newest.sent_at)} {_by(newest)}, until {when(newest.expires_at)}{often}",
        )
    if person.was_invited and newest:
        return "warn", "Lapsed", f"Invited on {day(newest.sent_at)} {_by(newest)}{often}, without an answer"
    return "quiet", "Not connected", "" if person.is_reached else "No email and no mobile: print a letter"


def _since(connection: Connection | None, newest: Invitation | None) -> dt.datetime | None:
    if connection is None:
        return None
    return connection.connected_at or (newest.sent_at if newest else connection.invited_at)


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
