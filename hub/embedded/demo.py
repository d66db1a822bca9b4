"""`bin/demo`: starts everything, has each school's MIS speak for two nights, and shows where to look.

Starts and ends processes and prints what happens; what the schools and their nights are is `imports.demo`.
"""

from __future__ import annotations

import argparse
import fcntl
import json
import os
import socket
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from secrets import token_urlsafe
from typing import TYPE_CHECKING, Any

from hub.embedded import commands, schema, services
from hub.embedded.errors import EmbeddedError
from hub.embedded.keeper import lock_file
from hub.embedded.processes import Asked, Supervisor, free_port, stop_when_asked
from hub.embedded.services import PROJECT

if TYPE_CHECKING:
    from imports.demo.simulator import Simulator
    from imports.demo.story import Login, Row

VAR = PROJECT / "var"
PORT = 8000
_LOCK = "demo.lock"
"""Held while a demo runs, and says on which port."""
_PATIENCE = 45.0
_HEARTBEAT = 4.0


@dataclass
class Progress:
    """Says what happens, with the seconds since the start."""

    began: float = field(default_factory=time.monotonic)

    def say(self, sentence: str) -> None:
        print(f"{time.monotonic() - self.began:5.1f} s  {sentence}", flush=True)


def main() -> int:
    options = _options()
    progress = Progress()
    rows: list[Row] = []
    trouble = ""
    try:
        with stop_when_asked(), _only_demo():
            if options.fresh:
                services.start_over(VAR)
                progress.say("Started over: what was kept here is gone.")
            _run(options, progress, rows)
    except Asked:
        pass
    except EmbeddedError as error:
        trouble = str(error)
    worked = not trouble and (not options.once or (bool(rows) and all(row.worked for row in rows)))
    if trouble:
        print(trouble, file=sys.stderr, flush=True)
    if options.json:
        found = [row.as_json() for row in rows]
        seconds = round(time.monotonic() - progress.began, 1)
        print(json.dumps({"ok": worked, "schools": found, "seconds": seconds, "trouble": trouble}), flush=True)
    elif not trouble:
        progress.say("Everything is stopped.")
    return 0 if worked else 1


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="bin/demo", description="A school on each MIS, two nights, and the hub to look at them."
    )
    parser.add_argument("--fresh", action="store_true", help="start over: forget what an earlier demo kept")
    parser.add_argument("--once", action="store_true", help="run both nights, print a table and end")
    parser.add_argument("--json", action="store_true", help="with --once: one JSON object on the last line")
    parser.add_argument(
        "--port", type=int, metavar="N", help=f"where the hub answers (default {PORT}, else the next free)"
    )
    options = parser.parse_args()
    if options.json and not options.once:
        parser.error("--json goes with --once")
    if options.port is not None and not 1 <= options.port <= 65535:
        parser.error("--port is a number from 1 to 65535")
    return options


def _run(options: argparse.Namespace, progress: Progress, rows: list[Row]) -> None:
    progress.say("Starting PostgreSQL and Valkey …")
    with services.use(VAR) as found:
        port = _port(options.port, progress)
        address = f"http://localhost:{port}"  # passkeys want a name: a number is nobody's
        texts = free_port(port + 1)
        clouds = _clouds(texts + 1)
        environ = {
            **services.environment(VAR, found),
            "SCHOOLGATE_URL": address,
            "SCHOOLGATE_LOCAL_INBOX": "1",
            **_text_gateway(texts),
            **{name: value for one in clouds for name, value in one.environment().items()},
        }
        with _servers(port, texts, clouds, environ, progress) as supervisor:
            story = _story(address, environ, clouds)
            rows += story.tell(progress.say, always=options.once)
            if options.once:
                print(_table(rows), flush=True)
                return
            print(_welcome(address, story.password, story.logins(), story.parents()) + _told_of(clouds), flush=True)
            _stay(supervisor, story, ours=found.embedded)


def _clouds(port: int) -> list[Simulator]:
    """Return the simulated MIS in the cloud, at ports from this one on where they are free."""
    from imports.demo.places import CLOUD
    from imports.demo.simulator import simulators

    ports: list[int] = []
    for _ in CLOUD:
        ports.append(free_port(max(port, *(one + 1 for one in ports)) if ports else port))
    return simulators(VAR / "demo" / "cloud", ports)


def _text_gateway(port: int) -> dict[str, str]:
    """Return the settings by which the hub hands texts to the stand-in at this port."""
    return {
        "SCHOOLGATE_TEXT_URL": f"http://127.0.0.1:{port}/texts",
        "SCHOOLGATE_TEXT_KEY": token_urlsafe(24),
        "SCHOOLGATE_TEXT_SENDER": "Schoolgate",
    }


@contextmanager
def _servers(
    port: int, texts: int, clouds: list[Simulator], environ: Mapping[str, str], progress: Progress
) -> Iterator[Supervisor]:
    """Run the product's own processes for the length of the block.

    They get up while the tables are made; the beat, the first to ask for work, comes after that.
    """
    supervisor = Supervisor(VAR / "log", environ, PROJECT)
    try:
        progress.say("Starting the web server and the workers …")
        supervisor.start("web", commands.web(port))
        supervisor.start("worker", commands.worker())
        supervisor.start("io-worker", commands.io_worker())
        supervisor.start("mis-worker", commands.mis_worker())
        supervisor.start("text-gateway", commands.text_gateway(texts))
        for one in clouds:
            supervisor.start(f"simulated-{one.demo.mis}", one.command())
        _bring_up_to_date(environ, progress)
        supervisor.start("beat", commands.beat(VAR / "beat-schedule"))
        _wait_for_web(port, supervisor)
        progress.say("The hub answers.")
        yield supervisor
    finally:
        supervisor.stop()


