"""What became of notices, and what the local inbox keeps. No writes."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Q, QuerySet

from hub.accounts.models import Account
from hub.messaging.models import InboxMail, Notice, NoticeState
from hub.people import details
from hub.people.selectors import connections_of

TROUBLE_DAYS = 30
"""How long a notice that did not arrive is shown; a later one that did takes it away at once."""
_KNOWN = Q(state__in=[NoticeState.SENT, NoticeState.FAILED, NoticeState.UNKNOWN, NoticeState.TOO_LATE])
_KNOWN |= Q(state=NoticeState.WAITING, tries__gt=0)
_WORDS = {
    NoticeState.WAITING: "has not left yet and is tried again",
    NoticeState.FAILED: "was not sent",
    NoticeState.UNKNOWN: "may not have arrived",
    NoticeState.TOO_LATE: "was not sent in time",
}


@dataclass(frozen=True, slots=True)
class Trouble:
    """The newest notice to an address, where it did not arrive."""

    to: str
    channel: str
    kind: str
    state: str
    at: dt.datetime
    why: str

    @property
    def sentence(self) -> str:
        """“The last email was not sent. The mail server refused the address (550).”"""
        what = "text" if self.channel == "text" else "email"
        return f"The last {what} {_WORDS[NoticeState(self.state)]}. {self.why}".strip()


def trouble_for(who: Account | str, *, now: dt.datetime) -> list[Trouble]:
    """Return, for a login or one address, each address whose newest notice did not arrive."""
    about = Q(account=who) if isinstance(who, Account) else Q(to=who)
    return list(_trouble(about, now).values())


def trouble_at(addresses: Iterable[str], *, now: dt.datetime) -> dict[str, Trouble]:
    """Return the same for many emails and mobiles, by address, in one query: for lists."""
    return _trouble(Q(to__in=list(addresses)), now)


def _trouble(about: Q, now: dt.datetime) -> dict[str, Trouble]:
    recent = Notice.objects.filter(about, _KNOWN, made_at__gt=now - dt.timedelta(days=TROUBLE_DAYS))
    newest = recent.order_by("to", "-made_at", "-pk").distinct("to")
    return {
        one.to: Trouble(one.to, one.channel, one.kind, one.state, one.made_at, one.trouble)
        for one in newest
        if one.state != NoticeState.SENT
    }


def urgent(notice_ids: Iterable[int]) -> set[int]:
    """Return those of these notices that are of no use later: codes."""
    found = Notice.objects.filter(pk__in=list(notice_ids), good_until__isnull=False)
    return set(found.values_list("pk", flat=True))


def is_connected(account: Account) -> bool:
    """Say whether a login is connected to anybody's record at any school."""
    return bool(connections_of(account))


def inbox(*, channel: str = "", to: str = "") -> QuerySet[InboxMail]:
    """Return what the local inbox keeps, newest first; `to` is a part of an address, or of a number however written."""
    found = InboxMail.objects.order_by("-sent_at", "-id")
    if channel:
        found = found.filter(channel=channel)
    if to:
        number = details.mobile(to).value or ""
        digits = "".join(char for char in to if char.isdecimal()).lstrip("0")
        as_number = Q(channel="text", recipient__contains=number or digits) if digits else Q()
        found = found.filter(Q(recipient__icontains=to) | as_number)
    return found
