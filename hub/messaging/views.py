"""The local inbox of the demo: every mail that would have left. Not there in a real installation."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from hub.messaging.models import InboxMail

PER_PAGE = 30


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
    """List the mails, newest first."""
    mails = InboxMail.objects.order_by("-sent_at", "-id").defer("body")
    page = Paginator(mails, PER_PAGE).get_page(request.GET.get("page"))
    return render(request, "messaging/inbox.html", {"page": page})


@require_safe
@never_cache
@_demo_only
def mail(request: HttpRequest, mail_id: int) -> HttpResponse:
    """Show one mail."""
    return render(request, "messaging/mail.html", {"mail": get_object_or_404(InboxMail, pk=mail_id)})
