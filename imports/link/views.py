"""Settings > MIS Link: what is linked, whether it works, its timetable, and its switches."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django_htmx.http import HttpResponseClientRefresh

from hub.accounts.models import Role
from hub.accounts.viewer import SchoolRequest, require
from hub.core.errors import HubError
from imports import moments
from imports.link import checks, links, live, pages, setting_up
from imports.link.forms import AgentForm, ConnectorForm, PauseForm, ScheduleForm
from imports.models import AgentToken, MisLink
from mis_connectors import registry
from mis_connectors.base import Check, SetUp

OFFICE = (Role.ADMINISTRATOR, Role.OFFICE)


@require(*OFFICE)
@require_safe
def mis_link(request: SchoolRequest, school: str) -> HttpResponseBase:
    """Show the link, or offer the choice of an MIS."""
    link = links.current_link(request.school)
    if link is None:
        return _choose(request, _connector_form())
    return _page(request, link, now=timezone.now())


@require(Role.ADMINISTRATOR)
@require_POST
def mis_link_choose(request: SchoolRequest, school: str) -> HttpResponseBase:
    """Choose the school's MIS."""
    form = _connector_form(request.POST)
    if not form.is_valid():
        return _choose(request, form)
    return _act(
        request,
        lambda now: links.create_link(
            school=request.school, connector=form.cleaned_data["connector"], by=request.account, now=now
        ),
        said="Chosen. What comes next is below.",
    )


@require(*OFFICE)
@require_safe
def mis_link_setup(request: SchoolRequest, school: str) -> HttpResponseBase:
    """Show the set-up steps of a link that is set up already."""
    link = _link(request)
    return _steps(request, link)


@require(Role.ADMINISTRATOR)
@require_POST
def mis_link_begin(request: SchoolRequest, school: str) -> HttpResponseBase:
    """Hear that the school has let us in, or has asked its MIS for our credentials."""
    link = _link(request)
    info = registry.connector(link.source.connector).info
    if info.set_up is SetUp.GRANT:
        return _act(
            request,
            lambda now: links.begin_waiting(link=link, by=request.account, now=now),
            said=f"Thank you. {info.mis_name} is tried now, and again every night.",
        )
    if info.set_up is SetUp.CREDENTIALS:
        return _act(
            request,
            lambda now: links.await_credentials(link=link, by=request.account, now=now),
            said=f"Thank you. Type in the credentials below once {info.mis_name}'s email has come.",
        )
    raise Http404


@require(Role.ADMINISTRATOR)
@require_POST
@sensitive_post_parameters()
def mis_link_settings(request: SchoolRequest, school: str) -> HttpResponseBase:
    """Keep what the school types in for its MIS; credentials are tried at once."""
    link = _link(request)
    info = registry.connector(link.source.connector).info
    if not info.setting_fields:
        raise Http404
    form = setting_up.settings_form(link, info, request.POST)
    if form.is_valid():
        try:
            links.give_settings(link=link, values=form.cleaned_data, by=request.account, now=timezone.now())
        except links.SettingsRefused as refusal:
            form.take(refusal.problems)
        except HubError as refusal:
            messages.error(request, refusal.message)
            return redirect("imports:mis_link", school)
        else:
            messages.success(request, f"Saved. {info.mis_name} is tried at once.")
            return redirect("imports:mis_link", school)
    if link.state in setting_up.SHOWN_IN:
        return _page(request, link, now=timezone.now(), settings_form=form)
    return _steps(request, link, settings_form=form)


@require(*OFFICE)
@require_http_methods(["GET", "HEAD", "POST"])
def mis_link_test(request: SchoolRequest, school: str) -> HttpResponseBase:
    """Test every part from the MIS to the last import: a fragment for htmx, else the page with it.

    An MIS we fetch from is asked by a POST, for that may renew its credentials. What it shows is kept nowhere.
    """
    link = _link(request)
    found = live.run(link) if request.method == "POST" and live.can_be_tested(link) else []
    now = timezone.now()
    tested = _tested(link, found, now=now)
    if request.htmx:
        context = {**tested, "mis": pages.mis_of(link)}
        response: HttpResponseBase = render(request, "imports/_mis_link_test.html", context)
    else:
        response = _page(request, link, now=now, tested=tested)
    response["Cache-Control"] = "no-store, private"
    return response


@require(*OFFICE)
@require_safe
def mis_link_progress(request: SchoolRequest, school: str) -> HttpResponseBase:
    """Asked every few seconds during set-up: have the page drawn anew once a step further is reached."""
    context = pages.link_context(_link(request), now=timezone.now())
    return HttpResponseClientRefresh() if context["reached"] != request.GET.get("seen") else HttpResponse(status=204)


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
        said=f"{pages.word_of(link)} is enabled. The next night comes by itself; or import now.",
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
            said=f"{pages.word_of(link)} is disabled. Nobody is changed by the MIS until it is enabled again.",
        )
    context = {"nav": "settings", "button": f"Disable {pages.word_of(link)}"}
    context |= pages.link_context(link, now=timezone.now())
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
        said="Saved. If the agent's nightly task runs at another time, it is still asked within ten minutes."
        if pages.mis_of(link).is_push
        else "Saved.",
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
        return _steps(request, link, agent_form=form)
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
    if link.state in setting_up.SHOWN_IN or (context["mis"].is_upload and context["last"] is None):
        context = {**pages.setup_context(link, now=now), **context}
    wrong = any(form.errors for form in given.values())
    return render(request, "imports/mis_link.html", context, status=422 if wrong else 200)


def _steps(request: SchoolRequest, link: MisLink, **given: forms.Form) -> HttpResponseBase:
    context = {"nav": "settings", "agent_form": AgentForm(), **pages.setup_context(link, now=timezone.now()), **given}
    wrong = any(form.errors for form in given.values())
    return render(request, "imports/mis_link_setup.html", context, status=422 if wrong else 200)


def _connector_form(data: Any = None) -> ConnectorForm:
    return ConnectorForm(data, choices=[(info, setting_up.how(info)) for info in registry.infos()])


def _tested(link: MisLink, found: Sequence[Check], *, now: dt.datetime) -> dict[str, Any]:
    here = checks.parts_of(link, now=now)
    name = pages.mis_name(link)
    said = live.verdict(found, mis_name=name) if found else None
    return {
        "parts": here,
        "live": list(live.parts(found)),
        "sample": [pupil for check in found for pupil in check.sample],
        "verdict": said if said and said.tone != "good" else checks.verdict(here, mis_name=name),
        "tested_at": now,
    }
