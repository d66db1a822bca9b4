"""Stored alerts about imports, and the mail that tells the office and the operator of each new one, once.

What stands is derived from what is true (`imports.standing`); a stored row only remembers that it was said.
Stored rows and mails name no person: for that the reader signs in.
"""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Iterable, Sequence
from dataclasses import replace

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction
from django.template.loader import render_to_string

from hub.core import scope
from hub.core.alerts import raise_alert, resolve_alert
from hub.core.models import Alert, School, Severity
from imports import selectors, situation, standing
from imports.models import LinkState, MisLink

logger = logging.getLogger(__name__)


def refresh(school: School, now: dt.datetime) -> None:
    """Raise what stands at this school and resolve what no longer does. Call it in the school's scope."""
    found = replace(situation.of(school, now=now), first_rejected="", first_differs="")
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
    """Refresh the schools at which silence began or ended: a night stayed away or came, an agent fell silent or spoke.

    Returns how many. A handful of queries while nothing changed, however many schools there are.
    """
    with scope.every_school():
        links = list(MisLink.objects.filter(state=LinkState.ENABLED, source__ended_at=None).select_related("source"))
        due = _silent_now(links, now=now)
        said = set(
            Alert.objects.filter(resolved_at=None, key__in=(standing.MISSED, standing.SILENT)).values_list(
                "school_id", "key"
            )
        )
        changed = {school_id for school_id, _ in due ^ said}
        schools = list(School.objects.filter(pk__in=changed))
    for school in schools:
        with scope.schools(school.pk):
            refresh(school, now)
    return len(schools)


def mail_new(now: dt.datetime) -> int:
    """Mail every open alert that needs a person and was not mailed yet; return how many mails were sent.

    One mail to the school's office and one to the operator per school. What could not be sent is tried again.
    """
    with scope.every_school():
        waiting = Alert.objects.filter(
            resolved_at=None, mailed_at=None, severity__in=(Severity.BAD, Severity.WARN)
        ).values_list("school_id", flat=True)
        schools = list(School.objects.filter(pk__in=set(waiting), shadow_of=None).order_by("pk"))
    sent = 0
    for school in schools:
        with scope.schools(school.pk):
            try:
                sent += _mail_school(school, now=now)
            except OSError as error:  # the mail server: smtplib's errors are OSErrors too
                logger.warning("Alerts of school %s could not be mailed: %s", school.pk, type(error).__name__)
    return sent


@transaction.atomic
def _mail_school(school: School, *, now: dt.datetime) -> int:
    alerts = list(
        Alert.objects.select_for_update(skip_locked=True)
        .filter(school=school, resolved_at=None, mailed_at=None, severity__in=(Severity.BAD, Severity.WARN))
        .order_by("severity", "raised_at", "id")
    )
    if not alerts:
        return 0
    Alert.objects.filter(pk__in=[alert.pk for alert in alerts]).update(mailed_at=now)
    mails = [_mail(school, alerts, to=address) for address in _readers(school)]
    for mail in mails:
        mail.send()
    return len(mails)


def _readers(school: School) -> list[str]:
    return list(dict.fromkeys(address for address in (school.office_email, settings.OPERATOR_EMAIL) if address))


def _mail(school: School, alerts: Sequence[Alert], *, to: str) -> EmailMessage:
    more = f" (and {len(alerts) - 1} more)" if len(alerts) > 1 else ""
    context = {"school": school, "alerts": alerts, "address": f"{settings.PUBLIC_URL}/{school.slug}/"}
    return EmailMessage(
        subject=f"{school.name}: {alerts[0].title}{more}",
        body=render_to_string("mail/alert.txt", context),
        to=[to],
    )


def _silent_now(links: Iterable[MisLink], *, now: dt.datetime) -> set[tuple[int, str]]:
    """Return (school id, alert key) for each night that stays away and each agent that is silent."""
    links = list(links)
    overdue = situation.overdue_now(links, now=now)
    seen = selectors.agents_by_link([link.pk for link in links])
    due = {(link.school_id, standing.MISSED) for link in links if link.pk in overdue}
    for link in links:
        heard = seen.get(link.pk)
        if heard is not None and now - heard >= standing.AGENT_SILENT_AFTER and selectors.mis_of(link).is_push:
            due.add((link.school_id, standing.SILENT))
    return due
