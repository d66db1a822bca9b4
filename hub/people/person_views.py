"""A person's page, and what the office may do there."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from hub.accounts.models import Role
from hub.accounts.viewer import SchoolRequest, require
from hub.core.errors import HubError
from hub.people import rows, selectors, services
from hub.people.forms import ByHandForm, ExcludeForm
from hub.people.models import Contact, ImportExclusion, MisIdentity, Staff
from hub.people.why import detail_rows, standing_of

_OFFICE = (Role.ADMINISTRATOR, Role.OFFICE)
_OWNERS = {"contacts": "contact", "staff": "staff"}


@require()
@require_safe
def pupil(request: SchoolRequest, school: str, person_id: int) -> HttpResponseBase:
    """A pupil: who belongs to them, the groups, and the record in the MIS."""
    found = get_object_or_404(selectors.pupils(request.membership), pk=person_id)
    today = timezone.localdate()
    links = [rows.link_row(link, school) for link in selectors.links_of_pupil(request.membership, found)]
    context = {
        "pupil": found,
        "left": found.leaving_date and found.leaving_date <= today,
        "links": links,
        "groups": selectors.groups_of_pupil(found),
        "identities": selectors.identities(found),
    }
    return render(request, "people/pupil.html", _common(request, "pupil") | context)


@require()
@require_safe
def contact(request: SchoolRequest, school: str, person_id: int) -> HttpResponseBase:
    """A parent: emails and mobiles with their reasons, their pupils, and the records in the MIS."""
    found = selectors.contacts(request.membership).filter(pk=person_id).first()
    if found is None:
        return _merged_into(request, person_id)
    context = {"links": list(selectors.links_of_contact(request.membership, found))}
    return render(request, "people/contact.html", _adult(request, found) | context)


def _merged_into(request: SchoolRequest, person_id: int) -> HttpResponseBase:
    """Lead on to the record that this one was merged into; a stranger's is not found."""
    kept = selectors.kept_of(request.membership, person_id)
    if kept is None:
        raise Http404
    messages.info(request, f"{kept} confirmed that two records are theirs, so they are one record now: this one.")
    return redirect("people:contact", request.school.slug, kept.pk)


@require()
@require_safe
def staff(request: SchoolRequest, school: str, person_id: int) -> HttpResponseBase:
    """A member of staff."""
    found = get_object_or_404(selectors.staff(request.membership), pk=person_id)
    left = found.leaving_date and found.leaving_date <= timezone.localdate()
    return render(request, "people/staff.html", _adult(request, found) | {"left": left})


def _adult(request: SchoolRequest, person: Contact | Staff) -> dict[str, Any]:
    connection = selectors.open_connection(person)
    return _common(request, "staff" if isinstance(person, Staff) else "contact") | {
        "person": person,
        "owner": "staff" if isinstance(person, Staff) else "contacts",
        "connection": connection,
        "standing": standing_of(connection),
        "details": detail_rows(selectors.details_of(person), connection),
        "connected": bool(connection and connection.connected_at),
        "identities": selectors.identities(person),
    }


def _common(request: SchoolRequest, kind: str) -> dict[str, Any]:
    return {"nav": "people", "may_edit": request.membership.role in _OFFICE, "kind": kind}


# The office's verbs


@require(*_OFFICE)
@require_http_methods(["GET", "HEAD", "POST"])
def add_by_hand(request: SchoolRequest, school: str) -> HttpResponseBase:
    """Add somebody the MIS does not know."""
    form = ByHandForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        said = form.cleaned_data
        made = services.add_by_hand(
            school=request.school,
            title=said["title"],
            forename=said["forename"],
            surname=said["surname"],
            details={"email": said["email"], "mobile": said["mobile"]},
            by=request.account,
            now=timezone.now(),
        )
        messages.success(request, f"{made} is added. No import changes or ends them.")
        return redirect("people:contact", school, made.pk)
    status = 422 if request.method == "POST" else 200
    return render(request, "people/add.html", {"nav": "people", "form": form}, status=status)


@require(*_OFFICE)
@require_http_methods(["GET", "HEAD", "POST"])
def remove_by_hand(request: SchoolRequest, school: str, person_id: int) -> HttpResponseBase:
    """Ask, then take out somebody who was added by hand."""
    found = get_object_or_404(selectors.contacts(request.membership).filter(made_by_hand=True), pk=person_id)
    if request.method != "POST":
        return render(request, "people/remove.html", {"nav": "people", "person": found})
    try:
        services.remove_by_hand(contact=found, by=request.account, now=timezone.now())
    except HubError as refusal:
        messages.error(request, refusal.message)
        return redirect("people:contact", school, person_id)
    messages.success(request, f"{found} is taken out.")
    return redirect("people:list", school)


# Do not import


@require(*_OFFICE)
@require_safe
def exclusions(request: SchoolRequest, school: str) -> HttpResponseBase:
    """The "do not import" list."""
    context = {"nav": "people", "exclusions": selectors.exclusions(request.school)}
    return render(request, "people/exclusions.html", context)


@require(*_OFFICE)
@require_POST
def exclude(request: SchoolRequest, school: str, identity_id: int) -> HttpResponseBase:
    """Put a record of the MIS on the list."""
    identity = get_object_or_404(
        MisIdentity.objects.filter(school=request.school).select_related("pupil", "contact", "staff"), pk=identity_id
    )
    form = ExcludeForm(request.POST)
    reason = form.cleaned_data["reason"] if form.is_valid() else ""
    made = services.exclude_from_imports(identity=identity, reason=reason, by=request.account, now=timezone.now())
    messages.success(request, f"{made.label} is on the “Do not import” list. The next import leaves the record out.")
    return redirect("people:exclusions", school)


@require(*_OFFICE)
@require_POST
def include(request: SchoolRequest, school: str, exclusion_id: int) -> HttpResponseBase:
    """Take a record off the list."""
    found = get_object_or_404(ImportExclusion.objects.filter(school=request.school), pk=exclusion_id)
    label = found.label
    services.include_again(exclusion=found, by=request.account, now=timezone.now())
    messages.success(request, f"{label} comes in again with the next import.")
    return redirect("people:exclusions", school)
