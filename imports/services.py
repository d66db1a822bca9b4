"""Running an import: take in what came, claim it, read, plan, guard, apply, and say how it went.

The phases are committed as they begin, so that a page can show them; everything an import changes
is written in one transaction. A worker that dies holds no lock, so `imports.sweeping` finds its run.
"""

from __future__ import annotations

import datetime as dt
import logging
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import F

from hub.core.models import School
from hub.people.locking import lock_school
from imports import alerts, apply, checking, following, payloads, reading, rejected, resting
from imports.link import links, nights
from imports.models import GOOD_STATES, HELD_STATES, Import, ImportKind, ImportState, LinkState, MisLink, Payload
from imports.payloads import Readable
from imports.planning import counting
from imports.types import CONTACT, PUPIL, Action, Plan, Verdict
from mis_connectors import registry
from mis_connectors.errors import ConnectorError
from verification.lifecycle.merges import merged_since, merges_made

logger = logging.getLogger(__name__)
LONDON = ZoneInfo("Europe/London")
ATTEMPTS = 3
_KEPT_NOT_APPLIED = frozenset({LinkState.DISABLED, LinkState.FROZEN})


@dataclass(frozen=True, slots=True)
class Received:
    """What became of an upload: the run it started, or why none was."""

    run: Import | None
    payload: Payload
    already: bool
    sentence: str


def receive(
    *,
    link: MisLink,
    stream: Readable,
    filename: str,
    run_id: str,
    kind: ImportKind,
    requested_by: str = "",
    night: dt.date | None = None,
    everybody: bool = True,
    preview: bool = False,
    started_at: dt.datetime | None = None,
    start: bool = True,
    now: dt.datetime,
) -> Received:
    """Keep what came and queue its import; raises `PayloadTooLarge`.

    The same run sent twice is one import. What comes over a link that is disabled or frozen is
    kept and not imported; an upload by hand is imported all the same. With `start` false the run
    is left to the caller.
    """
    connector = registry.connector(link.source.connector)
    with payloads.spool(stream) as spooled, transaction.atomic():
        stored = payloads.store(
            link=link, spooled=spooled, filename=filename, run_id=run_id, connector=connector,
            started_at=started_at, now=now,
        )  # fmt: skip
        run = Import.objects.filter(school_id=link.school_id, payload=stored.payload).order_by("pk").first()
        if stored.already and run:
            return Received(run, stored.payload, True, "This run had arrived already; it is imported once.")
        if kind != ImportKind.UPLOAD and link.state in _KEPT_NOT_APPLIED:
            sentence = "The MIS Link is switched off, so this was kept and not imported. Switch it on to import it."
            return Received(None, stored.payload, False, sentence)
        if kind != ImportKind.UPLOAD and not preview and (pause := links.holds_arrivals(link, now=now)):
            return Received(None, stored.payload, False, f"{pause} So this was kept and not imported.")
        run = Import.objects.create(
            school_id=link.school_id, link=link, payload=stored.payload, kind=kind, preview=preview,
            everybody=everybody, night=night, requested_by=requested_by, created_at=now,
        )  # fmt: skip
        nights.claim(link=link, run=run, now=now)
        if start:
            enqueue(run)
    return Received(run, stored.payload, False, "Thank you. It has arrived and is being imported.")


def enqueue(run: Import) -> None:
    """Ask a worker for this run once the transaction has committed; ids only.

    What has no payload yet is fetched first. Where there is no broker, the tick asks again.
    """
    from imports.tasks import collect_import, run_import

    task, ids = (collect_import if run.payload_id is None else run_import), (run.school_id, run.pk)
    transaction.on_commit(lambda: task.delay(*ids), robust=True)


def run(*, import_id: int, now: dt.datetime) -> Import | None:
    """Carry out one run, unless it is not waiting or another process has it; returns it when it was ours."""
    if not apply.try_lock(import_id):
        return None
    try:
        claimed = _claim(import_id, now=now)
        if claimed is not None:
            with resting.collector():
                _carry_out(claimed, now=now)
            after(claimed, now=now)
        return claimed
    finally:
        apply.unlock(import_id)


def _claim(import_id: int, *, now: dt.datetime) -> Import | None:
    waiting = Import.objects.filter(
        pk=import_id, payload__isnull=False, state__in=[ImportState.QUEUED, ImportState.INTERRUPTED]
    )
    try:
        with transaction.atomic():
            taken = waiting.update(state=ImportState.READING, started_at=now, attempts=F("attempts") + 1)
    except IntegrityError:
        return None  # Another run of this link is under way; the tick asks again.
    if not taken:
        return None
    return Import.objects.select_related("link__source", "payload", "school").get(pk=import_id)


