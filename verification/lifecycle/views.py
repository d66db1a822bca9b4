"""The office ends a connection, or lets somebody back in who lost every way to sign in. Each asks first."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from hub.accounts.viewer import SchoolRequest, require
from hub.core.errors import HubError
from hub.people.finding import PAGES, person_or_404
from hub.people.models import Contact
from verification import selectors
from verification.invitations.connection_views import OFFICE, pdf_response
from verification.lifecycle import leaving
from verification.owners import Owner, login_of
from verification.recovery import reach


class WhyForm(forms.Form):
    """Why a connection ends."""

    why = forms.CharField(
        label="Why", max_length=200, help_text="For the school’s own record. The person is not told the reason."
    )


@require(*OFFICE)
@require_http_methods(["GET", "HEAD", "POST"])
def disconnect(request: SchoolRequest, school: str, owner: str, person_id: int) -> HttpResponseBase:
    """Ask, then end the connection of one record."""
    person, back = _connected(request, owner, person_id)
    form = WhyForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            leaving.disconnect(owner=person, by=request.account, why=form.cleaned_data["why"], now=timezone.now())
        except HubError as refusal:
            messages.error(request, refusal.message)
        else:
            messages.success(request, f"{person} is disconnected, and is told so.")
        return redirect(back)
    context = _context(person, back) | {"form": form}
    return render(request, "verification/disconnect.html", context, status=422 if form.errors else 200)


@require(*OFFICE)
@require_http_methods(["GET", "HEAD", "POST"])
def reset(request: SchoolRequest, school: str, person_id: int) -> HttpResponseBase:
    """Ask, then print the letter that lets a parent in again."""
    person, back = _connected(request, "contacts", person_id)
    assert isinstance(person, Contact)
    if request.method != "POST":
        return render(request, "verification/reset.html", _context(person, back))
    try:
        done = leaving.reset(owner=person, by=request.account, now=timezone.now())
    except HubError as refusal:
        messages.error(request, refusal.message)
        return redirect(back)
    return pdf_response(done.letter, f"letter-{person.pk}.pdf")


def _connected(request: SchoolRequest, owner: str, person_id: int) -> tuple[Owner, str]:
    """Return a Connected person of this school and their page; anybody else is not found."""
    person = person_or_404(request, owner, person_id)
    if login_of(person) is None:
        raise Http404
    return person, reverse(PAGES[owner], args=[request.school.slug, person.pk])


def _context(person: Owner, back: str) -> dict[str, Any]:
    login = login_of(person)
    assert login is not None
    return {
        "nav": "people",
        "person": person,
        "back": back,
        "only_here": reach.opens_only(login, person.school_id),
        "letter_days": selectors.choices(person.school).letter_days,
    }
