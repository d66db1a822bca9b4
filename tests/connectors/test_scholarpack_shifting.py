"""Lists that change while they are read: whoever was there all the time is never missing from what is believed."""

from __future__ import annotations

import json
from random import Random
from typing import Any
from urllib.parse import urlsplit

import pytest

from mis_connectors.base import Access
from mis_connectors.errors import ConnectorUnavailable
from mis_connectors.http import Http, Reply
from mis_connectors.scholarpack import client
from mis_connectors.scholarpack.oauth import Tokens

PAGE = 5


class Shifting(Http):
    """A list of ids in which somebody comes or goes between pages, so often as chance has it."""

    def __init__(self, rng: Random, *, calm: float) -> None:
        super().__init__()
        self.rng, self.calm = rng, calm
        self.ids = list(range(rng.randrange(1, 40)))
        self.always = set(self.ids)
        self.newest = 1000

    def get(self, url: str, *, params: Any = None, headers: Any = None, auth: Any = None) -> Reply:
        number = int((params or {}).get("page", 1))
        pages = max(1, -(-len(self.ids) // PAGE))
        found = self.ids[(number - 1) * PAGE : number * PAGE]
        more = number < pages
        said = {
            "has_next": more,
            "page": number,
            "pages": pages,
            "per_page": PAGE,
            "next_uri": f"https://pack.example.org{urlsplit(url).path}?page={number + 1}" if more else None,
            "data": [{"id": one} for one in found],
        }
        self._shift()
        return Reply(200, {"content-type": "application/json"}, json.dumps(said).encode(), url)

    def _shift(self) -> None:
        while self.rng.random() > self.calm:
            place = self.rng.randrange(len(self.ids) + 1)
            if self.rng.random() < 0.5 and self.ids:
                self.always.discard(self.ids.pop(min(place, len(self.ids) - 1)))
            else:
                self.newest += 1
                self.ids.insert(place, self.newest)


class Kept:
    """A sink."""

    def __init__(self) -> None:
        self.parts: dict[str, bytes] = {}

    def write(self, name: str, body: bytes) -> None:
        self.parts[name] = body


@pytest.mark.parametrize("calm", [0.75, 0.9, 0.97, 1.0])
def test_nobody_who_was_there_all_the_time_is_missing(calm: float) -> None:
    believed = 0
    for seed in range(250):
        http = Shifting(Random(seed), calm=calm)
        access = Access(
            dfe_number="8233001",
            http=http,
            platform={"address": "https://pack.example.org", "client_id": "c", "client_secret": "s"},
        )
        sink = Kept()
        try:
            keys, number = client.Client(access, Tokens("a", "r")).read(client.STUDENTS, sink)
        except ConnectorUnavailable:
            continue
        believed += 1
        last = [body for name, body in sink.parts.items() if name.startswith(f"students/{number - 1:02}/")]
        written = {str(record["id"]) for body in last for record in json.loads(body)["data"]}
        assert {str(one) for one in http.always} <= written, f"seed {seed}"
        assert {key for (key,) in keys} == written
    assert believed > (240 if calm >= 0.97 else 20), "and lists that are calm are believed"
