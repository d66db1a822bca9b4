"""Stored alerts about imports, and the mail that tells the office and the operator of each new one, once.

What stands is derived from what is true (`imports.standing`); a stored row only remembers that it was said.
Stored rows and mails name no person: for that the reader signs in.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet

from hub.core import scope, sweeps
from hub.core.alerts import raise_alert, resolve_alert
from hub.core.models import Alert, School, Severity
from hub.messaging import mail
from imports import selectors, situation, standing
from imports.models import HELD_STATES, Import, LinkState, MisLink

GIVE_UP_AFTER = 3
"""Schools in one call that could not be mailed."""


def refresh(school: School, now: dt.datetime) -> None:
    """Raise what stands at this school and resolve what no longer does. Call it in the school's scope."""
    found = replace(situation.of(school, now=now), first_rejected="")
    stand = {alert.key: alert for alert in situation.alerts(found, now=now) if alert.key in standing.MAILED}
    open_keys = set(
        Alert.objects.filter(school=school, resolved_at=None, key__in=standing.MAILED).values_list("key", flat=True)
    )
    for alert in stand.values():
        raise_alert(
            school=school,
            key=alert.key,
            severity=alert.severity,
            title=alert.title,
            body=alert.body,
            button=alert.button,
            path=alert.path,
            now=now,
        )
    for key in open_keys - stand.keys():
        resolve_alert(school=school, key=key, now=now)


def refresh_overdue(now: dt.datetime) -> int:
    """Refresh the schools at which something began or ended that no import tells of; return how many.

    A night stayed away or came, an agent fell silent or spoke, a hold was decided, a link paused or resumed.
    A handful of queries while nothing changed, however many schools there are.
    """
    with scope.every_school():
        said = Alert.objects.filter(resolved_at=None, key__in=_SEEN_AT_A_GLANCE).values_list("school_id", "key")
        changed = {school_id for school_id, _ in _at_a_glance(now=now) ^ set(said)}
        schools = list(School.objects.filter(pk__in=changed))
    sweeps.each_school(schools, lambda school: refresh(school, now))
    return len(schools)


def mail_new(now: dt.datetime) -> int:
    """Mail every open alert that needs a person and was not mailed yet; return how many schools were told.

    One mail to the school's office and one to the operator. A school of whom neither could be reached is
    tried again; after a few of those the mail server is taken to be down, and the rest wait for the next call.
    """
    with scope.every_school():
        waiting = set(_unsaid().values_list("school_id", flat=True))
        schools = list(School.objects.filter(pk__in=waiting, shadow_of=None).order_by("?"))
    unreached: list[School] = []

    def tell(school: School) -> bool:
        try:
            return len(unreached) < GIVE_UP_AFTER and _mail_school(school, now=now)
        except mail.MailNotSent:
            unreached.append(school)
            return False

    return sweeps.each_school(schools, tell)


def _unsaid() -> QuerySet[Alert]:
    return Alert.objects.filter(resolved_at=None, mailed_at=None, severity__in=(Severity.BAD, Severity.WARN))


@transaction.atomic
def _mail_school(school: School, *, now: dt.datetime) -> bool:
    """Tell one school; raises `MailNotSent`, and takes it all back, if nobody could be reached."""
    alerts = list(_unsaid().select_for_update(skip_locked=True).filter(school=school).order_by("severity", "id"))
    readers = _readers(school)
    if not alerts or not readers:
        return False
    Alert.objects.filter(pk__in=[alert.pk for alert in alerts]).update(mailed_at=now)
    address = f"{settings.PUBLIC_URL}/{school.slug}/"
    context = {"school": school, "alerts": alerts, "more": len(alerts) - 1, "address": address}
    refusals = []
    for reader in readers:
        try:
            mail.send(to=reader, template="alert", context=context)
        except mail.MailNotSent as refusal:
            refusals.append(refusal)
    if len(refusals) == len(readers):
        raise refusals[0]
    return True


def _readers(school: School) -> list[str]:
    return list(dict.fromkeys(address for address in (school.office_email, settings.OPERATOR_EMAIL) if address))


_SEEN_AT_A_GLANCE = (
    standing.MISSED, standing.SILENT, standing.HELD, standing.PAUSED, standing.RECONNECT, standing.NOT_LET_IN,
    standing.AWAITED,
)  # fmt: skip


def _at_a_glance(*, now: dt.datetime) -> set[tuple[int, str]]:
    """Return (school id, alert key) of what stands of `_SEEN_AT_A_GLANCE`, as `imports.standing` would say."""
    states = (LinkState.ENABLED, LinkState.RECONNECT, LinkState.WAITING, LinkState.AWAITING_CREDENTIALS)
    known = MisLink.objects.filter(source__ended_at=None, state__in=states)
    links = list(known.select_related("source"))
    enabled = [link for link in links if link.state == LinkState.ENABLED]
    overdue = situation.overdue_now(enabled, now=now)
    seen = selectors.agents_by_link([link.pk for link in enabled])
    held = Import.objects.filter(state__in=HELD_STATES, decided_at=None, preview=False, link__source__ended_at=None)
    due = {(school_id, standing.HELD) for school_id in held.values_list("school_id", flat=True)}
    due |= {(link.school_id, standing.RECONNECT) for link in links if link.state == LinkState.RECONNECT}
    due |= {(link.school_id, standing.AWAITED) for link in links if link.state == LinkState.AWAITING_CREDENTIALS}
    due |= {(link.school_id, standing.NOT_LET_IN) for link in links if situation.is_kept_waiting(link, now=now)}
    due |= {(link.school_id, standing.PAUSED) for link in enabled if link.paused_at is not None}
    due |= {(link.school_id, standing.MISSED) for link in enabled if link.pk in overdue}
    for link in enabled:
        heard = seen.get(link.pk)
        if heard is not None and now - heard >= standing.AGENT_SILENT_AFTER and selectors.mis_of(link).is_push:
            due.add((link.school_id, standing.SILENT))
    return due
