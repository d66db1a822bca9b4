"""The door of every parent's page: `parent` finds the records a login is connected to and opens their schools."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, cast

from django.http import HttpRequest, HttpResponseBase

from hub.accounts.models import Account
from hub.accounts.viewer import ViewedRequest, in_scope, to_sign_in
from hub.core import scope
from hub.people import selectors
from hub.people.models import Connection

P = ParamSpec("P")


class ParentRequest(ViewedRequest):
    """A request inside `parent`: `account`, who acts, and the open connections with their people and schools."""

    account: Account
    connections: tuple[Connection, ...]


def parent(view: Callable[Concatenate[ParentRequest, P], HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """Let the signed-in in, and show them the schools they are connected at: none for a login without a connection.

    What belongs to another family is not found through `request.connections`, so it is a 404.
    """

    @wraps(view)
    def inner(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        found = cast(ParentRequest, request)
        if found.viewer.account is None:
            return to_sign_in(found)
        found.account = found.viewer.account
        found.connections = selectors.connections_of(found.account)
        schools = tuple(sorted({one.school_id for one in found.connections}))
        with scope.schools(*schools):
            return in_scope(view(found, *args, **kwargs), schools)

    inner.access = "parent"  # type: ignore[attr-defined]
    return inner
