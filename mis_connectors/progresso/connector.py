"""Progresso, fetched through its Web API V2: how it describes itself, and the contract's verbs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import ClassVar

from mis_connectors import archive, checks
from mis_connectors.base import (
    Access,
    Check,
    ConnectorInfo,
    Delivery,
    SettingField,
    SetUp,
    Sink,
)
from mis_connectors.errors import ConnectorAuthError, ConnectorError, ConnectorUnavailable
from mis_connectors.lists import Identity
from mis_connectors.progresso import parse, people
from mis_connectors.progresso.client import ANSWERS, IDENTITIES, WHERE, CredentialsRefused, WebApi, identity
from mis_connectors.records import IncomingPayload, Snapshot

TURNS = 3
"""So often everything is fetched anew where it changes while it is fetched."""
_SUPPLIES = {
    "pupil": "upn admission_number forename surname legal_forename legal_surname date_of_birth gender year_group "
    "registration_group house admission_date leaving_date",
    "contact": "title forename surname address postcode telephones emails",
    "link": "relationship priority parental_responsibility",
    "staff": "code title forename surname role tutor_of leaving_date telephones emails",
}
_USERNAME = re.compile(r"([A-Za-z]{1,30})(\d{7})", re.ASCII)


class ProgressoConnector:
    """Asks the Web API for students, contacts, who belongs to whom, and staff, with what Progresso mailed us."""

    info: ClassVar[ConnectorInfo] = ConnectorInfo(
        slug="progresso",
        mis_name="Progresso",
        delivery=Delivery.PULL,
        set_up=SetUp.CREDENTIALS,
        version=1,
        supplies=frozenset(f"{kind}.{name}" for kind, names in _SUPPLIES.items() for name in names.split()),
        partly={"link.priority": "Only where the school orders a pupil’s contacts; nobody is taken to be first."},
        setting_fields=(
            SettingField(
                name="username",
                label="Username",
                help="As in Progresso’s email: it ends in your school’s DfE number.",
            ),
            SettingField(name="password", label="Password", help="As in Progresso’s email.", secret=True),
        ),
        platform_fields=(
            SettingField(name="address", label="Address of Progresso’s Web API", help="https://… without a path."),
            SettingField(
                name="prefix",
                label="How our usernames begin",
                help="The letters before the DfE number, as agreed with Progresso.",
            ),
        ),
        setup_template="mis_progresso/setup.html",
        field_names={"email": "Email (Home)", "mobile": "Telephone (Mobile)"},
    )

    def content_digest(self, payload: IncomingPayload) -> bytes:
        """Return 32 bytes over the pages; raises `SnapshotFormatError` where they cannot be unpacked."""
        return archive.content_digest(payload)

    def read(self, payload: IncomingPayload) -> Snapshot:
        """Return what the pages say; raises `SnapshotFormatError`."""
        return parse.read(payload)

    def problems_of(self, values: Mapping[str, str], *, dfe_number: str) -> Mapping[str, str]:
        """Return what cannot be right of a username and a password: that of another school, or of something else."""
        problems = {}
        username, password = values.get("username", "").strip(), values.get("password", "")
        if username and (wrong := _wrong_username(username, dfe_number)):
            problems["username"] = wrong
        if password != password.strip():
            problems["password"] = "There is a space before or after the password. Copy it again without."  # noqa: S105
        return problems

    def collect(self, access: Access, sink: Sink) -> None:
        """Fetch every list page by page, and again where it changed meanwhile; raises `ConnectorError`."""
        api = WebApi(access)
        body, _ = api.school()
        sink.write(parse.SCHOOL, body)
        strays: set[Identity] | None = None
        for turn in range(1, TURNS + 1):
            seen = _Turn(api, sink, turn)
            if seen.steady and (not seen.strays or seen.strays == strays):
                return
            strays = seen.strays
        if not seen.steady:
            raise ConnectorUnavailable(
                f"Progresso’s lists changed {TURNS} times while they were being fetched, so they are not whole. "
                "Nothing was changed. This passes by itself if somebody was working in Progresso; if it comes again "
                "tomorrow, send the details to support.",
                detail=f"{TURNS} turns",
            )

    def test(self, access: Access) -> Iterator[Check]:
        """Yield address, credentials, permissions, fields and a sample, up to the first that failed."""
        try:
            api = WebApi(access)
            _, said = api.school()
            number = parse.dfe_number(said)
        except ConnectorError as error:
            yield from _until(error, access)
            return
        yield checks.ok("address", "Progresso answers.")
        yield checks.ok("credentials", "Progresso accepts the username and password.")
        if number != access.dfe_number:
            yield checks.failed(
                "permissions",
                ANSWERS.of_another_school(number, access.dfe_number),
                advice="Type in the username and password of your own school’s email. Until then nothing is imported.",
            )
            return
        yield checks.ok("permissions", "Your school lets Schoolgate read.")
        yield checks.ok("fields", "Progresso has no fields that a school can withhold.")
        try:
            yield _sample(api)
        except ConnectorError as error:
            yield checks.failed("sample", error)


class _Turn:
    """Every list fetched once. A row that comes twice, or a link to nobody, says that a list moved meanwhile."""

    def __init__(self, api: WebApi, sink: Sink, turn: int) -> None:
        self.steady = True
        ids: dict[str, set[Identity]] = {}
        for name in IDENTITIES:
            seen = ids[name] = set()
            pages = None
            for page in api.pages(name):
                sink.write(parse.part_name(turn, name, page.number), page.body)
                found = [identity(name, row) for row in page.rows]
                self.steady = self.steady and pages in (None, page.pages) and not seen.intersection(found)
                pages = page.pages
                seen.update(found)
        self.strays: set[Identity] = {
            link
            for link in ids["studentcontacts"]
            if link[:1] not in ids["students"] or link[1:] not in ids["contacts"]
        }


def _wrong_username(username: str, dfe_number: str) -> str:
    found = _USERNAME.fullmatch(username)
    if found is None:
        return (
            "A username from Progresso is a few letters and then a school’s DfE number: for your school it ends in "
            f"{dfe_number}. Copy it from Progresso’s email."
        )
    if found[2] != dfe_number:
        return (
            f"This is the username of the school with DfE number {found[2]}, and yours is {dfe_number}. "
            "Copy the one from your own school’s email."
        )
    return ""


def _until(error: ConnectorError, access: Access) -> Iterator[Check]:
    """Yield the checks up to the one that this error fails."""
    if not isinstance(error, ConnectorAuthError):
        yield checks.failed("address", error)
        return
    yield checks.ok("address", "Progresso answers.")
    if isinstance(error, CredentialsRefused):
        prefix, username = access.platform.get("prefix", ""), access.settings.get("username", "").strip()
        advice = f"If it was never added, open {WHERE}, choose + and our company, and wait for Progresso’s email."
        if prefix and not username.casefold().startswith(prefix.casefold()):
            advice = f"A username made for Schoolgate begins with {prefix}. This one is another company’s."
        yield checks.failed("credentials", error, advice=advice)
        return
    yield checks.ok("credentials", "Progresso accepts the username and password.")
    yield checks.failed("permissions", error)


def _sample(api: WebApi) -> Check:
    """Return the first pupils, with as many contacts as the links say."""
    rows = api.page("students", 1, size=checks.SAMPLE).rows[: checks.SAMPLE]
    if not rows:
        return checks.failed(
            "sample",
            "Progresso lets Schoolgate in, and has no pupils for it. Nothing can be imported.",
            advice="Look in Progresso whether the pupils of this year are there; if they are, ask Progresso’s support.",
        )
    return checks.sample(
        ANSWERS.mis,
        [(identity("students", row)[0], people.open_pupil(row)) for row in rows],
        links=(identity("studentcontacts", row) for page in api.pages("studentcontacts") for row in page.rows),
    )
