"""A simulated ScholarPack, access to it, and payloads made by hand."""

from __future__ import annotations

import datetime as dt
import io
import json
from collections.abc import Callable
from typing import Any

from mis_connectors.archive import ArchiveSink
from mis_connectors.base import Access, Check
from mis_connectors.http import Http, Outgoing
from mis_connectors.records import IncomingPayload, Kind, Snapshot
from mis_connectors.scholarpack.connector import ScholarpackConnector
from mis_connectors.simulators.hosting import Hosted, Simulation
from mis_connectors.simulators.scholarpack_api import ScholarpackApi
from mis_connectors.simulators.server import Fault, Request, Response, SimulatorServer

DFE = "8233001"
STATE = {"dfe_number": DFE, "seed": 11, "size": 120, "phase": "primary"}
NOW = dt.datetime(2026, 11, 22, 1, 0, tzinfo=dt.UTC)
connector = ScholarpackConnector()


class ScholarPack:
    """One simulated ScholarPack with one school, and the secrets a link to it has."""

    def __init__(self, server: SimulatorServer, api: ScholarpackApi) -> None:
        self.server, self.api = server, api
        self.secrets = dict(api.secrets(DFE))
        self.kept: list[dict[str, str]] = []
        self.slept: list[float] = []

    @property
    def hosted(self) -> Hosted:
        return self.api.simulation.schools[DFE]

    def access(self, *, secrets: dict[str, str] | None = None, **changed: str) -> Access:
        given = self.secrets if secrets is None else secrets
        patience = 0.1 if self.hosted.fault is Fault.HANG else 5

        def keep(values: Any) -> None:
            self.kept.append(dict(values))
            self.secrets.update(values)

        return Access(
            dfe_number=DFE,
            http=Http(
                Outgoing(loopback=True, attempts=2, read_seconds=patience, total_seconds=30), sleep=self.slept.append
            ),
            secrets=dict(given),
            platform={**self.api.platform(self.server.address), **changed},
            save_secrets=keep,
            load_secrets=lambda: self.secrets,
        )

    def collect(self, **changed: str) -> IncomingPayload:
        out = io.BytesIO()
        with ArchiveSink(out, limit=1 << 26) as sink:
            connector.collect(self.access(secrets=None, **changed), sink)
        return payload_of(out.getvalue())

    def read(self) -> Snapshot:
        return connector.read(self.collect())

    def test(self, **changed: str) -> list[Check]:
        return list(connector.test(self.access(secrets=None, **changed)))


def started(state: dict[str, Any] | None = None) -> tuple[SimulatorServer, ScholarpackApi]:
    api = ScholarpackApi(Simulation([state or STATE]))
    return SimulatorServer(api), api


def spoiled(pack: ScholarPack, spoil: Callable[[Request, dict[str, Any]], None]) -> None:
    """Have every page changed before it is sent."""
    real = pack.api.handle

    def handle(request: Request) -> Response:
        response = real(request)
        if request.path.startswith("/api/v1/") and response.status == 200:
            said = json.loads(response.body)
            spoil(request, said)
            return Response(headers=response.headers, body=json.dumps(said).encode())
        return response

    pack.api.handle = handle  # type: ignore[method-assign]


def payload_of(data: bytes, salt: bytes = b"salt") -> IncomingPayload:
    return IncomingPayload(filename="night.zip", open=lambda: io.BytesIO(data), unpacked_limit=1 << 26, salt=salt)


def made_of(parts: dict[str, Any]) -> IncomingPayload:
    out = io.BytesIO()
    with ArchiveSink(out, limit=1 << 26) as sink:
        for name, said in parts.items():
            sink.write(name, said if isinstance(said, bytes) else json.dumps(said).encode())
    return payload_of(out.getvalue())


def student(number: int, **changed: Any) -> dict[str, Any]:
    return {
        "id": number,
        "upn": None,
        "admission_number": f"{number:06}",
        "forename": "Amelia",
        "preferred_forename": None,
        "middle_names": None,
        "surname": "Okafor",
        "legal_surname": "Okafor",
        "date_of_birth": "2015-03-09",
        "gender": "Female",
        "year_group": "Year 6",
        "form": "6C",
        "house": None,
        "admission_date": None,
        "leaving_date": None,
        "status": "On Roll",
        **changed,
    }


def contact(number: int, **changed: Any) -> dict[str, Any]:
    return {
        "id": number,
        "title": "Mrs",
        "forename": "Ngozi",
        "surname": "Okafor",
        "address": "1 Beck Road",
        "postcode": "ZZ1 1ZZ",
        "email": "ngozi@example.org",
        "email_2": None,
        "phones": [{"location": "M", "number": "07700 900123"}],
        **changed,
    }


def link(student_id: int, contact_id: int, **changed: Any) -> dict[str, Any]:
    return {
        "student_id": student_id,
        "contact_id": contact_id,
        "relationship": "Mother",
        "contact_order": 1,
        "responsibility": True,
        **changed,
    }


def member(number: int, **changed: Any) -> dict[str, Any]:
    return {
        "id": number,
        "title": "Ms",
        "forename": "Siân",
        "preferred_forename": None,
        "surname": "Pryce",
        "role": "Teacher",
        "form": "6C",
        "active": "Yes",
        "leaving_date": None,
        "email": "sian@school.example.org",
        "phones": [],
        **changed,
    }


def night(
    students: list[Any] | None = None,
    contacts: list[Any] | None = None,
    links: list[Any] | None = None,
    staff: list[Any] | None = None,
) -> dict[str, Any]:
    """Return the parts of a payload with these records."""
    lists = {"students": students, "contacts": contacts, "student-contacts": links, "staff": staff}
    parts: dict[str, Any] = {"school.json": {"data": {"name": "Larch Hill", "dfe_number": "823/3001"}}}
    for name, records in lists.items():
        parts[f"{name}/01/0001.json"] = {"has_next": False, "data": records or []}
    return {**parts, "about.json": {"staff": "read"}}


def of_kind(snapshot: Snapshot, kind: Kind) -> dict[str, Any]:
    return {record.external_id: record.open().record for record in snapshot.records if record.kind is kind}
