"""The agent's three questions: take these reports, do you want anything, and this is what I found.

Answers are JSON with a `sentence` that the agent shows and logs as it is.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import re
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.http import HttpRequest, JsonResponse
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from hub.core import scope
from hub.core.errors import HubError
from imports import services
from imports.agent import hearing
from imports.agent.sign_in import NotSignedIn, token_of
from imports.link import links, nights
from imports.models import AgentToken, ImportKind
from imports.payloads import PayloadTooLarge

RUN_ID = re.compile(r"[A-Za-z0-9-]{8,64}")
_CHUNK = 256 * 1024
_REFUSED_UNREAD = 8 * 2**20
"""So much is read of an upload that is refused unread."""
AgentView = Callable[[HttpRequest, AgentToken, dt.datetime], JsonResponse]


class CutShort(HubError):
    """The connection broke before the whole upload had come."""


class Body:
    """A request's body read in chunks: what ends before its announced length is no upload."""

    def __init__(self, request: HttpRequest, length: int) -> None:
        self._request = request
        self._left = length

    def read(self, size: int = -1, /) -> bytes:
        """Return the next bytes, b"" at the end. Raises `CutShort`."""
        if self._left <= 0:
            return b""
        wanted = _CHUNK if size < 0 else size
        try:
            data = self._request.read(min(wanted, self._left))
        except OSError:
            data = b""
        if not data:
            raise CutShort("The upload stopped half way. Nothing of it was taken; the agent sends it again.")
        self._left -= len(data)
        return data


def agent_view(view: AgentView) -> Callable[[HttpRequest], HttpResponseBase]:
    """Let only a signed-in agent in, in the scope of its school, and answer refusals in sentences."""

    @csrf_exempt
    @require_POST
    @wraps(view)
    def inner(request: HttpRequest) -> HttpResponseBase:
        now = timezone.now()
        try:
            token = token_of(request.headers.get("Authorization", ""), now=now)
        except NotSignedIn as refused:
            _drain(Body(request, _length(request)), most=_REFUSED_UNREAD)
            answer = _says(refused.message, status=401)
            answer["WWW-Authenticate"] = "Bearer"
            return answer
        with scope.schools(token.school_id):
            try:
                return view(request, token, now)
            except PayloadTooLarge as refused:
                return _says(refused.message, status=413)
            except CutShort as refused:
                return _says(refused.message, status=408)
            except HubError as refused:
                return _says(refused.message, status=400)

    inner.access = "agent token"  # type: ignore[attr-defined]
    return inner


@agent_view
def uploads(request: HttpRequest, token: AgentToken, now: dt.datetime) -> JsonResponse:
    """Take the zip of one run. The same run sent again is answered as it was the first time."""
    run_id = request.headers.get("X-Run-Id", "")
    if not RUN_ID.fullmatch(run_id):
        return _says("The upload does not name its run: X-Run-Id must be 8 to 64 letters, digits and hyphens.", 400)
    if (length := _length(request)) == 0:
        return _says("The upload is empty, or does not say how long it is.", 411)
    body = Body(request, length)
    if length > settings.UPLOAD_LIMIT:
        _drain(body, most=settings.UPLOAD_LIMIT)
        raise PayloadTooLarge(
            f"The reports are larger than the {settings.UPLOAD_LIMIT // 2**20} MiB that this hub accepts. "
            "Do the reports in SIMS have the right filter? Else ask who runs the hub for a higher limit."
        )
    hearing.seen(token=token, now=now)
    links.enable_at_first_arrival(link=token.link, token=token, now=now)
    received = services.receive(
        link=token.link,
        stream=body,
        filename="run.zip",
        run_id=run_id,
        kind=ImportKind.AUTOLINK,
        requested_by=token.link.wanted_by,
        started_at=_moment(request.headers.get("X-Run-Started", "")),
        now=now,
    )
    return _says(received.sentence, 202 if received.run is None else 200)


@agent_view
def heartbeat(request: HttpRequest, token: AgentToken, now: dt.datetime) -> JsonResponse:
    """Hear that the agent is alive, and say whether a run is wanted and why."""
    hearing.heard(token=token, said=_said(request), now=now)
    wanted = nights.wanted(token.link, now=now)
    if wanted is None:
        return _says("Heard. Nothing is wanted now.")
    return _says(wanted.sentence, run_wanted=True, reason="asked" if wanted.asked else "due")


@agent_view
def check(request: HttpRequest, token: AgentToken, now: dt.datetime) -> JsonResponse:
    """Keep what the agent's own check found, for the MIS Link page."""
    hearing.heard(token=token, said=_said(request), now=now)
    return _says(f"It answers, and knows this copy of the agent as “{token.name}” of {token.school}.")


def _says(sentence: str, status: int = 200, *, run_wanted: bool = False, reason: str = "") -> JsonResponse:
    return JsonResponse({"sentence": sentence, "run_wanted": run_wanted, "reason": reason}, status=status)


def _said(request: HttpRequest) -> dict[str, Any]:
    try:
        said = json.loads(request.body)
    except ValueError:
        said = None
    if not isinstance(said, dict):
        raise HubError("What the agent said is not JSON. Download a new copy from the hub: Settings, MIS Link.")
    return said


def _moment(text: str) -> dt.datetime | None:
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else None


def _drain(body: Body, *, most: int) -> None:
    """Read on for a while, so that the sender is still listening when the refusal comes."""
    read = 0
    with contextlib.suppress(CutShort):
        while read < most and (data := body.read(_CHUNK)):
            read += len(data)


def _length(request: HttpRequest) -> int:
    length = request.headers.get("Content-Length", "")
    return int(length) if length.isdecimal() else 0
