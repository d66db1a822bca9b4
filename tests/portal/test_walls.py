"""What belongs to another family is not found, by any address; nobody signed out sees any; no GET writes."""

from __future__ import annotations

import uuid

import pytest
from django.test import Client
from django.urls import reverse

from hub.core.models import School
from hub.people.models import PupilContact
from hub.portal.urls import urlpatterns
from tests.factories.parents import make_parent
from tests.factories.people import make_contact, tie
from tests.portal.conftest import Parent, ask
from verification.models import DetailChange

OPEN_TO_ALL = {"language", "home", "messages", "notices", "children", "approvals", "details", "change", "take_out"}
"""Those that name nobody; the others are tried with a stranger's id."""


def of_tom(tom: Parent, school: School) -> dict[str, str]:
    """One address of each page, of things that are Tom's."""
    change = ask(tom.contact)
    offer = ask(tom.contact, "+447700900001", "mobile", status="offer", origin="import", deadline=None)
    waiting = ask(tom.contact, "+447700900002", "mobile", status="waiting", origin="person")
    made = ask(tom.contact, "+447700900003", "mobile", status="approved", origin="person", effective_at=offer.made_at)
    twin = make_contact(school, "Tom", "Marsh")
    tie(twin, tom.account)
    return {
        "not_mine": reverse("portal:not_mine", args=[tom.pupil.pk]),
        "merge": reverse("portal:merge", args=[tom.contact.pk, twin.pk]),
        "approval": reverse("portal:approval", args=[change.pk]),
        "yes": reverse("portal:yes", args=[change.pk]),
        "no": reverse("portal:no", args=[change.pk]),
        "decline": reverse("portal:decline", args=[offer.pk]),
        "proof": reverse("portal:proof", args=[waiting.batch]),
        "again": reverse("portal:again", args=[waiting.batch]),
        "cancel": reverse("portal:cancel", args=[waiting.batch]),
        "not_me": reverse("portal:not_me", args=[made.batch]),
    }


def not_found(name: str) -> tuple[int, ...]:
    """What a POST gets: a page that only shows takes none, whosever it is."""
    return (405,) if name == "approval" else (404,)


def snapshot() -> list[object]:
    rows = DetailChange.objects.order_by("pk").values_list("pk", "status", "answered_at")
    return [*rows, *PupilContact.objects.order_by("pk").values_list("pk", "denied_at")]


def test_every_address_that_names_something_is_tried(tom: Parent, school: School) -> None:
    assert {entry.name for entry in urlpatterns} - OPEN_TO_ALL == set(of_tom(tom, school))


def test_another_familys_things_are_not_found(ngozi: Parent, tom: Parent, school: School) -> None:
    addresses = of_tom(tom, school)
    before = snapshot()
    for name, path in addresses.items():
        assert ngozi.client.get(path).status_code in (404, 405), name
        assert ngozi.client.post(path, {"code": "123456", "why": "else", "more": "x"}).status_code in not_found(name), (
            name
        )
    assert snapshot() == before


def test_they_are_found_by_their_own(tom: Parent, school: School) -> None:
    for name, path in of_tom(tom, school).items():
        if name not in {"yes", "decline", "again", "cancel"}:
            assert tom.client.get(path).status_code == 200, name


def test_a_login_without_a_connection_finds_nothing(tom: Parent, school: School, signed_in: object) -> None:
    from tests.factories.parents import make_login

    nobody = signed_in(make_login("nell@example.org", "Nell"))  # type: ignore[operator]
    for name, path in of_tom(tom, school).items():
        assert nobody.post(path).status_code in not_found(name), name
    for kind in ("email", "mobile"):
        assert nobody.get(reverse("portal:change", args=[kind])).status_code == 404


def test_what_a_connection_gave_is_gone_when_it_ends(tom: Parent, school: School) -> None:
    addresses = of_tom(tom, school)
    tom.account.connections.update(ended_at=tom.connections[0].connected_at)
    for name, path in addresses.items():
        answer = tom.client.get(path)
        assert answer.status_code in (404, 405) or "no school has connected you" in answer.text, name


def test_a_child_of_the_other_parent_of_the_same_pupil_stays_private(ngozi: Parent, school: School) -> None:
    other = make_parent(school, forename="Chidi", surname="Eze", email="chidi@example.org", mobile="")
    assert ngozi.client.get(reverse("portal:children")).text.count("Chidi") == 0
    assert other.contact_id != ngozi.contact.pk


def test_nobody_signed_out_gets_in(tom: Parent, school: School) -> None:
    paths = [*of_tom(tom, school).values(), *(reverse(f"portal:{n}") for n in ("home", "children", "details"))]
    for path in paths:
        for answer in (Client().get(path), Client().post(path)):
            assert answer.status_code == 405 or answer["Location"].startswith("/sign-in/"), path


def test_no_get_writes_anything(tom: Parent, school: School) -> None:
    addresses = of_tom(tom, school)
    before = snapshot()
    for path in addresses.values():
        tom.client.get(path)
    assert snapshot() == before


@pytest.mark.parametrize("name", ["proof", "not_me"])
def test_a_made_up_batch_is_not_found(ngozi: Parent, name: str) -> None:
    assert ngozi.client.get(reverse(f"portal:{name}", args=[uuid.uuid4()])).status_code == 404


def test_an_unknown_kind_is_not_found(ngozi: Parent) -> None:
    assert ngozi.client.get(reverse("portal:change", args=["fax"])).status_code == 404
    assert ngozi.client.get(reverse("portal:take_out", args=["fax"])).status_code == 404
