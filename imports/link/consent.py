"""Signing in at an MIS that asks the school for consent (OAuth 2.0): there, back, and what came of it.

What binds the way back to its beginning lies in the session: good once, for ten minutes, for one link. The code comes
in an address, so it is moved into the session, sealed, and the browser led on at once; only a POST uses it.
"""

from __future__ import annotations

import datetime as dt
import hmac
import logging
import re
from typing import Any, cast

from django.conf import settings
from django.contrib import messages
from django.contrib.sessions.backends.base import SessionBase
from django.db import transaction
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render, resolve_url
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django_htmx.http import HttpResponseClientRedirect

from hub.accounts import tokens
from hub.accounts.models import Role, Session
from hub.accounts.viewer import SchoolRequest, ViewedRequest, require
from hub.core import keyring
from hub.core.errors import HubError
from imports.link import links, live
from imports.link.access import access_of
from imports.models import MisLink
from mis_connectors import registry
from mis_connectors.base import Authorises
from mis_connectors.errors import ConnectorError

logger = logging.getLogger(__name__)
BEGUN = "mis_consent"
"""Where the session keeps what was begun."""
LIFE = dt.timedelta(minutes=10)
_LONGEST_CODE = 2000
_BEGIN_AGAIN = "Nothing was connected. Begin again under Settings > MIS Link."
LAPSED = (
    f"This sign-in was used already, is older than {LIFE.seconds // 60} minutes, or was begun in another browser. "
    f"{_BEGIN_AGAIN}"
)


@require(Role.ADMINISTRATOR)
@require_POST
def begin(request: SchoolRequest, school: str) -> HttpResponseBase:
    """Lead to the page of the MIS where the school signs in and consents."""
    link, made = _link(request)
    if link is None or made is None:
        return _back(request, "This MIS does not ask for a sign-in.")
    state, hashed = tokens.make()
    try:
        access = access_of(link, deadline_seconds=live.BUDGET_SECONDS)
        place = made.authorise_url(access, redirect_uri=redirect_uri(), state=state)
    except ConnectorError as error:
        return _back(request, error.message)
    except keyring.KeyringError:
        return _back(request, live.UNREADABLE)
    request.session[BEGUN] = {
        "state": hashed,
        "link": link.pk,
        "school": request.school.slug,
        "at": timezone.now().timestamp(),
    }
    if request.htmx:
        return HttpResponseClientRedirect(place)
    context = {"nav": "settings", "place": place, "mis_name": link.source.mis_name}
    return render(request, "imports/mis_link_leave.html", context)


@require_safe
@never_cache
def come_back(request: HttpRequest) -> HttpResponseBase:
    """Take what the MIS says out of the address, where it was begun in this session, and lead on without it."""
    viewed = cast(ViewedRequest, request)
    if viewed.viewer.account is None:
        return redirect("accounts:sign_in")
    begun: dict[str, Any] | None = request.session.get(BEGUN)
    if begun is None:
        messages.error(request, LAPSED)
        return _on("overview:home")
    said = tokens.hashed(request.GET.get("state", ""))
    if not hmac.compare_digest(said, str(begun["state"])):
        messages.error(request, f"What came back is not what was begun here, so it was not used. {_BEGIN_AGAIN}")
        return _on("imports:mis_link", begun["school"])
    code, error = request.GET.get("code", "")[:_LONGEST_CODE], request.GET.get("error", "")[:100]
    if code and not error:
        begun["code"] = keyring.encrypt(code.encode()).decode("ascii")
    begun["error"] = error if re.fullmatch(r"[a-z_]{1,40}", error) else "unknown" if error or not code else ""
    request.session[BEGUN] = begun
    return _on("imports:mis_link_consent", begun["school"])


come_back.access = "signed in"  # type: ignore[attr-defined]


@require(Role.ADMINISTRATOR)
@require_http_methods(["GET", "HEAD", "POST"])
def finish(request: SchoolRequest, school: str) -> HttpResponseBase:
    """Show that the MIS has answered; the POST, which the page sends by itself, exchanges the code."""
    begun: dict[str, Any] | None = request.session.get(BEGUN)
    link, made = _link(request)
    is_here = begun is not None and link is not None and begun["link"] == link.pk and "error" in begun
    if not is_here or link is None or made is None or begun is None:
        return _back(request, LAPSED)
    if request.method != "POST":
        return render(request, "imports/mis_link_consent.html", {"nav": "settings", "mis_name": link.source.mis_name})
    if not take(request.session, begun):
        messages.info(request, "This sign-in is being finished already: this page says how it went.")
        return _led(request)
    now = timezone.now()
    if now.timestamp() - begun["at"] > LIFE.total_seconds():
        return _back(request, LAPSED)
    if begun["error"]:
        return _back(request, _refusal(begun["error"], link.source.mis_name))
    return _exchange(request, link, made, str(begun["code"]))


def take(session: SessionBase, begun: dict[str, Any]) -> bool:
    """Forget what was begun: it is good once, whatever comes of it. False where the same was sent twice at once.

    A code that is exchanged twice was stolen, to the MIS: it would end the consent.
    """
    with transaction.atomic():
        row = Session.objects.select_for_update().filter(session_key=session.session_key).first()
        kept = session.decode(row.session_data).get(BEGUN) if row else None
        if not kept or kept["state"] != begun["state"]:
            return False
        del session[BEGUN]
        session.save()
    return True


def redirect_uri() -> str:
    """Return where the MIS sends the browser back to: one address for the whole hub, registered with the MIS."""
    return f"{settings.PUBLIC_URL}{resolve_url('mis_consent:come_back')}"


def _exchange(request: SchoolRequest, link: MisLink, made: Authorises, sealed: str) -> HttpResponseBase:
    try:
        code = keyring.decrypt(sealed.encode()).decode()
        access = access_of(link, deadline_seconds=live.BUDGET_SECONDS)
        live.let_go()
        with access.http:
            kept = made.exchange(access, code=code, redirect_uri=redirect_uri())
        links.authorised(link=link, kept=kept, by=request.account, now=timezone.now())
    except (ConnectorError, HubError) as error:
        return _back(request, error.message)
    except keyring.KeyringError:
        return _back(request, live.UNREADABLE)
    messages.success(request, f"{link.source.mis_name} lets us in. An import begins now.")
    return _led(request)


def _refusal(error: str, mis_name: str) -> str:
    if error == "access_denied":
        return (
            f"{mis_name} says that Schoolgate was not allowed, so nothing was connected. If that was not meant, begin "
            "again and choose to allow it."
        )
    if error in ("temporarily_unavailable", "server_error"):
        return f"{mis_name} could not do it at the moment. Nothing was connected: try again in some minutes."
    return f"{mis_name} did not let us in ({error}). {_BEGIN_AGAIN} If it stays so, send the details to support."


def _link(request: SchoolRequest) -> tuple[MisLink | None, Authorises | None]:
    link = links.current_link(request.school)
    made = registry.connectors().get(link.source.connector) if link else None
    return (link, made) if isinstance(made, Authorises) else (link, None)


def _back(request: SchoolRequest, sentence: str) -> HttpResponseBase:
    messages.error(request, sentence)
    return _led(request)


def _led(request: SchoolRequest) -> HttpResponseBase:
    place = resolve_url("imports:mis_link", request.school.slug)
    return HttpResponseClientRedirect(place) if request.htmx else redirect(place)


def _on(*to: str) -> HttpResponseBase:
    response = redirect(*to)
    response["Referrer-Policy"] = "no-referrer"
    return response
