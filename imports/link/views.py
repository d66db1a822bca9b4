"""Settings > MIS Link: what is linked, whether it works, its timetable, and its switches."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django_htmx.http import HttpResponseClientRefresh

from hub.accounts.models import Role
from hub.accounts.viewer import SchoolRequest, require
from hub.core.errors import HubError
from imports import moments
from imports.link import checks, links, pages
from imports.link.forms import AgentForm, ConnectorForm, PauseForm, ScheduleForm
from imports.models import AgentToken, LinkState, MisLink

OFFICE = (Role.ADMINISTRATOR, Role.OFFICE)


@require(*OFFICE)
@require_safe
def mis_link(request: SchoolRequest, school: str) -> HttpResponseBase:
    """Show the link, or offer the choice of an MIS."""
    link = links.current_link(request.school)
    if link is None:
        return _choose(request, ConnectorForm())
    return _page(request, link, now=timezone.now())


@require(Role.ADMINISTRATOR)
@require_POST
def mis_link_choose(request: SchoolRequest, school: str) -> HttpResponseBase:
    """Choose the school's MIS."""
    form = ConnectorForm(request.POST)
    if not form.is_valid():
        return _choose(request, form)
    return _act(
        request,
        lambda now: links.create_link(
            school=request.school, connector=form.cleaned_data["connector"], by=request.account, now=now
        ),
        said="Chosen. Set it up step by step below.",
    )


@require(*OFFICE)
@require_safe
def mis_link_setup(request: SchoolRequest, school: str) -> HttpResponseBase:
    """Show the set-up steps of a link that is set up already."""
    link = _link(request)
    context = pages.setup_context(link, now=timezone.now())
    return render(request, "imports/mis_link_setup.html", {"nav": "settings", "agent_form": AgentForm(), **context})


@require(*OFFICE)
@require_safe
def mis_link_test(request: SchoolRequest, school: str) -> HttpResponseBase:
    """Test every part from the agent to the last import: a fragment for htmx, else the page with it."""
    link, now = _link(request), timezone.now()
    if request.htmx:
        return render(request, "imports/_mis_link_test.html", _tested(link, now=now))
    return _page(request, link, now=now, tested=_tested(link, now=now))


@require(*OFFICE)
@require_safe
def mis_link_progress(request: SchoolRequest, school: str) -> HttpResponseBase:
    """Asked every few seconds during set-up: have the page drawn anew once a step further is reached."""
    context = pages.link_context(_link(request), now=timezone.now())
    return (
        HttpResponseClientRefresh() if str(context["reached"]) != request.GET.get("seen") else HttpResponse(status=204)
    )


@require(*OFFICE)
@require_POST
def mis_link_import(request: SchoolRequest, school: str) -> HttpResponseBase:
    """Ask for an import now."""
    link, now = _link(request), timezone.now()
    try:
        links.want_run(link=link, by=request.account, now=now)
    except HubError as refusal:
        messages.error(request, refusal.message)
    else:
        pages.say_asked(request, link, now=now)
    return redirect("imports:mis_link", school)


@require(Role.ADMINISTRATOR)
@require_POST
def mis_link_enable(request: SchoolRequest, school: str) -> HttpResponseBase:
    """Enable MIS Autolink."""
    link = _link(request)
    return _act(
        request,
        lambda now: links.enable(link=link, by=request.account, now=now),
        said="MIS Autolink is enabled. The next night comes by itself; or import now.",
    )


@require(Role.ADMINISTRATOR)
@require_http_methods(["GET", "HEAD", "POST"])
def mis_link_disable(request: SchoolRequest, school: str) -> HttpResponseBase:
    """Say what disabling means; then do it."""
    link = _link(request)
    if request.method == "POST":
        return _act(
            request,
            lambda now: links.disable(link=link, by=request.account, now=now),
            said="MIS Autolink is disabled. Nobody is changed by the MIS until it is enabled again.",
        )
    context = {"nav": "settings", **pages.link_context(link, now=timezone.now())}
    return render(request, "imports/mis_link_disable.html", context)


@require(Role.ADMINISTRATOR)
@require_POST
def mis_link_resume(request: SchoolRequest, school: str) -> HttpResponseBase:
    """End a pause."""
    link = _link(request)
    return _act(
        request,
        lambda now: links.resume(link=link, by=request.account, now=now),
        said="Resumed. The next night comes by itself; or import now.",
    )


