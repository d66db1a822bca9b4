"""Making two records one that the same person has confirmed to be theirs, and undoing that.

The kept record takes over the MIS's records and the links of the other, which stays as an empty
shell, named nowhere, so that an undo finds it. What the person confirmed at the kept record stands,
unless they chose the other's on the way. The digests of all their records in the MIS are forgotten:
the next import hears them again, together or apart.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from hub.accounts.models import Account
from hub.core import audit
from hub.people.locking import lock_school
from hub.people.models import Connection, Contact, ContactDetail, MisIdentity, PupilContact
from verification import telling
from verification.changes import effects
from verification.changes.drafting import draft
from verification.errors import ChangeRefused
from verification.lifecycle.links_moving import give_links_back, take_links
from verification.lifecycle.merging_offers import Choice, Pair, Preview, preview, suggestions
from verification.models import (
    OPEN_STATUSES,
    TO_COPY,
    DetailChange,
    Field,
    Merge,
    MisState,
    Origin,
    Status,
)
from verification.owners import Circle, circle_of, lock, of_owner
from verification.reporting import settling

__all__ = ["MERGED", "Choice", "Pair", "Preview", "Undone", "merge", "preview", "suggestions", "undo_merge"]

MERGED = "Merged into another record of the same person"
NOT_BOTH_YOURS = gettext_lazy("Only two records that are both connected to your login, at one school, can be made one.")
_DETAILS = (Field.EMAIL, Field.MOBILE)


@dataclass(frozen=True, slots=True)
class Undone:
    """An undone merge; `left` names what has moved on since and was left as it is."""

    merge: Merge
    left: tuple[str, ...]


def merge(
    *, account: Account, kept: Contact, gone: Contact, take: Collection[str] = (), by_name: str, now: dt.datetime
) -> Merge:
    """Make `gone` part of `kept`. Of the details in `take` (email, mobile) the gone record's own is used from now on.

    Raises ChangeRefused unless both are connected to this login at one school, or where the login is frozen.
    """
    with circle_of(account) as circle, transaction.atomic():
        lock_school(kept.school_id)
        lock([kept, gone])
        kept, gone = _both_mine(circle, kept, gone)
        moved = _take_over(kept, gone, now)
        done = Merge.objects.create(school_id=kept.school_id, kept=kept, gone=gone, by_name=by_name[:200], at=now)
        row = _row(account, done, moved, by_name, now)
        done.moved = moved | {"row": row.pk}
        done.save(update_fields=["moved"])
        _take_details(circle, kept, gone, take, by_name, now)
        settling.settle_owner(owner=kept, now=now)
        _record(done, account, "person.merged", {"kept": kept.pk, "gone": gone.pk}, now)
        telling.tell_office(
            school=kept.school,
            kind="change_made",
            template="records_merged",
            context={"person": by_name, "path": f"people/contacts/{kept.pk}/"},
            now=now,
        )
    return done


def _both_mine(circle: Circle, kept: Contact, gone: Contact) -> tuple[Contact, Contact]:
    """Return both as they are now, under their locks."""
    if kept.pk == gone.pk or kept.school_id != gone.school_id:
        raise ChangeRefused(NOT_BOTH_YOURS)
    effects.refuse_if_lost(circle, [kept, gone])
    found = Contact.objects.select_related("school").filter(school_id=kept.school_id).in_bulk([kept.pk, gone.pk])
    if len(found) < 2 or any(one.merged_into_id for one in found.values()):
        raise ChangeRefused(_("These records have been made one already."))
    return found[kept.pk], found[gone.pk]


def _take_over(kept: Contact, gone: Contact, now: dt.datetime) -> dict[str, Any]:
    """Move all that is the gone record's, and return how it was, fit for JSON."""
    identities = MisIdentity.objects.filter(school_id=kept.school_id)
    theirs = list(identities.filter(contact=gone).values_list("pk", flat=True))
    own = list(identities.filter(contact=kept).values_list("pk", flat=True))
    details = ContactDetail.objects.filter(school_id=gone.school_id, contact=gone, staff=None).exclude(mis_value="")
    ties = Connection.objects.filter(school_id=gone.school_id, contact=gone, ended_at=None)
    moved = {
        "identities": theirs,
        "kept_identities": own,
        "links": take_links(kept=kept, gone=gone, kept_is_older=min(own, default=0) <= min(theirs, default=0)),
        "details": {str(pk): mis_value for pk, mis_value in details.values_list("pk", "mis_value")},
        "connections": list(ties.values_list("pk", flat=True)),
        "rows": _close_rows(kept, gone, now),
    }
    identities.filter(pk__in=[*theirs, *own]).update(contact=kept, digest=b"")
    details.update(mis_value="")
    ties.update(ended_at=now, ended_why=MERGED)
    Contact.objects.filter(pk=gone.pk).update(merged_into=kept)
    return moved


