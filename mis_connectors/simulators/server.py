"""The web server that every simulated cloud MIS shares: requests, answers, and a switch for each fault.

An `Api` answers without sockets; `SimulatorServer` puts it on 127.0.0.1 and acts the faults of the wire.
"""

from __future__ import annotations

import json
import socket
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, ClassVar, Self
from urllib.parse import parse_qsl, urlsplit

from mis_connectors.simulators.faults import Fault, disturbed
from mis_connectors.simulators.hosting import Hosted, Simulation

__all__ = ["Api", "Fault", "Hosted", "Request", "Response", "Simulation", "SimulatorServer", "in_json"]

_LONGEST_REQUEST = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What was asked."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    """By lower-case name."""
    body: bytes = b""

    def form(self) -> dict[str, str]:
        """Return the fields of a form that was sent."""
        return dict(parse_qsl(self.body.decode("utf-8", "replace"), keep_blank_values=True))

    def number(self, name: str, default: int) -> int:
        """Return a whole number of the query; `default` for anything else."""
        text = self.query.get(name, "")
        return int(text) if text.isascii() and text.isdigit() else default


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """What is answered, and how the wire is to spoil it."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    delay: float = 0
    """Seconds before the first byte."""
    cut: bool = False
    """The connection ends in the middle of the body."""
    never: bool = False
    """Nothing is ever answered."""


def in_json(value: Any, *, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Return an answer in JSON."""
    said = {"Content-Type": "application/json; charset=utf-8", **(headers or {})}
    return Response(status=status, headers=said, body=json.dumps(value, ensure_ascii=False).encode())


class Api(ABC):
    """One simulated MIS. A module `<slug>_api.py` names its own as `API`."""

    slug: ClassVar[str]
    mis_name: ClassVar[str]

    def __init__(self, simulation: Simulation) -> None:
        self.simulation = simulation

    @abstractmethod
    def handle(self, request: Request) -> Response:
        """Answer one request, faults of the wire apart."""

    @abstractmethod
    def school_of(self, request: Request) -> str:
        """Return the DfE number of the school a request is about; empty where it does not say."""

    @abstractmethod
    def platform(self, address: str) -> dict[str, str]:
        """Return what an operator sets for this simulator: the connector's platform fields."""

    def settings(self, dfe_number: str) -> dict[str, str]:
        """Return what a school types in: the connector's setting fields."""
        return {}

    def secrets(self, dfe_number: str) -> dict[str, str]:
        """Return what a school's consent brings, as if it had been asked."""
        return {}

    def answer(self, request: Request) -> Response:
        """Answer one request, with the fault of its school."""
        hosted = self.simulation.schools.get(self.school_of(request)) or self.simulation.only()
        fault = hosted.takes_fault() if hosted else None
        response = self.handle(request)
        return disturbed(response, fault, hosted.seconds) if hosted and fault else response


class SimulatorServer:
    """One simulated MIS on a port of 127.0.0.1; 0 takes any that is free.

    `with SimulatorServer(IntegrisApi(Simulation([state]))) as server:` runs it in a thread.
    """

    def __init__(self, api: Api, port: int = 0, *, keep: Path | None = None) -> None:
        """`keep`: where the schools' states are written after each edit and night."""
        self.api = api
        self._keep = keep
        self.simulation = api.simulation
        self._stopped = threading.Event()
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", port), _handler(self))
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._listen, daemon=True)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """End, and let go of whoever hangs."""
        self._stopped.set()
        if self._thread.is_alive():
            here = ("127.0.0.1", self._server.server_port)
            socket.create_connection(here, timeout=5).close()  # wakes it: it looks around
            self._thread.join(5)
        self._server.server_close()

    def _listen(self) -> None:
        while not self._stopped.is_set():
            self._server.handle_request()

    def wait(self, seconds: float | None = None) -> None:
        """Wait, but not beyond the end of the server."""
        self._stopped.wait(seconds)

    def respond(self, request: Request) -> Response:
        """Answer a request: the simulator's own switches, or the MIS."""
        with self._lock:
            if request.path.startswith("/simulator/"):
                return self._control(request)
            try:
                return self.api.answer(request)
            except Exception as error:  # noqa: BLE001 - a simulator's own mistake is its MIS's "500", and said
                return in_json({"error": f"{type(error).__name__}: {error}"}, status=500)

    def _control(self, request: Request) -> Response:
        """`POST /simulator/fault`, `/simulator/edit` and `/simulator/night`; `GET /simulator/state`."""
        if request.method == "GET" and request.path == "/simulator/state":
            state = self.simulation.state()
            return in_json({"mis": self.api.mis_name, "platform": self.api.platform(self.address), **state})
        verbs: dict[str, Callable[..., None]]
        verbs = {"fault": self.simulation.set_fault, "edit": self.simulation.edit, "night": self.simulation.night}
        verb = verbs.get(request.path.removeprefix("/simulator/"))
        if request.method != "POST" or verb is None:
            return in_json({"error": "There is nothing here."}, status=404)
        try:
            verb(**json.loads(request.body or b"{}"))
        except (TypeError, ValueError, KeyError, AttributeError) as error:
            return in_json({"error": f"{type(error).__name__}: {error}"}, status=400)
        if self._keep and request.path != "/simulator/fault":
            beside = self._keep.with_suffix(".new")
            beside.write_text(json.dumps(self.simulation.told(), indent=1), encoding="utf-8")
            beside.replace(self._keep)
        return in_json(self.simulation.state())


def _handler(server: SimulatorServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            self._serve()

        def do_POST(self) -> None:
            self._serve()

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing: a simulator's log is of no use to anybody."""

        def _serve(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            if length > _LONGEST_REQUEST:
                self.send_error(413)
                return
            parts = urlsplit(self.path)
            self._send(
                server.respond(
                    Request(
                        method=self.command,
                        path=parts.path,
                        query=dict(parse_qsl(parts.query, keep_blank_values=True)),
                        headers={name.lower(): value for name, value in self.headers.items()},
                        body=self.rfile.read(length),
                    )
                )
            )

        def _send(self, response: Response) -> None:
            if response.never:
                server.wait()
                self.close_connection = True
                return
            if response.delay:
                server.wait(response.delay)
            self.send_response(response.status)
            for name, value in response.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(response.body)))
            self.end_headers()
            self.wfile.write(response.body[: len(response.body) // 2] if response.cut else response.body)
            self.close_connection = self.close_connection or response.cut

    return Handler
