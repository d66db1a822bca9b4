"""Fetching from an MIS: begin what is due or asked for, fetch without the database, and keep what came.

A run to be fetched is an `Import` without a payload. Everything that decides lives in PostgreSQL; while the MIS is
waited for, no connection, lock or transaction is held. What was fetched goes on as any import (`imports.services`).
"""

from __future__ import annotations

import datetime as dt
import logging
import random
import tempfile
import traceback
import zipfile
from dataclasses import dataclass
from typing import BinaryIO, cast

from django.conf import settings
from django.db import IntegrityError, connection, transaction
from django.db.models import F, Q

from hub.core import audit
from hub.core.keyring import KeyringError
from imports import moments, payloads, selectors, services
from imports.link import links, nights, onboarding, schedule
from imports.link.access import access_of
from imports.link.changing import info_of, lock
from imports.models import OPEN_STATES, Import, ImportKind, ImportState, LinkState, MisLink
from mis_connectors import registry
from mis_connectors.archive import ArchiveSink
from mis_connectors.base import Access, ConnectorInfo, Delivery, PullConnector, SetUp
from mis_connectors.errors import (
    ConnectorAnotherSchool,
    ConnectorAuthError,
    ConnectorConfigError,
    ConnectorError,
    ConnectorPlatformError,
    ConnectorUnavailable,
    SnapshotFormatError,
)

logger = logging.getLogger(__name__)

DEADLINE_SECONDS = 900.0
"""All requests of one run together."""
LIMIT = dt.timedelta(seconds=DEADLINE_SECONDS) + dt.timedelta(minutes=5)
"""Whoever collects has given up by then, or died: the run is begun again."""
AGAIN_AFTER = (dt.timedelta(minutes=5), dt.timedelta(minutes=20), dt.timedelta(minutes=60))
"""An MIS that does not answer is asked again after these, and then no more tonight."""
LONGEST_WAIT = dt.timedelta(hours=3)
"""An MIS that asks us to wait longer is asked after this all the same."""
_JITTER = 0.2
IN_MEMORY = 8 * 2**20
ASKED_AT_ONCE = 200
"""Runs that one tick asks for again: while all threads wait for an MIS that hangs, the queue does not grow for long."""


class Broken(Exception):
    """The connector itself failed: a fault of ours."""


# Beginning


def begin(*, link_id: int, now: dt.datetime) -> Import | None:
    """Begin to fetch over a link if that is due or asked for, and no run of it is open; return the run."""
    with transaction.atomic():
        link = _locked(link_id)
        why = why_begin(link, info_of(link.source.connector), now=now) if link else None
        if link is None or why is None:
            return None
        waiting = Import.objects.filter(school_id=link.school_id, link=link, preview=False)
        if (under_way := waiting.filter(state__in=[*OPEN_STATES, ImportState.INTERRUPTED]).first()) is not None:
            if why == "asked":
                _sooner(under_way, link, now=now)
            return None
        run = Import.objects.create(
            school_id=link.school_id, link=link, kind=ImportKind.CLOUDLINK, requested_by=link.wanted_by, created_at=now
        )
        nights.claim(link=link, run=run, now=now)
        tried_at = link.tried_at if link.state == LinkState.ENABLED else now
        MisLink.objects.filter(pk=link.pk).update(wanted_at=None, wanted_by="", tried_at=tried_at)
        services.enqueue(run)
    return run


def _sooner(run: Import, link: MisLink, *, now: dt.datetime) -> None:
    """Ask at once for a run that was to be asked for later: somebody wants it. Not where the MIS has said when."""
    waits = run.state == ImportState.QUEUED and run.not_before is not None and run.not_before > now
    if waits and links.told_to_wait(link, now=now) is None:
        Import.objects.filter(pk=run.pk).update(not_before=None)
        MisLink.objects.filter(pk=link.pk).update(wanted_at=None, wanted_by="")
        services.enqueue(run)


