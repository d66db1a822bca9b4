"""The office's addresses about what people confirm: another school's things are not found, GET writes nothing,
and a form that comes too late is answered in words."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.db import models, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from hub.accounts.models import Account
from hub.core import scope
from hub.core.models import Alert, AuditEntry, School
from hub.messaging.models import Notice
from hub.people.models import Connection, ContactDetail, PupilContact
from tests.accounts.test_every_address import ALL
from tests.factories.changes import make_change
from tests.factories.parents import make_parent
from tests.factories.people import give, make_contact, make_pupil, make_staff
from verification.lifecycle import merging
from verification.models import Choices, DetailChange, Field, Invitation, Merge, MisState, Status

SignIn = Callable[[Account], Client]
DAY = dt.timedelta(days=1)
OURS = [(name, place) for name, place, _ in ALL if name.startswith("verification:")]
NAMING = [(name, place) for name, place in OURS if "<int:" in place]
WRITTEN: tuple[type[models.Model], ...] = (
    DetailChange, Invitation, Connection, ContactDetail, PupilContact, Merge, Choices, Alert, AuditEntry,
)  # fmt: skip


class Things:
    """One of everything that an address can name, at one school."""

    def __init__(self, school: School) -> None:
        tie = make_parent(school)
        assert tie.contact is not None
        assert tie.account is not None
        self.tie, self.connected = tie, tie.contact
        self.contact = make_contact(school, "Nell", "Frost", make_pupil(school, "Ada"))
        give(self.contact, "email", "nell@example.org")
        self.staff = make_staff(school)
        link = PupilContact.objects.get(contact=self.connected)
        gone = make_parent(school, tie.account, email="", mobile="").contact
        assert gone is not None
        merging.merge(account=tie.account, kept=self.connected, gone=gone, by_name="Ngozi", now=timezone.now())
        soon = {"deadline": timezone.now() + DAY, "mis_state": MisState.NOTHING, "effective_at": None}
        self.changes = {
            "pending": make_change(self.connected, status=Status.PENDING, origin="organisation", field="email", **soon),
            "frozen": make_change(self.connected, status=Status.FROZEN, mis_state=MisState.NOTHING),
            "child": make_change(self.connected, field=Field.CHILD, pupil=link.pupil),
            "record": DetailChange.objects.get(field=Field.RECORD),
        }

    def paths(self, place: str, slug: str) -> list[str]:
        """Return the address with each id in its place, below the school with this slug."""
        place = "/" + place.replace("<slug:school>", slug)
        found = [place]
        if "<int:change_id>" in place:
            found = [place.replace("<int:change_id>", str(one.pk)) for one in self.changes.values()]
        elif "<int:person_id>" in place and "<slug:owner>" in place:
            people = [("contacts", self.connected), ("contacts", self.contact), ("staff", self.staff)]
            found = [
                place.replace("<slug:owner>", name).replace("<int:person_id>", str(one.pk)) for name, one in people
            ]
        elif "<int:person_id>" in place:
            found = [place.replace("<int:person_id>", str(one.pk)) for one in (self.connected, self.contact)]
        found = [one.replace("<slug:kind>", "email") for one in found]
        assert not any(re.search(r"<\w+:\w+>", one) for one in found), f"say what stands here: {found}"
        return found


def snapshot(school: School) -> list[Any]:
    with scope.schools(school.pk):
        rows = [list(model._default_manager.order_by("pk").values()) for model in WRITTEN]
    return [*rows, list(Notice.objects.order_by("pk").values_list("pk", "state"))]


ORIGINS = ("person", "organisation", "import")
SAID = {"value": "thief@example.org", "why": "because", "channel": "email"}


def test_another_schools_things_are_not_found_in_any_position(
    school: School, other_school: School, office: Account, signed_in: SignIn
) -> None:
    with scope.schools(other_school.pk):
        theirs = Things(other_school)
    client, before = signed_in(office), snapshot(other_school)
    for name, place in NAMING:
        for path in theirs.paths(place, school.slug):
            assert client.get(path).status_code in (404, 405), (name, path)
            assert client.post(path, SAID).status_code == 404, (name, path)
            assert client.post(path.replace(school.slug, other_school.slug, 1), SAID).status_code == 404, name
    assert snapshot(other_school) == before


def test_another_schools_ids_in_a_form_do_nothing(
    school: School, other_school: School, office: Account, signed_in: SignIn
) -> None:
    with scope.schools(other_school.pk):
        theirs = Things(other_school)
    client, before = signed_in(office), snapshot(other_school)
    rows = {"row": [one.pk for one in theirs.changes.values()]}
    for name in ("mark_done", "mark_open"):
        assert client.post(reverse(f"verification:{name}", args=[school.slug]), rows).status_code == 302
    person = theirs.contact.pk
    said = {"person": [person], f"email_{person}": "thief@example.org", f"contact-{person}-email": "thief@example.org"}
    assert client.post(reverse("verification:edit_many", args=[school.slug]), said).status_code == 302
    assert snapshot(other_school) == before


def test_looking_changes_nothing(school: School, administrator: Account, signed_in: SignIn) -> None:
    ours = Things(school)
    client = signed_in(administrator)
    client.get(reverse("verification:report", args=[school.slug]))
    before = snapshot(school)
    for name, place in OURS:
        for path in ours.paths(place, school.slug):
            answer = client.get(path)
            assert answer.status_code in (200, 302, 404, 405), (name, path)
            if answer.streaming:
                b"".join(answer.streaming_content)  # type: ignore[arg-type]
    assert snapshot(school) == before


@pytest.mark.parametrize(
    ("verb", "its_own"),
    [
        ("ask_again", "email"),
        ("withdraw", "email"),
        ("lift", "email"),
        ("give_back", "child"),
        ("undo_merge", "record"),
    ],
)
def test_a_form_that_comes_too_late_is_answered_in_words(
    school: School, office: Account, signed_in: SignIn, verb: str, its_own: str
) -> None:
    ours, client = Things(school), signed_in(office)
    DetailChange.objects.exclude(pk=ours.changes["record"].pk).delete()
    path = reverse(f"verification:{verb}", args=[school.slug, ours.changes["record"].pk])
    for field in ("email", "child", "record"):
        for at, status in enumerate(Status):
            for origin in ORIGINS if field == its_own else [ORIGINS[at % len(ORIGINS)]]:
                said: dict[str, Any] = {
                    "status": status,
                    "origin": origin,
                    "field": field,
                    "mis_state": MisState.NOTHING,
                    "settled_at": timezone.now(),
                    "deadline": timezone.now() - DAY,
                    "pupil": PupilContact.objects.values_list("pupil", flat=True)[0],
                }
                DetailChange.objects.filter(pk=ours.changes["record"].pk).update(**said)
                answer = client.post(path)
                expected = (302, 404) if field == its_own else (404,)
                assert answer.status_code in expected, (field, status, origin)


def test_a_form_leads_back_to_a_page_of_ours_only(school: School, office: Account, signed_in: SignIn) -> None:
    ours, client = Things(school), signed_in(office)
    withdraw = reverse("verification:withdraw", args=[school.slug, ours.changes["pending"].pk])
    for then in ("//evil.example.org/", "evil", "people:contact", "javascript:alert(1)", "\\\\evil"):
        for person, name in ((ours.contact, "contacts"), (ours.staff, "staff")):
            with transaction.atomic():
                for verb in ("invite", "take_back"):
                    path = reverse(f"verification:{verb}", args=[school.slug, name, person.pk])
                    answer = client.post(path, {"next": then})
                    where = f"/{school.slug}/people/{name}/{person.pk}/"
                    assert (answer.status_code, answer["Location"]) == (302, where), (then, verb)
                assert client.post(withdraw, {"next": then})["Location"].startswith(f"/{school.slug}/people/"), then
                transaction.set_rollback(True)


PAGES = ("report", "report_csv", "report_pdf", "connections", "connections_csv", "edit_many")


def test_no_made_up_filter_breaks_a_page(school: School, office: Account, signed_in: SignIn) -> None:
    Things(school)
    client = signed_in(office)
    for filters in (
        {"from": "0001-01-01", "to": "9999-12-31"}, {"from": "0002-01-01", "to": "9998-12-31"}, {"year": "a\x00b"},
        {"show": "\x00", "page": "-1"}, {"page": "9" * 30},
        {"status": "\x00", "state": "x", "origin": "x", "field": "x"}, {"who": "\x00", "search": "1"},
    ):  # fmt: skip
        for page in PAGES:
            answer = client.get(reverse(f"verification:{page}", args=[school.slug]), filters)
            assert answer.status_code == 200, (page, filters)
            if answer.streaming:
                b"".join(answer.streaming_content)  # type: ignore[arg-type]
    for name in ("report_search", "edit_many_search"):
        said = {"search": "a\x00b", "q": "a\x00b"}
        answer = client.post(reverse(f"verification:{name}", args=[school.slug]), said, follow=True)
        assert answer.status_code == 200, name
