"""Uploading a spreadsheet: the file and templates, then what is wrong in which cell and what it would change."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from django import forms
from django.http import Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from hub.accounts.models import Role
from hub.accounts.viewer import SchoolRequest, require
from hub.core.errors import HubError
from imports import moments, payloads, selectors, services
from imports.link.links import current_link
from imports.models import OPEN_STATES, Import, ImportKind, ImportState, MisLink
from imports.pages import change_lines, presenting, runs
from mis_connectors import registry
from mis_connectors.errors import ConnectorError
from mis_connectors.files import ChecksFiles, FileCheck, HeaderFault, Template

CELLS_SHOWN = 6
LINES_SHOWN = 10
_TONES = {"row": "bad", "part": "warn", "warning": ""}
_COSTS = {
    "row": "This person is left out",
    "part": "This cell is left out, the rest of the row is taken",
    "warning": "Taken as it is",
}


class SheetForm(forms.Form):
    """A spreadsheet; it is always shown before it is imported."""

    file = forms.FileField(
        label="Spreadsheet",
        allow_empty_file=True,  # The page after it says what an empty file means.
        help_text="An Excel workbook (.xlsx) or a CSV. Next you see what is wrong in it and what it would change;"
        " nothing is imported before you say so.",
    )
    everybody = forms.BooleanField(
        label="This is everybody",
        required=False,
        help_text="Tick it only if nobody is missing: whoever is not in the file then counts as gone. A file of staff"
        " only says nothing of pupils.",
    )


@dataclass(slots=True)
class Group:
    """The cells in which the same thing is wrong."""

    tone: str
    cost: str
    message: str
    advice: str
    where: str
    cells: list[dict[str, Any]] = field(default_factory=list)

    @property
    def first(self) -> list[dict[str, Any]]:
        return self.cells[:CELLS_SHOWN]

    @property
    def rest(self) -> list[dict[str, Any]]:
        return self.cells[CELLS_SHOWN:]


def upload(request: SchoolRequest, link: MisLink) -> HttpResponseBase:
    """Take a spreadsheet and show what it would do; the door is `run_actions.upload`."""
    reader = registry.connector(link.source.connector)
    form = SheetForm(request.POST, request.FILES) if request.method == "POST" else SheetForm()
    if isinstance(reader, ChecksFiles):
        form.fields["file"].widget.attrs["accept"] = reader.accepts
    if form.is_bound and form.is_valid():
        file = form.cleaned_data["file"]
        try:
            received = services.receive(
                link=link, stream=file, filename=file.name, run_id=f"upload-{uuid.uuid4().hex}",
                kind=ImportKind.UPLOAD, requested_by=str(request.account),
                everybody=form.cleaned_data["everybody"], preview=True, now=timezone.now(),
            )  # fmt: skip
        except HubError as refusal:
            form.add_error("file", refusal.message)
        else:
            assert received.run is not None
            return redirect("imports:sheet", request.school.slug, received.run.pk)
    templates = reader.templates() if isinstance(reader, ChecksFiles) else ()
    context = {"nav": "imports", "form": form, "mis": selectors.mis_of(link), "templates": templates}
    return render(request, "imports/upload_sheet.html", context, status=422 if form.errors else 200)


@require(Role.ADMINISTRATOR, Role.OFFICE)
@require_safe
def template(request: SchoolRequest, school: str, name: str) -> HttpResponseBase:
    """Give a file to fill in."""
    link = current_link(request.school)
    reader = registry.connector(link.source.connector) if link is not None else None
    offered: Sequence[Template] = reader.templates() if isinstance(reader, ChecksFiles) else ()
    wanted = [one for one in offered if one.key == name]
    if not wanted:
        raise Http404
    answer = HttpResponse(wanted[0].make(), content_type=wanted[0].content_type)
    answer["Content-Disposition"] = f'attachment; filename="{wanted[0].filename}"'
    return answer


@require(Role.ADMINISTRATOR, Role.OFFICE)
@require_safe
def sheet(request: SchoolRequest, school: str, import_id: int) -> HttpResponseBase:
    """Show what is wrong in an uploaded spreadsheet, cell by cell, and what it would change."""
    now = timezone.now()
    run = selectors.run_of(request.school, import_id)
    mis = selectors.mis_of(run.link)
    if not (run.preview and mis.is_upload):
        return redirect("imports:detail", school, run.pk)
    live = run.state in OPEN_STATES
    words = selectors.words(run, mis=mis)
    header = captions_wrong(run)
    groups = grouped(run.cells)
    would = change_lines.would_lines(run.would[:LINES_SHOWN], school_id=run.school_id, mis_name=mis.source)
    context = {
        "nav": "imports",
        "run": run,
        "mis": mis,
        "live": live,
        "phases": runs.phases(run, is_push=True),
        "when": moments.stamp(words.when, now=now),
        "title": title(run, header),
        "lead": lead(run, header),
        "header": header,
        "groups": groups,
        "wrong": len(run.cells),
        "lines": would,
        "total": len(run.would),
        "tally": presenting.tally(words),
        "in_file": presenting.in_file(words),
        "held": run.reasons if run.state != ImportState.FAILED else [],
        "can_import": not live and run.state != ImportState.FAILED and bool(run.would or run.counts.get("updated")),
        "can_fetch": run.payload is not None and run.payload.stored,
    }
    return render(request, "imports/sheet.html", context)


def captions_wrong(run: Import) -> tuple[HeaderFault, ...]:
    """Return what is wrong with the captions of a file that could not be read for it."""
    reader = registry.connector(run.link.source.connector)
    if run.state != ImportState.FAILED or run.payload is None or not isinstance(reader, ChecksFiles):
        return ()
    try:
        check: FileCheck = reader.check(payloads.incoming(run.payload, salt=b""))
    except (ConnectorError, payloads.PayloadCleared):
        return ()
    return check.header


def grouped(cells: list[dict[str, Any]]) -> list[Group]:
    """Return the wrong cells by what is wrong, the gravest first."""
    groups: dict[tuple[str, ...], Group] = {}
    several = len({cell["sheet"] for cell in cells}) > 1
    for cell in cells:
        key = (cell["severity"], cell["caption"], cell["message"], cell["advice"], cell["column"], cell["sheet"])
        if key not in groups:
            where = f"Column {cell['column']}, {cell['caption']}" if cell["column"] else ""
            if several:
                where = ", ".join(filter(None, (f"Sheet {cell['sheet']}", where)))
            groups[key] = Group(
                _TONES.get(cell["severity"], ""), _COSTS.get(cell["severity"], ""), cell["message"], cell["advice"],
                where,
            )  # fmt: skip
        groups[key].cells.append(cell)
    return list(groups.values())


def title(run: Import, header: tuple[HeaderFault, ...]) -> str:
    """Return the heading: whether the file can be imported."""
    if run.state in OPEN_STATES:
        return "Looking at your file"
    if header:
        return "The captions need another look"
    if run.state == ImportState.FAILED:
        return "This file cannot be read"
    if run.cells:
        return f"{presenting.many(len(run.cells), 'cell')} to look at"
    return "This file can be imported" if run.would else "This file would change nothing"


def lead(run: Import, header: tuple[HeaderFault, ...]) -> str:
    """Return the sentence below the heading."""
    if run.state in OPEN_STATES:
        return "It takes some seconds, for a large school half a minute. Nothing is imported before you say so."
    if header:
        return "Nothing was imported. Correct the captions in your spreadsheet, save it, and choose it again."
    if run.state == ImportState.FAILED:
        return "Nothing was imported."
    if run.cells:
        what = "it" if len(run.cells) == 1 else "them"
        return (
            f"Nothing was imported yet. Correct {what} in your spreadsheet and choose it again, or import the rest"
            " as it is: what is marked left out stays out."
        )
    return "Nothing was imported yet. Below is what it would do."
