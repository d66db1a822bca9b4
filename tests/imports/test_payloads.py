"""What an MIS sent is kept exactly as it came, encrypted, within a limit, for some nights."""

from __future__ import annotations

import datetime as dt
import io
from typing import Any

import pytest

from hub.core import scope
from hub.core.models import School
from imports import payloads, services
from imports.link import links
from imports.models import Import, ImportKind, ImportState, MisLink, Payload, PayloadChunk

TEXT = b"<SuperStarReport><Record><Surname>Okafor</Surname></Record></SuperStarReport>\n"


@pytest.fixture
def link(school: School, now: dt.datetime) -> MisLink:
    return links.create_link(school=school, connector="sims", by=None, now=now)


def receive(link: MisLink, data: bytes, now: dt.datetime, run_id: str = "one", **more: Any) -> services.Received:
    return services.receive(
        link=link, stream=io.BytesIO(data), filename="pupils.xml", run_id=run_id, kind=ImportKind.UPLOAD,
        start=False, now=now, **more,
    )  # fmt: skip


@pytest.mark.parametrize("size", [0, 1, payloads.CHUNK - 1, payloads.CHUNK, 2 * payloads.CHUNK + 17])
def test_exactly_the_bytes_that_came_come_back(link: MisLink, now: dt.datetime, size: int) -> None:
    data = (TEXT * (size // len(TEXT) + 1))[:size]
    payload = receive(link, data, now).payload
    assert b"".join(payloads.raw(payload)) == data
    assert payload.size == size
    incoming = payloads.incoming(payload, salt=b"s")
    for _again in range(2):
        with incoming.open() as stream:
            assert stream.read() == data


def test_nothing_readable_lies_in_the_database(link: MisLink, now: dt.datetime) -> None:
    receive(link, TEXT * 50, now)
    bodies = [bytes(chunk.body) for chunk in PayloadChunk.objects.all()]
    assert bodies
    for body in bodies:
        assert b"Okafor" not in body
        assert b"SuperStarReport" not in body


def test_more_than_the_limit_is_refused_with_a_sentence_and_not_kept(
    link: MisLink, now: dt.datetime, settings: Any
) -> None:
    settings.UPLOAD_LIMIT = 2**20
    with pytest.raises(payloads.PayloadTooLarge, match="larger than 1 MiB"):
        receive(link, b"x" * (2**20 + 1), now)
    assert not Payload.objects.exists()
    assert not Import.objects.exists()
    receive(link, b"x" * 2**20, now)


def test_what_unpacks_to_too_much_fails_and_is_kept(link: MisLink, now: dt.datetime, settings: Any) -> None:
    settings.UNPACKED_LIMIT = 1000
    received = receive(link, TEXT * 50, now)
    assert received.run is not None
    run = services.run(import_id=received.run.pk, now=now)
    assert run is not None
    assert run.state == ImportState.FAILED
    assert Payload.objects.get().stored


def test_files_are_cleared_after_their_nights_and_say_so(link: MisLink, now: dt.datetime, settings: Any) -> None:
    old = receive(link, TEXT, now, "old").payload
    later = now + dt.timedelta(days=settings.PAYLOAD_NIGHTS)
    new = receive(link, TEXT, later, "new").payload
    assert payloads.clear_old(now=later) == 0
    assert payloads.clear_old(now=later + dt.timedelta(seconds=1)) == 1
    old.refresh_from_db()
    assert not old.stored
    assert not PayloadChunk.objects.filter(payload=old).exists()
    assert b"".join(payloads.raw(new)) == TEXT
    with pytest.raises(payloads.PayloadCleared, match="14 nights"):
        list(payloads.raw(old))


def test_a_run_over_a_cleared_file_fails_with_a_sentence(link: MisLink, now: dt.datetime) -> None:
    received = receive(link, TEXT, now)
    assert received.run is not None
    Payload.objects.update(stored=False)
    run = services.run(import_id=received.run.pk, now=now)
    assert run is not None
    assert (run.state, run.reasons[0]["code"]) == (ImportState.FAILED, "cleared")
    assert run.reasons[0]["advice"] == "Everything is as it was before."


def test_a_file_of_another_school_is_out_of_reach(link: MisLink, other_school: School, now: dt.datetime) -> None:
    payload = receive(link, TEXT, now).payload
    with scope.schools(other_school.pk):
        assert not Payload.objects.exists()
        assert b"".join(payloads.raw(payload)) == b""
