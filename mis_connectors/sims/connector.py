"""SIMS 7, pushed by the agent beside it: how it describes itself, and the contract's two verbs."""

from __future__ import annotations

from typing import ClassVar

from mis_connectors.base import ConnectorInfo, Delivery
from mis_connectors.records import IncomingPayload, Snapshot
from mis_connectors.sims import package, parse

_SUPPLIES = {
    "pupil": "upn former_upn admission_number forename surname legal_forename legal_surname middle_names "
    "date_of_birth gender year_group registration_group house class_name admission_date leaving_date pre_admission",
    "contact": "title forename surname gender address postcode language telephones emails",
    "link": "relationship priority parental_responsibility court_order lives_with correspondence applicant_only",
    "staff": "code title forename surname role tutor_of leaving_date telephones emails",
}


class SimsConnector:
    """Reads the three reports of the school's report builder, by their captions."""

    info: ClassVar[ConnectorInfo] = ConnectorInfo(
        slug="sims",
        mis_name="SIMS",
        delivery=Delivery.PUSH,
        version=1,
        supplies=frozenset(f"{kind}.{name}" for kind, names in _SUPPLIES.items() for name in names.split()),
        setup_template="mis_sims/setup.html",
        field_names={"email": "Email (Home, Main)", "mobile": "Telephone (Mobile, Main)"},
    )

    def content_digest(self, payload: IncomingPayload) -> bytes:
        """Return 32 bytes over the reports; raises `SnapshotFormatError` where they cannot be unpacked."""
        return package.content_digest(payload)

    def read(self, payload: IncomingPayload) -> Snapshot:
        """Return what the reports say; raises `SnapshotFormatError`."""
        return parse.read(payload)