@require(Role.ADMINISTRATOR)
@require_POST
def mis_link_schedule(request: SchoolRequest, school: str) -> HttpResponseBase:
    """Choose the nights and their time."""
    link, form = _link(request), ScheduleForm(request.POST)
    if not form.is_valid():
        return _page(request, link, now=timezone.now(), schedule_form=form)
    return _act(
        request,
        lambda now: links.set_schedule(link=link, by=request.account, now=now, **form.cleaned_data),
        said="Saved. If the agent's nightly task runs at another time, it is still asked within ten minutes.",
    )


@require(Role.ADMINISTRATOR)
@require_POST
def mis_link_pause(request: SchoolRequest, school: str) -> HttpResponseBase:
    """Pause the link until a date."""
    link, form = _link(request), PauseForm(request.POST)
    if form.is_valid():
        until = form.cleaned_data["until"]
        try:
            links.pause_until(link=link, until=until, by=request.account, now=timezone.now())
        except HubError as refusal:
            form.add_error("until", refusal.message)
        else:
            messages.success(request, f"Paused until {moments.day(until)}.")
            return redirect("imports:mis_link", school)
    return _page(request, link, now=timezone.now(), pause_form=form)


@require(Role.ADMINISTRATOR)
@require_POST
def mis_link_agent(request: SchoolRequest, school: str) -> HttpResponseBase:
    """Make a token and return the agent with it, as a file: this once."""
    link, form, now = _link(request), AgentForm(request.POST), timezone.now()
    if not form.is_valid():
        context = {**pages.setup_context(link, now=now), "agent_form": form}
        return render(request, "imports/mis_link_setup.html", {"nav": "settings", **context}, status=422)
    filename, text = pages.agent_file(link, name=form.cleaned_data["name"], by=request.account, now=now)
    response = HttpResponse(text, content_type="text/x-python; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{filename}"'
    response["Cache-Control"] = "no-store"
    return response


@require(Role.ADMINISTRATOR)
@require_http_methods(["GET", "HEAD", "POST"])
def mis_link_token(request: SchoolRequest, school: str, token_id: int) -> HttpResponseBase:
    """Say what ending a copy of the agent means; then do it."""
    link = _link(request)
    token = get_object_or_404(AgentToken, school=request.school, link=link, pk=token_id)
    if request.method == "POST":
        return _act(
            request,
            lambda now: links.revoke_token(token=token, by=request.account, now=now),
            said=f"“{token.name}” can no longer sign in.",
        )
    return render(request, "imports/mis_link_token.html", {"nav": "settings", "token": token})


def _link(request: SchoolRequest) -> MisLink:
    link = links.current_link(request.school)
    if link is None:
        raise Http404
    return link


def _act(request: SchoolRequest, do: Callable[[dt.datetime], object], *, said: str) -> HttpResponseBase:
    """Call one service and go back to the page with what it did, or why it refused."""
    try:
        do(timezone.now())
    except HubError as refusal:
        messages.error(request, refusal.message)
    else:
        messages.success(request, said)
    return redirect("imports:mis_link", request.school.slug)


def _choose(request: SchoolRequest, form: ConnectorForm) -> HttpResponseBase:
    context = {"nav": "settings", "form": form}
    return render(request, "imports/mis_link_choose.html", context, status=422 if form.errors else 200)


def _page(
    request: SchoolRequest,
    link: MisLink,
    *,
    now: dt.datetime,
    tested: dict[str, Any] | None = None,
    **given: forms.Form,
) -> HttpResponseBase:
    context = {
        "nav": "settings",
        "schedule_form": ScheduleForm.of(link),
        "pause_form": PauseForm(),
        "agent_form": AgentForm(),
        **pages.link_context(link, now=now),
        **given,
        **(tested or {}),
    }
    if link.state in (LinkState.NOT_SET_UP, LinkState.WAITING):
        context |= pages.setup_context(link, now=now)
    wrong = any(form.errors for form in given.values())
    return render(request, "imports/mis_link.html", context, status=422 if wrong else 200)


def _tested(link: MisLink, *, now: dt.datetime) -> dict[str, Any]:
    found = checks.parts_of(link, now=now)
    name = pages.mis_name(link)
    return {"parts": found, "verdict": checks.verdict(found, mis_name=name), "tested_at": now}
