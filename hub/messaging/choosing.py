"""The page on which one chooses how notices come: one for staff, and the parents' portal has it in its own frame."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext

from hub.accounts.models import Account
from hub.messaging import channels
from hub.messaging.choices import Choice, ChoiceRefused, choices_of, choose_all
from hub.messaging.models import Channel


def page(
    request: HttpRequest,
    *,
    account: Account,
    audiences: Iterable[str],
    template: str,
    here: str,
    context: Mapping[str, Any] | None = None,
) -> HttpResponse:
    """Show and save the choices of a login in `template`, which includes `messaging/_choices.html`.

    GET shows; POST saves what was sent for the kinds of these audiences, and shows the page at `here` again.
    """
    choices = _together(account, audiences)
    if request.method == "POST":
        sent = {one.kind.key: request.POST[one.field] for one in choices if one.field in request.POST}
        try:
            choose_all(account=account, wanted=sent)
        except ChoiceRefused as refused:
            messages.error(request, str(refused))
        else:
            messages.success(request, gettext("Saved: from now on notices come as you chose."))
        return redirect(here)
    shown = {
        "choosable": [one for one in choices if one.kind.choosable],
        "always": [one for one in choices if not one.kind.choosable],
        "texts": channels.available(Channel.TEXT),
        **(context or {}),
    }
    return render(request, template, shown)


def _together(account: Account, audiences: Iterable[str]) -> list[Choice]:
    """Return the choices of one who may be both: each kind once."""
    found = {one.kind.key: one for audience in audiences for one in choices_of(account, audience)}
    return list(found.values())
