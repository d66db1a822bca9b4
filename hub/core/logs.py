"""How a line of the log is written: without secrets and personal data, whoever wrote it and whatever broke."""

from __future__ import annotations

import logging
import re

_TOKEN = re.compile(r"(?<=/)[A-Za-z0-9_-]{40,}")
"""A part of an address as long as `hub.accounts.tokens` makes them; no other is."""
_CODE = re.compile(r"(?<=[?&]code=)[^&\s\"']+|(?<=[?&]state=)[^&\s\"']+")
"""What an MIS sends a browser back with, once its school has consented."""
_ROW = re.compile(r"(?m)((?:DETAIL|CONTEXT|LINE \d+): ).*$")
"""What PostgreSQL adds to an error: the row, the line of a COPY or the statement that it refused, with its values."""
_VALUE = re.compile(r"(invalid input syntax for type [\w ]+: ).*")


class WithoutTokens(logging.Formatter):
    """Writes `/join/…/` where somebody opened a link in a way that it does not take, or a page of it broke.

    And of an error of the database what it says, without whose email it says it of.
    """

    def format(self, record: logging.LogRecord) -> str:
        """Return the line, with its traceback."""
        text = _CODE.sub("…", _TOKEN.sub("…", super().format(record)))
        return _VALUE.sub(r"\1…", _ROW.sub(r"\1…", text))
