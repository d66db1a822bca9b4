"""What the agent sends: a zip of `run.json` and the reports, or one report as it is.

Unpacks within limits and refuses what no agent makes; knows nothing of what the reports say.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, BinaryIO

from mis_connectors.errors import SnapshotFormatError
from mis_connectors.records import IncomingPayload
from mis_connectors.xml import Budget, Readable

MEMBERS = 12
LONGEST_NAME = 100
RUN_FILE = "run.json"
RUN_FILE_LIMIT = 256 * 1024
CLOCK_GRAIN = dt.timedelta(seconds=2)
"""File systems round times of writing to as much as this."""
_CHUNK = 256 * 1024
_BROKEN = (zipfile.BadZipFile, zlib.error, struct.error, ValueError, OverflowError, EOFError, OSError, RuntimeError)
"""What zipfile raises for bytes that were damaged on the way."""


@dataclass(frozen=True, slots=True)
class RunFacts:
    """What the agent says of its run."""

    run_id: str
    started_at: dt.datetime | None
    agent_version: str
    files: dict[str, dt.datetime] = field(default_factory=dict)
    """When SIMS wrote each report, by file name."""


@dataclass(frozen=True, slots=True)
class Package:
    """The reports of one payload, sorted by name, and what was sent beside them."""

    reports: tuple[str, ...]
    budget: Budget
    run: RunFacts | None
    ignored: tuple[str, ...]
    open: Callable[[str], Readable]


def run_facts(payload: IncomingPayload) -> RunFacts | None:
    """Return what `run.json` says, None for a payload without one; raises `SnapshotFormatError`."""
    with unpacked(payload) as package:
        return package.run


def refuse_stale(run: RunFacts | None) -> None:
    """Raises `SnapshotFormatError` for a report that is older than the run that sends it.

    CommandReporter that fails leaves the file of the last run where it was.
    """
    if run is None or run.started_at is None:
        return
    for name, written_at in sorted(run.files.items()):
        if written_at < run.started_at - CLOCK_GRAIN:
            raise SnapshotFormatError(
                f"{name} was written before this run began: SIMS did not make a new one.", detail="stale"
            )


def content_digest(payload: IncomingPayload) -> bytes:
    """Return 32 bytes over the reports alone, not their names nor `run.json`; raises `SnapshotFormatError`.

    Reports of an earlier run have none: the same bytes again would pass for a night without changes.
    """
    whole = hashlib.sha256()
    with unpacked(payload) as package:
        refuse_stale(package.run)
        for name in package.reports:
            one = hashlib.sha256()
            stream = package.open(name)
            while data := stream.read(_CHUNK):
                package.budget.spend(len(data))
                one.update(data)
            whole.update(one.digest())
    return whole.digest()


@contextmanager
def unpacked(payload: IncomingPayload) -> Iterator[Package]:
    """Open a payload; raises `SnapshotFormatError` for anything but one report or a plain zip of them."""
    with payload.open() as stream:
        budget = Budget(payload.unpacked_limit)
        start = stream.read(4)
        stream.seek(0)
        if start in (b"PK\x03\x04", b"PK\x05\x06"):
            with _zip(stream) as archive:
                yield _of_zip(archive, budget, payload.unpacked_limit)
        else:
            yield Package(
                (payload.filename[:LONGEST_NAME] or "The file",), budget, None, (), lambda _: _from_start(stream)
            )


def _from_start(stream: BinaryIO) -> Readable:
    stream.seek(0)
    return stream


def _zip(stream: BinaryIO) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(stream)
    except _BROKEN as error:
        raise SnapshotFormatError(
            "The zip file is damaged or cut short: it did not arrive whole.", detail=type(error).__name__
        ) from None


def _of_zip(archive: zipfile.ZipFile, budget: Budget, limit: int) -> Package:
    infos = {info.filename: info for info in _checked(archive.infolist(), limit)}
    run_name = next((name for name in infos if name.lower() == RUN_FILE), None)
    reports = tuple(sorted(name for name in infos if name.lower().endswith(".xml")))
    ignored = tuple(sorted(set(infos) - set(reports) - {run_name}))
    if not reports:
        raise SnapshotFormatError("The zip file holds no report: there is no file whose name ends in .xml.")
    run = None
    if run_name is not None:
        run = _facts(_Member(archive, infos[run_name]).read(RUN_FILE_LIMIT))
    return Package(reports, budget, run, ignored, lambda name: _Member(archive, infos[name]))


def _checked(infos: list[zipfile.ZipInfo], limit: int) -> list[zipfile.ZipInfo]:
    if len(infos) > MEMBERS:
        raise SnapshotFormatError(f"The zip file holds {len(infos)} files; a run has {MEMBERS} at most.")
    if len({info.filename.lower() for info in infos}) < len(infos):
        raise SnapshotFormatError("The zip file holds two files of one name.")
    for info in infos:
        if any(mark in info.filename for mark in ("/", "\\", ":", "\0")) or info.filename in ("", ".", ".."):
            raise SnapshotFormatError("The zip file holds folders: zip the report files themselves.")
        if len(info.filename) > LONGEST_NAME:
            raise SnapshotFormatError("The zip file holds a file with a name of more than 100 letters.")
        if info.flag_bits & 0x1:
            raise SnapshotFormatError("The zip file is locked with a password: send it without one.")
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise SnapshotFormatError("The zip file is packed in a way that is not read: use plain zip.")
    Budget(limit).spend(sum(info.file_size for info in infos))
    return infos


class _Member:
    """One file of a zip, whose damage is told in a sentence."""

    def __init__(self, archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> None:
        self._name = info.filename
        try:
            self._stream = archive.open(info)
        except _BROKEN as error:
            raise self._damaged(error) from None

    def read(self, size: int = -1, /) -> bytes:
        try:
            return self._stream.read(size)
        except _BROKEN as error:
            raise self._damaged(error) from None

    def _damaged(self, error: Exception) -> SnapshotFormatError:
        return SnapshotFormatError(f"{self._name} is damaged inside the zip file.", detail=type(error).__name__)


def _facts(data: bytes) -> RunFacts:
    try:
        said: Any = json.loads(data.decode("utf-8-sig"))
        files = said.get("files") or {}
        return RunFacts(
            run_id=str(said.get("run_id") or ""),
            started_at=_moment(said["started_at"]) if said.get("started_at") else None,
            agent_version=str(said.get("agent_version") or ""),
            files={str(name): written_at for name, written_at in _written(files) if written_at is not None},
        )
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise SnapshotFormatError(
            "run.json, in which the agent describes its run, cannot be read.", detail=type(error).__name__
        ) from None


def _written(files: Any) -> Iterator[tuple[str, dt.datetime | None]]:
    """Both `{name: time}` and `{name: {"written_at": time}}` are understood."""
    for name, value in files.items():
        text = value.get("written_at") if isinstance(value, dict) else value
        yield name, _moment(text) if text else None


def _moment(text: Any) -> dt.datetime:
    moment = dt.datetime.fromisoformat(str(text))
    return moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)
