"""What became of a change, in a sentence for somebody who comes too late to answer or prove it."""

from __future__ import annotations

import datetime as dt

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from hub.core.templatetags.frame import when
from verification.changes.rules import EMAIL, MOBILE, is_open
from verification.models import OPEN_STATUSES, DetailChange, Status

KINDS = {EMAIL: _("email address"), MOBILE: _("mobile number")}
"""What one calls the fields in a sentence."""


def what_became(change: DetailChange) -> str:
    """Return how a change ended, and what one can do now."""
    return _SENTENCES[Status(change.status)].format(
        answered=when(change.answered_at),
        by=change.answered_by or _("you"),
        effective=when(change.effective_at),
        deadline=when(change.deadline),
        reason=(gettext(change.reason).rstrip(".") if change.reason else _("it is not needed any more")),
    )


def too_late(change: DetailChange, now: dt.datetime) -> str:
    """Return the same, also of a row that is open by its status and whose time is over."""
    if change.status in OPEN_STATUSES and not is_open(change.deadline, now):
        return _SENTENCES[Status.EXPIRED].format(deadline=when(change.deadline))
    return what_became(change)


_SENTENCES = {
    Status.WAITING: _("This was answered already: it waits for the code that was sent to the new address."),
    Status.PENDING: _("This waits for an answer under “Approvals”."),
    Status.APPROVED: _("This was answered already: the change was made on {effective}."),
    Status.REJECTED: _("This was answered already: it was rejected on {answered}."),
    Status.EXPIRED: _("This is over since {deadline}, so nothing was changed. Ask for it again if it is still wanted."),
    Status.WITHDRAWN: _("This was taken back on {answered}: {reason}."),
    Status.FROZEN: _("This was frozen, because somebody said “this was not me”. Ring the school office."),
    Status.KEPT: _("There is nothing to answer: what was confirmed stays in use."),
    Status.OFFER: _("There is nothing to answer here. Enter the address yourself under “My details”."),
}
