"""The door before what matters at one's own login: who it is must have been shown in the last quarter of an hour."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec, cast
from urllib.parse import urlencode

from django.http import HttpResponseBase, JsonResponse
from django.shortcuts import redirect, resolve_url
from django.utils import timezone

from hub.accounts import signing_in
from hub.accounts.viewer import own_login

P = ParamSpec("P")
FRESH = dt.timedelta(minutes=15)


def proved(*, back: str = "") -> Callable[[Callable[Concatenate[Any, P], HttpResponseBase]], Callable[..., Any]]:
    """Let the signed-in on who have just proved who they are; others are asked first, then led on.

    `back` names the page to lead to where the address itself cannot be asked for again.
    """

    def decorate(view: Callable[Concatenate[Any, P], HttpResponseBase]) -> Callable[..., Any]:
        @wraps(view)
        def inner(request: Any, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
            if signing_in.proved(request, now=timezone.now(), within=FRESH):
                return view(request, *args, **kwargs)
            there = resolve_url(back) if back else request.get_full_path()
            ask = f"{resolve_url('account:prove')}?{urlencode({'next': there})}"
            if request.content_type == "application/json":
                return JsonResponse({"next": ask}, status=403)
            return redirect(ask)

        return own_login(cast(Callable[Concatenate[Any, P], HttpResponseBase], inner))

    return decorate
