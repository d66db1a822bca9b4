"""What an answer means: one JSON object of rows or none, and what an office is told of it in its MIS's name.

What a status means, and where an answer's rows stand, its connector knows.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

from mis_connectors.errors import ConnectorConfigError, ConnectorUnavailable, SnapshotFormatError
from mis_connectors.http import Reply

Wrong = Callable[[str], SnapshotFormatError]
"""From what is wrong, for the log, to the error that is raised."""


@contextmanager
def by_name(mis: str) -> Iterator[None]:
    """Have whatever goes wrong on the wire said of this MIS."""
    try:
        yield
    except ConnectorUnavailable as error:
        message = error.message.replace("The MIS", mis).replace("the MIS", mis)
        raise ConnectorUnavailable(
            message, detail=error.detail, retry_after=error.retry_after, address=error.address
        ) from None


def object_of(reply: Reply, wrong: Wrong) -> dict[str, Any]:
    """Return the JSON object answered; raises what `wrong` returns."""
    try:
        said = reply.json()
    except SnapshotFormatError as error:
        raise wrong(f"not JSON ({error.detail[:80]})") from None
    return _as_object(said, wrong)


def object_in(body: bytes, wrong: Wrong) -> dict[str, Any]:
    """Return the JSON object of a part that was kept; raises what `wrong` returns."""
    try:
        said = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise wrong(f"not JSON ({type(error).__name__})") from None
    return _as_object(said, wrong)


def _as_object(said: object, wrong: Wrong) -> dict[str, Any]:
    if not isinstance(said, dict):
        raise wrong("not an object")
    return said


def rows_in(said: Mapping[str, Any], key: str, wrong: Wrong) -> list[dict[str, Any]]:
    """Return the objects of a list; raises what `wrong` returns."""
    rows = said.get(key)
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise wrong(f"no rows in {key}")
    return rows


@dataclass(frozen=True, slots=True)
class Answers:
    """What is said of the answers of one MIS."""

    mis: str
    lists: Mapping[str, str]
    """What an office calls each list; anything else is what the MIS says of the school."""

    def not_its_own(self, name: str, *, detail: str) -> SnapshotFormatError:
        """Return the error for an answer that is not as we know them."""
        what = f"its list of {self.lists[name]}" if name in self.lists else "what it says of the school"
        return SnapshotFormatError(
            f"{self.mis} answered, but {what} cannot be read: it is not in the form that Schoolgate knows. Nothing was "
            f"changed. Send the details to support: this cannot be mended in {self.mis}.",
            detail=f"{name}: {detail}",
        )

    def wrong(self, name: str) -> Wrong:
        """Return the same as a function of what is wrong."""
        return lambda detail: self.not_its_own(name, detail=detail)

    def object_of(self, reply: Reply, name: str) -> dict[str, Any]:
        """Return the JSON object answered; raises `SnapshotFormatError`, also for a page that people would read."""
        is_page = reply.header("Content-Type").lower().startswith("text/html")
        return object_of(reply, partial(self._web_page, name) if is_page else self.wrong(name))

    def _web_page(self, name: str, detail: str) -> SnapshotFormatError:
        return SnapshotFormatError(
            f"{self.mis} answered with a web page in place of its data, as it does during maintenance. Nothing was "
            "changed. Import again later today; if it stays so, send the details to support.",
            detail=f"{name}: {detail}",
        )

    def not_there(self, name: str, status: int) -> ConnectorConfigError:
        """Return the error for an address that the MIS does not know."""
        return ConnectorConfigError(
            f"{self.mis} does not know the address that Schoolgate asked. The address is set by whoever runs this "
            "Schoolgate: use Send details to support.",
            detail=f"{name}: {status}",
        )

    def of_another_school(self, theirs: str, ours: str) -> str:
        """Return the sentence for answers that are another school's."""
        return f"{self.mis} answers about another school: {theirs}, not {ours}."
