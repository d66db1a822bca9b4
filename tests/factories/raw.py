"""An MIS whose snapshot is what a test says, record by record, and its imports one after another."""

from __future__ import annotations

import datetime as dt
import hashlib
import io
from dataclasses import replace
from typing import Any, ClassVar

from hub.core.models import School
from imports import services
from imports.canonical import _EVERYTHING
from imports.link import links
from imports.models import Import, ImportKind, MisLink
from mis_connectors.base import ConnectorInfo, Delivery
from mis_connectors.records import (
    ContactRecord,
    IncomingPayload,
    Kind,
    LinkRecord,
    Opened,
    PupilRecord,
    Record,
    Snapshot,
    SourceRecord,
    StaffRecord,
)

NIGHT = dt.datetime(2026, 11, 23, 2, 4, tzinfo=dt.UTC)
_KIND = {PupilRecord: Kind.PUPIL, ContactRecord: Kind.CONTACT, StaffRecord: Kind.STAFF}


class RawMis:
    """A connector that reads nothing: its records stand in the test."""

    info: ClassVar[ConnectorInfo] = ConnectorInfo(
        slug="raw", mis_name="Raw", delivery=Delivery.PUSH, version=1, supplies=_EVERYTHING
    )

    def __init__(self) -> None:
        self.records: dict[str, Record] = {}
        self.lacking: frozenset[str] = frozenset()

    def content_digest(self, payload: IncomingPayload) -> bytes:
        with payload.open() as stream:
            return hashlib.sha256(stream.read()).digest()

    def read(self, payload: IncomingPayload) -> Snapshot:
        return Snapshot(
            records=[self._source(key, record) for key, record in self.records.items()],
            complete=frozenset(Kind), dfe_numbers=frozenset(), lacking=self.lacking,
        )  # fmt: skip

    def change(self, key: str, **values: Any) -> None:
        """Change a record as its office would."""
        self.records[key] = replace(self.records[key], **values)

    def without(self, record: Record) -> Record:
        """Return a record as it comes without the fields that are withheld."""
        kind = _KIND[type(record)].value
        names = [name.partition(".")[2] for name in self.lacking if name.startswith(f"{kind}.")]
        cleared: dict[str, Any] = {name: () if name in ("emails", "telephones") else None for name in names}
        record = replace(record, **cleared)
        if isinstance(record, ContactRecord):
            of_links: dict[str, Any] = {
                name.partition(".")[2]: None for name in self.lacking if name.startswith("link.")
            }
            record = replace(record, links=tuple(replace(link, **of_links) for link in record.links))
        return record

    def _source(self, key: str, record: Record) -> SourceRecord:
        seen = self.without(record)
        digest = hashlib.blake2b(repr(seen).encode(), digest_size=16).digest()
        return SourceRecord(
            kind=_KIND[type(record)], external_id=key, digest=digest, file="raw", row=1, open=lambda: Opened(seen)
        )


class RawNights:
    """One school's imports from such an MIS."""

    def __init__(self, school: School, mis: RawMis) -> None:
        self.school, self.mis, self.now = school, mis, NIGHT
        self.link: MisLink = links.create_link(school=school, connector="raw", by=None, now=NIGHT)

    def night(self) -> Import:
        """Import what the MIS says now."""
        said = repr((self.mis.records, self.mis.lacking)).encode()
        came = services.receive(
            link=self.link, stream=io.BytesIO(said), filename="raw", run_id=f"{self.now:%d}", start=False,
            kind=ImportKind.AUTOLINK, now=self.now,
        )  # fmt: skip
        assert came.run is not None
        run = services.run(import_id=came.run.pk, now=self.now)
        assert run is not None
        self.now += dt.timedelta(days=1)
        return run


def a_pupil(forename: str, surname: str = "Okafor", **values: Any) -> PupilRecord:
    return PupilRecord(forename=forename, surname=surname, year_group="4", **values)


def a_parent(
    forename: str, *pupils: str, surname: str = "Okafor", email: str = "", mobile: str = "",
    responsibility: bool | None = True, **values: Any,
) -> ContactRecord:  # fmt: skip
    """Return a contact with a link to each of these pupils."""
    return ContactRecord(
        forename=forename, surname=surname, emails=(email,) if email else (), telephones=(mobile,) if mobile else (),
        links=tuple(
            LinkRecord(pupil_external_id=pupil, relationship="Mother", parental_responsibility=responsibility)
            for pupil in pupils
        ),
        **values,
    )  # fmt: skip
