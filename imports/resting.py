"""Letting Python's garbage collector rest while an import runs."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def collector() -> Iterator[None]:
    """Let the collector of reference cycles rest until the block ends.

    An import makes a hundred thousand objects and keeps nearly all of them to its end, in no cycles; each
    time the collector looks through them again it finds nothing. Everything else is freed as ever.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
