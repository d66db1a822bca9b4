"""ScholarPack's API v1 and its OAuth server, as documented where it is and as we assume where not.

What is which stands in `mis_connectors/scholarpack/README.md`. Every sibling has contacts of their own, with ids of
their own, until *Manage Duplicate Contacts* (the fault `merged`) makes them one under a new id.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar
from urllib.parse import urlencode

from mis_connectors.simulators import scholarpack_records as records
from mis_connectors.simulators.faults import Fault
from mis_connectors.simulators.hosting import Hosted, Simulation
from mis_connectors.simulators.scholarpack_oauth import OAuthServer, school_url
from mis_connectors.simulators.server import Api, Request, Response, in_json

ANOTHER_SCHOOL = ("8239999", "Somewhere Else Primary")
REQUESTS_OF_A_SHORT_TOKEN = 3
"""Under the fault `expired_token` an access token is good for so many requests."""
_SCOPES = {"students": "student:read", "contacts": "student-contact:read", "student-contacts": "student-contact:read"}
_SCOPE_OF = {**_SCOPES, "staff": "staff:read", "school": ""}


class ScholarpackApi(Api):
    """`/oauth2/…`, and under `/api/v1/` school, students, contacts, student-contacts and staff."""

    slug: ClassVar[str] = "scholarpack"
    mis_name: ClassVar[str] = "ScholarPack"
    largest_page = 100
    default_page = 50

    def __init__(self, simulation: Simulation) -> None:
        super().__init__(simulation)
        self.oauth = OAuthServer(simulation)
        self._made: dict[tuple[str, str, bool], tuple[object, list[dict[str, Any]]]] = {}

    def platform(self, address: str) -> dict[str, str]:
        return {"address": address, **self.oauth.client()}

    def secrets(self, dfe_number: str) -> dict[str, str]:
        """Return tokens as if the school had consented, so that nobody has to click: for the demo and the tests."""
        return self.oauth.consented(dfe_number)

    def school_of(self, request: Request) -> str:
        return self.oauth.school_of(request)

    def handle(self, request: Request) -> Response:
        """Answer one request, faults of the wire apart."""
        for hosted in self.simulation.schools.values():
            self.oauth.hear_of_withdrawal(hosted)
        if request.path in ("/oauth2/authorize/", "/oauth2/authorize"):
            return self.oauth.authorize(request)
        if request.path in ("/oauth2/token/", "/oauth2/token"):
            return self.oauth.token(request)
        if request.path.startswith("/api/v1/"):
            return self._resource(request, request.path.removeprefix("/api/v1/").rstrip("/"))
        return in_json({"error": "not_found"}, status=404)

    def _resource(self, request: Request, name: str) -> Response:
        if name not in _SCOPE_OF:
            return in_json({"error": "not_found"}, status=404)
        hosted = self.simulation.schools.get(self.school_of(request))
        short = REQUESTS_OF_A_SHORT_TOKEN if hosted and hosted.fault is Fault.EXPIRED_TOKEN else None
        if hosted is None or not self.oauth.lets_in(request, at_most=short):
            challenge = {"WWW-Authenticate": 'Bearer error="invalid_token"'}
            return in_json({"error": "invalid_token"}, status=401, headers=challenge)
        if hosted.fault is Fault.PENDING:
            return in_json({"error": "api_access_not_enabled"}, status=403)
        if _SCOPE_OF[name] not in ("", *self.oauth.scopes_of(request)):
            return in_json({"error": "insufficient_scope"}, status=403)
        if hosted.fault is Fault.UNTICKED and name == "staff":
            return in_json({"error": "insufficient_scope"}, status=403)
        return in_json(_school(hosted) if name == "school" else self._page(hosted, name, request))

    def _page(self, hosted: Hosted, name: str, request: Request) -> dict[str, Any]:
        """Return the documented envelope. Its `next_uri` has the page, and drops everything else."""
        number = max(1, request.number("page", 1))
        count = max(1, min(request.number("per_page", self.default_page), self.largest_page))
        start = (number - 1) * count
        if name == "students":
            hosted.between_pages(start)
        inactive = request.query.get("include_inactive") == "true"
        everything = self._everything(hosted, name, inactive=inactive, anew=not start)
        pages = max(1, -(-len(everything) // count))
        path = f"http://{request.headers.get('host', 'localhost')}/api/v1/{name}/"
        more, less = number < pages, number > 1
        return {
            "has_next": more,
            "has_prev": less,
            "next_num": number + 1 if more else None,
            "page": number,
            "pages": pages,
            "per_page": count,
            "prev_num": number - 1 if less else None,
            "next_uri": f"{path}?{urlencode({'page': number + 1})}" if more else None,
            "prev_uri": f"{path}?{urlencode({'page': number - 1})}" if less else None,
            "data": _slice(hosted, everything, start, count),
        }

    def _everything(self, hosted: Hosted, name: str, *, inactive: bool, anew: bool) -> list[dict[str, Any]]:
        """Return a list whole; made again for a first page, and where the school is not what it was."""
        people = hosted.people()
        stamp = (hosted.revision, people.edits, people.today, hosted.fault)
        key = (people.dfe_number, name, inactive)
        known = self._made.get(key)
        if anew or known is None or known[0] != stamp:
            made = records.LISTS[name](people, inactive, hosted.fault is Fault.MERGED)
            known = self._made[key] = (stamp, made)
        return known[1]


API = ScholarpackApi


def _slice(hosted: Hosted, everything: Sequence[dict[str, Any]], start: int, count: int) -> list[dict[str, Any]]:
    """Return one page; a pupil who was added meanwhile stands first, so that all others have moved on by one."""
    if start and hosted.fault is Fault.DUPLICATE_PAGE:
        start -= count
    if hosted.added:
        everything = sorted(everything, key=lambda record: record.get("id") not in hosted.added)
    return list(everything[start : start + count])


def _school(hosted: Hosted) -> dict[str, Any]:
    number, name = hosted.school.dfe_number, hosted.school.name
    if hosted.fault is Fault.WRONG_SCHOOL:
        number, name = ANOTHER_SCHOOL
    return {"data": {"name": name, "school_url": school_url(name), "dfe_number": f"{number[:3]}/{number[3:]}"}}
