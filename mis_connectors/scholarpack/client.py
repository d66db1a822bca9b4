"""Requests to ScholarPack's REST API v1: the bearer token, the paging envelope, and lists that hold still.

The envelope is documented; what is not is written down in `README.md`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from mis_connectors import lists
from mis_connectors.base import Access, Sink
from mis_connectors.errors import ConnectorAuthError, ConnectorConfigError, ConnectorUnavailable, SnapshotFormatError
from mis_connectors.http import Reply
from mis_connectors.lists import Identity
from mis_connectors.replies import by_name, object_of, rows_in
from mis_connectors.scholarpack import oauth, wording

ASKED_PER_PAGE = 100
"""What is asked for; what comes may differ, and nothing depends on it."""
MOST_PAGES = 2000
READINGS = 5
"""A list of several pages is read at most so often until two readings, one after the other, name the same records."""


@dataclass(frozen=True, slots=True)
class Resource:
    """One list of the API."""

    path: str
    what: str
    """What the office calls it."""
    identity: tuple[str, ...] = ("id",)
    """The fields that tell its records apart."""

    def key_of(self, record: Mapping[str, Any]) -> Identity | None:
        """Return what tells this record from others, or None where it does not say."""
        named = lists.identity(record, self.identity)
        return named if lists.is_whole(named) else None


STUDENTS = Resource("students", "pupils")
CONTACTS = Resource("contacts", "contacts")
LINKS = Resource("student-contacts", "contacts of pupils", ("student_id", "contact_id"))
STAFF = Resource("staff", "staff")
RESOURCES = (STUDENTS, CONTACTS, LINKS, STAFF)
FILTERS: Mapping[str, str | int] = {"include_inactive": "true", "per_page": ASKED_PER_PAGE}
"""Off-roll pupils and staff who are no longer active come too, so that leaving is heard and not guessed."""


class Refused(Exception):
    """ScholarPack does not let us at one resource (403)."""


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a list, its envelope judged."""

    body: bytes
    records: list[dict[str, Any]]
    following: Mapping[str, str | int] | None
    """The query of the next page, filters and all; None where this is the last."""
    at_least: int
    """So many records the whole list must have, going by the envelope's number of pages."""


@dataclass(slots=True)
class Reading:
    """What one reading of a list brought."""

    pages: int = 0
    at_least: int = 0
    keys: set[Identity] = field(default_factory=set)
    nameless: int = 0

    @property
    def is_whole(self) -> bool:
        """Say whether there are as many records as the envelopes promised."""
        return len(self.keys) + self.nameless >= self.at_least


