"""Who is connected, who is invited, and what the rules look at before somebody is. No writes."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Exists, Max, OuterRef, Q, QuerySet, Subquery
from django.utils import timezone

from hub.core.models import School
from hub.core.prepared import Given, Prepared
from hub.messaging import channels
from hub.messaging.models import Channel, Notice, NoticeState
from hub.people.models import Connection, Contact, ContactDetail, DetailKind, PupilContact, Staff
from hub.people.selectors import with_sight
from verification.invitations.rules import LETTER, Asked, Record
from verification.models import Invitation


def open_invitations(now: dt.datetime) -> Q:
    """The invitations whose link still opens something."""
    return Q(used_at=None, voided_at=None, expires_at__gt=now)


def open_letters(school: School, now: dt.datetime) -> dict[int, dt.datetime]:
    """Return the parents who hold a letter that is still good, and until when."""
    letters = Invitation.objects.filter(open_invitations(now), school=school, channel=LETTER, contact__isnull=False)
    return dict(letters.values_list("contact_id", "expires_at"))


def at_their_address() -> Q:
    """The invitations by letter, and those that went to what is still an address of their record.

    Whoever reads a mailbox that the school has corrected since may be anybody.
    """
    whose = Q(contact=OuterRef("contact"), staff=None) | Q(staff=OuterRef("staff"), contact=None)
    held = ContactDetail.objects.filter(whose, school_id=OuterRef("school_id"), value=OuterRef("sent_to"))
    return Q(channel=LETTER) | Q(Exists(held))


NEVER_CAME = (NoticeState.FAILED, NoticeState.TOO_LATE)
"""What becomes of a mail or text that certainly did not arrive."""
LOST = (*NEVER_CAME, NoticeState.UNKNOWN)
"""Or of which nobody knows."""
NOT_HEARD = "nothing was heard of it"


def lost(states: Iterable[str] = NEVER_CAME) -> QuerySet[Notice]:
    """The mail or text of an invitation, if that became of it: it was written with it."""
    return Notice.objects.filter(
        kind="invitation", state__in=states, to=OuterRef("sent_to"), made_at=OuterRef("sent_at")
    )


def records(school: School, now: dt.datetime) -> dict[int, Record]:
    """Return what the rules look at of every parent who is not Connected, by name, in four queries."""
    found = _facts(Contact.objects.filter(school=school, merged_into=None), timezone.localdate(now))
    rows = found.filter(connected=False).order_by("surname", "forename", "id").values(*_FACTS)
    theirs = {"school": school, "contact__isnull": False, "staff": None}
    reached = _reached(_usable(**theirs).values_list("contact_id", "kind", "value"))
    asked = _asked(
        _came(**theirs).values_list("contact_id", "sent_to").annotate(times=Count("pk"), last=Max("sent_at"))
    )
    return {row["pk"]: _record(row, reached[row["pk"]], asked[row["pk"]]) for row in rows}


def record_of(owner: Contact | Staff, now: dt.datetime) -> Record:
    """Return what the rules look at of one person. Raises `KeyError` where there is none any more."""
    on = timezone.localdate(now)
    if isinstance(owner, Staff):
        reached, asked = _heard(owner, _usable_of_staff, _came_of_staff)
        connected = Connection.objects.filter(staff=owner, connected_at__isnull=False, ended_at=None).exists()
        left = owner.leaving_date is not None and owner.leaving_date <= on
        return Record(
            email=reached.get("email", ""),
            mobile=reached.get("mobile", ""),
            connected=connected,
            left=left,
            asked=asked,
        )
    row = {row.pk: {name: getattr(row, name) for name in _FACTS} for row in _facts_of_one(id=owner.pk, on=on)}[owner.pk]
    return _record(row, *_heard(owner, _usable_of_contact, _came_of_contact))


_FACTS = ("pk", "connected", "merged_into_id", "belongs", "made_by_hand", "sight", "denied")


def _facts(found: QuerySet[Contact], today: dt.date | Given) -> QuerySet[Any]:
    here = Q(pupil__leaving_date=None) | Q(pupil__leaving_date__gt=today)
    links = PupilContact.objects.filter(here, school_id=OuterRef("school_id"), contact=OuterRef("pk"), ended_on=None)
    theirs = Connection.objects.filter(school_id=OuterRef("school_id"), contact=OuterRef("pk"), ended_at=None)
    return found.annotate(
        connected=Exists(theirs.filter(connected_at__isnull=False)),
        belongs=Exists(links),
        sight=Exists(links.filter(with_sight(today))),
        denied=Exists(links.filter(denied_at__isnull=False)),
    )


def _record(row: dict[str, Any], reached: dict[str, str], asked: dict[str, Asked]) -> Record:
    return Record(
        email=reached.get("email", ""),
        mobile=reached.get("mobile", ""),
        connected=row["connected"],
        merged=row["merged_into_id"] is not None,
        belongs=row["belongs"] or row["made_by_hand"],
        sight=row["sight"] or (row["made_by_hand"] and not row["belongs"]),
        denied=row["denied"],
        asked=asked,
    )


def _usable(**whose: Any) -> QuerySet[ContactDetail]:
    """The addresses that messages reach, as far as the details say."""
    return ContactDetail.objects.filter(deliverable=True, **whose).exclude(value="")


def _came(**whose: Any) -> QuerySet[Invitation]:
    """The invitations by mail or text of which nobody knows that they never arrived."""
    return Invitation.objects.filter(**whose).exclude(channel=LETTER).filter(~Exists(lost()))


# Of one person it is asked at every step of registering, and writing these out takes Django longer than all the rest.
_facts_of_one = Prepared(lambda: _facts(Contact.objects.filter(pk=Given("id")), Given("on")))
_usable_of_contact = Prepared(lambda: _usable(school=Given("school"), contact=Given("id"), staff=None))
_usable_of_staff = Prepared(lambda: _usable(school=Given("school"), staff=Given("id"), contact=None))
_came_of_contact = Prepared(lambda: _came(school=Given("school"), contact=Given("id"), staff=None))
_came_of_staff = Prepared(lambda: _came(school=Given("school"), staff=Given("id"), contact=None))


def _heard(
    owner: Contact | Staff, usable: Prepared[ContactDetail], came: Prepared[Invitation]
) -> tuple[dict[str, str], dict[str, Asked]]:
    """Return the addresses that messages reach, by kind, and by address how often the person was asked there."""
    reached = _reached((owner.pk, one.kind, one.value) for one in usable(school=owner.school_id, id=owner.pk))
    sent: dict[str, list[dt.datetime]] = defaultdict(list)
    for one in came(school=owner.school_id, id=owner.pk):
        sent[one.sent_to].append(one.sent_at)
    return reached[owner.pk], {to: Asked(len(times), max(times)) for to, times in sent.items()}


def _reached(usable: Iterable[tuple[int | None, str, str]]) -> dict[int | None, dict[str, str]]:
    """Return the addresses that messages reach, by owner and kind."""
    found: dict[int | None, dict[str, str]] = defaultdict(dict)
    for owner_id, kind, value in usable:
        if can_reach(kind):
            found[owner_id][kind] = value
    return found


def _asked(sent: Iterable[tuple[int | None, str, int, dt.datetime]]) -> dict[int | None, dict[str, Asked]]:
    found: dict[int | None, dict[str, Asked]] = defaultdict(dict)
    for owner_id, to, times, last in sent:
        found[owner_id][to] = Asked(times, last)
    return found


def can_reach(kind: str) -> bool:
    """Whether this hub can send there at all: where texts are not set up, a mobile takes no invitation."""
    return channels.available(Channel.TEXT if kind == DetailKind.MOBILE else Channel.EMAIL)


# One person's panel


@dataclass(frozen=True, slots=True)
class History:
    """The invitations of one record: the newest, how many there were, and whether its link still opens."""

    newest: Invitation | None
    times: int
    is_open: bool
    lost: str = ""
    """Why the newest did not arrive, for all one knows; blank where nothing is known against it."""


def history_of(owner: Contact | Staff, now: dt.datetime) -> History:
    """Return the invitations of one record."""
    field: dict[str, Any] = {"staff" if isinstance(owner, Staff) else "contact": owner}
    found = Invitation.objects.filter(school_id=owner.school_id, **field).order_by("-sent_at", "-id")
    newest = found.annotate(trouble=Subquery(lost(LOST).values("trouble")[:1])).first()
    if newest is None:
        return History(None, 0, False)
    unused = (newest.used_at, newest.voided_at) == (None, None)
    why = None if newest.trouble is None or not unused else newest.trouble.strip().rstrip(".") or NOT_HEARD
    return History(newest, found.count(), unused and newest.expires_at > now, why or "")


def last_ended(owner: Contact | Staff) -> Connection | None:
    """Return the connection that a record has had, if any: the one that ended last."""
    field: dict[str, Any] = {"staff" if isinstance(owner, Staff) else "contact": owner}
    had = Connection.objects.filter(school_id=owner.school_id, connected_at__isnull=False, ended_at__isnull=False)
    return had.filter(**field).order_by("-ended_at").first()


def denied_links(contact: Contact) -> QuerySet[PupilContact]:
    """Return the links of which the parent has said that the pupil is not theirs."""
    found = PupilContact.objects.filter(school_id=contact.school_id, contact=contact, denied_at__isnull=False)
    return found.filter(ended_on=None).select_related("pupil").order_by("pupil__surname", "pupil__forename", "id")
