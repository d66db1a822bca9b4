"""Who is looking, and the door of every staff page: `require` finds the school, the role, and opens the scope."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import wraps
from typing import Any, Concatenate, ParamSpec, cast
from urllib.parse import urlencode

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import redirect, resolve_url
from django_htmx.http import HttpResponseClientRedirect
from django_htmx.middleware import HtmxDetails

from hub.accounts.models import Account, Membership, Role
from hub.core import scope
from hub.core.models import School

P = ParamSpec("P")


@dataclass(frozen=True, slots=True)
class Viewer:
    """The signed-in account, or None, and the memberships it may use now."""

    account: Account | None = None
    memberships: tuple[Membership, ...] = ()

    def membership_at(self, slug: str) -> Membership | None:
        """Return the open membership at the school of this slug."""
        return next((one for one in self.memberships if one.school.slug == slug), None)

    @property
    def lacks_second_factor(self) -> bool:
        """Whether this is staff without a second factor: no page of a school opens before there is one."""
        return bool(self.memberships) and self.account is not None and self.account.second_factor_at is None

    @property
    def is_parent_too(self) -> bool:
        """Whether a member of staff is also connected to a parent's record."""
        return any(getattr(one, "is_parent", False) for one in self.memberships)

    @property
    def school_ids(self) -> tuple[int, ...]:
        return tuple(one.school_id for one in self.memberships)


class ViewedRequest(HttpRequest):
    """A request after `ViewerMiddleware`."""

    viewer: Viewer
    htmx: HtmxDetails


class SchoolRequest(ViewedRequest):
    """A request inside `require`: `account`, who acts, is a member of `school`."""

    school: School
    membership: Membership
    account: Account


SchoolView = Callable[Concatenate[SchoolRequest, str, P], HttpResponseBase]


def require(*roles: Role) -> Callable[[SchoolView[P]], Callable[..., HttpResponseBase]]:
    """Let only members of the school in the address in, with one of `roles` (none: any role).

    Anonymous: to the sign-in page. No open membership there: 404. Without a second factor: to where
    one is set up. Another role: 403. The view sees the rows of that one school, until the last byte
    of a streamed answer.
    """

    def decorate(view: SchoolView[P]) -> Callable[..., HttpResponseBase]:
        @wraps(view)
        def inner(request: HttpRequest, school: str, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
            found = cast(SchoolRequest, request)
            if found.viewer.account is None:
                return to_sign_in(found)
            membership = found.viewer.membership_at(school)
            if membership is None:
                raise Http404
            if found.viewer.lacks_second_factor:
                return to_second_factor(found)
            found.school, found.membership, found.account = membership.school, membership, found.viewer.account
            if roles and membership.role not in roles:
                raise PermissionDenied
            with scope.schools(membership.school_id):
                return in_scope(view(found, school, *args, **kwargs), (membership.school_id,))

        inner.access = roles or tuple(Role)  # type: ignore[attr-defined]
        return inner

    return decorate


def signed_in(view: Callable[Concatenate[Any, P], HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """Let only the signed-in in, staff with their second factor; for pages that belong to no one school."""

    @wraps(view)
    def inner(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        viewed = cast(ViewedRequest, request)
        if viewed.viewer.lacks_second_factor:
            return to_second_factor(viewed)
        return view(viewed, *args, **kwargs) if viewed.viewer.account else to_sign_in(viewed)

    inner.access = "signed in"  # type: ignore[attr-defined]
    return inner


def own_login(view: Callable[Concatenate[Any, P], HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """Let the signed-in at their own login's pages, also staff who are there to set up their second factor."""

    @wraps(view)
    def inner(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        viewed = cast(ViewedRequest, request)
        return view(viewed, *args, **kwargs) if viewed.viewer.account else to_sign_in(viewed)

    inner.access = "own login"  # type: ignore[attr-defined]
    return inner


def to_sign_in(request: ViewedRequest) -> HttpResponseBase:
    """Send the browser to the sign-in page, and back here afterwards if here can be asked for again."""
    if request.htmx:
        return HttpResponseClientRedirect(resolve_url("accounts:sign_in"))
    return redirect_to_login(request.get_full_path() if request.method == "GET" else "/")


def to_second_factor(request: ViewedRequest) -> HttpResponseBase:
    """Send staff without a second factor to where one is set up, and back here afterwards."""
    there = resolve_url("account:second_factor")
    if request.htmx:
        return HttpResponseClientRedirect(there)
    if request.method != "GET":
        return redirect(there)
    return redirect(f"{there}?{urlencode({'next': request.get_full_path()})}")


def in_scope(response: HttpResponseBase, school_ids: tuple[int, ...]) -> HttpResponseBase:
    """Finish the answer in the scope it was begun in: render a late template, keep a stream's scope open."""
    if isinstance(response, StreamingHttpResponse):
        if not response.is_async:
            response.streaming_content = _stream(cast(Iterable[bytes], response.streaming_content), school_ids)
    elif isinstance(response, HttpResponse) and callable(render := getattr(response, "render", None)):
        return cast(HttpResponseBase, render())
    return response


def _stream(chunks: Iterable[bytes], school_ids: tuple[int, ...]) -> Iterator[bytes]:
    with scope.schools(*school_ids):
        yield from chunks
