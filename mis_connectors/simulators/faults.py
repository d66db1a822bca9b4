"""What can be wrong with a cloud MIS, by name, and what of it the wire acts out."""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mis_connectors.simulators.server import Response


class Fault(StrEnum):
    """The faults every simulator can be told to have. Those of the wire are `disturbed`'s; the rest its MIS's."""

    SLOW = "slow"
    """Every answer waits `seconds`."""
    SERVER_ERROR = "server_error"
    """Every answer is a 500."""
    HANG = "hang"
    """Nothing is ever answered."""
    TRUNCATED = "truncated"
    """The connection ends in the middle of a body."""
    WRONG_TYPE = "wrong_type"
    """A page of HTML, with status 200."""
    GARBAGE = "garbage"
    """What says it is JSON is not."""
    TOO_MANY = "too_many"
    """429 with `Retry-After`."""
    EXPIRED_TOKEN = "expired_token"  # noqa: S105 - a fault's name
    """What we sign in with has run out."""
    PENDING = "pending"
    """The school has not let us in yet, or nobody has told the MIS's own machines."""
    WITHDRAWN = "withdrawn"
    """The school has taken our access away."""
    UNTICKED = "unticked"
    """The school withholds optional fields."""
    WRONG_SCHOOL = "wrong_school"
    """The answers are another school's."""
    HALF = "half"
    """Every second pupil is missing, and nothing says so."""
    DUPLICATE_PAGE = "duplicate_page"
    """A page comes twice, in place of the next one."""
    ADDED_BETWEEN_PAGES = "added_between_pages"
    """A pupil is added while pages are being fetched, before the ones still to come."""
    MERGED = "merged"
    """Two records of one contact have become one overnight."""


PAGE_OF_HTML = b"<!doctype html><title>Down for maintenance</title><h1>We will be back shortly</h1>"


def disturbed(response: Response, fault: Fault, seconds: float) -> Response:
    """Return the answer as the wire brings it under this fault; unchanged for a fault of the MIS itself."""
    match fault:
        case Fault.SLOW:
            return replace(response, delay=seconds)
        case Fault.HANG:
            return replace(response, never=True)
        case Fault.TRUNCATED:
            return replace(response, cut=True)
        case Fault.SERVER_ERROR:
            return replace(response, status=500, headers={"Content-Type": "text/html"}, body=PAGE_OF_HTML)
        case Fault.WRONG_TYPE:
            return replace(response, status=200, headers={"Content-Type": "text/html"}, body=PAGE_OF_HTML)
        case Fault.GARBAGE:
            return replace(response, body=b'{"' + b"\x00\xff~" * 40)
        case Fault.TOO_MANY:
            headers = {"Content-Type": "application/json", "Retry-After": f"{max(1, round(seconds))}"}
            return replace(response, status=429, headers=headers, body=b'{"error": "too many requests"}')
    return response