def _bring_up_to_date(environ: Mapping[str, str], progress: Progress) -> None:
    """Run the migrations; a database of our own remembers that it has had them."""
    ours = VAR if "DATABASE_URL" not in services.given_addresses(os.environ) else None
    if ours is None or not schema.is_current(ours):
        progress.say("Making the tables …")
        schema.migrate(ours, environ)


def _wait_for_web(port: int, supervisor: Supervisor) -> None:
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline:
        _all_run(supervisor)
        with suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{port}/health/live", timeout=5):
            return
        time.sleep(0.1)
    raise EmbeddedError(f"The web server did not answer; what it said is in {supervisor.log_of('web')}.")


def _all_run(supervisor: Supervisor) -> None:
    for name in supervisor.ended():
        log = supervisor.log_of(name)
        words = log.read_text(encoding="utf-8", errors="replace").strip().splitlines() or ["it said nothing"]
        raise EmbeddedError(f"The {name} ended by itself: {words[-1]} (more in {log})")


def _services_run(ours: bool) -> None:
    if ours and not services.are_running(VAR):
        raise EmbeddedError(
            "PostgreSQL or Valkey ended by itself: perhaps it was killed, or the disk is full. What was saved is kept: "
            f"start bin/demo again. What they said is in {VAR / 'log'}."
        )


def _story(address: str, environ: Mapping[str, str], clouds: list[Simulator]) -> Any:
    """Become part of the product, in this process, and return the demo's story."""
    os.environ.update(environ)
    import django

    django.setup()
    import hub.celery  # noqa: F401  (tasks need the broker's address)
    from imports.demo.story import Story

    plain = {name: os.environ[name] for name in ("PATH", "LANG", "LC_ALL") if name in os.environ}
    return Story(VAR / "demo", hub=address, environ=plain, simulators=clouds)


def _stay(supervisor: Supervisor, story: Any, *, ours: bool) -> None:
    """Let the schools' servers be heard until somebody stops us, so that *Import now* works.

    `ours`: whether the services are. Raises `EmbeddedError` where something ended by itself.
    """
    with ThreadPoolExecutor(max_workers=1) as aside:
        beating = aside.submit(story.heartbeats)
        try:
            while True:
                time.sleep(_HEARTBEAT)
                _services_run(ours)
                _all_run(supervisor)
                if beating.done():
                    beating = aside.submit(story.heartbeats)
        finally:
            story.stop()


def _port(wanted: int | None, progress: Progress) -> int:
    """Return the port to answer on, and say so where it is not the one asked for."""
    asked = wanted or PORT
    for port in range(asked, min(asked + 50, 65536)):
        if _is_free(port):
            if port != asked:
                progress.say(f"Port {asked} is taken by something else: using {port}.")
            (VAR / _LOCK).write_text(str(port), encoding="ascii")
            return port
    return free_port()


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    with socket.socket() as probe:
        probe.settimeout(0.2)
        return probe.connect_ex(("127.0.0.1", port)) != 0


@contextmanager
def _only_demo() -> Iterator[None]:
    """Hold the demo's lock; raises `EmbeddedError` while another demo runs in this folder."""
    services.make_folder(VAR)
    lock = lock_file(VAR / _LOCK)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError:
        raise EmbeddedError(
            f"The demo runs already, at port {(VAR / _LOCK).read_text() or PORT}: stop that one first (Ctrl-C)."
        ) from None
    finally:
        os.close(lock)


def _table(rows: list[Row]) -> str:
    head = ("School", "MIS", "Outcome", "Pupils", "Parents", "Kept", "Rejected", "Seconds")
    lines = [head, *(row.cells() for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    shown = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines]
    return "\n" + "\n".join([shown[0], "  ".join("-" * width for width in widths), *shown[1:]]) + "\n"


def _welcome(address: str, password: str, staff: list[Login], parents: list[Login]) -> str:
    width = max(len(one.name) for one in [*staff, *parents])
    offices = "\n".join(f"    {one.name.ljust(width)}  {one.code or '      '}  {one.what}" for one in staff)
    families = "\n".join(f"    {one.name.ljust(width)}  {one.what}" for one in parents)
    return (
        f"\n  Schoolgate is at {address}\n\n"
        f"  The password is always: {password}\n\n"
        "  Staff, who need a code too; it counts for half a minute, and the next one comes by: bin/manage demo_code\n\n"
        f"{offices}\n\n"
        f"  Parents:\n\n{families}\n\n"
        f"  Mails and texts that the hub sends are at {address}/inbox/\n"
        f"  Files to upload by hand, good and bad, are in {VAR / 'demo' / 'files'}\n\n"
    )


def _told_of(clouds: list[Simulator]) -> str:
    """Tell where each simulated MIS is, and how to make it fail."""
    from imports.demo.simulator import how_to_fail

    width = max(len(one.mis_name) for one in clouds)
    listed = "\n".join(f"    {one.mis_name.ljust(width)}  {one.address}  {one.demo.name}" for one in clouds)
    return (
        f"  MIS in the cloud, simulated:\n\n{listed}\n\n"
        f"  Each can be made to fail, for example:\n\n{how_to_fail(clouds[0])}\n\n  Ctrl-C stops everything.\n"
    )


if __name__ == "__main__":
    sys.exit(main())
