"""“This was not me”: a change is taken back, the login can change nothing until an office lifts it, others are told.

The link that says so came to an old address; opening it changes nothing, the button does.
"""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from hub.accounts import devices
from hub.accounts.models import Account
from hub.accounts.services import claim_sign_in_name
from hub.core import alerts, audit, scope
from hub.core.models import Severity
from hub.people.confirming import restore_detail
from hub.people.models import ContactDetail
from verification import telling
from verification.changes import effects, rules
from verification.errors import ChangeRefused, LinkRefused
from verification.invitations import inviting
from verification.models import ChangeLink, DetailChange, MisState, Origin, ProofCode, Status
from verification.owners import Circle, Owner, circle_of, key_of, lock, login_of, of_owner, owner_of
from verification.reporting import settling

REASON = "“This was not me”, said by {by}."
ITS_END = "The end of the connection"
"""What lifts a freeze where no office has."""
_UNKNOWN = gettext_lazy("This link opens nothing. If something about your details is wrong, ring the school office.")


@dataclass(frozen=True, slots=True)
class Disputed:
    """A change as the page of its link shows it: enough to know it again, not enough to learn the new address."""

    person: str
    field: str
    hint: str
    schools: tuple[str, ...]
    at: dt.datetime
    until: dt.datetime


def find(*, token_hash: str, now: dt.datetime) -> Disputed:
    """Return the change a link speaks of. Changes nothing: mail scanners open links too.

    Raises LinkRefused if the link opens nothing.
    """
    link = _link(token_hash, now)
    with scope.schools(*_schools_of(link.batch)):
        rows = list(_made(Q(batch=link.batch)).select_related("school"))
    if not rows:
        raise LinkRefused(_USED)
    first = rows[0]
    assert first.effective_at is not None
    return Disputed(
        person=first.person_name,
        field=first.field,
        hint=rules.masked(first.field, first.new_value),
        schools=tuple(dict.fromkeys(one.school.name for one in rows)),
        at=first.effective_at,
        until=link.expires_at,
    )


def not_me(*, token_hash: str, now: dt.datetime) -> list[DetailChange]:
    """Use the link once: take the change back, end every session of the login, tell the offices.

    Returns the rows that froze. Raises LinkRefused if the link opens nothing any more.
    """
    link = _link(token_hash, now)
    with scope.schools(*_schools_of(link.batch)):
        first = _made(Q(batch=link.batch)).first()
        login = _login(first) if first else None
    if login is None:
        raise LinkRefused(_USED)
    with circle_of(login, *_schools_of(link.batch)) as circle, transaction.atomic():
        if not ChangeLink.objects.filter(pk=link.pk, used_at=None).update(used_at=now):
            raise LinkRefused(_USED)
        frozen = _freeze(
            circle,
            link.batch,
            by=f"a reader of {rules.masked('email' if '@' in link.sent_to else 'mobile', link.sent_to)}",
            now=now,
        )
        devices.end_all(account=login)
        return frozen


def not_me_signed_in(
    *, account: Account, batch: uuid.UUID, keep: str | None = None, now: dt.datetime
) -> list[DetailChange]:
    """The same from the portal, for changes of the last seven days; the session with the key `keep` goes on.

    It goes back too at a school that has disconnected the record since. Raises ChangeRefused where
    there is no such change.
    """
    with circle_of(account, *_schools_of(batch)) as circle, transaction.atomic():
        recent = Q(batch=batch, effective_at__gt=now - rules.NOT_ME_FOR)
        if not _made(recent & circle.mine()).exists():
            raise ChangeRefused(_("There is no such change of the last seven days. Ring the school office."))
        frozen = _freeze(circle, batch, by=str(account), now=now)
        devices.end_others(account=account, keep=keep)
        return frozen


_USED = gettext_lazy("This link was used already: the change is taken back. You need do nothing more.")


