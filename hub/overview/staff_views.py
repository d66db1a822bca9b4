"""Settings, Staff: who works here, as what, and since when. Administrators only."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from hub.accounts import selectors, services
from hub.accounts.models import Membership, Role
from hub.accounts.proof import proved
from hub.accounts.services import Invited
from hub.accounts.viewer import SchoolRequest, require
from hub.core.errors import HubError
from hub.core.models import School
from hub.messaging.mail import MailNotSent
from hub.overview import staffing
from hub.overview.settings_forms import InviteForm, MemberForm
from hub.people.models import GroupAccess

PAGE = {"nav": "settings"}


@require_safe
@require(Role.ADMINISTRATOR)
def staff(request: SchoolRequest, school: str) -> HttpResponse:
    """List everybody who works here or is invited, and who used to."""
    groups = _groups_by_member(request.school)
    members = [(member, groups[member.pk]) for member in selectors.staff_of(request.school)]
    former = selectors.former_staff_of(request.school)[:50]
    return render(request, "overview/staff.html", {**PAGE, "members": members, "former": former})


@require_http_methods(["GET", "HEAD", "POST"])
@require(Role.ADMINISTRATOR)
def invite(request: SchoolRequest, school: str) -> HttpResponse:
    """Invite somebody by email."""
    form = InviteForm(request.POST or None, school=request.school, initial={"role": Role.OFFICE})
    if form.is_valid():
        try:
            invited = staffing.invite(
                school=request.school,
                email=form.cleaned_data["email"],
                role=Role(form.cleaned_data["role"]),
                groups=form.chosen_groups(),
                by=request.account,
                now=timezone.now(),
            )
        except HubError as refusal:
            form.add_error("email", refusal.message)
        else:
            _mail(request, invited, f"{invited.membership.account.email} is invited. The link is good for 10 days.")
            return redirect("overview:staff", school)
    return _form(request, "overview/staff_invite.html", form)


@require_http_methods(["GET", "HEAD", "POST"])
@require(Role.ADMINISTRATOR)
def member(request: SchoolRequest, school: str, membership_id: int) -> HttpResponse:
    """Show one member and change their role and groups."""
    found = _open_member(request, membership_id)
    chosen = list(GroupAccess.objects.filter(membership=found).values_list("group_id", flat=True))
    form = MemberForm(request.POST or None, school=request.school, chosen=chosen, initial={"role": found.role})
    if form.is_valid():
        try:
            staffing.change(
                membership=found,
                role=Role(form.cleaned_data["role"]),
                groups=form.chosen_groups(),
                by=request.account,
                now=timezone.now(),
            )
        except HubError as refusal:
            form.add_error("role", refusal.message)
        else:
            messages.success(request, f"{found.called} is saved.")
            return redirect("overview:staff", school)
    return _form(request, "overview/staff_member.html", form, member=found)


@require_POST
@require(Role.ADMINISTRATOR)
def send_again(request: SchoolRequest, school: str, membership_id: int) -> HttpResponse:
    """Send a new link; older ones stop working."""
    invited = services.send_again(
        membership=_open_member(request, membership_id), by=request.account, now=timezone.now()
    )
    _mail(request, invited, f"A new link is on its way to {invited.membership.account.email}. Older ones are void.")
    return redirect("overview:staff", school)


@require_http_methods(["GET", "HEAD", "POST"])
@require(Role.ADMINISTRATOR)
def end(request: SchoolRequest, school: str, membership_id: int) -> HttpResponse:
    """Ask, then end somebody's access."""
    found = _open_member(request, membership_id)
    refused = ""
    if request.method == "POST":
        try:
            services.end_access(membership=found, by=request.account, now=timezone.now())
        except HubError as refusal:
            refused = refusal.message
        else:
            messages.success(request, f"{found.called} no longer has access.")
            return redirect(
                "overview:home" if found.pk == request.membership.pk else "overview:staff", *_at(found, request)
            )
    context = {**PAGE, "member": found, "refused": refused}
    return render(request, "overview/staff_end.html", context, status=422 if refused else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@require(Role.ADMINISTRATOR)
@proved()
def reset_second_factor(request: SchoolRequest, school: str, membership_id: int) -> HttpResponse:
    """Ask, then let a colleague who lost phone and codes set up a new second factor."""
    found = _open_member(request, membership_id)
    if found.accepted_at is None:  # their login is no affair of this school yet
        raise Http404
    refused = ""
    if request.method == "POST":
        try:
            services.reset_second_factor(membership=found, by=request.account, now=timezone.now())
        except HubError as refusal:
            refused = refusal.message
        else:
            messages.success(request, f"{found.account} sets up a new second factor when they sign in next.")
            return redirect("overview:staff_member", school, membership_id)
    context = {**PAGE, "member": found, "refused": refused}
    return render(request, "overview/staff_reset.html", context, status=422 if refused else 200)


def _at(found: Membership, request: SchoolRequest) -> tuple[str, ...]:
    return () if found.pk == request.membership.pk else (request.school.slug,)


def _open_member(request: SchoolRequest, membership_id: int) -> Membership:
    return get_object_or_404(selectors.staff_of(request.school), pk=membership_id)


def _groups_by_member(school: School) -> dict[int, list[str]]:
    found: dict[int, list[str]] = defaultdict(list)
    rows = GroupAccess.objects.filter(school=school).order_by("group__name").values_list("membership_id", "group__name")
    for membership_id, name in rows:
        found[membership_id].append(name)
    return found


def _mail(request: SchoolRequest, invited: Invited, said: str) -> None:
    """Send the link and say so; if that fails, say that the invitation stands and the mail does not."""
    try:
        staffing.mail_link(invited, by=str(request.account), now=timezone.now())
    except MailNotSent as refusal:
        messages.error(request, f"{refusal.message} The invitation stands: send the link again from the list.")
    else:
        messages.success(request, said)


def _form(request: SchoolRequest, template: str, form: MemberForm, **more: Any) -> HttpResponse:
    return render(request, template, {**PAGE, "form": form, **more}, status=422 if form.errors else 200)
