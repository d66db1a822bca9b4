"""Brings the database of our own up to date, and remembers that it is, so that a second start is quick."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from hub.embedded.errors import EmbeddedError
from hub.embedded.services import PROJECT

_NOTE = "migrated"


def is_current(var: Path) -> bool:
    """Return whether the database kept in `var` has had all of today's migrations."""
    try:
        return (var / _NOTE).read_text(encoding="ascii") == _digest()
    except OSError:
        return False


def migrate(var: Path | None, environ: Mapping[str, str]) -> None:
    """Run the migrations and note it in `var`; raises `EmbeddedError` with the last line of what was said."""
    done = subprocess.run(
        [sys.executable, str(PROJECT / "manage.py"), "migrate", "--no-input", "-v", "0"],
        env=dict(environ),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        words = done.stderr.strip().splitlines() or ["it said nothing"]
        raise EmbeddedError(f"The database could not be brought up to date: {words[-1]}")
    if var is not None:
        (var / _NOTE).write_text(_digest(), encoding="ascii")


def forget(var: Path) -> None:
    """Look again next time: somebody is about to change the schema by hand."""
    (var / _NOTE).unlink(missing_ok=True)


def _digest() -> str:
    """Return a digest of all migrations; made from their text, so that an edited one counts as new."""
    digest = hashlib.sha256()
    for path in sorted(PROJECT.glob("*/migrations/*.py")) + sorted(PROJECT.glob("*/*/migrations/*.py")):
        digest.update(str(path.relative_to(PROJECT)).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()
