"""What a school chooses: if drift becomes a question, the weekly mail, how long leavers' logins and letters last."""

from __future__ import annotations

import datetime as dt

from django.db import transaction

from hub.accounts.models import Account
from hub.core import audit
from hub.core.models import School
from verification.models import Choices

LEAST_DAYS, MOST_DAYS = 1, 730
LEAST_LETTER_DAYS, MOST_LETTER_DAYS = 3, 56


@transaction.atomic
def choose(
    *,
    school: School,
    propose_drift: bool,
    weekly_summary: bool,
    leaver_login_days: int,
    letter_days: int,
    by: Account,
    now: dt.datetime,
) -> Choices:
    """Keep what the school chose, from the next import and the next Monday on."""
    held, _ = Choices.objects.select_for_update().get_or_create(school=school)
    said = {
        "propose_drift": propose_drift,
        "weekly_summary": weekly_summary,
        "leaver_login_days": min(max(leaver_login_days, LEAST_DAYS), MOST_DAYS),
        "letter_days": min(max(letter_days, LEAST_LETTER_DAYS), MOST_LETTER_DAYS),
    }
    changed = {name: value for name, value in said.items() if getattr(held, name) != value}
    if changed:
        for name, value in changed.items():
            setattr(held, name, value)
        held.save(update_fields=list(changed))
        audit.record(school=school, by=by, action="choices.changed", object_kind="choices", data=changed, now=now)
    return held
