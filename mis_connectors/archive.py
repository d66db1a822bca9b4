"""The payload of an MIS that is fetched: a zip of the parts exactly as they came, in the order they came.

Written without clocks, so that the same answers are the same bytes; read within limits, for what is stored may have
come from anywhere. Knows nothing of what the parts say.
"""

from __future__ import annotations

import hashlib
import re
import struct
import zipfile
import zlib
from collections.abc import Iterator
from types import TracebackType
from typing import BinaryIO

from mis_connectors.errors import ConnectorUnavailable, SnapshotFormatError
from mis_connectors.records import IncomingPayload
from mis_connectors.xml import Budget

PARTS = 20_000
"""Beyond this an MIS does not end."""
LONGEST_NAME = 100
_NAME = re.compile(r"[A-Za-z0-9_-]+(?:/[A-Za-z0-9_-]+)*\.[a-z0-9]+", re.ASCII)
_LONG_AGO = (1980, 1, 1, 0, 0, 0)
_CHUNK = 256 * 1024
_BROKEN = (zipfile.BadZipFile, zlib.error, struct.error, ValueError, OverflowError, EOFError, OSError, RuntimeError)
"""What zipfile raises for bytes that were damaged on the way; NotImplementedError is a RuntimeError."""
_END = struct.Struct("<4s4H2LH")
_END_OF_64 = struct.Struct("<4sLQL")
_DIRECTORY = PARTS * (46 + LONGEST_NAME)


class ArchiveSink:
    """A `Sink` that writes such a payload; leave it, or `close` it, and the file is whole."""

    def __init__(self, file: BinaryIO, *, limit: int) -> None:
        self._zip = zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=6)
        self._limit = self._left = limit
        self._names: set[str] = set()

    @property
    def parts(self) -> int:
        """How many parts have been written."""
        return len(self._names)

    @property
    def written(self) -> int:
        """How many bytes they have, unpacked."""
        return self._limit - self._left

    def write(self, name: str, body: bytes) -> None:
        """Keep one part. Raises `ConnectorUnavailable` past the cap, `ValueError` for a name no connector may give."""
        if not _NAME.fullmatch(name) or len(name) > LONGEST_NAME:
            raise ValueError(f"{name!r} is not the name of a part.")
        if name in self._names:
            raise ValueError(f"There is a part named {name} already.")
        if len(body) > self._left or len(self._names) >= PARTS:
            raise ConnectorUnavailable(
                f"The MIS sent more than the {self._limit // 2**20} MB that a school's people may have. "
                "Tell whoever runs this hub.",
                detail=f"archive: {len(self._names)} parts, then {name}",
            )
        self._left -= len(body)
        self._names.add(name)
        info = zipfile.ZipInfo(name, date_time=_LONG_AGO)
        info.compress_type = zipfile.ZIP_DEFLATED
        info.create_system = 3
        info.external_attr = 0o600 << 16
        self._zip.writestr(info, body)

    def close(self) -> None:
        """Write the directory: what came is a readable zip, also where the rest never came."""
        self._zip.close()

    def __enter__(self) -> ArchiveSink:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def parts(payload: IncomingPayload) -> Iterator[tuple[str, bytes]]:
    """Yield each part's name and bytes in the order written; raises `SnapshotFormatError`."""
    with payload.open() as stream:
        count = _parts_said(stream)
        try:
            archive = zipfile.ZipFile(stream)
        except _BROKEN as error:
            raise _damaged("What the MIS sent", error) from None
        budget = Budget(payload.unpacked_limit)
        if len(archive.infolist()) != count:
            raise _damaged("What the MIS sent", IndexError())
        for info in _checked(archive.infolist(), payload.unpacked_limit):
            yield info.filename, _body(archive, info, budget)


def content_digest(payload: IncomingPayload) -> bytes:
    """Return 32 bytes over the names and bytes of the parts, however they were packed; raises `SnapshotFormatError`."""
    whole = hashlib.sha256()
    for name, body in parts(payload):
        whole.update(hashlib.sha256(name.encode()).digest() + hashlib.sha256(body).digest())
    return whole.digest()


def _parts_said(stream: BinaryIO) -> int:
    """Return how many parts the zip says it has; raises `SnapshotFormatError`.

    zipfile reads the whole directory into memory before it can be judged, so its size is looked at first. And it passes
    over what a damaged directory hides, so that the number must be right.
    """
    size = stream.seek(0, 2)
    tail = min(size, _END.size + _END_OF_64.size)
    stream.seek(size - tail)
    end = stream.read(tail)
    stream.seek(0)
    if len(end) < _END.size or not end[-_END.size :].startswith(b"PK\x05\x06"):
        raise SnapshotFormatError("What the MIS sent is damaged or cut short: it was not kept whole.", detail="no end")
    _, _, _, _, count, directory, _, _ = _END.unpack(end[-_END.size :])
    if directory > _DIRECTORY or end.startswith(b"PK\x06\x07"):
        raise SnapshotFormatError("What the MIS sent has far too many parts.", detail=f"directory {directory}")
    return int(count)


def _checked(infos: list[zipfile.ZipInfo], limit: int) -> list[zipfile.ZipInfo]:
    if len(infos) > PARTS or len({info.filename for info in infos}) < len(infos):
        raise SnapshotFormatError("What the MIS sent has two parts of one name, or far too many.", detail="names")
    for info in infos:
        if not _NAME.fullmatch(info.filename) or len(info.filename) > LONGEST_NAME:
            raise SnapshotFormatError("What the MIS sent has a part that no connector of ours keeps.", detail="name")
        if info.flag_bits & 0x1 or info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise SnapshotFormatError("What the MIS sent is packed in a way that is not read.", detail="packing")
    Budget(limit).spend(sum(info.file_size for info in infos))
    return infos


def _body(archive: zipfile.ZipFile, info: zipfile.ZipInfo, budget: Budget) -> bytes:
    """Return one part, counted while it is unpacked: what a zip says of its sizes need not be so."""
    chunks = []
    try:
        with archive.open(info) as stream:
            while data := stream.read(_CHUNK):
                budget.spend(len(data))
                chunks.append(data)
    except _BROKEN as error:
        raise _damaged(info.filename, error) from None
    return b"".join(chunks)


def _damaged(what: str, error: Exception) -> SnapshotFormatError:
    return SnapshotFormatError(f"{what} is damaged or cut short: it was not kept whole.", detail=type(error).__name__)
