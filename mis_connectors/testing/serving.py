"""A simulator that is watched, ways out to it that wait briefly or replay, and places where a value may turn odd."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from mis_connectors.http import Http, Outgoing, Reply
from mis_connectors.simulators.server import Api, Request, Response, SimulatorServer

Path = tuple[str | int, ...]


def paths(value: Any, named: str = "", path: Path = ()) -> dict[str, list[Path]]:
    """Return where each field stands, by its name without the numbers of rows: all rows have the same."""
    found: dict[str, list[Path]] = {named: [path]} if path else {}
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, one in inner:
        step = f"{named}/{key}" if isinstance(value, dict) else f"{named}/*"
        for name, places in paths(one, step, (*path, key)).items():
            found.setdefault(name, []).extend(places)
    return found


def put(value: Any, path: Path, odd: Any) -> Any:
    """Return the value with something odd at a place."""
    holder = value
    for key in path[:-1]:
        holder = holder[key]
    holder[path[-1]] = odd
    return value


def quick(patience: float = 10) -> Http:
    """Return what waits so many seconds for an answer, and hardly sleeps between tries."""
    outgoing = Outgoing(loopback=True, connect_seconds=5, read_seconds=patience, total_seconds=60)
    return Http(outgoing, sleep=lambda seconds: time.sleep(min(seconds, 0.01)))


class Recorded(SimulatorServer):
    """A simulator that keeps the addresses it was asked for, and what a link saved."""

    def __init__(self, api: Api) -> None:
        super().__init__(api)
        self.asked: list[str] = []
        self.saved: dict[str, str] = {}
        self.patience = 10.0
        self.ready: Callable[[], None] = lambda: None

    def respond(self, request: Request) -> Response:
        self.asked.append(f"{request.path}?{dict(request.query)}")
        return super().respond(request)


class Recorder(Http):
    """Keeps every answer."""

    def __init__(self) -> None:
        super().__init__(Outgoing(loopback=True))
        self.replies: list[Reply] = []

    def get(self, *given: Any, **named: Any) -> Reply:
        self.replies.append(super().get(*given, **named))
        return self.replies[-1]

    def post(self, *given: Any, **named: Any) -> Reply:
        self.replies.append(super().post(*given, **named))
        return self.replies[-1]


class Replayed(Http):
    """Gives the answers again, in their order."""

    def __init__(self, replies: list[Reply]) -> None:
        super().__init__()
        self._replies = iter(replies)

    def get(self, *given: Any, **named: Any) -> Reply:
        return next(self._replies)

    def post(self, *given: Any, **named: Any) -> Reply:
        return next(self._replies)