def _close_rows(kept: Contact, gone: Contact, now: dt.datetime) -> dict[str, Any]:
    """Close what is open about the gone record; “not my child” goes with its link."""
    effects.withdraw(
        of_owner(gone) & Q(status__in=OPEN_STATUSES),
        reason="The record was made one with another of the same person.",
        now=now,
    )
    standing = DetailChange.objects.filter(of_owner(gone), field__in=_DETAILS, mis_state__in=[*TO_COPY, MisState.DONE])
    replaced = {str(pk): state for pk, state in standing.values_list("pk", "mis_state")}
    standing.update(mis_state=MisState.REPLACED)
    said = DetailChange.objects.filter(of_owner(gone), field=Field.CHILD)
    children = list(said.values_list("pk", flat=True))
    said.update(contact=kept)
    return {"replaced": replaced, "children": children}


def _row(account: Account, done: Merge, moved: dict[str, Any], by_name: str, now: dt.datetime) -> DetailChange:
    """List for the MIS that two of its records are one person, as far as it still has both."""
    records = MisIdentity.objects.filter(school_id=done.school_id, pk__in=moved["identities"])
    others = MisIdentity.objects.filter(school_id=done.school_id, pk__in=moved["kept_identities"])
    in_mis = records.filter(gone_on=None).exists() and others.filter(gone_on=None).exists()
    row = draft(
        owner=done.kept,
        field=Field.RECORD,
        old_value=f"{done.gone}{_numbers(records)}"[:320],
        new_value=f"The same person as {done.kept}{_numbers(others)}"[:320],
        origin=Origin.PERSON,
        made_by=by_name,
        account=account,
        status=Status.APPROVED,
        mis_state=MisState.TO_UPDATE if in_mis else MisState.NOTHING,
        now=now,
    )
    row.effective_at = now
    row.previous = {"merge": done.pk, "of_gone": moved["identities"], "of_kept": moved["kept_identities"]}
    row.save()
    return row


def _numbers(records: QuerySet[MisIdentity]) -> str:
    """Return what an office looks for in its MIS."""
    found = sorted(set(records.filter(gone_on=None).values_list("external_id", flat=True)))
    if not found:
        return ""
    return f" (record {', '.join(found)})" if len(found) == 1 else f" (records {', '.join(found)})"


def _take_details(
    circle: Circle, kept: Contact, gone: Contact, take: Collection[str], by_name: str, now: dt.datetime
) -> None:
    """Use the gone record's proven email or mobile, where the person chose it or the kept one has none."""
    theirs = {one.kind: one for one in effects.all_held(gone) if one.proven}
    own = {one.kind: one.value for one in effects.all_held(kept)}
    for kind, detail in theirs.items():
        if detail.value != own.get(kind, "") and (kind in take or not own.get(kind)):
            row = draft(
                owner=kept,
                field=kind,
                new_value=detail.value,
                origin=Origin.PERSON,
                made_by=by_name,
                account=circle.account,
                status=Status.APPROVED,
                now=now,
            )
            effects.make_all([row], circle, by_name=by_name, now=now)


# Undoing


