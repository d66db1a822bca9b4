"""Every address says who may open it; what needs no sign-in is named here."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from hub.accounts.models import Account
from hub.core.models import School

NO_SIGN_IN = {
    "core:health",
    "core:live",
    "accounts:sign_in",
    "accounts:second",
    "accounts:passkey_begin",
    "accounts:passkey_finish",
    "accounts:sign_out",
    "accounts:invitation",
    "accounts:invitation_link",
    "not_me:link",
    "not_me:page",
    "overview:home",
}


def addresses(
    resolver: URLResolver | None = None, place: str = "", app: str = ""
) -> Iterator[tuple[str, str, Callable[..., Any]]]:
    """Yield (name, pattern, view) of every address."""
    for entry in (resolver or get_resolver()).url_patterns:
        below = place + str(entry.pattern)
        if isinstance(entry, URLResolver):
            yield from addresses(entry, below, entry.app_name or app)
        else:
            assert isinstance(entry, URLPattern)
            yield f"{app}:{entry.name}", below, entry.callback


ALL = list(addresses())
OF_A_SCHOOL = [(name, place) for name, place, _ in ALL if place.startswith("<slug:school>/")]


def test_every_view_says_who_may_open_it() -> None:
    silent = {name for name, _, view in ALL if not hasattr(view, "access") and not name.startswith("agent:")}
    assert silent == NO_SIGN_IN


def path_of(place: str) -> str:
    for part, value in {
        "<slug:school>": "8233001",
        "<slug:owner>": "contacts",
        "<slug:kind>": "email",
        "<slug:name>": "not-connected",
        "<uuid:batch>": "00000000-0000-4000-8000-000000000000",
        "<str:token>": "a-token",
    }.items():
        place = place.replace(part, value)
    while "<int:" in place:
        before, _, rest = place.partition("<int:")
        place = before + "1" + rest.partition(">")[2]
    return "/" + place


def test_no_page_of_a_school_opens_to_a_stranger_or_nobody(
    school: School, stranger: Account, signed_in: Callable[[Account], Client]
) -> None:
    client, nobody = signed_in(stranger), Client()
    for name, place in OF_A_SCHOOL:
        path = path_of(place)
        for answer in (client.get(path), client.post(path)):
            assert answer.status_code in (404, 405), name
        for answer in (nobody.get(path), nobody.post(path)):
            assert answer.status_code == 405 or answer["Location"].startswith("/sign-in/"), name