def _link(token_hash: str, now: dt.datetime) -> ChangeLink:
    link = ChangeLink.objects.filter(token_hash=token_hash).first()
    if link is None:
        raise LinkRefused(_UNKNOWN)
    if link.used_at is not None:
        raise LinkRefused(_USED)
    if link.expires_at <= now:
        raise LinkRefused(
            _(
                "This link was good for {number} days and is no more. If you did not make the change, ring the school "
                "office."
            ).format(number=rules.NOT_ME_FOR.days)
        )
    return link


def _login(change: DetailChange) -> Account | None:
    """Return whose change it is: the login connected now, or, where that has ended, the one that made it."""
    return login_of(owner_of(change)) or (change.made_by_account if change.origin == Origin.PERSON else None)


def _schools_of(batch: uuid.UUID) -> list[int]:
    with scope.every_school():
        return sorted(set(DetailChange.objects.filter(batch=batch).values_list("school_id", flat=True)))


def _made(rows: Q) -> QuerySet[DetailChange]:
    """The changes of an email or mobile among these that took effect and were not taken back."""
    found = DetailChange.objects.filter(rows, status=Status.APPROVED, effective_at__isnull=False)
    found = found.filter(field__in=(rules.EMAIL, rules.MOBILE))
    return found.select_related("contact__school", "staff__school").order_by("effective_at", "pk")


def _freeze(circle: Circle, batch: uuid.UUID, *, by: str, now: dt.datetime) -> list[DetailChange]:
    disputed = list(_made(Q(batch=batch)))
    owners = {(one.school_id, *key_of(one)): one for one in [*map(owner_of, disputed), *circle.owners]}
    lock(owners.values())
    first = _made(Q(batch=batch)).first()
    if first is None:
        raise LinkRefused(_USED)
    places = Q(batch=batch) | (circle.mine() & Q(field=first.field, effective_at__gte=first.effective_at))
    rows = {one.pk: one for one in _made(places)}
    for step in rules.undoing(_as_effective(rows), _in_use(rows)):
        _take_back(step, rows, by, now)
    _give_back_sign_in(circle.account, list(rows.values()))
    effects.stop_waiting(circle.mine(), reason="Frozen: somebody said “this was not me”.", now=now)
    ProofCode.objects.filter(subject=f"account:{circle.account.pk}", used_at=None, voided_at=None).update(voided_at=now)
    _tell(list(rows.values()), by, now)
    return list(rows.values())


def _as_effective(rows: dict[int, DetailChange]) -> list[rules.Effective]:
    return [
        rules.Effective(one.pk, key_of(owner_of(one)), one.new_value, one.effective_at)
        for one in rows.values()
        if one.effective_at is not None
    ]


def _in_use(rows: dict[int, DetailChange]) -> dict[tuple[str, int], str]:
    return {key_of(owner_of(one)): effects.held(owner_of(one), one.field).value for one in rows.values()}


def _take_back(step: rules.Undoing, rows: dict[int, DetailChange], by: str, now: dt.datetime) -> None:
    first = rows[step.back_to]
    owner = owner_of(first)
    DetailChange.objects.filter(pk__in=step.frozen).update(
        status=Status.FROZEN,
        mis_state=MisState.NOTHING,
        reason=REASON.format(by=by)[:300],
        answered_at=now,
        settled_at=None,
        settled_by="",
        settled_import=None,
    )
    if step.restores:
        # An edit of the office kept no more than the value, in its time.
        previous = first.previous or {"value": first.old_value}
        restore_detail(owner=owner, kind=first.field, previous=previous, now=now)
        _stand_again(owner, first.field, now)
        inviting.void_outdated(school=owner.school, owner=owner, now=now)
    settling.settle_owner(owner=owner, now=now)
    audit.record(
        school=owner.school,
        by=None,
        action="detail.frozen",
        object_kind=key_of(owner)[0],
        object_id=owner.pk,
        data={"kind": first.field, "changes": list(step.frozen), "restored": step.restores, "by": by},
        now=now,
    )


