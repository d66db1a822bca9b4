"""How a line of the log is written: without the secret parts of addresses, whoever wrote it and whatever broke."""

from __future__ import annotations

import logging
import re

_TOKEN = re.compile(r"(?<=/)[A-Za-z0-9_-]{40,}")
"""A part of an address as long as `hub.accounts.tokens` makes them; no other is."""
_CODE = re.compile(r"(?<=[?&]code=)[^&\s\"']+|(?<=[?&]state=)[^&\s\"']+")
"""What an MIS sends a browser back with, once its school has consented."""


class WithoutTokens(logging.Formatter):
    """Writes `/join/…/` where somebody opened a link in a way that it does not take, or a page of it broke."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line, with its traceback."""
        return _CODE.sub("…", _TOKEN.sub("…", super().format(record)))
