"""Measuring a piece of work: the wall clock, and the processor time of this process and of its PostgreSQL backend."""

from __future__ import annotations

import gc
import statistics
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from django.db import connection
from django.test.utils import CaptureQueriesContext


class Measures(Protocol):
    """Whatever watches a piece of work being done."""

    def measure(self, name: str, work: Callable[[], Any], /) -> Any: ...


class Statements:
    """Statements sent to PostgreSQL, by name of the work; apart from the times, for counting costs some."""

    def __init__(self) -> None:
        self.found: dict[str, int] = {}

    def measure(self, name: str, work: Callable[[], Any], /) -> Any:
        """Do `work`, note how many statements it took, and return what it returned."""
        with CaptureQueriesContext(connection) as captured:
            result = work()
        self.found[name] = len(captured)
        return result


class Times:
    """Seconds by name of the work, in the order measured."""

    def __init__(self) -> None:
        self.wall: dict[str, list[float]] = defaultdict(list)
        self.cpu: dict[str, list[float]] = defaultdict(list)

    def measure(self, name: str, work: Callable[[], Any], /) -> Any:
        """Do `work`, note what it took (on stderr too), and return what it returned."""
        connection.ensure_connection()
        gc.collect()
        backend, own, began = backend_seconds(), time.process_time(), time.perf_counter()
        result = work()
        ended = time.perf_counter()
        print(f"{name}: {ended - began:.3f}", file=sys.stderr, flush=True)
        self.wall[name].append(ended - began)
        self.cpu[name].append(time.process_time() - own + backend_seconds() - backend)
        return result

    def median(self, name: str) -> float:
        return statistics.median(self.wall[name])

    def least(self, name: str) -> float:
        return min(self.wall[name])

    def rows(self) -> dict[str, dict[str, float | int]]:
        """Return, by name, the median, the extremes and the median of processor time."""
        return {
            name: {
                "median": round(statistics.median(wall), 4),
                "min": round(min(wall), 4),
                "max": round(max(wall), 4),
                "cpu": round(statistics.median(self.cpu[name]), 4),
                "times": len(wall),
            }
            for name, wall in self.wall.items()
        }


def backend_seconds() -> float:
    """Return the processor time of this connection's backend; 0 where it is not on this machine or not Linux."""
    try:
        pid = connection.connection.info.backend_pid
        return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e9
    except (OSError, IndexError, ValueError):
        return 0.0