def _stand_again(owner: Owner, kind: str, now: dt.datetime) -> None:
    """Let the row whose value is in use again stand again, so that the report goes on with it."""
    detail = ContactDetail.objects.get(of_owner(owner), kind=kind)
    earlier = DetailChange.objects.filter(
        of_owner(owner, kind), status=Status.APPROVED, mis_state=MisState.REPLACED, new_value=detail.value
    )
    change = earlier.order_by("-effective_at", "-pk").first()
    if change is not None:
        effects.judge_mis_state(change, owner, mis_value=detail.mis_value, now=now)
        change.save(update_fields=["mis_state", "settled_at"])


def _give_back_sign_in(account: Account, rows: list[DetailChange]) -> None:
    """Let the login sign in as before the first of these; if another login has that name now, by neither."""
    first = next((one for one in rows if effects.SIGN_IN in one.previous), None)
    if first is None:
        return
    before = first.previous[effects.SIGN_IN]
    column = "email" if first.field == rules.EMAIL else "mobile"
    taken_back = bool(before) and claim_sign_in_name(account=account, **{column: before})
    if not taken_back:
        Account.objects.filter(pk=account.pk).update(**{column: None})


def _tell(rows: list[DetailChange], by: str, now: dt.datetime) -> None:
    for change in {key_of(owner_of(one)): one for one in reversed(rows)}.values():
        _alert(change, now)
    for change in {one.school_id: one for one in reversed(rows)}.values():
        telling.tell_office(
            school=owner_of(change).school,
            kind="concern",
            template="not_me_office",
            context=telling.about(change) | {"said_by": by},
            now=now,
        )
    first = owner_of(rows[0])
    telling.tell_person(
        owner=first, kind="security", template="not_me_done", context=telling.about(rows[0]), also_mobile=True, now=now
    )


def _alert(change: DetailChange, now: dt.datetime) -> None:
    owner = owner_of(change)
    alerts.raise_alert(
        school=owner.school,
        key=alert_key(owner),
        severity=Severity.BAD,
        title=f"{owner} says: “this was not me”",
        body=(
            f"Their {change.get_field_display().lower()} was changed and is put back. "
            "They can change nothing until you lift the freeze. Ring them at a number you know, and ask."
        ),
        button="Look at it",
        path=telling.page_of(owner),
        now=now,
    )


def alert_key(owner: Owner) -> str:
    """Return what names the alert of a frozen person."""
    model, pk = key_of(owner)
    return f"not-me-{model}-{pk}"


def lapse(owner: Owner, now: dt.datetime) -> None:
    """End the freeze of a record that nobody is connected to any more: it was the login that was to change nothing.

    In the caller's transaction and under the lock on the record.
    """
    frozen = DetailChange.objects.filter(of_owner(owner), status=Status.FROZEN, settled_at=None)
    if frozen.update(settled_at=now, settled_by=ITS_END):
        alerts.resolve_alert(school=owner.school, key=alert_key(owner), now=now)


@transaction.atomic
def lift(*, change: DetailChange, by: Account, now: dt.datetime) -> None:
    """Let a person change their details again, after the office has made sure who they are; nothing else changes.

    Lifts every freeze of this record at this school. Raises ChangeRefused where somebody has done so.
    """
    owner = owner_of(change)
    lock([owner])
    frozen = DetailChange.objects.filter(of_owner(owner), status=Status.FROZEN, settled_at=None)
    if not frozen.update(settled_at=now, settled_by=str(by)[:200]):
        raise ChangeRefused(f"{owner}’s details are not frozen any more: somebody lifted it already.")
    alerts.resolve_alert(school=owner.school, key=alert_key(owner), now=now)
    audit.record(
        school=owner.school,
        by=by,
        action="detail.freeze_lifted",
        object_kind=key_of(owner)[0],
        object_id=owner.pk,
        data={"change": change.pk},
        now=now,
    )
    telling.tell_person(owner=owner, kind="answer", template="freeze_lifted", context=telling.about(change), now=now)