def _carry_out(run: Import, *, now: dt.datetime) -> None:
    try:
        _import(run, now=now)
    except ConnectorError as error:
        fail(run, error.message, code="format", detail=error.detail, now=now)
    except payloads.PayloadCleared as error:
        fail(run, str(error), code="cleared", now=now)
    except Exception:
        logger.exception("Import %s was interrupted", run.pk)
        _interrupt(run, now=now)


def _import(run: Import, *, now: dt.datetime) -> None:
    local_now = now.astimezone(LONDON)
    if _is_overtaken(run):
        finish(run, ImportState.DISCARDED, now=now, decided_at=now, reasons=[_OVERTAKEN])
        return
    basis = reading.basis_of(run.link)
    if (last := _same_as_last(run, basis, today=local_now.date())) is not None:
        none = dict.fromkeys(("added", "updated", "ended", "kept", "rejected"), 0)
        with transaction.atomic():
            following.follow(run, Plan(), pupil_ids=frozenset(), now=now)
            finish(run, ImportState.UNCHANGED, now=now, counts={**last.counts, **none, "by_kind": {}, "removed": {}})
        return
    read = reading.read(basis, run, today=local_now.date())
    _phase(run, ImportState.PLANNING)
    for attempt in range(ATTEMPTS):
        planned = reading.plan_run(basis, run, read, school=run.school, local_now=local_now)
        if run.preview:
            _show(run, basis, planned, read, now=now)
            return
        try:
            _apply(run, basis, read, planned, now=now)
            return
        except apply.StateMoved as moved:
            if attempt == ATTEMPTS - 1:
                raise
            if isinstance(moved, apply.PeopleMoved):
                read = reading.read(basis, run, today=local_now.date())


_OVERTAKEN = {
    "code": "overtaken",
    "sentence": "A newer file had come in before this one could be imported, so this one was put aside.",
    "advice": "Nothing needs doing.",
}


def _is_overtaken(run: Import) -> bool:
    """Say whether something newer of everybody is in already, so that this would turn back the clock."""
    assert run.payload is not None
    if run.preview or run.kind == ImportKind.UPLOAD:
        return False
    newer = Import.objects.filter(
        school_id=run.school_id, link_id=run.link_id, preview=False, everybody=True,
        payload__received_at__gt=run.payload.received_at, state__in=[*GOOD_STATES, *HELD_STATES],
    )  # fmt: skip
    return newer.exists()


def _same_as_last(run: Import, basis: reading.Basis, *, today: dt.date) -> Import | None:
    """Return the last import of the link if it was of the same bytes, read the same way, and all went in."""
    assert run.payload is not None
    if run.preview or not run.payload.content_digest or reading.is_full_night(basis.link, today) or run.released:
        return None
    earlier = Import.objects.filter(school_id=run.school_id, link=run.link, preview=False, finished_at__isnull=False)
    last = (
        earlier.exclude(pk=run.pk).exclude(state=ImportState.FAILED).select_related("payload").order_by("-pk").first()
    )
    if last is None or last.state not in GOOD_STATES or last.payload is None:
        return None
    if earlier.filter(undone_at__gt=last.finished_at).exists():
        return None  # What was put back since has to come in again.
    if merged_since(run.school_id, last.finished_at or last.created_at):
        return None  # The records of one person speak together from now on, or no longer do.
    same_bytes = bytes(last.payload.content_digest) == bytes(run.payload.content_digest)
    read_the_same = last.counts.get("read_as") == basis.read_as and last.everybody == run.everybody
    return last if same_bytes and read_the_same else None


def _show(run: Import, basis: reading.Basis, planned: reading.Planned, read: reading.Read, *, now: dt.datetime) -> None:
    to_mend = rejected.to_mend(planned.plan.problems)
    counts = counting.counts_of(planned.plan, read.reading, planned.assessment, rejected=to_mend)
    would = counting.rows_of([*planned.waiting, *planned.plan.changes])
    finish(
        run, _state_of(planned, planned.plan), now=now, counts=counts, would=would,
        reasons=_reasons(planned), notes=list(read.reading.notes),
        cells=checking.wrong_cells(read, basis, planned.plan),
    )  # fmt: skip


