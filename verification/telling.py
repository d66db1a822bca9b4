"""Telling people and offices what happens to an email or mobile, by the notices of `hub.messaging`.

In the transaction of what they tell. A new address never stands whole in what goes to an old one:
that mailbox may be somebody else's by now.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any

from django.conf import settings
from django.urls import reverse

from hub.accounts import tokens
from hub.accounts.models import Account, Membership, Role
from hub.core.models import School
from hub.messaging import notices
from hub.messaging.models import Channel
from hub.people import selectors as people
from hub.people.judging import display
from hub.people.models import Contact, DetailKind
from verification.changes import rules
from verification.changes.words import KINDS
from verification.models import ChangeLink, DetailChange
from verification.owners import Owner, login_of, owner_of

_OFFICE = (Role.ADMINISTRATOR, Role.OFFICE)


def channel_of(address: str) -> Channel:
    """Return by what an address is reached."""
    return Channel.EMAIL if "@" in address else Channel.TEXT


def tell_person(
    *,
    owner: Owner,
    kind: str,
    template: str,
    context: Mapping[str, Any],
    also_mobile: bool = False,
    now: dt.datetime,
) -> None:
    """Tell a person at the email in use; at the mobile too if asked, or where the email is none or a dead one."""
    known = {one.kind: one for one in people.details_of(owner) if one.value}
    email, mobile = known.get(DetailKind.EMAIL), known.get(DetailKind.MOBILE)
    wants_mobile = also_mobile or email is None or not email.deliverable
    for detail in (email, mobile if wants_mobile else None):
        if detail is not None:
            notices.send(
                kind=kind,
                channel=channel_of(detail.value),
                to=detail.value,
                template=template,
                context={"person": str(owner), "school": owner.school.name, **context},
                account=login_of(owner),
                now=now,
            )


def tell_office(*, school: School, kind: str, template: str, context: Mapping[str, Any], now: dt.datetime) -> None:
    """Tell everybody who runs the office, each as they chose."""
    members = Membership.objects.filter(
        school=school, role__in=_OFFICE, accepted_at__isnull=False, ended_at=None, account__is_active=True
    )
    for member in members.select_related("account").order_by("pk"):
        if member.account.email:
            notices.send(
                kind=kind,
                channel=Channel.EMAIL,
                to=member.account.email,
                template=template,
                context={"school": school.name, "slug": school.slug, **context},
                account=member.account,
                now=now,
            )


# A question of the school


def ask(change: DetailChange, *, owner: Owner, template: str = "change_asked", now: dt.datetime) -> None:
    """Tell a person what the school wants to change, and until when they can answer."""
    kind = "proposal" if template == "change_asked" else "reminder"
    tell_person(owner=owner, kind=kind, template=template, context=about(change), now=now)


def tell_proposed(*, school: School, ids: Iterable[int], now: dt.datetime) -> None:
    """Ask the people of these open rows, which an import has made."""
    rows = DetailChange.objects.filter(school=school, pk__in=list(ids)).select_related(
        "contact__school", "staff__school"
    )
    for change in rows.order_by("pk"):
        ask(change, owner=owner_of(change), now=now)


def person_hears(change: DetailChange, *, owner: Owner, template: str, now: dt.datetime) -> None:
    """Tell a person what became of a change that waited for them."""
    tell_person(owner=owner, kind="answer", template=template, context=about(change), now=now)


def office_hears(change: DetailChange, *, owner: Owner, template: str, now: dt.datetime) -> None:
    """Tell the office what became of a change it asked for."""
    tell_office(school=owner.school, kind="proposal_answered", template=template, context=about(change), now=now)


def about(change: DetailChange) -> dict[str, Any]:
    """Return what the words of notices say about a row."""
    owner = owner_of(change)
    return {
        "change": change,
        "person": str(owner),
        "pupils": change.pupil_names,
        "what": KINDS[change.field],
        "value": display(change.field, change.new_value),
        "hint": rules.masked(change.field, change.new_value),
        "deadline": change.deadline,
        "by": change.made_by,
        "reason": change.reason,
        "page": page_of(owner),
    }


def page_of(owner: Owner) -> str:
    """Return where a person's page is, below the school's address."""
    return f"people/{'contacts' if isinstance(owner, Contact) else 'staff'}/{owner.pk}/"


# A change that was made


def tell_changed(rows: Iterable[DetailChange], *, account: Account, proven: Iterable[str], now: dt.datetime) -> None:
    """Tell the old addresses and one other proven one that a detail was changed, each with “this was not me”.

    `rows` are one change, at one or several schools; `proven` are the person's other proven addresses.
    """
    made = list(rows)
    first = made[0]
    schools = list(dict.fromkeys(owner_of(one).school.name for one in made))
    for address in rules.addresses_to_tell([one.old_value for one in made], proven, first.new_value):
        token, token_hash = tokens.make()
        expires = now + rules.NOT_ME_FOR
        ChangeLink.objects.create(
            batch=first.batch, token_hash=token_hash, sent_to=address, made_at=now, expires_at=expires
        )
        notices.send(
            kind="change_made",
            channel=channel_of(address),
            to=address,
            template="change_made",
            context=about(first)
            | {
                "schools": schools,
                "at": now,
                "link": settings.PUBLIC_URL + reverse("not_me:link", args=[token]),
                "until": expires,
            },
            account=account,
            now=now,
        )
