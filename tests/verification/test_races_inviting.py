"""The office invites at the moment at which somebody registers, or twice at once: one invitation, nobody stumbles."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from hub.accounts.models import Account, Role
from hub.core import scope
from hub.core.models import School
from hub.people import connecting
from hub.people.models import Connection, Contact
from tests.conftest import join, make_school
from tests.factories.meeting import Wait, meet
from tests.factories.people import give, make_contact, make_pupil
from verification.changes import proposing
from verification.errors import InvitationRefused, InvitationTrouble
from verification.invitations import inviting, letter_making
from verification.models import Invitation
from verification.registration import joining
from verification.registration.joining import Answers
from verification.registration.rules import Said, Told

pytestmark = pytest.mark.django_db(transaction=True)
EMAIL = "ngozi@example.org"
Doing = Callable[[Contact, Account, dt.datetime], Any]


@pytest.fixture
def larch() -> Iterator[School]:
    made = make_school("Larch Hill Primary", "8233001")
    with scope.schools(made.pk):
        yield made


@pytest.fixture
def office(larch: School) -> Account:
    return join(larch, "office@example.org", "Priya Shah", Role.OFFICE)


@pytest.fixture
def mother(larch: School) -> Contact:
    made = make_contact(larch, "Ngozi", "Okafor", make_pupil(larch))
    give(made, "email", EMAIL)
    return made


def registering(invitation: Invitation, now: dt.datetime) -> joining.Joined:
    guest = joining.look(token_hash=invitation.token_hash, now=now)
    said = Answers(details={"email": Told(Said.PROVED, EMAIL)}, mine={link.pk: True for link in guest.children})
    return joining.join(guest=guest, answers=said, account=None, password="correct horse battery", now=now)


def by_email(mother: Contact, office: Account, now: dt.datetime) -> Any:
    return inviting.invite(owner=mother, by=office, now=now)


def by_letter(mother: Contact, office: Account, now: dt.datetime) -> Any:
    return letter_making.print_letter(owner=mother, by=office, now=now)


def with_everybody(mother: Contact, office: Account, now: dt.datetime) -> Any:
    return inviting.invite_all(school=mother.school, by=office, now=now)


@pytest.mark.parametrize("again", [by_email, by_letter, with_everybody])
def test_whoever_registers_as_the_office_invites_again_is_connected_and_not_invited(
    larch: School,
    office: Account,
    mother: Contact,
    now: dt.datetime,
    monkeypatch: pytest.MonkeyPatch,
    again: Doing,
) -> None:
    invitation = inviting.invite(owner=mother, by=office, now=now)
    later = now + dt.timedelta(days=8)

    def register(until_the_office_waits: Wait) -> None:
        def slowly(**said: Any) -> Connection:
            until_the_office_waits()
            return connecting.connect(**said)

        monkeypatch.setattr(joining, "connect", slowly)
        registering(invitation, later)

    result = meet(larch, register, lambda: again(mother, office, later))
    if again is with_everybody:
        assert not result.sent
    else:
        assert isinstance(result, InvitationRefused)
        assert result.message == "Ngozi Okafor is connected already."
    assert Connection.objects.get().connected_at == later
    assert Invitation.objects.get().used_at == later, "and there is no other"


def test_whoever_registers_just_after_the_office_invited_again_is_told_so(
    larch: School, office: Account, mother: Contact, now: dt.datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = inviting.invite(owner=mother, by=office, now=now)
    later = now + dt.timedelta(days=8)
    keep = inviting.keep

    def invite(until_she_waits: Wait) -> None:
        def slowly(*said: Any) -> None:
            until_she_waits()
            keep(*said)

        monkeypatch.setattr(inviting, "keep", slowly)
        inviting.invite(owner=mother, by=office, now=later)

    result = meet(larch, invite, lambda: registering(first, later))
    assert isinstance(result, InvitationRefused)
    assert result.trouble == InvitationTrouble.VOIDED
    assert not Connection.objects.filter(connected_at__isnull=False).exists()
    assert inviting.void(owner=mother, by=office, now=later), "the newer one is open"


def test_two_members_of_the_office_who_invite_at_once_send_one_invitation(
    larch: School, office: Account, mother: Contact, now: dt.datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep = inviting.keep

    def invite(until_the_other_waits: Wait) -> None:
        def slowly(*said: Any) -> None:
            monkeypatch.setattr(inviting, "keep", keep)
            until_the_other_waits()
            keep(*said)

        monkeypatch.setattr(inviting, "keep", slowly)
        by_email(mother, office, now)

    assert isinstance(meet(larch, invite, lambda: by_email(mother, office, now)), InvitationRefused)
    assert Invitation.objects.count() == 1


def test_whoever_registers_as_the_office_corrects_the_email_finds_it_corrected(
    larch: School, office: Account, mother: Contact, now: dt.datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """She holds the invitation and waits for her record; the office holds the record and must not wait for her."""
    invitation = inviting.invite(owner=mother, by=office, now=now)
    void_outdated = inviting.void_outdated

    def correct(until_she_waits: Wait) -> None:
        def slowly(**said: Any) -> int:
            until_she_waits()
            return void_outdated(**said)

        monkeypatch.setattr(inviting, "void_outdated", slowly)
        proposing.edit_or_propose(owner=mother, kind="email", value="right@example.org", by=office, now=now)

    result = meet(larch, correct, lambda: registering(invitation, now))
    assert isinstance(result, InvitationRefused)
    assert result.trouble == InvitationTrouble.GONE
    assert not Connection.objects.filter(connected_at__isnull=False).exists()
    assert mother.details.get(kind="email").value == "right@example.org"
