"""The list of people, the search, the lists that need a person, and their CSV."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import QuerySet
from django.http import Http404, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from hub.accounts.models import Role
from hub.accounts.viewer import SchoolRequest, require
from hub.core.tables import csv_response
from hub.people import rows, searching, selectors
from hub.people.forms import SearchForm

PER_PAGE = 50
KEPT_SEARCH = "people_search"
"""Where the session keeps what was searched for, by school: a name has no place in an address."""
TABS = {"pupils": "Pupils", "parents": "Parents", "staff": "Staff"}
LISTS = {
    "no-email-or-mobile": "No usable email or mobile",
    "no-email": "No usable email",
    "no-mobile": "No usable mobile",
    "not-connected": "Not connected",
    "court-orders": "Court orders",
}
_WITHOUT = {"no-email-or-mobile": ("email", "mobile"), "no-email": ("email",), "no-mobile": ("mobile",)}


@require()
@require_safe
def people(request: SchoolRequest, school: str) -> HttpResponseBase:
    """Everybody this member may see, by kind, or those the kept search means."""
    context = _people(request)
    template = "people/_results.html" if request.htmx else "people/people.html"
    return render(request, template, context)


@require()
@require_POST
def search(request: SchoolRequest, school: str) -> HttpResponseBase:
    """Keep what was typed in the session – a name has no place in an address – and show whom it means."""
    form = SearchForm(request.POST)
    query = form.cleaned_data["q"] if form.is_valid() else ""
    request.session[KEPT_SEARCH] = {school: query} if query else {}
    if request.htmx:
        return render(request, "people/_results.html", _people(request))
    response = redirect("people:list", school)
    response["Location"] += f"?show={_tab(request)}"
    return response


def _people(request: SchoolRequest) -> dict[str, Any]:
    query = request.session.get(KEPT_SEARCH, {}).get(request.school.slug, "")
    found = _found(request, query)
    counts = {tab: found[tab].count() for tab in found}
    tab = _tab(request)
    if query and not counts.get(tab):
        tab = next((one for one, count in counts.items() if count), "pupils")
    tab = tab if tab in found else "pupils"
    page = Paginator(found[tab], PER_PAGE).get_page(request.GET.get("page"))
    everybody = selectors.sees_everybody(request.membership)
    return {
        "nav": "people",
        "q": query,
        "tab": tab,
        "tabs": [(name, TABS[name], count) for name, count in counts.items()],
        "counts": counts,
        "everybody": everybody,
        "page": page,
        "rows": _rows(tab, page, request.school.slug),
        "query": f"show={tab}",
        "anybody": query or any(counts.values()),
    }


def _tab(request: SchoolRequest) -> str:
    wanted = request.POST.get("show") or request.GET.get("show", "")
    return wanted if wanted in TABS else "pupils"


def _found(request: SchoolRequest, query: str) -> dict[str, QuerySet[Any]]:
    """The people of each tab; a search finds those who left, too."""
    member, today = request.membership, timezone.localdate()
    if query:
        found: dict[str, QuerySet[Any]] = {
            "pupils": searching.search_pupils(selectors.pupils(member), query),
            "parents": searching.search_contacts(selectors.contacts(member), query),
            "staff": searching.search_staff(selectors.staff(member), query),
        }
    else:
        found = {
            "pupils": selectors.pupils(member).filter(selectors.at_school(today)),
            "parents": selectors.current_contacts(member),
            "staff": selectors.staff(member).filter(selectors.at_school(today)),
        }
    found["parents"] = selectors.with_details(found["parents"], member)
    found["staff"] = selectors.staff_with_details(found["staff"], member)
    if not selectors.sees_everybody(member):
        del found["staff"]
    return found


def _rows(tab: str, page: Page[Any], slug: str) -> list[Any]:
    today = timezone.localdate()
    if tab == "parents":
        return [rows.contact_row(contact, slug) for contact in page]
    if tab == "staff":
        return [rows.staff_row(staff, slug, today) for staff in page]
    return [(pupil, bool(pupil.leaving_date and pupil.leaving_date <= today)) for pupil in page]


@require(Role.ADMINISTRATOR, Role.OFFICE)
@require_safe
def lists(request: SchoolRequest, school: str, name: str) -> HttpResponseBase:
    """One of the lists that need a person."""
    if name not in LISTS:
        raise Http404
    found = _listed(request, name)
    page = Paginator(found, PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "nav": "people",
        "name": name,
        "title": LISTS[name],
        "lists": LISTS,
        "page": page,
        "rows": list(page) if name == "court-orders" else [rows.contact_row(contact, school) for contact in page],
    }
    return render(request, "people/list.html", context)


def _listed(request: SchoolRequest, name: str) -> QuerySet[Any]:
    member = request.membership
    if name == "court-orders":
        return selectors.court_orders(member, timezone.localdate())
    if name == "not-connected":
        return selectors.with_details(selectors.not_connected(member), member)
    return selectors.with_details(selectors.without_details(member, *_WITHOUT[name]), member)


@require(Role.ADMINISTRATOR, Role.OFFICE)
@require_safe
def list_csv(request: SchoolRequest, school: str, name: str) -> HttpResponseBase:
    """A list, or everybody of a kind, as CSV."""
    if name not in LISTS and name not in TABS:
        raise Http404
    header, cells = _CSV.get(name, (rows.PARENT_HEADER, _contact_cells))
    found = _listed(request, name) if name in LISTS else _found(request, "")[name]
    return csv_response(f"{name}-{request.school.dfe_number}.csv", header, cells(found, school))


Cells = Callable[[QuerySet[Any], str], Iterator[Sequence[str]]]


def _contact_cells(found: QuerySet[Any], slug: str) -> Iterator[Sequence[str]]:
    return rows.contact_cells(found, slug)


_CSV: dict[str, tuple[Sequence[str], Cells]] = {
    "pupils": (rows.PUPIL_HEADER, lambda found, slug: rows.pupil_cells(found)),
    "staff": (rows.STAFF_HEADER, lambda found, slug: rows.staff_cells(found, slug, timezone.localdate())),
    "court-orders": (rows.COURT_ORDER_HEADER, lambda found, slug: rows.court_order_cells(found)),
}
