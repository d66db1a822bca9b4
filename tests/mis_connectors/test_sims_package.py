"""The zip around the reports: what is in it, what is refused, and what the content digest covers."""

from __future__ import annotations

import datetime as dt
import io
import json
import zipfile

import pytest

from mis_connectors.errors import SnapshotFormatError
from mis_connectors.records import IncomingPayload
from mis_connectors.sims import parse
from mis_connectors.sims.connector import SimsConnector
from tests.factories.sims import CONTACT, PUPIL, packed, payload, report

BEGAN = dt.datetime(2026, 11, 23, 2, 0, tzinfo=dt.UTC)
DIGEST = SimsConnector().content_digest


def zipped(files: dict[str, bytes], *, limit: int = 1 << 24) -> IncomingPayload:
    return payload(packed(files), name="run.zip", limit=limit)


def run_json(**changed: object) -> bytes:
    run = {
        "run_id": "r-1", "started_at": BEGAN.isoformat(), "agent_version": "1.0", "link": 3,
        "files": {"pupils.xml": {"report": "Schoolgate Pupils", "written_at": "2026-11-23T02:00:10+00:00"}},
    }  # fmt: skip
    return json.dumps(run | changed).encode()


def refusal(incoming: IncomingPayload) -> str:
    with pytest.raises(SnapshotFormatError) as caught:
        parse.read(incoming)
    with pytest.raises(SnapshotFormatError):
        DIGEST(incoming)
    return caught.value.message


def test_run_json_is_read() -> None:
    facts = parse.run_facts(zipped({"pupils.xml": report(PUPIL), "run.json": run_json()}))
    assert facts is not None
    assert (facts.run_id, facts.started_at, facts.agent_version) == ("r-1", BEGAN, "1.0")
    assert facts.files == {"pupils.xml": BEGAN + dt.timedelta(seconds=10)}


def test_a_payload_need_not_have_one() -> None:
    assert parse.run_facts(zipped({"pupils.xml": report(PUPIL)})) is None
    assert parse.run_facts(payload(report(PUPIL))) is None


def test_times_may_stand_bare_and_without_a_zone() -> None:
    facts = parse.run_facts(
        zipped({"p.xml": report(PUPIL), "RUN.JSON": run_json(files={"p.xml": "2026-11-23T02:00:10"})})
    )
    assert facts is not None
    assert facts.files == {"p.xml": BEGAN + dt.timedelta(seconds=10)}


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b'{"started_at": "tonight"}', b'{"files": [1]}', b"\xff"])
def test_a_run_json_that_cannot_be_read_is_refused(data: bytes) -> None:
    with pytest.raises(SnapshotFormatError, match=r"run\.json"):
        parse.read(zipped({"pupils.xml": report(PUPIL), "run.json": data}))


def test_a_report_older_than_its_run_is_stale() -> None:
    old = run_json(files={"pupils.xml": {"written_at": "2026-11-22T02:00:10+00:00"}})
    with pytest.raises(SnapshotFormatError) as caught:
        parse.read(zipped({"pupils.xml": report(PUPIL), "run.json": old}))
    assert caught.value.message == "pupils.xml was written before this run began: SIMS did not make a new one."


def test_the_grain_of_a_clock_is_not_staleness() -> None:
    just = run_json(files={"pupils.xml": {"written_at": "2026-11-23T01:59:58+00:00"}})
    assert parse.read(zipped({"pupils.xml": report(PUPIL), "run.json": just})).records


def test_the_content_digest_covers_the_reports_and_nothing_else() -> None:
    files = {"pupils.xml": report(PUPIL), "contacts.xml": report(CONTACT)}
    one = DIGEST(zipped(files))
    assert len(one) == 32
    assert one == DIGEST(zipped({"run.json": run_json(), **dict(reversed(files.items()))}))
    assert one == DIGEST(payload(packed(files, zipfile.ZIP_STORED)))
    assert one != DIGEST(zipped({**files, "contacts.xml": report({**CONTACT, "ContactID": "1"})}))
    assert DIGEST(payload(report(PUPIL))) == DIGEST(zipped({"pupils.xml": report(PUPIL)}))


def test_other_files_are_noted_and_not_read() -> None:
    snapshot = parse.read(zipped({"pupils.xml": report(PUPIL), "readme.txt": b"x"}))
    assert snapshot.notes == ("Not read, for they are no reports: readme.txt.",)


@pytest.mark.parametrize("name", ["a/pupils.xml", "../pupils.xml", "/pupils.xml", "a\\pupils.xml", "C:pupils.xml"])
def test_folders_in_the_zip_are_refused(name: str) -> None:
    assert "folders" in refusal(zipped({name: report(PUPIL)}))


def test_too_many_files_are_refused() -> None:
    assert "12 at most" in refusal(zipped({f"{number}.xml": report(PUPIL) for number in range(13)}))


def test_a_zip_without_reports_is_refused() -> None:
    assert "no report" in refusal(zipped({"run.json": run_json()}))
    assert "no report" in refusal(zipped({}))


def test_two_files_of_one_name_are_refused() -> None:
    assert "two files of one name" in refusal(zipped({"pupils.xml": report(PUPIL), "Pupils.XML": report(PUPIL)}))


def test_a_bomb_stops_at_the_limit_whatever_it_says_of_its_size() -> None:
    bomb = packed({"pupils.xml": b"<S>" + b" " * 3_000_000 + b"</S>"})
    assert "larger than the 1 MB" in refusal(payload(bomb, limit=1 << 20))
    lying = bytearray(bomb)
    for mark, offset in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        start = lying.index(mark) + offset
        lying[start : start + 4] = (1000).to_bytes(4, "little")
    refusal(payload(bytes(lying), limit=1 << 20))


def test_the_limit_counts_all_files_together() -> None:
    padding = {name: report(PUPIL) + b" " * 600_000 for name in ("a.xml", "b.xml")}
    assert "larger than" in refusal(zipped(padding, limit=1_000_000))


def test_a_locked_zip_is_refused() -> None:
    locked = bytearray(packed({"pupils.xml": report(PUPIL)}))
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        locked[locked.index(mark) + offset] |= 1
    assert "password" in refusal(payload(bytes(locked)))


def test_only_plain_zips_are_unpacked() -> None:
    assert "plain zip" in refusal(payload(packed({"pupils.xml": report(PUPIL)}, zipfile.ZIP_LZMA)))


@pytest.mark.parametrize("keep", [4, 40, 60, 90, 99])
def test_a_zip_cut_short_is_refused(keep: int) -> None:
    whole = packed({"pupils.xml": report(PUPIL), "contacts.xml": report(CONTACT)})
    assert refusal(payload(whole[: len(whole) * keep // 100])).startswith("The zip file is damaged or cut short")


def test_a_damaged_report_in_the_zip_is_named() -> None:
    whole = bytearray(packed({"pupils.xml": report(*({**PUPIL, "primary_id": str(n)} for n in range(50)))}))
    whole[60:90] = bytes(30)
    assert refusal(payload(bytes(whole))).startswith("pupils.xml is damaged inside the zip file")


def test_files_are_closed_again() -> None:
    made: list[io.BytesIO] = []

    def opening() -> io.BytesIO:
        made.append(io.BytesIO(packed({"pupils.xml": report(PUPIL)})))
        return made[-1]

    parse.read(IncomingPayload(filename="run.zip", open=opening, unpacked_limit=1 << 20))
    assert [stream.closed for stream in made] == [True]
