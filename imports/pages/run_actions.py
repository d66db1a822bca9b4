"""What a person can do about an import: upload a file, answer a hold, undo, fetch the raw file."""

from __future__ import annotations

import uuid

from django import forms
from django.contrib import messages
from django.http import HttpResponseBadRequest, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from hub.accounts.models import Role
from hub.accounts.viewer import SchoolRequest, require
from hub.core import audit
from hub.core.bodies import takes_a_file
from hub.core.errors import HubError
from imports import decisions, moments, payloads, previewing, selectors, services
from imports.link import links
from imports.link.links import current_link
from imports.models import ImportKind
from imports.pages import runs, sheets

_DECISIONS = {
    "release": (decisions.release, "Applied as you decided. Nothing of it shows before all of it is in."),
    "keep": (decisions.keep_everybody, "Everybody stays. You are not asked about them again until they come back."),
    "discard": (
        decisions.discard,
        "Discarded: nothing of it was taken in. The next import asks again if it says the same.",
    ),
}
_EXTENSIONS = (".xml", ".csv", ".xlsx", ".xlsm", ".tsv", ".txt")
"""Of files that are no zip."""


class UploadForm(forms.Form):
    """A file by hand."""

    file = forms.FileField(
        label="File",
        allow_empty_file=True,  # The import says what an empty report means.
        help_text="The zip that the agent makes, or one of its XML reports.",
        widget=forms.FileInput(attrs={"accept": ".zip,.xml"}),
    )
    everybody = forms.BooleanField(
        label="This is everybody",
        required=False,
        help_text="Tick it only if nobody is missing from this file: whoever is not in it counts as gone.",
    )
    preview = forms.BooleanField(
        label="Preview only",
        required=False,
        initial=True,
        help_text="Shows what would change, and changes nothing.",
    )


@takes_a_file
@require(Role.ADMINISTRATOR, Role.OFFICE)
@require_http_methods(["GET", "HEAD", "POST"])
def upload(request: SchoolRequest, school: str) -> HttpResponseBase:
    """Take a file by hand, to import or only to preview."""
    link = current_link(request.school)
    mis = selectors.mis_of(link)
    if link is not None and mis.is_upload:
        return sheets.upload(request, link)
    form = UploadForm(request.POST, request.FILES) if request.method == "POST" else UploadForm()
    if form.is_bound and link is not None and form.is_valid():
        file = form.cleaned_data["file"]
        try:
            received = services.receive(
                link=link,
                stream=file,
                filename=file.name,
                run_id=f"upload-{uuid.uuid4().hex}",
                kind=ImportKind.UPLOAD,
                requested_by=str(request.account),
                everybody=form.cleaned_data["everybody"],
                preview=form.cleaned_data["preview"],
                now=timezone.now(),
            )
        except HubError as refusal:
            form.add_error("file", refusal.message)
        else:
            if received.run is None:
                messages.warning(request, received.sentence)
                return redirect("imports:list", school)
            return redirect("imports:detail", school, received.run.pk)
    context = {"nav": "imports", "form": form, "linked": link is not None, "mis": mis}
    return render(request, "imports/upload.html", context, status=422 if form.errors else 200)


@require(Role.ADMINISTRATOR, Role.OFFICE)
@require_POST
def decide(request: SchoolRequest, school: str, import_id: int) -> HttpResponseBase:
    """Answer a hold: apply it, keep everybody, or discard it."""
    run = selectors.run_of(request.school, import_id)
    if request.POST.get("decision") not in _DECISIONS:
        return HttpResponseBadRequest("Choose what to do about this import.")
    act, said = _DECISIONS[request.POST["decision"]]
    try:
        run = act(run=run, by=request.account, now=timezone.now())
    except HubError as refusal:
        messages.error(request, refusal.message)
    else:
        messages.success(request, said)
    return redirect("imports:detail", school, run.pk)


@require(Role.ADMINISTRATOR, Role.OFFICE)
@require_POST
def import_it(request: SchoolRequest, school: str, import_id: int) -> HttpResponseBase:
    """Import the file that was previewed."""
    run = selectors.run_of(request.school, import_id)
    try:
        run = previewing.import_previewed(run=run, by=request.account, now=timezone.now())
    except HubError as refusal:
        messages.error(request, refusal.message)
    return redirect("imports:detail", school, run.pk)


@require(Role.ADMINISTRATOR, Role.OFFICE)
@require_http_methods(["GET", "HEAD", "POST"])
def undo(request: SchoolRequest, school: str, import_id: int) -> HttpResponseBase:
    """Say what an undo will do; then do it and show what was left and why."""
    now = timezone.now()
    run = selectors.run_of(request.school, import_id)
    mis = selectors.mis_of(run.link)
    if request.method == "POST":
        try:
            decisions.undo(run=run, by=request.account, now=now)
        except HubError as refusal:
            messages.error(request, refusal.message)
        else:
            messages.success(request, "Undone. Imports are paused until somebody resumes the link.")
        return redirect("imports:detail", school, run.pk)
    words = selectors.words(run, mis=mis)
    context = {
        "nav": "imports",
        "run": run,
        "words": words,
        "mis": mis,
        "when": moments.stamp(words.when, now=now),
        "can_undo": runs.can_undo(run, now=now),
    }
    return render(request, "imports/undo.html", context)


@require(Role.ADMINISTRATOR)
@require_POST
def raw_file(request: SchoolRequest, school: str, import_id: int) -> HttpResponseBase:
    """Give an administrator the file exactly as it came; who fetched it is written down."""
    run = selectors.run_of(request.school, import_id)
    if run.payload is None or not run.payload.stored:
        messages.error(request, "This file is no longer kept.")
        return redirect("imports:detail", school, run.pk)
    audit.record(
        school=request.school,
        by=request.account,
        action="payload.downloaded",
        object_kind="import",
        object_id=run.pk,
        now=timezone.now(),
    )
    response = StreamingHttpResponse(payloads.raw(run.payload), content_type="application/octet-stream")
    extension = next((one for one in _EXTENSIONS if run.payload.filename.lower().endswith(one)), ".zip")
    response["Content-Disposition"] = f'attachment; filename="import-{run.pk}{extension}"'
    return response


@require(Role.ADMINISTRATOR)
@require_POST
def switch(request: SchoolRequest, school: str) -> HttpResponseBase:
    """Turn MIS Autolink on or off from the overview's switch."""
    link = current_link(request.school)
    if link is None:
        return redirect("imports:mis_link", school)
    on = request.POST.get("on") == "1"
    try:
        (links.enable if on else links.disable)(link=link, by=request.account, now=timezone.now())
    except HubError as refusal:
        messages.error(request, refusal.message)
    else:
        said = "MIS Autolink is on." if on else "MIS Autolink is off: nothing comes in until you switch it on again."
        messages.success(request, said)
    return redirect("overview:overview", school)
