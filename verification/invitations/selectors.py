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
    found = _facts(Contact.objects.filter(school=school, merged_into=None), now).filter(connected=False)
    return _records(found.order_by("surname", "forename", "id"), school, None)


def record_of(owner: Contact | Staff, now: dt.datetime) -> Record:
    """Return what the rules look at of one person."""
    if isinstance(owner, Staff):
        return _record_of_staff(owner, now)
    return _records(_facts(Contact.objects.filter(pk=owner.pk), now), owner.school, owner.pk)[owner.pk]


def _facts(found: QuerySet[Contact], now: dt.datetime) -> QuerySet[Any]:
    today = timezone.localdate(now)
    here = Q(pupil__leaving_date=None) | Q(pupil__leaving_date__gt=today)
    links = PupilContact.objects.filter(here, school_id=OuterRef("school_id"), contact=OuterRef("pk"), ended_on=None)
    theirs = Connection.objects.filter(school_id=OuterRef("school_id"), contact=OuterRef("pk"), ended_at=None)
    return found.annotate(
        connected=Exists(theirs.filter(connected_at__isnull=False)),
        belongs=Exists(links),
        sight=Exists(links.filter(with_sight(today))),
        denied=Exists(links.filter(denied_at__isnull=False)),
    )


def _records(found: QuerySet[Any], school: School, contact_id: int | None) -> dict[int, Record]:
    one = {} if contact_id is None else {"contact_id": contact_id}
    reached = _reached(
        ContactDetail.objects.filter(school=school, contact__isnull=False, staff=None, **one), "contact_id"
    )
    asked = _asked(Invitation.objects.filter(school=school, contact__isnull=False, **one), "contact_id")
    return {
        row["pk"]: Record(
            email=reached[row["pk"]].get("email", ""),
            mobile=reached[row["pk"]].get("mobile", ""),
            connected=row["connected"],
            merged=row["merged_into_id"] is not None,
            belongs=row["belongs"] or row["made_by_hand"],
            sight=row["sight"] or (row["made_by_hand"] and not row["belongs"]),
            denied=row["denied"],
            asked=asked[row["pk"]],
        )
        for row in found.values("pk", "connected", "merged_into_id", "belongs", "made_by_hand", "sight", "denied")
    }


def _record_of_staff(staff: Staff, now: dt.datetime) -> Record:
    reached = _reached(ContactDetail.objects.filter(school_id=staff.school_id, staff=staff, contact=None), "staff_id")
    asked = _asked(Invitation.objects.filter(school_id=staff.school_id, staff=staff), "staff_id")
    connected = Connection.objects.filter(staff=staff, connected_at__isnull=False, ended_at=None).exists()
    left = staff.leaving_date is not None and staff.leaving_date <= timezone.localdate(now)
    return Record(
        email=reached[staff.pk].get("email", ""),
        mobile=reached[staff.pk].get("mobile", ""),
        connected=connected,
        left=left,
        asked=asked[staff.pk],
    )


def _reached(details: QuerySet[ContactDetail], owner: str) -> dict[int, dict[str, str]]:
    """Return the addresses that messages reach, by owner and kind."""
    found: dict[int, dict[str, str]] = defaultdict(dict)
    usable = details.filter(deliverable=True).exclude(value="")
    for owner_id, kind, value in usable.values_list(owner, "kind", "value"):
        if can_reach(kind):
            found[owner_id][kind] = value
    return found


def can_reach(kind: str) -> bool:
    """Whether this hub can send there at all: where texts are not set up, a mobile takes no invitation."""
    return channels.available(Channel.TEXT if kind == DetailKind.MOBILE else Channel.EMAIL)


def _asked(invitations: QuerySet[Invitation], owner: str) -> dict[int, dict[str, Asked]]:
    found: dict[int, dict[str, Asked]] = defaultdict(dict)
    came = invitations.exclude(channel=LETTER).filter(~Exists(lost()))
    sent = came.values(owner, "sent_to").annotate(times=Count("pk"), last=Max("sent_at"))
    for row in sent:
        found[row[owner]][row["sent_to"]] = Asked(row["times"], row["last"])
    return found


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


def denied_links(contact: Contact) -> QuerySet[PupilContact]:
    """Return the links of which the parent has said that the pupil is not theirs."""
    found = PupilContact.objects.filter(school_id=contact.school_id, contact=contact, denied_at__isnull=False)
    return found.filter(ended_on=None).select_related("pupil").order_by("pupil__surname", "pupil__forename", "id")
