"""The commands the product consists of, as `docker-compose.yml` runs them too (a test holds the two together)."""

from __future__ import annotations

import sys
from pathlib import Path

_CELERY = [sys.executable, "-m", "celery", "--app=hub.celery"]
_WORKER = ["--without-mingle", "--without-gossip", "--loglevel=INFO"]


def web(port: int) -> list[str]:
    """The web server, on the loopback address."""
    options = [f"--bind=127.0.0.1:{port}", "--workers=1", "--threads=8", "--timeout=120", "--log-level=warning"]
    return [sys.executable, "-m", "gunicorn", "hub.wsgi", *options]


def worker() -> list[str]:
    """Imports: processor and database work, one process each."""
    return [
        *_CELERY,
        "worker",
        "--queues=imports",
        "--pool=prefork",
        "--concurrency=2",
        "--hostname=imports@%h",
        *_WORKER,
    ]


def mis_worker() -> list[str]:
    """Waiting for an MIS: threads of its own."""
    return [*_CELERY, "worker", "--queues=mis", "--pool=threads", "--concurrency=16", "--hostname=mis@%h", *_WORKER]


def io_worker() -> list[str]:
    """Waiting for a mail server or a text gateway: threads."""
    return [*_CELERY, "worker", "--queues=io", "--pool=threads", "--concurrency=16", "--hostname=io@%h", *_WORKER]


def beat(schedule: Path) -> list[str]:
    """The tick. Its file may be lost: what is due lives in the database."""
    return [*_CELERY, "beat", f"--schedule={schedule}", "--pidfile=", "--loglevel=INFO"]


def text_gateway(port: int) -> list[str]:
    """The stand-in for a provider of text messages: the demo's own, no part of the product."""
    return [sys.executable, "manage.py", "text_gateway", f"--port={port}"]
