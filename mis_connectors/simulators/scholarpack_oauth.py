"""ScholarPack's sign-in: OAuth 2.0 with codes good once and refresh tokens that rotate, and consent on a page.

Tokens carry who they are for and a signature, so that a simulator started again still knows them.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode, urlsplit

from mis_connectors.simulators import scholarpack_pages as pages
from mis_connectors.simulators.faults import Fault
from mis_connectors.simulators.hosting import Hosted, Simulation
from mis_connectors.simulators.server import Request, Response, in_json

CLIENT_ID = "schoolgate-simulated"
CLIENT_SECRET = "simulated-client-secret"  # noqa: S105 - of a simulator
PASSWORD = "scholarpack"  # noqa: S105 - of a simulator
USERS: Mapping[str, tuple[str, ...]] = {
    "office": ("Admin", "System Admin"),
    "secretary": ("Admin",),
    "teacher": (),
}
"""Who may sign in at every school, and their permissions."""
LIFE = 3600
CODE_LIFE = 60
SCOPES = ("student:read", "student-contact:read", "staff:read")
_KEY = b"simulated"


def school_url(name: str) -> str:
    """Return the School URL as *Admin > Config > API Configuration* shows it."""
    return re.sub(r"[^a-z0-9]", "", name.casefold())


@dataclass(frozen=True, slots=True)
class _Token:
    """`kind.school.grant.turn.issued.scopes.signature`; a refresh makes the next turn of the same grant."""

    kind: str
    school: str
    grant: str
    turn: int
    issued: int
    scopes: str

    def text(self) -> str:
        said = f"{self.kind}.{self.school}.{self.grant}.{self.turn}.{self.issued}.{self.scopes}"
        return f"{said}.{hmac.new(_KEY, said.encode(), hashlib.sha256).hexdigest()[:32]}"

    @classmethod
    def of(cls, text: str) -> _Token | None:
        parts = text.split(".")
        if len(parts) != 7 or not (parts[3].isdecimal() and parts[4].isdecimal()):
            return None
        token = cls(parts[0], parts[1], parts[2], int(parts[3]), int(parts[4]), parts[5])
        return token if hmac.compare_digest(token.text(), text) else None


@dataclass(frozen=True, slots=True)
class _Code:
    school: str
    redirect_uri: str
    scopes: str
    issued: float


@dataclass(slots=True)
class OAuthServer:
    """Grants access to schools of a simulation, and takes it back."""

    simulation: Simulation
    clock: Callable[[], float] = time.time
    _codes: dict[str, _Code] = field(default_factory=dict)
    _used_codes: dict[str, str] = field(default_factory=dict)
    """Code → the grant it made."""
    _signed_in: dict[str, str] = field(default_factory=dict)
    """Session at the consent page → school."""
    _turns: dict[str, int] = field(default_factory=dict)
    _dead: set[str] = field(default_factory=set)
    _asked: dict[str, int] = field(default_factory=dict)
    _withdrawn: set[str] = field(default_factory=set)

    def client(self) -> dict[str, str]:
        return {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}

    def consented(self, dfe_number: str) -> dict[str, str]:
        """Return tokens of a school as if it had just consented: the first turn of a grant of its own."""
        grant = f"given{dfe_number}"
        if grant in self._turns or grant in self._dead:
            grant = f"{secrets.token_hex(6)}{dfe_number}"
        said = self._issue(dfe_number, grant, ",".join(SCOPES), turn=0)
        return {"access_token": said["access_token"], "refresh_token": said["refresh_token"]}

    def hear_of_withdrawal(self, hosted: Hosted) -> None:
        """Kill every grant of a school on the first request after its consent was withdrawn; later ones live."""
        number = hosted.school.dfe_number
        if hosted.fault is not Fault.WITHDRAWN:
            self._withdrawn.discard(number)
        elif number not in self._withdrawn:
            self._withdrawn.add(number)
            self._dead |= {grant for grant in self._turns if grant.endswith(number)}

    def _is_dead(self, token: _Token) -> bool:
        """Say whether a grant was taken back; one from before the simulator started too."""
        if token.school in self._withdrawn and token.grant not in self._turns:
            self._dead.add(token.grant)
        return token.grant in self._dead

    def school_of(self, request: Request) -> str:
        """Return the school of a bearer, a code or a refresh token."""
        if token := self._bearer(request):
            return token.school
        form = request.form() if request.method == "POST" else {}
        if code := self._codes.get(form.get("code", "")):
            return code.school
        token = _Token.of(form.get("refresh_token", ""))
        return token.school if token else ""

    def lets_in(self, request: Request, *, at_most: int | None = None) -> bool:
        """Say whether the bearer of an access token may ask; `at_most` so many requests under a short one."""
        token = self._bearer(request)
        if token is None or token.kind != "a" or self._is_dead(token):
            return False
        if token.turn != self._turns.setdefault(token.grant, token.turn) or self.clock() > token.issued + LIFE:
            return False
        text = token.text()
        self._asked[text] = self._asked.get(text, 0) + 1
        return at_most is None or self._asked[text] <= at_most

    def scopes_of(self, request: Request) -> tuple[str, ...]:
        token = self._bearer(request)
        return tuple(token.scopes.split(",")) if token else ()

    @staticmethod
    def _bearer(request: Request) -> _Token | None:
        kind, _, text = request.headers.get("authorization", "").partition(" ")
        return _Token.of(text) if kind == "Bearer" else None

    def authorize(self, request: Request) -> Response:
        """Show the page where the school signs in and consents, and send it back with a code."""
        asked = request.query if request.method == "GET" else request.form()
        if wrong := _wrong(asked):
            return pages.refusal(wrong)
        if request.method == "GET":
            return pages.sign_in(asked, hint=self._hint())
        if asked.get("answer"):
            return self._answered(asked)
        school = self._school(asked.get("school_url", ""))
        user = asked.get("username", "").strip().casefold()
        if user not in USERS or asked.get("password") != PASSWORD or school is None:
            return pages.sign_in(asked, hint=self._hint(), wrong="The username, password or School URL is not right.")
        if lacking := [one for one in ("Admin", "System Admin") if one not in USERS[user]]:
            wrong = (
                f"Your ScholarPack user lacks the permission {' and '.join(lacking)}. Ask a System Admin to sign in."
            )
            return pages.sign_in(asked, hint=self._hint(), wrong=wrong)
        session = secrets.token_urlsafe(16)
        self._signed_in[session] = school.school.dfe_number
        return pages.consent(asked, session=session, school=school.school.name)

    def _answered(self, asked: Mapping[str, str]) -> Response:
        school = self._signed_in.pop(asked.get("session", ""), None)
        if school is None:
            return pages.sign_in(asked, hint=self._hint(), wrong="Please sign in again.")
        if asked["answer"] != "allow":
            return _back(asked, {"error": "access_denied"})
        code = secrets.token_urlsafe(24)
        scopes = ",".join(one for one in asked["scope"].split() if one in SCOPES)
        self._codes[code] = _Code(school, asked["redirect_uri"], scopes, self.clock())
        return _back(asked, {"code": code})

    def _school(self, url: str) -> Hosted | None:
        said = url.strip().casefold().removeprefix("https://").split(".")[0].rstrip("/")
        for number, hosted in self.simulation.schools.items():
            if said in (school_url(hosted.school.name), number):
                return hosted
        return None

    def _hint(self) -> str:
        urls = ", ".join(school_url(hosted.school.name) for hosted in self.simulation.schools.values())
        return f"A simulator. Username office, password {PASSWORD}, School URL {urls}."

    def token(self, request: Request) -> Response:
        """Give tokens for a code or a refresh token (RFC 6749 §4.1.3 and §6)."""
        if request.method != "POST":
            return in_json({"error": "invalid_request"}, status=405)
        form = request.form()
        if not _is_client(request, form):
            return in_json({"error": "invalid_client"}, status=401)
        kind = form.get("grant_type")
        if kind == "authorization_code":
            return self._for_code(form)
        if kind == "refresh_token":
            return self._for_refresh_token(form)
        return in_json({"error": "unsupported_grant_type"}, status=400)

    def _for_code(self, form: Mapping[str, str]) -> Response:
        said = form.get("code", "")
        code = self._codes.pop(said, None)
        if code is None:
            self._dead.add(self._used_codes.get(said, ""))  # a code that comes twice was stolen
            return in_json({"error": "invalid_grant"}, status=400)
        if code.redirect_uri != form.get("redirect_uri") or self.clock() > code.issued + CODE_LIFE:
            return in_json({"error": "invalid_grant"}, status=400)
        grant = f"{secrets.token_hex(6)}{code.school}"
        self._used_codes[said] = grant
        return in_json(self._issue(code.school, grant, code.scopes, turn=0))

    def _for_refresh_token(self, form: Mapping[str, str]) -> Response:
        """Rotate: the old refresh token is dead, and who uses it again loses the grant."""
        token = _Token.of(form.get("refresh_token", ""))
        if token is None or token.kind != "r" or self._is_dead(token):
            return in_json({"error": "invalid_grant"}, status=400)
        if token.turn != self._turns.setdefault(token.grant, token.turn):
            self._dead.add(token.grant)
            return in_json({"error": "invalid_grant"}, status=400)
        return in_json(self._issue(token.school, token.grant, token.scopes, turn=token.turn + 1))

    def _issue(self, school: str, grant: str, scopes: str, *, turn: int) -> dict[str, Any]:
        self._turns[grant] = turn
        issued = int(self.clock())
        access, refresh = (_Token(kind, school, grant, turn, issued, scopes).text() for kind in "ar")
        return {
            "access_token": access,
            "refresh_token": refresh,
            "token_type": "Bearer",
            "expires_in": LIFE,
            "scope": scopes.replace(",", " "),
        }


def _wrong(asked: Mapping[str, str]) -> str:
    """Return what is wrong with a request for consent; such a one is never sent back anywhere."""
    if asked.get("client_id") != CLIENT_ID:
        return "ScholarPack does not know the application that sent you."
    back = urlsplit(asked.get("redirect_uri", ""))
    if back.scheme not in ("http", "https") or not back.hostname or back.fragment:
        return "The application that sent you did not say where to come back to."
    return "" if asked.get("response_type") == "code" else "The application that sent you asked for something unknown."


def _back(asked: Mapping[str, str], said: Mapping[str, str]) -> Response:
    mark = "&" if urlsplit(asked["redirect_uri"]).query else "?"
    query = urlencode({**said, "state": asked.get("state", "")})
    return Response(status=302, headers={"Location": f"{asked['redirect_uri']}{mark}{query}"})


def _is_client(request: Request, form: Mapping[str, str]) -> bool:
    kind, _, text = request.headers.get("authorization", "").partition(" ")
    if kind == "Basic":
        try:
            return base64.b64decode(text, validate=True).decode() == f"{CLIENT_ID}:{CLIENT_SECRET}"
        except ValueError:
            return False
    return (form.get("client_id"), form.get("client_secret")) == (CLIENT_ID, CLIENT_SECRET)