def why_begin(link: MisLink, info: ConnectorInfo, *, now: dt.datetime) -> str | None:
    """Return why a run should begin now, `asked` or `due`, or None."""
    if info.delivery is not Delivery.PULL or link.source.ended_at is not None or link.paused_at is not None:
        return None
    if link.wanted_at is not None and link.state in (LinkState.ENABLED, LinkState.WAITING):
        return "asked"
    if link.state == LinkState.ENABLED:
        return "due" if nights.is_due(link, now=now) else None
    if link.state == LinkState.WAITING or (link.state == LinkState.RECONNECT and info.set_up is SetUp.GRANT):
        due = list(nights.trials(link).between(now - schedule.CATCH_UP, now))
        return "due" if due and (link.tried_at is None or link.tried_at < due[-1].due_at) else None
    return None


def to_begin(*, now: dt.datetime) -> list[tuple[int, int]]:
    """Return `(school, link)` of links that may have to begin; read with every school in scope."""
    pulled = [info.slug for info in registry.infos() if info.delivery is Delivery.PULL]
    links = MisLink.objects.filter(source__connector__in=pulled, source__ended_at=None, paused_at=None)
    due = nights.unsatisfied(now=now)
    asked = Q(wanted_at__isnull=False, state__in=(LinkState.ENABLED, LinkState.WAITING))
    tried = Q(state__in=(LinkState.WAITING, LinkState.RECONNECT))
    found = links.filter(asked | tried | Q(state=LinkState.ENABLED, pk__in=due)).select_related("source")
    return [
        (link.school_id, link.pk)
        for link in found
        if link.pk in due or why_begin(link, info_of(link.source.connector), now=now) is not None
    ]


def lost(*, now: dt.datetime) -> list[tuple[int, int]]:
    """Return `(school, import)` of runs whose collector has died; read with every school in scope."""
    dead = Import.objects.filter(state=ImportState.COLLECTING, collect_until__lt=now)
    return list(dead.order_by("pk").values_list("school_id", "pk"))


def to_collect(*, before: dt.datetime, now: dt.datetime) -> list[tuple[int, int]]:
    """Return `(school, import)` of runs that wait to be fetched; read with every school in scope."""
    waiting = Import.objects.filter(state=ImportState.QUEUED, payload=None, created_at__lt=before)
    ready = waiting.filter(Q(not_before=None) | Q(not_before__lte=now))
    return list(ready.order_by("pk").values_list("school_id", "pk")[:ASKED_AT_ONCE])


def restart(*, import_id: int, now: dt.datetime) -> None:
    """Begin a run again whose collector has died; after as many times as an MIS is asked it has failed."""
    with transaction.atomic():
        dead = Import.objects.select_for_update(of=("self",)).select_related("school")
        run = dead.filter(pk=import_id, state=ImportState.COLLECTING, collect_until__lt=now).first()
        if run is None:
            return
        if run.collect_attempts > len(AGAIN_AFTER):
            services.fail(
                run, "Fetching stopped in the middle several times, so it was given up.", code="interrupted", now=now,
                advice="Everything is as it was before. It is tried again on the next night.",
            )  # fmt: skip
            return
        run.state, run.collect_until = ImportState.QUEUED, None
        run.save(update_fields=["state", "collect_until"])
        services.enqueue(run)


# Fetching


def collect(*, import_id: int, now: dt.datetime) -> None:
    """Fetch for one run, unless it is not waiting, has to wait still, or another run of its link is under way."""
    run = _claim(import_id, now=now)
    if run is None:
        return
    made = registry.connector(run.link.source.connector)
    with cast(BinaryIO, tempfile.SpooledTemporaryFile(max_size=IN_MEMORY)) as file:
        try:
            access = access_of(run.link, deadline_seconds=DEADLINE_SECONDS)
            _let_go()
            parts = _fetch(cast(PullConnector, made), access, file)
        except ConnectorError as error:
            came = _Came(file, parts=_parts_of(file), error=error)
        except KeyringError:
            came = _Came(file, error=ConnectorConfigError(_UNREADABLE, detail="no key opens the link's secrets"))
        except Exception as error:  # noqa: BLE001  (a connector's own fault; its message may hold anything)
            where = "".join(traceback.format_tb(error.__traceback__))
            logger.error("Collecting for import %s stopped: %s\n%s", run.pk, type(error).__name__, where)
            came = _Came(file, error=Broken())
        else:
            came = _Came(file, parts=parts)
        if _settle(run, came, now=max(now, services.clock())):
            services.after(run, now=max(now, services.clock()))


