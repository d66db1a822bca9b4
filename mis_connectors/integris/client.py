"""How Integris Datashare is asked, as far as we assume it: a partner key, a school's number, pages by offset.

Everything here about addresses, headers and pages is our own assumption (`README.md`); the nouns are documented.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from mis_connectors import lists
from mis_connectors.base import Access
from mis_connectors.errors import (
    ConnectorAuthError,
    ConnectorConfigError,
    ConnectorError,
    ConnectorPlatformError,
    ConnectorUnavailable,
)
from mis_connectors.http import Reply
from mis_connectors.lists import Identity, is_whole
from mis_connectors.replies import Answers, by_name, rows_in

PAGE = 500
"""Records asked for at once."""
PASSES = 3
"""So often one list is begun anew, where it changes while it is fetched."""
IDENTITIES: Mapping[str, tuple[str, ...]] = {
    "students": ("StudentID",),
    "contacts": ("ContactID",),
    "contactLinks": ("StudentID", "ContactID"),
    "staff": ("StaffID",),
}
"""The lists, in the order fetched, and what names one of their rows."""
ANSWERS = Answers(
    "RM Integris",
    {
        "students": "pupils",
        "contacts": "contacts",
        "contactLinks": "links between pupils and contacts",
        "staff": "staff",
    },
)
WHERE = "Modules > System Management > Integris Datashare"


class KeyRefused(ConnectorPlatformError):
    """Status 401: it is our own key that is refused, or the machines do not know us at this school yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One page of a list, as it came and as it reads."""

    body: bytes
    total: int
    rows: list[dict[str, Any]]


class Datashare:
    """Asks RM Integris about one school."""

    def __init__(self, access: Access) -> None:
        """Raises `ConnectorConfigError` where the operator has not set what is needed."""
        address = access.platform.get("address", "").rstrip("/")
        key = access.platform.get("partner_key", "")
        if not address or not key:
            raise ConnectorConfigError(
                "Schoolgate has not been given its partner key and address for RM Integris yet. Ask whoever runs this "
                "Schoolgate to set them; nothing can be done in RM Integris.",
                detail=f"not set: {'address' if not address else 'partner_key'}",
            )
        self._http = access.http
        self._base = f"{address}/datashare/v1/"
        self._headers = {"X-Partner-Key": key, "X-School-DfE": access.dfe_number, "Accept": "application/json"}

    def about(self) -> tuple[bytes, dict[str, Any]]:
        """Return what Datashare says of the school and of our permissions; raises `ConnectorError`."""
        reply = self._get("about", {})
        said = ANSWERS.object_of(reply, "about")
        if not isinstance(said.get("permissions"), list):
            raise ANSWERS.not_its_own("about", detail="no permissions")
        return reply.body, said

    def page(self, name: str, *, offset: int, limit: int = PAGE) -> Page:
        """Return one page of a list; raises `ConnectorError`."""
        reply = self._get(name, {"offset": offset, "limit": limit})
        said = ANSWERS.object_of(reply, name)
        total, rows = said.get("total"), rows_in(said, name, ANSWERS.wrong(name))
        if not isinstance(total, int) or isinstance(total, bool) or total < 0:
            raise ANSWERS.not_its_own(name, detail=f"offset {offset}: no total")
        return Page(body=reply.body, total=total, rows=rows)

    def pages(self, name: str) -> Iterator[tuple[int, int, Page]]:
        """Yield every page of a list as (pass, number, page), both from 1.

        A list that changes while it is fetched may repeat a row or lose one: where the rows are not as many as it
        says, it is fetched once more from the start. Raises `ConnectorError`.
        """
        got = total = 0
        for number in range(1, PASSES + 1):
            seen: set[Identity] = set()
            nameless = 0
            for place, page in enumerate(self._through(name), 1):
                found = [identity(name, row) for row in page.rows]
                seen.update(filter(is_whole, found))
                nameless += sum(not is_whole(one) for one in found)
                total = page.total
                yield number, place, page
            got = len(seen) + nameless
            if got == total:
                return
        raise ConnectorUnavailable(
            f"RM Integris says that it has {total} {ANSWERS.lists[name]}, and gave {got} of them, {PASSES} times. "
            "Nothing was changed. This passes by itself if somebody was working in RM Integris; if it comes again "
            "tomorrow, send the details to support.",
            detail=f"{name}: {got} of {total}",
        )

    def _through(self, name: str) -> Iterator[Page]:
        offset = 0
        while True:
            page = self.page(name, offset=offset)
            yield page
            offset += len(page.rows)
            if not page.rows or offset >= page.total:
                return

    def _get(self, name: str, params: Mapping[str, str | int]) -> Reply:
        with by_name(ANSWERS.mis):
            reply = self._http.get(self._base + name, params=params, headers=self._headers)
        if reply.status != 200:
            raise _refusal(reply.status, name)
        return reply


def identity(name: str, row: Mapping[str, Any]) -> Identity:
    """Return what names a row of this list."""
    return lists.identity(row, IDENTITIES[name])


def _refusal(status: int, name: str) -> ConnectorError:
    """Return what a status other than 200 means."""
    if status == 401:
        return KeyRefused(
            "RM Integris does not accept Schoolgate's partner key. The key belongs to this Schoolgate, not to your "
            "school: tell whoever runs it, or use Send details to support.",
            detail=f"{name}: 401",
        )
    if status == 403:
        return ConnectorAuthError(
            "RM Integris does not let Schoolgate in at your school. In RM Integris, open "
            f"{WHERE}, choose our tile and look whether access is granted. If it was granted within the last 24 hours, "
            "wait: RM Integris takes that long.",
            detail=f"{name}: 403",
        )
    return ANSWERS.not_there(name, status)
