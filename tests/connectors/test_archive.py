"""The payload of an MIS that is fetched: same parts, same bytes; and what is refused of hostile ones."""

from __future__ import annotations

import io
import struct
import tracemalloc
import zipfile

import pytest

from mis_connectors.archive import PARTS, ArchiveSink, content_digest, parts
from mis_connectors.errors import ConnectorUnavailable, SnapshotFormatError
from mis_connectors.records import IncomingPayload

TWO = {"students/0001.json": b'{"Page": 1}', "about.json": b"{}"}


def packed(files: dict[str, bytes], *, limit: int = 1 << 20) -> bytes:
    out = io.BytesIO()
    with ArchiveSink(out, limit=limit) as sink:
        for name, body in files.items():
            sink.write(name, body)
    return out.getvalue()


def payload(data: bytes, *, limit: int = 1 << 20) -> IncomingPayload:
    return IncomingPayload(filename="run.zip", open=lambda: io.BytesIO(data), unpacked_limit=limit)


def foreign(files: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A zip that no sink made."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, body in files.items():
            archive.writestr(name, body)
    return out.getvalue()


def test_the_same_parts_are_the_same_bytes_and_come_back_in_their_order() -> None:
    data = packed(TWO)
    assert data == packed(TWO)
    assert dict(parts(payload(data))) == TWO
    assert [name for name, _ in parts(payload(data))] == list(TWO)


def test_the_digest_is_of_names_and_bodies_not_of_the_packing() -> None:
    digest = content_digest(payload(packed(TWO)))
    assert len(digest) == 32
    assert digest == content_digest(payload(foreign(TWO, zipfile.ZIP_STORED)))
    others = ({**TWO, "about.json": b"{ }"}, {"students/0002.json": TWO["students/0001.json"], "about.json": b"{}"})
    assert all(content_digest(payload(packed(other))) != digest for other in others)


def test_an_empty_payload_is_whole_and_says_nothing() -> None:
    assert list(parts(payload(packed({})))) == []


def test_past_the_cap_nothing_more_is_kept_and_what_came_can_be_read() -> None:
    out = io.BytesIO()
    with ArchiveSink(out, limit=1 << 20) as sink:
        sink.write("students/0001.json", b"x" * (1 << 20))
        with pytest.raises(ConnectorUnavailable, match="more than the 1 MB"):
            sink.write("students/0002.json", b"x")
    assert [name for name, _ in parts(payload(out.getvalue(), limit=1 << 21))] == ["students/0001.json"]
    assert (sink.parts, sink.written) == (1, 1 << 20)


@pytest.mark.parametrize(
    "name", ["", "/a.json", "../a.json", "a/../b.json", "a\\b.json", "a", "ü.json", "a" * 100 + ".j"]
)
def test_a_name_that_is_no_name_of_a_part_is_the_connectors_own_mistake(name: str) -> None:
    with ArchiveSink(io.BytesIO(), limit=100) as sink, pytest.raises(ValueError, match="not the name of a part"):
        sink.write(name, b"")


def test_a_name_stands_once() -> None:
    with ArchiveSink(io.BytesIO(), limit=100) as sink:
        sink.write("a.json", b"")
        with pytest.raises(ValueError, match="already"):
            sink.write("a.json", b"")


def test_cut_anywhere_it_is_refused_in_a_sentence() -> None:
    data = packed({**TWO, "students/0002.json": bytes(range(256)) * 20})
    for length in range(len(data)):
        with pytest.raises(SnapshotFormatError):
            list(parts(payload(data[:length])))


def test_a_flipped_bit_never_passes_for_another_text() -> None:
    data = packed(TWO)
    for place in range(len(data)):
        hurt = data[:place] + bytes((data[place] ^ 0x10,)) + data[place + 1 :]
        try:
            assert [body for _, body in parts(payload(hurt))] in (list(TWO.values()), list(TWO.values())[::-1])
        except SnapshotFormatError:
            pass


def test_unpacked_it_may_not_pass_the_limit_whatever_the_zip_says_of_its_sizes() -> None:
    bomb = foreign({"a.json": b"0" * (8 << 20)})
    with pytest.raises(SnapshotFormatError, match="larger than the 1 MB"):
        list(parts(payload(bomb)))
    lying = bytearray(bomb)
    place = lying.rfind(b"PK\x01\x02")
    lying[place + 24 : place + 28] = struct.pack("<L", 1000)
    tracemalloc.start()
    try:
        with pytest.raises(SnapshotFormatError):
            list(parts(payload(bytes(lying))))
        assert tracemalloc.get_traced_memory()[1] < 4 << 20
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    "files", [{"../x.json": b""}, {"C:x.json": b""}, {"x.json\n": b""}, {"x" * 200 + ".json": b""}]
)
def test_names_no_sink_writes_are_refused(files: dict[str, bytes]) -> None:
    with pytest.raises(SnapshotFormatError):
        list(parts(payload(foreign(files))))


def test_another_packing_two_of_one_name_and_anything_after_the_end_are_refused() -> None:
    with pytest.raises(SnapshotFormatError, match="packed in a way"):
        list(parts(payload(foreign(TWO, zipfile.ZIP_LZMA))))
    twice = packed({"a.json": b"1", "b.json": b"2"}).replace(b"b.json", b"a.json")
    with pytest.raises(SnapshotFormatError, match="two parts of one name"):
        list(parts(payload(twice)))
    with pytest.raises(SnapshotFormatError):
        list(parts(payload(packed(TWO) + b"more")))


def test_a_directory_too_large_to_look_at_is_not_looked_at() -> None:
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 1, 1, PARTS * 200, 0, 0)
    with pytest.raises(SnapshotFormatError, match="far too many"):
        list(parts(payload(b"0" * 100 + end)))
    of_64 = struct.pack("<4sLQL", b"PK\x06\x07", 0, 0, 1) + struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 1, 1, 1, 0, 0)
    with pytest.raises(SnapshotFormatError, match="far too many"):
        list(parts(payload(of_64)))
