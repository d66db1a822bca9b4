"""The cookie by which a browser is known to have signed a login in before.

It signs nobody in. It gives its tries at the password a counter of their own, so that somebody who
guesses from elsewhere cannot lock the rightful person out (see OWASP, "device cookies").
"""

from __future__ import annotations

import secrets
from typing import Any

from django.conf import settings
from django.core import signing
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from hub.accounts.models import Account

SALT = "hub.accounts.known_devices"
DAYS = 400
"""As long as browsers keep a cookie."""
MOST = 6
"""Logins that one browser is known by: a family shares a computer."""


def known_as(request: HttpRequest, account: Account | None) -> str:
    """Return what this browser is called to `account`; blank where it never signed it in."""
    return _kept(request).get(str(account.handle), "") if account else ""


def remember(request: HttpRequest, response: HttpResponseBase, account: Account) -> None:
    """Let the browser know, by a signed cookie that no script reads, that it signed `account` in."""
    kept, handle = _kept(request), str(account.handle)
    name = kept.pop(handle, "") or secrets.token_urlsafe(12)
    kept = {handle: name, **kept}
    response.set_cookie(
        cookie_name(),
        signing.dumps(dict(list(kept.items())[:MOST]), salt=SALT, compress=True),
        max_age=DAYS * 86_400,
        secure=bool(settings.SESSION_COOKIE_SECURE),
        httponly=True,
        samesite="Lax",
    )


def cookie_name() -> str:
    """Return the cookie's name; on https one that no other host can set."""
    return "__Host-device" if settings.SESSION_COOKIE_SECURE else "device"


def _kept(request: HttpRequest) -> dict[str, str]:
    try:
        found: Any = signing.loads(request.COOKIES.get(cookie_name(), ""), salt=SALT, max_age=DAYS * 86_400)
    except signing.BadSignature:
        return {}
    return {str(key): str(value) for key, value in found.items()} if isinstance(found, dict) else {}
