"""RM Integris, fetched through Integris Datashare: how it describes itself, and the contract's four verbs."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any, ClassVar

from mis_connectors import archive, checks
from mis_connectors.base import (
    Access,
    Check,
    CheckState,
    ConnectorInfo,
    Delivery,
    SettingField,
    SetUp,
    Sink,
)
from mis_connectors.errors import ConnectorAuthError, ConnectorConfigError, ConnectorError
from mis_connectors.integris import parse, people, permissions
from mis_connectors.integris.client import ANSWERS, WHERE, Datashare, KeyRefused, identity
from mis_connectors.integris.permissions import STUDENT, Permissions
from mis_connectors.records import IncomingPayload, Snapshot

_WAIT = (
    f"In RM Integris, open {WHERE}, choose our tile, then Permissions required > Grant Access > Confirm. "
    "Integris takes up to 24 hours: look at Imports tomorrow."
)
_COMPARE = (
    "Compare the DfE number in RM Integris with your school's in Schoolgate. If Schoolgate's is wrong, ask whoever "
    "runs it to change it; if RM Integris's is, ask RM's support."
)
_OUR_KEY = "Nothing can be done in RM Integris: use Send details to support."


class IntegrisConnector:
    """Asks Datashare for students, contacts, their links and staff; a school lets us in without telling us."""

    info: ClassVar[ConnectorInfo] = ConnectorInfo(
        slug="integris",
        mis_name="RM Integris",
        delivery=Delivery.PULL,
        set_up=SetUp.GRANT,
        version=1,
        supplies=permissions.SUPPLIES,
        optional=permissions.OPTIONAL,
        partly={
            "link.priority": "Only where the school ranks contacts for emergencies; nobody is taken to be first.",
            "staff.emails": "The primary email only.",
        },
        grace=dt.timedelta(hours=24),
        platform_fields=(
            SettingField(name="address", label="Address of Integris Datashare", help="https://… without a path."),
            SettingField(name="partner_key", label="Partner key", secret=True),
        ),
        setup_template="mis_integris/setup.html",
        field_names={"email": "Email (Default)", "mobile": "Phone (set as mobile)"},
    )

    def content_digest(self, payload: IncomingPayload) -> bytes:
        """Return 32 bytes over the pages; raises `SnapshotFormatError` where they cannot be unpacked."""
        return archive.content_digest(payload)

    def read(self, payload: IncomingPayload) -> Snapshot:
        """Return what the pages say; raises `SnapshotFormatError`."""
        return parse.read(payload)

    def collect(self, access: Access, sink: Sink) -> None:
        """Fetch every list that the school grants, page by page; raises `ConnectorError`."""
        datashare = Datashare(access)
        body, said = datashare.about()
        sink.write(parse.ABOUT, body)
        if another := _another_school(said, access.dfe_number):
            raise ConnectorConfigError(f"{another} Nothing was fetched. {_COMPARE}", detail="about: another school")
        granted = permissions.read(said)
        if STUDENT in granted.refused:
            raise ConnectorAuthError(_no_pupils(), detail="about: no students")
        for name in granted.lists:
            for number, place, page in datashare.pages(name):
                sink.write(parse.part_name(name, number, place), page.body)

    def test(self, access: Access) -> Iterator[Check]:
        """Yield address, credentials, permissions, fields and a sample, up to the first that failed."""
        try:
            datashare = Datashare(access)
            _, said = datashare.about()
        except ConnectorError as error:
            yield from _until(error)
            return
        yield from _LET_IN
        granted = permissions.read(said)
        found = _permissions(said, granted, access.dfe_number)
        yield found
        if found.state is not CheckState.OK:
            return
        yield _fields(granted)
        try:
            yield _sample(datashare, granted)
        except ConnectorError as error:
            yield checks.failed("sample", error)


_LET_IN = (
    checks.ok("address", "RM Integris answers."),
    checks.ok("credentials", "RM Integris accepts Schoolgate's partner key."),
)


def _until(error: ConnectorError) -> Iterator[Check]:
    """Yield the checks up to the one that this error fails."""
    if isinstance(error, KeyRefused):
        refused = "RM Integris does not accept Schoolgate's partner key."
        yield from (_LET_IN[0], checks.failed("credentials", refused, advice=_OUR_KEY))
    elif not isinstance(error, ConnectorAuthError):
        yield checks.failed("address", error)
    else:
        yield from _LET_IN
        yield Check(
            key="permissions",
            state=CheckState.WAITING,
            sentence="RM Integris does not let Schoolgate in at your school yet, or access was taken away.",
            advice=_WAIT,
        )


def _permissions(said: dict[str, Any], granted: Permissions, dfe_number: str) -> Check:
    if another := _another_school(said, dfe_number):
        return checks.failed("permissions", another, advice=_COMPARE)
    if STUDENT in granted.refused:
        return checks.failed("permissions", _no_pupils(), advice=_WAIT)
    if granted.refused:
        missing = " and ".join(_LISTED[kind] for kind in permissions.OBJECTS if kind in granted.refused)
        return Check(
            key="permissions",
            state=CheckState.OK,
            sentence=f"Your school grants access, but not to {missing}: they stay as they are.",
            advice=f"To have them imported, tick that permission in {WHERE}.",
            lacking=granted.lacking,
        )
    return checks.ok("permissions", "Your school grants access.")


def _another_school(said: dict[str, Any], dfe_number: str) -> str:
    """Return a sentence where Datashare answers about another school; empty where it is ours, or not said."""
    number = parse.dfe_number(said.get("schoolDfe"))
    if number in ("", dfe_number):
        return ""
    return ANSWERS.of_another_school(number, dfe_number)


def _fields(granted: Permissions) -> Check:
    if not granted.withheld:
        return Check(key="fields", state=CheckState.OK, sentence="Every field is ticked.", lacking=granted.lacking)
    return Check(
        key="fields",
        state=CheckState.OK,
        sentence=f"Your school does not share: {permissions.words(granted.withheld)}. What is known stays as it was.",
        advice=f"If that is not meant, tick them under Permissions required in {WHERE}.",
        lacking=granted.lacking,
    )


def _sample(datashare: Datashare, granted: Permissions) -> Check:
    """Return the first pupils, with as many contacts as their links say."""
    rows = datashare.page("students", offset=0, limit=checks.SAMPLE).rows[: checks.SAMPLE]
    if not rows:
        return checks.failed(
            "sample", "RM Integris lets Schoolgate in, and has no pupils for it. Nothing can be imported."
        )
    pages = datashare.pages("contactLinks") if "contactLinks" in granted.lists else ()
    return checks.sample(
        ANSWERS.mis,
        [(identity("students", row)[0], people.open_pupil(row)) for row in rows],
        links=(identity("contactLinks", row) for _, _, page in pages for row in page.rows),
    )


def _no_pupils() -> str:
    return (
        "Your school grants access, but not to its students, without whom nothing can be imported. In RM Integris, "
        f"open {WHERE}, choose our tile and tick “Basic information about a student”."
    )


_LISTED = {permissions.CONTACT: "contacts", permissions.STAFF: "staff"}
