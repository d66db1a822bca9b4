"""Opens, for every request, the scope of the schools its viewer is a member of, and keeps their pages out of caches."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils import timezone

from hub.accounts import known_devices, selectors
from hub.accounts.models import Account
from hub.accounts.sessions import SessionStore
from hub.accounts.viewer import ViewedRequest, Viewer, in_scope
from hub.core import scope


class ViewerMiddleware:
    """Sets `request.viewer`. An account that was switched off is nobody, whatever its session says."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        viewed = cast(ViewedRequest, request)
        viewed.viewer = _viewer(request)
        with scope.schools(*viewed.viewer.school_ids):
            response = in_scope(self.get_response(request), viewed.viewer.school_ids)
        if viewed.viewer.account is not None:
            response.headers.setdefault("Cache-Control", "no-store, private")
        signed_in: Account | None = getattr(request, "signed_in_account", None)
        if signed_in is not None:
            known_devices.remember(request, response, signed_in)
        return response


def _viewer(request: HttpRequest) -> Viewer:
    user = request.user
    if not isinstance(user, Account):
        return Viewer()
    if not user.is_active:
        request.user = AnonymousUser()
        return Viewer()
    session = getattr(request, "session", None)
    if isinstance(session, SessionStore):
        session.seen(timezone.now())
    return Viewer(account=user, memberships=selectors.open_memberships(user))
