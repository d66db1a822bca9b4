"""The office edits the emails and mobiles of many people on one page; each is saved, or asked about, by itself."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.views.decorators.http import require_http_methods, require_POST

from hub.accounts.models import Role
from hub.accounts.viewer import SchoolRequest, require
from hub.people import searching
from hub.people import selectors as people
from hub.people.forms import SearchForm
from hub.people.models import Contact, PupilContact
from hub.people.views import KEPT_SEARCH
from verification import services
from verification.changes import edit_many as table

_OFFICE = (Role.ADMINISTRATOR, Role.OFFICE)
PER_PAGE = 50
SHOWN = {
    "no-email-or-mobile": "No email or mobile",
    "no-email": "No email",
    "no-mobile": "No mobile",
    "not-connected": "Not connected",
    "all": "Everybody",
}
_WITHOUT = {"no-email-or-mobile": ("email", "mobile"), "no-email": ("email",), "no-mobile": ("mobile",)}


@require(*_OFFICE)
@require_http_methods(["GET", "HEAD", "POST"])
def edit_many(request: SchoolRequest, school: str) -> HttpResponseBase:
    """A page of people with an input for each email and mobile."""
    if request.method == "POST":
        return _save(request)
    page = Paginator(_found(request), PER_PAGE).get_page(request.GET.get("page"))
    rows = table.rows_of(page, school)
    return render(request, "verification/edit_many.html", _context(request) | {"page": page, "rows": rows})


@require(*_OFFICE)
@require_POST
def search(request: SchoolRequest, school: str) -> HttpResponseBase:
    """Keep what was typed in the session – a name has no place in an address – and show whom it means."""
    form = SearchForm(request.POST)
    query = form.cleaned_data["q"] if form.is_valid() else ""
    request.session[KEPT_SEARCH] = {school: query} if query else {}
    return redirect(reverse("verification:edit_many", args=[school]) + ("?show=search" if query else ""))


def _save(request: SchoolRequest) -> HttpResponseBase:
    chosen = [int(one) for one in request.POST.getlist("person") if one.isdecimal()][:PER_PAGE]
    found = people.contacts(request.membership).filter(pk__in=chosen)
    rows = table.rows_of(people.with_details(found, request.membership), request.school.slug)
    wanted = table.read(rows, request.POST.dict())
    edited = services.edit_many(
        school=request.school, rows=[typed for _, typed in wanted], by=request.account, now=timezone.now()
    )
    done = [(cell, result) for (cell, _), result in zip(wanted, edited, strict=True)]
    table.note_outcomes(done)
    summary = table.summary(rows, done)
    if not summary.failed:
        if summary.sentence:
            messages.success(request, summary.sentence)
        else:
            messages.info(request, "Nothing was changed.")
        return redirect(request.get_full_path())
    context = _context(request) | {"rows": rows, "summary": summary, "page": None}
    return render(request, "verification/edit_many.html", context, status=422)


def _context(request: SchoolRequest) -> dict[str, Any]:
    show, year = _show(request), _year(request)
    chosen = {"year": year} if year else {"show": show}
    return {
        "nav": "people",
        "show": "" if year else show,
        "shown": SHOWN,
        "year": year,
        "years": _years(request),
        "q": _kept(request),
        "query": urlencode(chosen),
    }


def _show(request: SchoolRequest) -> str:
    wanted = request.GET.get("show", "")
    if wanted == "search" and _kept(request):
        return wanted
    return wanted if wanted in SHOWN else "no-email-or-mobile"


def _year(request: SchoolRequest) -> str:
    return request.GET.get("year", "").replace("\x00", "")


def _kept(request: SchoolRequest) -> str:
    return str(request.session.get(KEPT_SEARCH, {}).get(request.school.slug, ""))


def _years(request: SchoolRequest) -> list[str]:
    here = people.pupils(request.membership).filter(people.at_school(timezone.localdate())).exclude(year_group="")
    return sorted(here.order_by().values_list("year_group", flat=True).distinct(), key=lambda one: (len(one), one))


def _found(request: SchoolRequest) -> QuerySet[Contact]:
    member, show = request.membership, _show(request)
    if year := _year(request):
        of_year = PupilContact.objects.filter(school=request.school, contact=OuterRef("pk"), ended_on=None)
        found = people.current_contacts(member).filter(Exists(of_year.filter(pupil__year_group=year)))
    elif show == "search":
        found = searching.search_contacts(people.contacts(member), _kept(request))
    elif show == "not-connected":
        found = people.not_connected(member)
    elif show == "all":
        found = people.current_contacts(member)
    else:
        found = people.without_details(member, *_WITHOUT[show])
    return people.with_details(found, member)
