"""How one wants notices; and the local inbox of the demo: what would have left. That is not in a real installation."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from hub.accounts.viewer import ViewedRequest, signed_in
from hub.messaging import choosing, selectors
from hub.messaging.kinds import PARENTS, STAFF
from hub.messaging.models import Channel, InboxMail

PER_PAGE = 30
CHANNELS = (("", "All"), (Channel.EMAIL.value, "Email"), (Channel.TEXT.value, "Text"))


@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def choices(request: ViewedRequest) -> HttpResponse:
    """Show and save how the one signed in wants notices, as staff and as a parent."""
    account = request.viewer.account
    assert account is not None
    works = bool(request.viewer.memberships)
    audiences = [*([STAFF] if works else []), *([PARENTS] if not works or selectors.is_connected(account) else [])]
    return choosing.page(
        request,
        account=account,
        audiences=audiences,
        template="messaging/choices.html",
        here=reverse("messaging:choices"),
    )


def _demo_only(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    @wraps(view)
    def inner(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not settings.LOCAL_INBOX:
            raise Http404
        return view(request, *args, **kwargs)

    inner.access = "local inbox only"  # type: ignore[attr-defined]
    return inner


@require_safe
@never_cache
@_demo_only
def inbox(request: HttpRequest) -> HttpResponse:
    """List the mails and texts, newest first; of one channel, to one recipient."""
    asked = {name: request.GET.get(name, "").strip() for name in ("channel", "to")}
    if asked["channel"] not in Channel.values:
        asked["channel"] = ""
    page = Paginator(selectors.inbox(**asked), PER_PAGE).get_page(request.GET.get("page"))
    links = [(words, _query(asked | {"channel": value}), value) for value, words in CHANNELS]
    shown = {**asked, "page": page, "channels": links, "query": _query(asked)}
    return render(request, "messaging/inbox.html", shown)


@require_safe
@never_cache
@_demo_only
def mail(request: HttpRequest, mail_id: int) -> HttpResponse:
    """Show one mail or text."""
    return render(request, "messaging/mail.html", {"mail": get_object_or_404(InboxMail, pk=mail_id)})


def _query(asked: dict[str, str]) -> str:
    return urlencode({name: value for name, value in asked.items() if value})
