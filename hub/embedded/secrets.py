"""Secrets of this machine's own installation: made once, kept in `var/`, readable by their owner only."""

from __future__ import annotations

import base64
import json
import os
import secrets
from pathlib import Path

_FILE = "secrets.json"


def password() -> str:
    return secrets.token_urlsafe(24)


def load(var: Path) -> dict[str, str]:
    """Return the secrets kept in `var`, making those that are missing."""
    path = var / _FILE
    kept: dict[str, str] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    fresh = {
        "SCHOOLGATE_SECRET_KEY": secrets.token_urlsafe(48),
        "SCHOOLGATE_KEYS": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
        "superuser": password(),
        "owner": password(),
        "broker": password(),
    }
    if fresh.keys() - kept.keys():
        kept = {**fresh, **kept}
        write_private(path, json.dumps(kept, indent=1))
    return kept


def write_private(path: Path, text: str) -> None:
    """Replace `path` in one step by a file that only this user can read."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    beside.unlink(missing_ok=True)
    with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)
