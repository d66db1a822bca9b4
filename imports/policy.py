"""A school's settings for imports: who is imported, and when an import asks a person first."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from typing import Any

from django.db import transaction

from hub.accounts.models import Account
from hub.core import audit
from hub.core.models import School
from imports import payloads
from imports.models import ImportPolicy, MisLink, Payload, RecipientRule
from imports.types import AccessRule, Limits
from mis_connectors import registry
from mis_connectors.errors import ConnectorError
from mis_connectors.records import ContactRecord, Kind


def policy_of(school: School | int) -> ImportPolicy:
    """Return a school's settings, the defaults where it has made none."""
    school_id = school if isinstance(school, int) else school.pk
    return ImportPolicy.objects.filter(school_id=school_id).first() or ImportPolicy(school_id=school_id)


def access_rule(policy: ImportPolicy) -> AccessRule:
    return AccessRule(policy.recipient_rule, policy.priority_limit, policy.include_pre_admissions)


def limits(policy: ImportPolicy) -> Limits:
    return Limits(policy.removal_percent, policy.removal_floor, policy.update_percent, policy.present_percent)


@transaction.atomic
def set_policy(*, school: School, by: Account, now: dt.datetime, **values: Any) -> ImportPolicy:
    """Change a school's settings; the next import reads every record again under them."""
    policy, _ = ImportPolicy.objects.get_or_create(school=school)
    before = {name: getattr(policy, name) for name in values}
    for name, value in values.items():
        setattr(policy, name, value)
    policy.save(update_fields=list(values))
    changed = {name: [before[name], value] for name, value in values.items() if before[name] != value}
    if changed:
        audit.record(school=school, by=by, action="import_policy.changed", data=changed, now=now)
    return policy


@dataclass(frozen=True, slots=True)
class Choices:
    """How many contacts each choice of `RecipientRule` brings in, from what the MIS sent last."""

    contacts: int
    by_rule: dict[str, int]
    not_said: int
    """Contacts of whom the MIS says neither parental responsibility nor a court order, on any link."""


def count_choices(school: School) -> Choices | None:
    """Read the last payload again and count; None where there is none that can be read."""
    policy = policy_of(school)
    payload = Payload.objects.filter(school=school, stored=True).order_by("-received_at").first()
    if payload is None:
        return None
    link = MisLink.objects.select_related("source").get(school=school, pk=payload.link_id)
    try:
        records = _contacts(link, payload)
    except (ConnectorError, payloads.PayloadCleared):
        return None
    rules = {rule.value: replace(access_rule(policy), rule=rule.value) for rule in RecipientRule}
    by_rule = {name: sum(any(rule.admits(link) for link in links) for links in records) for name, rule in rules.items()}
    not_said = sum(
        all(link["parental_responsibility"] is None and link["court_order"] is None for link in links)
        for links in records
    )
    return Choices(contacts=len(records), by_rule=by_rule, not_said=not_said)


def _contacts(link: MisLink, payload: Payload) -> list[list[dict[str, Any]]]:
    """Return, per contact in the payload, what its links say."""
    snapshot = registry.connector(link.source.connector).read(payloads.incoming(payload, salt=b""))
    found = []
    for record in snapshot.records:
        if record.kind == Kind.CONTACT and isinstance(contact := record.open().record, ContactRecord):
            links = [
                {
                    "priority": said.priority,
                    "parental_responsibility": said.parental_responsibility,
                    "court_order": said.court_order,
                }
                for said in contact.links
                if not said.applicant_only
            ]
            if links:
                found.append(links)
    return found
