"""The office's verbs about one change, and what a person's page shows of it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from hub.accounts.models import Account
from hub.core.models import School
from hub.people.models import Connection
from tests.factories.changes import make_change
from tests.factories.parents import make_parent
from verification import services
from verification.models import DetailChange, Status

SignIn = Callable[[Account], Client]


@pytest.fixture
def ngozi(school: School) -> Connection:
    return make_parent(school)


@pytest.fixture
def asked(ngozi: Connection, office: Account) -> DetailChange:
    from django.utils import timezone

    assert ngozi.contact is not None
    made = services.edit_or_propose(
        owner=ngozi.contact, kind="email", value="new@example.org", by=office, now=timezone.now()
    )
    assert made is not None
    return made


def url(change: DetailChange, verb: str) -> str:
    return reverse(f"verification:{verb}", args=[change.school.slug, change.pk])


def page_of(client: Client, change: DetailChange) -> str:
    return client.get(reverse("people:contact", args=[change.school.slug, change.contact_id])).content.decode()


def test_a_question_is_taken_back_from_the_persons_page(
    asked: DetailChange, office: Account, signed_in: SignIn
) -> None:
    client = signed_in(office)
    page = page_of(client, asked)
    assert "Pending approval" in page
    assert "new@example.org" in page
    assert url(asked, "withdraw") in page
    answer = client.post(url(asked, "withdraw"))
    assert answer["Location"] == reverse("people:contact", args=[asked.school.slug, asked.contact_id])
    page = client.get(answer["Location"]).content.decode()
    assert "The question is taken back, and Ngozi Okafor is told." in page
    assert "Pending approval" not in page
    client.post(url(asked, "withdraw"))
    assert "taken back on" in page_of(client, asked)


def test_a_question_asked_in_vain_is_asked_again_with_one_tap(
    asked: DetailChange, office: Account, signed_in: SignIn
) -> None:
    client = signed_in(office)
    client.post(url(asked, "ask_again"))
    assert "in the last 24 hours" in page_of(client, asked)
    DetailChange.objects.update(status=Status.EXPIRED)
    assert "Expired" in page_of(client, asked)
    answer = client.post(url(asked, "ask_again"), {"next": "/8233001/reports/verified-user-changes/?page=2"})
    assert answer["Location"] == "/8233001/reports/verified-user-changes/?page=2"
    assert DetailChange.objects.filter(status=Status.PENDING).count() == 1
    assert "is asked again, until" in page_of(client, asked)
    assert "Expired" not in page_of(client, asked)


@pytest.mark.parametrize("place", ["https://evil.example.org/", "//evil.example.org", "javascript:alert(1)", "/\\evil"])
def test_nobody_is_led_elsewhere(asked: DetailChange, office: Account, signed_in: SignIn, place: str) -> None:
    answer = signed_in(office).post(url(asked, "withdraw"), {"next": place})
    assert answer["Location"].startswith(f"/{asked.school.slug}/people/contacts/")


def test_a_rejection_is_shown_with_its_reason(asked: DetailChange, office: Account, signed_in: SignIn) -> None:
    from django.utils import timezone

    assert asked.contact is not None
    account = Connection.objects.get(contact=asked.contact).account
    assert account is not None
    services.reject(account=account, change=asked, reason="Not mine.", by_name="Ngozi Okafor", now=timezone.now())
    page = page_of(signed_in(office), asked)
    assert "Rejected" in page
    assert "Ngozi Okafor said no on" in page
    assert "Not mine." in page


def test_a_freeze_is_lifted_after_a_question(
    ngozi: Connection, office: Account, signed_in: SignIn, now: dt.datetime
) -> None:
    assert ngozi.contact is not None
    frozen = make_change(ngozi.contact, status=Status.FROZEN, mis_state="", reason="“This was not me”, said by her.")
    client = signed_in(office)
    page = page_of(client, frozen)
    assert "Frozen" in page
    assert url(frozen, "lift") in page
    asks = client.get(url(frozen, "lift"))
    assert "Is it really Ngozi Okafor?" in asks.content.decode()
    frozen.refresh_from_db()
    assert frozen.settled_at is None
    client.post(url(frozen, "lift"))
    frozen.refresh_from_db()
    assert frozen.settled_by == "Priya Shah"
    assert "Frozen" not in page_of(client, frozen)
    assert client.get(url(frozen, "lift")).status_code == 302


def test_an_own_change_that_waits_is_shown_without_the_unproved_address(
    ngozi: Connection, office: Account, signed_in: SignIn
) -> None:
    from django.utils import timezone

    assert ngozi.account is not None
    services.start_change(
        account=ngozi.account, connections=[ngozi], kind="email", value="x@example.org", by_name="N", now=timezone.now()
    )
    page = page_of(signed_in(office), DetailChange.objects.get())
    assert "They are changing it themselves" in page
    assert "x@example.org" not in page


def test_a_teacher_changes_nothing_and_a_stranger_finds_nothing(
    asked: DetailChange, teacher: Account, stranger: Account, signed_in: SignIn
) -> None:
    for verb in ("withdraw", "ask_again", "lift"):
        assert signed_in(teacher).post(url(asked, verb)).status_code == 403
        assert signed_in(stranger).post(url(asked, verb)).status_code == 404
        elsewhere = url(asked, verb).replace(asked.school.slug, "8234002")
        assert signed_in(stranger).post(elsewhere).status_code == 404
    for verb in ("withdraw", "ask_again"):
        assert signed_in(teacher).get(url(asked, verb)).status_code in (403, 405)
    asked.refresh_from_db()
    assert asked.status == Status.PENDING
