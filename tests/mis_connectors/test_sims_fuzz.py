"""Whatever arrives, the answer is a snapshot or a sentence: never another exception."""

from __future__ import annotations

import datetime as dt
from random import Random

import pytest

from mis_connectors.errors import SnapshotFormatError
from mis_connectors.records import IncomingPayload
from mis_connectors.sims.connector import SimsConnector
from mis_connectors.simulators import sims_xml
from mis_connectors.simulators.school import generate
from tests.factories.sims import payload, report

BEGAN = dt.datetime(2026, 11, 23, 2, 0, tzinfo=dt.UTC)
TOKENS = (b"<", b">", b"&", b"</Record>", b"<Record>", b"<!--", b"-->", b"<![CDATA[", b"]]>", b"<!DOCTYPE a>", b"\x00",
          b"\xff\xfe", b"\xc3", b"<?xml?>", b"&#x0;", b"&x;", b"ContactID", b"/", b'"', b"PK\x03\x04")  # fmt: skip


def mutated(rng: Random, data: bytes) -> bytes:
    """Return the bytes after one to four accidents."""
    for _ in range(rng.randrange(1, 5)):
        at, length = rng.randrange(len(data) or 1), rng.randrange(1, 40)
        way = rng.randrange(4)
        if way == 0:
            data = data[:at] + rng.choice(TOKENS) + data[at:]
        elif way == 1:
            data = data[:at] + data[at + length :]
        elif way == 2:
            data = data[:at] + rng.randbytes(length) + data[at + length :]
        else:
            data = data[:at] if rng.random() < 0.3 else data + data[at : at + length]
    return data


def outcome(came: IncomingPayload) -> str:
    """Return the sentence of a refusal, nothing where all of it was read."""
    connector = SimsConnector()
    try:
        connector.content_digest(came)
        for record in connector.read(came).records:
            record.open()
    except SnapshotFormatError as error:
        return error.message
    return ""


@pytest.mark.parametrize("form", ["zip", "pupils.xml", "contacts.xml", "utf-16"])
def test_damaged_payloads_are_read_or_refused(form: str) -> None:
    school = generate(size=20)
    files = sims_xml.reports(school)
    files["utf-16"] = report({"primary_id": "1", "Surname": "O’Neill"}, declaration="", encoding="utf-16")
    whole = sims_xml.bundle(school, "r-1", BEGAN) if form == "zip" else files[form][:20_000]
    if form.endswith(".xml"):
        whole = whole[: whole.rindex(b"</Record>") + 9] + b"</SuperStarReport>"
    rng, refusals, read = Random(form), list[str](), 0
    for _ in range(150):
        said = outcome(payload(mutated(rng, whole), limit=1 << 22))
        read += not said
        refusals += [said] if said else []
    assert read
    assert refusals
    assert max(map(len, refusals)) < 500
