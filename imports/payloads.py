"""Keeping what an MIS sent: compressed, encrypted, in PostgreSQL, exactly as it came."""

from __future__ import annotations

import datetime as dt
import hashlib
import tempfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, Protocol

from django.conf import settings
from django.db import IntegrityError, transaction

from hub.core import keyring
from hub.core.errors import HubError
from imports.models import MisLink, Payload, PayloadChunk
from mis_connectors.base import Connector
from mis_connectors.errors import ConnectorError
from mis_connectors.records import IncomingPayload

CHUNK = 2**20
IN_MEMORY = 8 * 2**20


class PayloadTooLarge(HubError):
    """More came than is accepted in one upload."""


class PayloadCleared(HubError):
    """The payload is older than the nights it is kept for."""


class Readable(Protocol):
    def read(self, size: int = -1, /) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Stored:
    payload: Payload
    already: bool
    """The same run had been sent before; nothing new was stored."""


def spool(stream: Readable) -> BinaryIO:
    """Copy an upload to a temporary file, at its beginning; raises `PayloadTooLarge`."""
    spooled = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115  (the caller closes it)
    size = 0
    while chunk := stream.read(CHUNK):
        size += len(chunk)
        if size > settings.UPLOAD_LIMIT:
            spooled.close()
            limit = settings.UPLOAD_LIMIT // 2**20
            raise PayloadTooLarge(
                f"This upload is larger than {limit} MiB. Send a smaller one, or ask for a higher limit."
            )
        spooled.write(chunk)
    spooled.seek(0)
    return spooled  # type: ignore[return-value]


def store(
    *,
    link: MisLink,
    spooled: BinaryIO,
    filename: str,
    run_id: str,
    connector: Connector,
    started_at: dt.datetime | None,
    now: dt.datetime,
) -> Stored:
    """Keep one upload. What cannot even be unpacked is kept too: its run will say what is wrong."""
    known = Payload.objects.filter(school_id=link.school_id, link=link, run_id=run_id).first()
    if known:
        return Stored(known, already=True)
    incoming = IncomingPayload(
        filename=filename, open=lambda: reopened(spooled), unpacked_limit=settings.UNPACKED_LIMIT
    )
    try:
        digest = connector.content_digest(incoming)
    except ConnectorError:
        digest = b""
    try:
        with transaction.atomic():
            payload = Payload.objects.create(
                school_id=link.school_id, link=link, run_id=run_id, filename=filename[:200],
                content_digest=digest, size=_size(spooled), received_at=now, started_at=started_at,
            )  # fmt: skip
            PayloadChunk.objects.bulk_create(_chunks(payload, spooled), batch_size=16)
    except IntegrityError:
        again = Payload.objects.get(school_id=link.school_id, link=link, run_id=run_id)
        return Stored(again, already=True)
    return Stored(payload, already=False)


def _size(spooled: BinaryIO) -> int:
    size = spooled.seek(0, 2)
    spooled.seek(0)
    return size


def _chunks(payload: Payload, spooled: BinaryIO) -> Iterator[PayloadChunk]:
    spooled.seek(0)
    number = 0
    while body := spooled.read(CHUNK):
        yield PayloadChunk(
            school_id=payload.school_id, payload=payload, number=number, body=keyring.encrypt(zlib.compress(body, 1))
        )
        number += 1


def raw(payload: Payload) -> Iterator[bytes]:
    """Yield the bytes exactly as they came; raises `PayloadCleared`."""
    if not payload.stored:
        raise PayloadCleared(f"This file is no longer kept: files are cleared after {settings.PAYLOAD_NIGHTS} nights.")
    chunks = PayloadChunk.objects.filter(school_id=payload.school_id, payload=payload).order_by("number")
    for body in chunks.values_list("body", flat=True).iterator(chunk_size=8):
        yield zlib.decompress(keyring.decrypt(bytes(body)))


def incoming(payload: Payload, *, salt: bytes) -> IncomingPayload:
    """Return the payload as a connector reads it."""
    spooled = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115  (lives as long as the reading)
    for body in raw(payload):
        spooled.write(body)
    return IncomingPayload(
        filename=payload.filename,
        open=lambda: reopened(spooled),  # type: ignore[arg-type]
        unpacked_limit=settings.UNPACKED_LIMIT,
        salt=salt,
    )


def reopened(spooled: BinaryIO) -> BinaryIO:
    """Return the file at its beginning, as a copy that may be closed."""
    spooled.seek(0)
    copy = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115
    while chunk := spooled.read(CHUNK):
        copy.write(chunk)
    copy.seek(0)
    return copy  # type: ignore[return-value]


def clear_old(*, now: dt.datetime) -> int:
    """Clear payloads older than they are kept for; returns how many."""
    old = Payload.objects.filter(stored=True, received_at__lt=now - dt.timedelta(days=settings.PAYLOAD_NIGHTS))
    ids = list(old.values_list("pk", flat=True))
    with transaction.atomic():
        PayloadChunk.objects.filter(payload_id__in=ids).delete()
        return Payload.objects.filter(pk__in=ids).update(stored=False)


def salt_of(*parts: object) -> bytes:
    """Return the salt of every digest: what was settled when the bytes were read."""
    return hashlib.blake2b(repr(parts).encode(), digest_size=16).digest()
