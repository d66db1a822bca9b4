"""Turning down an offer: the MIS has an email or mobile where the person has none, and it is not theirs."""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.utils.translation import gettext as _

from hub.accounts.models import Account
from hub.core import audit
from verification import telling
from verification.changes import effects
from verification.errors import ChangeRefused
from verification.models import DetailChange, MisState, Status
from verification.owners import circle_of, key_of, lock, of_owner
from verification.reporting import settling

NOT_MINE = "It is not mine."


def decline(*, account: Account, offer: DetailChange, by_name: str, now: dt.datetime) -> None:
    """Say that what the MIS has is not one's own: the office reads it, and the offer is not shown again.

    The difference itself stays listed until the MIS is put right. Raises ChangeRefused where the
    offer was taken or turned down already.
    """
    with circle_of(account) as circle, transaction.atomic():
        owner = circle.own(offer)
        if owner is None:
            raise ChangeRefused(effects.NOT_CONNECTED)
        lock([owner])
        effects.refuse_if_lost(circle, [owner])
        standing = DetailChange.objects.filter(of_owner(owner), pk=offer.pk, status=Status.OFFER)
        answer = {"status": Status.REJECTED, "reason": NOT_MINE, "answered_at": now, "answered_by": by_name[:200]}
        if not standing.exclude(mis_state=MisState.REPLACED).update(**answer):
            raise ChangeRefused(_("This was answered already."))
        offer.refresh_from_db()
        audit.record(
            school=owner.school,
            by=account,
            action="detail.offer_declined",
            object_kind=key_of(owner)[0],
            object_id=owner.pk,
            data={"kind": offer.field, "change": offer.pk},
            now=now,
        )
        settling.settle_owner(owner=owner, now=now)
        telling.office_hears(offer, owner=owner, template="change_rejected_office", now=now)
