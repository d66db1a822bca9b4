"""ScholarPack, fetched over its REST API with the school's consent: how it describes itself, and the contract."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import ClassVar

from mis_connectors import archive
from mis_connectors.base import Access, Check, ConnectorInfo, Delivery, SettingField, SetUp, Sink
from mis_connectors.errors import ConnectorAuthError
from mis_connectors.records import IncomingPayload, Snapshot
from mis_connectors.scholarpack import checks, client, collecting, oauth, parse, schools, wording

_SUPPLIES = {
    "pupil": "upn admission_number forename surname legal_forename legal_surname middle_names date_of_birth gender "
    "year_group registration_group house admission_date leaving_date pre_admission",
    "contact": "title forename surname address postcode telephones emails",
    "link": "relationship priority parental_responsibility",
    "staff": "title forename surname role tutor_of leaving_date telephones emails",
}


class ScholarpackConnector:
    """Reads students, contacts, student-contacts and staff of API v1."""

    info: ClassVar[ConnectorInfo] = ConnectorInfo(
        slug="scholarpack",
        mis_name="ScholarPack",
        delivery=Delivery.PULL,
        set_up=SetUp.CONSENT,
        version=1,
        supplies=frozenset(f"{kind}.{name}" for kind, names in _SUPPLIES.items() for name in names.split()),
        optional=parse.STAFF_FIELDS,
        partly={
            "contact.emails": "Only “Email”. ScholarPack’s “Email 2” is not read.",
            "contact.telephones": "The first number of location M is tried first.",
            "link.priority": "ScholarPack’s “Contact Order”.",
            "link.parental_responsibility": "ScholarPack’s “Responsibility”. It tells us of no court orders: where one "
            "stands, take “Responsibility” away in ScholarPack.",
            "pupil.registration_group": "ScholarPack’s form: its classes are the same thing.",
        },
        platform_fields=(
            SettingField(name="address", label="Address", help="https://services.scholarpack.co.uk"),
            SettingField(name="client_id", label="Client id", help="From ScholarPack, when the hub was registered."),
            SettingField(name="client_secret", label="Client secret", secret=True),
        ),
        setup_template="mis_scholarpack/setup.html",
        field_names={"email": "Email (not Email 2)", "mobile": "Phone, location M (the first)"},
    )

    def content_digest(self, payload: IncomingPayload) -> bytes:
        """Return 32 bytes over the parts; raises `SnapshotFormatError` where they cannot be unpacked."""
        return archive.content_digest(payload)

    def read(self, payload: IncomingPayload) -> Snapshot:
        """Return what the parts say; raises `SnapshotFormatError`."""
        return parse.read(payload)

    def authorise_url(self, access: Access, *, redirect_uri: str, state: str) -> str:
        """Return where the school signs in and consents; raises `ConnectorConfigError`."""
        return oauth.authorise_url(access, redirect_uri=redirect_uri, state=state)

    def exchange(self, access: Access, *, code: str, redirect_uri: str) -> Mapping[str, str]:
        """Return the tokens to keep; raises `ConnectorAuthError`, also where another school consented."""
        tokens = oauth.exchange(access, code=code, redirect_uri=redirect_uri)
        asking = client.Client(access, tokens)
        self._enter(access, asking)
        return asking.tokens.as_secrets()

    def collect(self, access: Access, sink: Sink) -> None:
        """Fetch every list into the sink, each until it holds still; nothing is fetched of another school.

        Raises `ConnectorAuthError`, `ConnectorUnavailable`, `SnapshotFormatError`.
        """
        asking = client.Client(access)
        sink.write("school.json", self._enter(access, asking))
        collecting.People(asking, sink).collect()

    def test(self, access: Access) -> Iterator[Check]:
        """Try each part in order and yield what was found; stops after one that failed."""
        return checks.run(access)

    @staticmethod
    def _enter(access: Access, asking: client.Client) -> bytes:
        """Return what ScholarPack says of the school; raises `ConnectorAuthError` where it is not ours, or shut."""
        try:
            school, body = asking.school()
        except client.Refused:
            raise ConnectorAuthError(wording.NOT_SWITCHED_ON, detail="school: 403") from None
        schools.require_ours(access, school)
        return body
