"""What a person decides about an import: apply what is held, keep everybody, discard, or undo."""

from __future__ import annotations

import datetime as dt

from django.db import transaction

from hub.accounts.models import Account
from hub.core import audit
from hub.core.errors import HubError
from imports import services, undoing
from imports.link import links
from imports.models import HELD_STATES, Import, ImportState
from imports.payloads import PayloadCleared
from verification.invitations import inviting
from verification.reporting import settling


class NotYours(HubError):
    """The import is no longer in a state in which this can be decided."""


def release(*, run: Import, by: Account, now: dt.datetime) -> Import:
    """Apply what is held: the payload is planned again, and asks again only if more would go than was shown."""
    return _again(run, "apply", by=by, now=now)


def keep_everybody(*, run: Import, by: Account, now: dt.datetime) -> Import:
    """Apply all but the removals, and do not ask again about these people until they reappear."""
    return _again(run, "keep", by=by, now=now)


@transaction.atomic
def _again(run: Import, action: str, *, by: Account, now: dt.datetime) -> Import:
    run = _held(run)
    if any(reason["code"] == "wrong_school" for reason in run.reasons):
        raise NotYours("What came is another school's and cannot be applied here. Discard it.")
    payload = run.payload
    if payload is None or not payload.stored:
        raise PayloadCleared("What came with this import is no longer kept. Run a new import.")
    _decide(run, by=by, now=now, action=action)
    again = Import.objects.create(
        school_id=run.school_id, link_id=run.link_id, payload=payload, kind=run.kind, everybody=run.everybody,
        night=run.night, requested_by=str(by), created_at=now,
        released={"action": action, "removals": run.counts.get("removals_held", {})},
    )  # fmt: skip
    services.enqueue(again)
    return again


@transaction.atomic
def discard(*, run: Import, by: Account, now: dt.datetime) -> Import:
    """Put a held import aside; what it holds is not applied. The next one asks again if it says the same."""
    run = _held(run)
    _decide(run, by=by, now=now, action="discard")
    if run.state == ImportState.HELD:
        run.state = ImportState.DISCARDED
        run.save(update_fields=["state"])
    return run


def _held(run: Import) -> Import:
    run = Import.objects.select_for_update().get(pk=run.pk)
    newer = Import.objects.filter(school_id=run.school_id, link_id=run.link_id, preview=False, pk__gt=run.pk)
    if run.state not in HELD_STATES or run.decided_at is not None:
        raise NotYours("This import is not waiting for a decision any more.")
    if newer.exclude(state=ImportState.FAILED).exists():
        raise NotYours("A newer import has come since. Decide on that one.")
    return run


def _decide(run: Import, *, by: Account, now: dt.datetime, action: str) -> None:
    run.decided_by, run.decided_at = str(by), now
    run.save(update_fields=["decided_by", "decided_at"])
    _audit(run, f"import.{action}", by=by, now=now)


@transaction.atomic
def undo(*, run: Import, by: Account, now: dt.datetime) -> Import:
    """Put back what an import changed, where nothing has moved on since, and pause the link.

    What was left, and why, is named in `run.left_by_undo`. Raises `NotYours`.
    """
    run = Import.objects.select_for_update().select_related("link__source", "school").get(pk=run.pk)
    if run.preview or run.state not in (ImportState.APPLIED, ImportState.PARTLY_HELD):
        raise NotYours("Only an import that has been applied can be undone.")
    if run.finished_at is None or now - run.finished_at > undoing.POSSIBLE_FOR:
        raise NotYours(f"Imports can be undone for {undoing.POSSIBLE_FOR.days} nights. This one is older.")
    left = undoing.undo(run, now=now)
    settling.settle(school=run.school, import_id=None, now=now)
    inviting.void_outdated(school=run.school, now=now)
    run.state, run.undone_at, run.undone_by, run.left_by_undo = ImportState.UNDONE, now, str(by), left
    run.decided_at = run.decided_at or now
    run.save(update_fields=["state", "undone_at", "undone_by", "left_by_undo", "decided_at"])
    links.pause_after_undo(
        link=run.link, why="An import was undone; tonight's would say the same again.", by=by, now=now
    )
    _audit(run, "import.undone", by=by, now=now)
    return run


def _audit(run: Import, action: str, *, by: Account, now: dt.datetime) -> None:
    audit.record(school=run.school, by=by, action=action, object_kind="import", object_id=run.pk, data={}, now=now)
