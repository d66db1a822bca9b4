"""An MIS that is fetched from, for tests: what it does is said by the test, and what it got is written down."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from typing import Any, ClassVar

import pytest

from hub.accounts.models import Account
from hub.core.models import School
from imports import collecting, selectors, services, sweeping
from imports.link import links, nights
from imports.models import Import, ImportState, LinkState, MisLink
from mis_connectors import registry
from mis_connectors.archive import content_digest, parts
from mis_connectors.base import Access, Check, ConnectorInfo, Delivery, SettingField, SetUp, Sink
from mis_connectors.errors import ConnectorAuthError, ConnectorError, ConnectorPlatformError
from mis_connectors.records import IncomingPayload, Kind, Opened, PupilRecord, Snapshot, SourceRecord

HOUR = dt.timedelta(hours=1)
DAY = dt.timedelta(days=1)
REFUSED = ConnectorAuthError("The MIS does not let us in yet.", detail="401")
KEY_REFUSED = ConnectorPlatformError("The MIS does not accept the hub's key: tell whoever runs it.", detail="401")
ONE_PUPIL = b"1,Mia,Reed\n2,Tom,Hale\n"


class PulledMis:
    """A connector whose `collect` is what a test gives it; its one part has a pupil a line: id, forename, surname."""

    info: ClassVar[ConnectorInfo]

    def __init__(self, info: ConnectorInfo) -> None:
        self.info = info  # type: ignore[misc]
        self.answer: Callable[[Access, Sink], None] = self.pupils
        self.asked: list[Access] = []
        self.lacking: frozenset[str] = frozenset()

    def collect(self, access: Access, sink: Sink) -> None:
        self.asked.append(access)
        self.answer(access, sink)

    def test(self, access: Access) -> Iterator[Check]:
        yield from ()

    def content_digest(self, payload: IncomingPayload) -> bytes:
        return content_digest(payload)

    def read(self, payload: IncomingPayload) -> Snapshot:
        lines = [line for _name, body in parts(payload) for line in body.decode().splitlines()]
        records = [self._record(number, *line.split(",")) for number, line in enumerate(lines, 1)]
        return Snapshot(
            records=records, complete=frozenset({Kind.PUPIL}), dfe_numbers=frozenset(), lacking=self.lacking
        )

    def problems_of(self, values: Mapping[str, str], *, dfe_number: str) -> Mapping[str, str]:
        return {"account": "This account is another school's."} if values.get("account") == "wrong" else {}

    @staticmethod
    def pupils(access: Access, sink: Sink) -> None:
        sink.write("pupils/0001.csv", ONE_PUPIL)

    @staticmethod
    def _record(number: int, external_id: str, forename: str, surname: str) -> SourceRecord:
        record = PupilRecord(forename=forename, surname=surname, admission_number=external_id)
        return SourceRecord(
            kind=Kind.PUPIL, external_id=external_id, digest=f"{forename} {surname}".encode()[:16].ljust(16),
            file="pupils.csv", row=number, open=lambda: Opened(record),
        )  # fmt: skip


def an_mis(slug: str, set_up: SetUp, *, grace: dt.timedelta = dt.timedelta(0), **more: Any) -> PulledMis:
    """Return an MIS to be fetched from."""
    fields = () if set_up is not SetUp.CREDENTIALS else (
        SettingField(name="account", label="Account"), SettingField(name="password", label="Password", secret=True),
    )  # fmt: skip
    told: dict[str, Any] = {
        "slug": slug, "mis_name": slug.capitalize(), "delivery": Delivery.PULL, "set_up": set_up, "version": 1,
        "grace": grace, "setting_fields": fields,
        "supplies": frozenset({"pupil.forename", "pupil.surname", "pupil.admission_number"}),
    }  # fmt: skip
    info = ConnectorInfo(**{**told, **more})
    return PulledMis(info)


def install(monkeypatch: pytest.MonkeyPatch, *made: PulledMis) -> None:
    """Have these connectors installed beside the others."""
    real = registry.connectors
    monkeypatch.setattr(registry, "connectors", lambda: {**real(), **{one.info.slug: one for one in made}})
    selectors.mis_named.cache_clear()


def a_link(
    school: School, mis: PulledMis, *, by: Account, since: dt.datetime, state: str = LinkState.ENABLED
) -> MisLink:
    """Return a link to an MIS that is fetched from, in this state since then."""
    link = links.create_link(school=school, connector=mis.info.slug, by=by, now=since)
    scheduled = since if state in (LinkState.ENABLED, LinkState.RECONNECT, LinkState.WAITING) else None
    MisLink.objects.filter(pk=link.pk).update(state=state, state_since=since, scheduled_since=scheduled)
    link.refresh_from_db()
    return link


def runs(link: MisLink) -> list[Import]:
    """Return the imports of a link, the oldest first."""
    return list(Import.objects.filter(school_id=link.school_id, link=link).order_by("pk"))


def says(mis: PulledMis, error: ConnectorError | None = None, *parts: tuple[str, bytes]) -> None:
    def answer(access: Access, sink: Sink) -> None:
        for name, body in parts:
            sink.write(name, body)
        if error is not None:
            raise error

    mis.answer = answer if error or parts else PulledMis.pupils


def work(link: MisLink, *, now: dt.datetime) -> MisLink:
    """Do what the tick and the workers would do now."""
    nights.tick(now)
    sweeping.fetch(now=now)
    for run in Import.objects.filter(link=link, payload=None, state=ImportState.QUEUED):
        collecting.collect(import_id=run.pk, now=now)
    for run in Import.objects.filter(link=link, payload__isnull=False, state=ImportState.QUEUED):
        services.run(import_id=run.pk, now=now)
    link.refresh_from_db()
    return link
