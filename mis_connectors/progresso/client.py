"""How Progresso's Web API V2 is asked, as far as we assume it: a username and password, pages by number.

Everything here about addresses, signing in and pages is our own assumption (`README.md`); how a school adds our
company, and what the username looks like, is documented.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from mis_connectors import lists
from mis_connectors.base import Access
from mis_connectors.errors import ConnectorAuthError, ConnectorConfigError, ConnectorError
from mis_connectors.http import Reply
from mis_connectors.lists import Identity
from mis_connectors.replies import Answers, by_name, rows_in

PAGE_SIZE = 200
WHERE = "System > Web API V2 > Manage Companies Access"
IDENTITIES: Mapping[str, tuple[str, ...]] = {
    "students": ("StudentId",),
    "contacts": ("ContactId",),
    "studentcontacts": ("StudentId", "ContactId"),
    "staff": ("StaffId",),
}
"""The lists, in the order fetched, and what names one of their rows."""
ANSWERS = Answers(
    "Progresso",
    {
        "students": "pupils",
        "contacts": "contacts",
        "studentcontacts": "pupils with their contacts",
        "staff": "staff",
    },
)
_ROWS: Mapping[str, str] = {
    "students": "Students",
    "contacts": "Contacts",
    "studentcontacts": "StudentContacts",
    "staff": "Staff",
}


class CredentialsRefused(ConnectorAuthError):
    """Status 401: the username or the password."""


class NotLetIn(ConnectorAuthError):
    """Status 403: they are right, and the school has not added our company, or has taken it away."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One page of a list, as it came and as it reads."""

    body: bytes
    number: int
    pages: int
    rows: list[dict[str, Any]]


class WebApi:
    """Asks Progresso about one school."""

    def __init__(self, access: Access) -> None:
        """Raises `ConnectorConfigError` where the operator or the school has not given what is needed."""
        address = access.platform.get("address", "").rstrip("/")
        username, password = access.settings.get("username", "").strip(), access.secrets.get("password", "")
        if not address:
            raise ConnectorConfigError(
                "Schoolgate has not been given the address of Progresso yet. Ask whoever runs this Schoolgate to set "
                "it; nothing can be done in Progresso.",
                detail="not set: address",
            )
        if not username or not password:
            raise ConnectorConfigError(
                "The username and password from Progresso’s email have not been typed in yet. Type them in under "
                "Settings > MIS Link.",
                detail="not set: username or password",
            )
        self._http = access.http
        self._base = f"{address}/api/v2/"
        self._auth = (username, password)

    def school(self) -> tuple[bytes, dict[str, Any]]:
        """Return what Progresso says of the school that we signed in for; raises `ConnectorError`."""
        reply = self._get("school", {})
        return reply.body, ANSWERS.object_of(reply, "school")

    def page(self, name: str, number: int, *, size: int = PAGE_SIZE) -> Page:
        """Return one page of a list, from 1; raises `ConnectorError`."""
        reply = self._get(name, {"Page": number, "PageSize": size})
        said = ANSWERS.object_of(reply, name)
        rows = rows_of(name, said)
        pages, page = total_pages(name, said), said.get("Page")
        if page != number or (number > 1 and number > pages):
            raise ANSWERS.not_its_own(name, detail=f"asked for page {number}, got another")
        return Page(body=reply.body, number=number, pages=pages, rows=rows)

    def pages(self, name: str) -> Iterator[Page]:
        """Yield every page of a list, as it is now; raises `ConnectorError`."""
        number = pages = 1
        while number <= pages:
            page = self.page(name, number)
            yield page
            number, pages = number + 1, page.pages

    def _get(self, name: str, params: Mapping[str, str | int]) -> Reply:
        with by_name(ANSWERS.mis):
            reply = self._http.get(self._base + name, params=params, auth=self._auth)
        if reply.status != 200:
            raise _refusal(reply.status, name)
        return reply


def rows_of(name: str, said: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the rows of a page; raises `SnapshotFormatError`."""
    return rows_in(said, _ROWS[name], ANSWERS.wrong(name))


def total_pages(name: str, said: Mapping[str, Any]) -> int:
    """Return how many pages a list has; raises `SnapshotFormatError`."""
    pages = said.get("TotalPages")
    if not isinstance(pages, int) or isinstance(pages, bool) or not 0 <= pages < 10_000:
        raise ANSWERS.not_its_own(name, detail="no TotalPages")
    return pages


def identity(name: str, row: Mapping[str, Any]) -> Identity:
    """Return what names a row of this list."""
    return lists.identity(row, IDENTITIES[name])


def _refusal(status: int, name: str) -> ConnectorError:
    """Return what a status other than 200 means."""
    if status == 401:
        return CredentialsRefused(
            "Progresso does not accept the username and password. Copy them from Progresso’s email once more; if they "
            f"are right, your school may have taken our access away: look in {WHERE}.",
            detail=f"{name}: 401",
        )
    if status == 403:
        return NotLetIn(
            "Progresso knows Schoolgate, but does not let it read your school’s people. In Progresso, open "
            f"{WHERE} and look whether our company is there; if it is not, add it again.",
            detail=f"{name}: 403",
        )
    return ANSWERS.not_there(name, status)