_UNREADABLE = "What was typed in for this link can no longer be opened on this hub. Type it in again."


@dataclass(frozen=True, slots=True)
class _Came:
    """What fetching brought: parts in a zip, and what stopped it."""

    file: BinaryIO
    parts: int = 0
    error: Exception | None = None


def _fetch(made: PullConnector, access: Access, file: BinaryIO) -> int:
    with ArchiveSink(file, limit=settings.UNPACKED_LIMIT) as sink:
        made.collect(access, sink)
        return sink.parts


def _parts_of(file: BinaryIO) -> int:
    """Return how many answers came before it stopped."""
    file.seek(0)
    try:
        with zipfile.ZipFile(file) as kept:
            return len(kept.infolist())
    except zipfile.BadZipFile:
        return 0


def _let_go() -> None:
    """Give the connection back while the MIS is waited for; the next query opens one in the same scope."""
    if not connection.in_atomic_block:
        connection.close()


def _claim(import_id: int, *, now: dt.datetime) -> Import | None:
    waiting = Import.objects.filter(pk=import_id, state=ImportState.QUEUED, payload=None)
    try:
        with transaction.atomic():
            taken = waiting.filter(Q(not_before=None) | Q(not_before__lte=now)).update(
                state=ImportState.COLLECTING, started_at=now, collect_until=now + LIMIT,
                collect_attempts=F("collect_attempts") + 1,
            )  # fmt: skip
    except IntegrityError:
        return None  # Another run of this link is under way; the tick asks again.
    if not taken:
        return None
    return Import.objects.select_related("link__source", "link__school", "school").get(pk=import_id)


# What came of it


def _settle(mine: Import, came: _Came, *, now: dt.datetime) -> bool:
    """Keep what came and say how it went, in one transaction; return whether the run ended here."""
    with transaction.atomic():
        link = _locked(mine.link_id)
        run = Import.objects.select_for_update(of=("self",)).select_related("school").filter(pk=mine.pk).first()
        if link is None or run is None or not _is_still_mine(run, mine):
            return False
        run.link = link
        run.collect_until = run.not_before = None
        match came.error:
            case None:
                return _keep(run, came, now=now)
            case ConnectorAuthError() as error:
                return _refused(run, error, now=now)
            case ConnectorPlatformError() as error if _may_be_not_yet(link):
                return _refused(run, error, now=now)
            case ConnectorUnavailable() as error:
                return _again(run, error, now=now)
            case Broken():
                return _again(run, None, now=now)
            case ConnectorError() as error:
                return _failed(run, came, error, now=now)
            case other:
                raise other


def _is_still_mine(run: Import, mine: Import) -> bool:
    """Say whether nobody has taken over meanwhile, because this took too long."""
    return run.state == ImportState.COLLECTING and run.collect_attempts == mine.collect_attempts


def _keep(run: Import, came: _Came, *, now: dt.datetime) -> bool:
    link = run.link
    _store(run, came.file, now=now)
    if link.state in (LinkState.DISABLED, LinkState.FROZEN) or link.paused_at is not None:
        run.save()
        services.finish(run, ImportState.DISCARDED, now=now, decided_at=now, reasons=[_SWITCHED_OFF])
        return True
    onboarding.let_in(link, now=now)
    run.state, run.reasons = ImportState.QUEUED, []
    run.save()
    services.enqueue(run)
    return False


_SWITCHED_OFF = {
    "code": "switched_off",
    "sentence": "The MIS Link was switched off or paused while this was fetched, so it was kept and not imported.",
    "advice": "Switch the link on to import again.",
}


def _store(run: Import, file: BinaryIO, *, now: dt.datetime) -> None:
    stored = payloads.store(
        link=run.link, spooled=file, filename=f"{run.link.source.connector}.zip", run_id=f"collected-{run.pk}",
        connector=registry.connector(run.link.source.connector), started_at=run.started_at, now=now,
    )  # fmt: skip
    run.payload = stored.payload