class Client:
    """Asks one school's ScholarPack, renewing the access token whenever it has run out. Not for several threads."""

    def __init__(self, access: Access, tokens: oauth.Tokens | None = None) -> None:
        self._access = access
        self._api = f"{oauth.address_of(access)}/api/v1"
        self.tokens = tokens or oauth.Tokens.of(access.secrets)
        if not (self.tokens.access_token or self.tokens.refresh_token):
            raise ConnectorAuthError(wording.NO_CONSENT, detail="no tokens")

    def school(self) -> tuple[dict[str, Any], bytes]:
        """Return what ScholarPack says of the school whose consent this is, with the body as it came.

        Raises `Refused` where it lets us in nowhere.
        """
        reply = self._get("school", {})
        said = object_of(reply, wording.not_its_format("school"))
        data = said.get("data", said)
        if not isinstance(data, dict):
            raise SnapshotFormatError(wording.NOT_ITS_FORMAT, detail="school: no object")
        return data, reply.body

    def read(self, resource: Resource, sink: Sink, *, number: int = 1) -> tuple[set[Identity], int]:
        """Write a list into the sink as `<path>/<number>/<page>.json` and return whom it names, and the next number.

        One page is one moment and is believed. A list of several may shift between them: a record that goes
        makes another slip through unread, which would look like somebody who left. So it is read again until two
        readings, one after the other, name the same records; every second one is written, and the last written
        counts. Raises `ConnectorUnavailable` where it does not come to rest, and `Refused`.
        """
        before: Reading | None = None
        for turn in range(READINGS):
            is_kept = turn % 2 == 0
            reading = self._reading(resource, sink if is_kept else None, number)
            number += is_kept
            if reading.is_whole and is_kept and reading.pages == 1:
                return reading.keys, number
            if before and reading.is_whole and before.keys == reading.keys:
                return reading.keys, number
            before = reading if reading.is_whole else None
        sentence = wording.UNSTEADY if reading.is_whole else wording.PART_ONLY
        raise ConnectorUnavailable(sentence.format(what=resource.what), detail=f"{resource.path}: not at rest")

    def _reading(self, resource: Resource, sink: Sink | None, number: int) -> Reading:
        reading = Reading()
        for page in self.pages(resource):
            reading.pages += 1
            reading.at_least = max(reading.at_least, page.at_least)
            for record in page.records:
                if key := resource.key_of(record):
                    reading.keys.add(key)
                else:
                    reading.nameless += 1
            if sink is not None:
                sink.write(f"{resource.path}/{number:02}/{reading.pages:04}.json", page.body)
        return reading

    def pages(self, resource: Resource) -> Iterator[Page]:
        """Yield the pages of a list in order; raises `SnapshotFormatError` where they lead in circles or away."""
        asked: Mapping[str, str | int] | None = FILTERS
        met: set[tuple[tuple[str, str], ...]] = set()
        while asked is not None:
            query = tuple(sorted((name, str(value)) for name, value in asked.items()))
            if query in met or len(met) >= MOST_PAGES:
                sentence = wording.IN_CIRCLES.format(what=resource.what)
                raise SnapshotFormatError(sentence, detail=f"{resource.path}: after {len(met)} pages")
            met.add(query)
            page = self._page(resource, self._get(resource.path, asked))
            yield page
            asked = page.following

    def _page(self, resource: Resource, reply: Reply) -> Page:
        wrong = wording.not_its_format(resource.path)
        said = object_of(reply, wrong)
        records = rows_in(said, "data", wrong)
        if not isinstance(said.get("has_next"), bool):
            raise wrong("no has_next")
        following = self._following(resource, said) if said["has_next"] else None
        return Page(reply.body, records, following, _at_least(said))

    def _following(self, resource: Resource, said: Mapping[str, Any]) -> Mapping[str, str | int]:
        """Return the query of the next page: what `next_uri` says, and the filters that it drops.

        The address itself is never followed: another origin or path would be handed our token.
        """
        uri = said.get("next_uri")
        if not isinstance(uri, str) or not uri:
            if isinstance(said.get("next_num"), int):
                return {**FILTERS, "page": said["next_num"]}
            raise SnapshotFormatError(wording.NOT_ITS_FORMAT, detail=f"{resource.path}: has_next without next_uri")
        ours = urlsplit(f"{self._api}/{resource.path}/")
        try:
            theirs = urlsplit(uri)
            same = (theirs.scheme, theirs.hostname, theirs.port) == (ours.scheme, ours.hostname, ours.port)
        except ValueError:
            same = False
        if not same or theirs.path.rstrip("/") != ours.path.rstrip("/") or theirs.username is not None:
            sentence = wording.LED_AWAY.format(what=resource.what)
            raise SnapshotFormatError(sentence, detail=f"{resource.path}: next_uri elsewhere")
        return {**FILTERS, **dict(parse_qsl(theirs.query))}

    def _get(self, path: str, params: Mapping[str, str | int]) -> Reply:
        """Return a good answer; renews a token that has run out, also in the middle, and asks once more."""
        if self.tokens.has_run_out(self._access.now()):
            self.tokens = oauth.refresh(self._access, self.tokens)
        reply = self._ask(path, params)
        if reply.status == 401:
            self.tokens = oauth.refresh(self._access, self.tokens)
            reply = self._ask(path, params)
        if reply.status == 401:
            raise ConnectorAuthError(wording.WITHDRAWN, detail=f"{path}: 401 for a new token")
        if reply.status == 403:
            raise Refused(path)
        if reply.status == 404:
            raise ConnectorConfigError(wording.NOT_THERE, detail=f"{path}: 404")
        if reply.status != 200:
            raise SnapshotFormatError(wording.NOT_ITS_FORMAT, detail=f"{path}: {reply.status}")
        return reply

    def _ask(self, path: str, params: Mapping[str, str | int]) -> Reply:
        headers = {"Authorization": f"Bearer {self.tokens.access_token}", "Accept": "application/json"}
        with by_name(wording.MIS):
            return self._access.http.get(f"{self._api}/{path}/", params=params, headers=headers)


def _at_least(said: Mapping[str, Any]) -> int:
    """Return how many records all pages together must have: all but the last are full."""
    pages, per_page = said.get("pages"), said.get("per_page")
    if not (isinstance(pages, int) and isinstance(per_page, int)) or pages < 1 or per_page < 1:
        return 0
    return (pages - 1) * per_page + (1 if pages > 1 else 0)