def _apply(
    run: Import, basis: reading.Basis, read: reading.Read, planned: reading.Planned, *, now: dt.datetime
) -> None:
    today = now.astimezone(LONDON).date()
    plan = planned.plan
    _phase(run, ImportState.APPLYING)
    with transaction.atomic():
        lock_school(run.school_id)
        if merges_made(run.school_id) != read.merges:
            raise apply.PeopleMoved
        new_rejected = 0
        if planned.assessment.verdict is not Verdict.REFUSE:
            pupil_ids = apply.apply(plan, run=run, source=basis.link.source, now=now, today=today)
            following.follow(run, plan, pupil_ids=None if read.full else pupil_ids, now=now)
        if planned.assessment.verdict not in (Verdict.REFUSE, Verdict.HOLD):
            apply.remember_passed(plan.passed, read.reading.opened, source=basis.link.source)
            if CONTACT not in read.reading.complete and _brings_pupils(plan):
                apply.forget_waiting(basis.link.source)
            new_rejected = rejected.record(
                run=run, problems=plan.problems, opened=read.reading.opened, present=read.reading.present,
                complete=read.reading.complete, now=now,
            )  # fmt: skip
            if read.full:
                MisLink.objects.filter(pk=run.link_id).update(read_everything_on=today)
        approved = run.released.get("removals", {})
        counts = counting.counts_of(
            plan, read.reading, planned.assessment, rejected=new_rejected, approved=approved
        )  # fmt: skip
        counts |= {"read_as": basis.read_as, "lacking": sorted(read.lacking)}
        _supersede(run, now=now)
        finish(
            run, _state_of(planned, plan), now=now, counts=counts, would=counting.rows_of(planned.waiting),
            reasons=_reasons(planned), notes=list(read.reading.notes),
        )  # fmt: skip


def _brings_pupils(plan: Plan) -> bool:
    return any(change.model == PUPIL and change.action in (Action.ADDED, Action.RETURNED) for change in plan.changes)


def _state_of(planned: reading.Planned, plan: Plan) -> ImportState:
    verdict = planned.assessment.verdict
    if verdict in (Verdict.HOLD, Verdict.REFUSE):
        return ImportState.HELD
    if verdict is Verdict.WITHOUT_REMOVALS:
        return ImportState.PARTLY_HELD
    return ImportState.UNCHANGED if plan.is_empty else ImportState.APPLIED


def _reasons(planned: reading.Planned) -> list[dict[str, str]]:
    return [
        {"code": reason.code, "sentence": reason.sentence, "advice": reason.advice}
        for reason in planned.assessment.reasons
    ]


def _supersede(run: Import, *, now: dt.datetime) -> None:
    """Close an older hold of this link: the newest snapshot speaks."""
    older = Import.objects.filter(
        school_id=run.school_id, link_id=run.link_id, preview=False, decided_at=None, pk__lt=run.pk
    )
    older.filter(state=ImportState.HELD).update(state=ImportState.DISCARDED, decided_at=now)
    older.filter(state__in=HELD_STATES).update(decided_at=now)


def _phase(run: Import, state: ImportState) -> None:
    run.state = state
    run.save(update_fields=["state"])


def finish(run: Import, state: ImportState, *, now: dt.datetime, **values: object) -> None:
    """End a run in this state."""
    run.state = state
    run.finished_at = max(clock(), now)
    for name, value in values.items():
        setattr(run, name, value)
    run.save(update_fields=["state", "finished_at", *values])


def clock() -> dt.datetime:
    """Return the time now, for what took a while."""
    return dt.datetime.now(dt.UTC)


def fail(
    run: Import, sentence: str, *, code: str, detail: str = "", advice: str = "", now: dt.datetime
) -> None:  # fmt: skip
    """End a run as failed, with a sentence for the office and what to do. The payload is kept."""
    advice = advice or f"Everything is as it was before.{_kept(run)}"
    finish(
        run, ImportState.FAILED, now=now, detail=detail,
        reasons=[{"code": code, "sentence": sentence, "advice": advice}],
    )  # fmt: skip


def _kept(run: Import) -> str:
    if run.payload is None or not run.payload.stored:
        return ""
    what = "What came" if run.kind == ImportKind.CLOUDLINK else "The file"
    return f" {what} is kept for support, for {settings.PAYLOAD_NIGHTS} nights."


def _interrupt(run: Import, *, now: dt.datetime) -> None:
    if run.attempts >= ATTEMPTS:
        fail(
            run, "Something went wrong on our side three times, so this import was given up.", code="internal", now=now
        )
    else:
        Import.objects.filter(pk=run.pk).update(state=ImportState.INTERRUPTED)
        run.state = ImportState.INTERRUPTED


def after(run: Import, *, now: dt.datetime) -> None:
    """Bring the school's alerts up to date once a run has ended."""
    if not run.preview:
        try:
            alerts.refresh(School.objects.get(pk=run.school_id), now)
        except Exception:
            logger.exception("Alerts of import %s could not be refreshed", run.pk)
