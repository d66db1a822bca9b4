"""Showing a result: tables to read, and one JSON object for programs."""

from __future__ import annotations

import json
import os
import platform
from typing import Any


def show(result: dict[str, Any], *, as_json: bool) -> None:
    """Print the result; with `as_json` as one object on the last line too."""
    result["machine"] = _machine()
    for name, value in result.items():
        if name == "targets":
            _targets(value)
        elif isinstance(value, dict) and value:
            _table(name, value)
    if as_json:
        print(json.dumps(result))


def _machine() -> dict[str, Any]:
    from django.db import connection

    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version")
        server = cursor.fetchone()[0]
        cursor.execute("SHOW fsync")
        fsync = cursor.fetchone()[0]
    return {
        "python": platform.python_version(),
        "postgresql": server,
        "fsync": fsync,
        "cores": os.cpu_count(),
        "load at the end": round(load, 2),
    }


def _table(title: str, rows: dict[str, Any]) -> None:
    print(f"\n{title}")
    width = max(len(str(name)) for name in rows)
    for name, value in rows.items():
        said = "  ".join(f"{key} {one}" for key, one in value.items()) if isinstance(value, dict) else value
        print(f"  {name:<{width}}  {said}")


def _targets(targets: list[dict[str, Any]]) -> None:
    print("\ntargets")
    for one in targets:
        limit = f"at most {one['at most']}" if "at most" in one else f"at least {one['at least']}"
        print(f"  {'met    ' if one['met'] else 'NOT met'}  {one['name']}: {one['figure']} ({limit})")