@transaction.atomic
def undo_merge(*, merge: Merge, by: Account, now: dt.datetime) -> Undone:
    """Make two records of one again, as they were; what has moved on since is left, and named.

    Raises ChangeRefused where it is undone already, or where the kept record was merged again since.
    """
    lock_school(merge.school_id)
    merge = Merge.objects.select_for_update(of=("self",)).select_related("school").get(pk=merge.pk)
    both = Contact.objects.select_related("school").filter(school_id=merge.school_id)
    kept, gone = both.get(pk=merge.kept_id), both.get(pk=merge.gone_id)
    lock([kept, gone])
    if merge.undone_at is not None or gone.merged_into_id != kept.pk:
        raise ChangeRefused("This merge was undone already.")
    if kept.merged_into_id is not None:
        raise ChangeRefused(f"{kept} was merged into another record since. Undo that merge first.")
    left = _give_back(merge, kept, gone)
    Merge.objects.filter(pk=merge.pk).update(undone_at=now, undone_by=str(by)[:200])
    _reopen_rows(merge, gone, by, now)
    for owner in (kept, gone):
        settling.settle_owner(owner=owner, now=now)
    _record(merge, by, "person.merge_undone", {"kept": kept.pk, "gone": gone.pk, "left": left}, now)
    telling.tell_person(owner=kept, kind="answer", template="merge_undone", context={}, now=now)
    merge.refresh_from_db()
    return Undone(merge, tuple(left))


def _give_back(merge: Merge, kept: Contact, gone: Contact) -> list[str]:
    """Return the gone record's own; say in words what could not go back."""
    moved, left = merge.moved, []
    Contact.objects.filter(pk=gone.pk).update(merged_into=None)
    gone.merged_into = None
    identities = MisIdentity.objects.filter(school_id=kept.school_id, contact=kept)
    heard_since = identities.exclude(digest=b"").exists()
    # As if none were gone: the next import finds out for each of the two, and ends the links of whose records went.
    back = identities.filter(pk__in=moved["identities"]).update(contact=gone, digest=b"", gone_on=None)
    identities.update(digest=b"", gone_on=None)
    if missing := len(moved["identities"]) - back:
        left.append(f"{missing} of the MIS’s records of {gone} had moved on and stayed where they are.")
    if missing := give_links_back(moved["links"], kept=kept, gone=gone, heard_since=heard_since):
        left.append(
            f"{missing} of the links with pupils were no longer there; the next import brings what the MIS has."
        )
    for pk, mis_value in moved["details"].items():
        ContactDetail.objects.filter(school_id=gone.school_id, pk=pk, mis_value="").update(mis_value=mis_value)
    if not _reconnect(moved["connections"], kept, gone):
        left.append(f"{gone} is not connected again: the login has been disconnected since. Invite them if need be.")
    return left


def _reconnect(ties: list[int], kept: Contact, gone: Contact) -> bool:
    """Connect the gone record again with the login it had, if that is still the kept record's."""
    logins = Connection.objects.filter(
        school_id=kept.school_id, contact=kept, ended_at=None, connected_at__isnull=False
    )
    theirs = Connection.objects.filter(school_id=gone.school_id, pk__in=ties, ended_why=MERGED)
    back = theirs.filter(account__in=logins.values("account"))
    return not ties or back.update(ended_at=None, ended_why="") > 0


def _reopen_rows(merge: Merge, gone: Contact, by: Account, now: dt.datetime) -> None:
    rows = DetailChange.objects.filter(school_id=merge.school_id)
    for pk, state in merge.moved["rows"]["replaced"].items():
        rows.filter(pk=pk, mis_state=MisState.REPLACED).update(mis_state=state)
    rows.filter(pk__in=merge.moved["rows"]["children"]).update(contact=gone)
    theirs = PupilContact.objects.filter(school_id=merge.school_id, pk__in=merge.moved["links"]["whole"], contact=gone)
    said_since = rows.filter(contact_id=merge.kept_id, field=Field.CHILD, made_at__gte=merge.at)
    said_since.filter(pupil__in=theirs.values("pupil")).update(contact=gone)
    rows.filter(pk=merge.moved["row"]).update(
        status=Status.WITHDRAWN,
        mis_state=MisState.NOTHING,
        answered_at=now,
        answered_by=str(by)[:200],
        reason="The office made them two records again.",
    )


def _record(merge: Merge, by: Account, action: str, data: dict[str, Any], now: dt.datetime) -> None:
    audit.record(
        school=merge.school, by=by, action=action, object_kind="contact", object_id=merge.kept_id, data=data, now=now
    )