def _may_be_not_yet(link: MisLink) -> bool:
    """Say whether an MIS that refuses the hub's own key may only not have let this school in yet, or no longer."""
    return onboarding.refusal(link.state, info_of(link.source.connector)).quiet


def _refused(run: Import, error: ConnectorAuthError | ConnectorPlatformError, *, now: dt.datetime) -> bool:
    found = onboarding.shut_out(run.link, sentence=error.message, now=now)
    if found.quiet:
        audit.record(  # so that a page open on the try can say what became of it
            school=run.school, by=None, action=selectors.NOT_LET_IN, object_kind="import", object_id=run.pk,
            data={"link": run.link_id}, now=now,
        )  # fmt: skip
        run.delete()
        return True
    services.fail(
        run, error.message, code=_code(error), detail=error.detail, now=now,
        advice="Everything is as it was before. Open Settings > MIS Link: its steps say how to connect it again.",
    )  # fmt: skip
    return True


def _again(run: Import, error: ConnectorUnavailable | None, *, now: dt.datetime) -> bool:
    """Try again later, or give up for tonight."""
    sentence = error.message if error else "Something went wrong on our side while fetching."
    code, detail = ("unavailable", error.detail) if error else ("internal", "")
    told = error.retry_after if error else None
    if run.link.state != LinkState.ENABLED:
        MisLink.objects.filter(pk=run.link_id).update(tried_at=now, tried_said=sentence[:500])
    if run.collect_attempts > len(AGAIN_AFTER):
        services.fail(run, sentence, code=code, detail=detail, advice=_when_next(run, now=now), now=now)
        return True
    run.not_before = again_at(
        run.collect_attempts, told, now=now, chance=random.random()  # noqa: S311
    )  # fmt: skip
    run.state, run.detail = ImportState.QUEUED, detail
    code = links.TOLD_TO_WAIT if told is not None else code
    run.reasons = [{"code": code, "sentence": sentence, "advice": "It is tried again by itself."}]
    run.save()
    return False


def again_at(attempts: int, retry_after: float | None, *, now: dt.datetime, chance: float) -> dt.datetime:
    """Return when to ask again after so many attempts: when the MIS says, else later each time. Pure."""
    wait = AGAIN_AFTER[min(attempts, len(AGAIN_AFTER)) - 1]
    if retry_after is not None:
        wait = min(dt.timedelta(seconds=max(0.0, retry_after)), LONGEST_WAIT)
    return now + wait * (1 + _JITTER * chance)


def _failed(run: Import, came: _Came, error: ConnectorError, *, now: dt.datetime) -> bool:
    if came.parts:
        _store(run, came.file, now=now)
    run.save()
    advice = f"{_when_next(run, now=now)}{_kept(run, came.parts)}"
    services.fail(run, error.message, code=_code(error), detail=error.detail, advice=advice, now=now)
    return True


def _code(error: ConnectorError) -> str:
    """Return how pages and alerts know this failure again."""
    return next(code for kind, code in _CODES.items() if isinstance(error, kind))


_CODES: dict[type[ConnectorError], str] = {
    ConnectorAnotherSchool: "another_school",
    ConnectorAuthError: "refused",
    ConnectorPlatformError: "platform",
    SnapshotFormatError: "format",
    ConnectorError: "config",
}
"""The first that fits."""


def _kept(run: Import, parts: int) -> str:
    """Return what of a run that was cut off is kept: where an MIS speaks of another school, its first answer only."""
    if parts == 1:
        return f" The one answer that came from {info_of(run.link.source.connector).mis_name} is kept for support."
    return f" The {parts:,} answers that came before are kept for support." if parts else ""


def _when_next(run: Import, *, now: dt.datetime) -> str:
    """Return what to expect after a run that failed: nothing is lost, and when the MIS is asked again."""
    mis, due = info_of(run.link.source.connector).mis_name, nights.next_due(run.link, now=now)
    again = f" {mis} is asked again on {moments.stamp(due, now=now)}; or import now." if due else ""
    return f"Everything is as it was before.{again}"


def _locked(link_id: int) -> MisLink | None:
    link = MisLink.objects.select_related("source", "school").filter(pk=link_id).first()
    if link is not None:
        lock(link)
    return link
